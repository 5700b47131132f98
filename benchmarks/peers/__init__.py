"""Peers: what people use instead, set up as well as it allows."""
