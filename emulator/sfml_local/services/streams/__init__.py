"""Streams on tables and views: the changes since they were last consumed."""
