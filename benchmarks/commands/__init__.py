"""The commands of `edge-bench`, a module each."""
