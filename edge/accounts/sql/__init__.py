"""Users and clients in SQL."""
