"""How cases are measured: processes that take turns on one CPU."""
