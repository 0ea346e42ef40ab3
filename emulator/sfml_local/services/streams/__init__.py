"""Streams on tables: what has changed since somebody last consumed it."""
