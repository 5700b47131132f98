"""All cases, by theme."""
