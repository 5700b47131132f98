"""Serving the files of a folder and nothing else: names, conditions, media types."""
