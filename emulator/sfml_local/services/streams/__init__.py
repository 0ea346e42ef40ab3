"""Streams on tables: the changes since they were last consumed."""
