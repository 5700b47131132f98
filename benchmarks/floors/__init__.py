"""Floors: the least that a case could cost."""
