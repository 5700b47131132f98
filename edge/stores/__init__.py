"""Connections to what keeps state: the SQL engine, its tables and their migrations."""
