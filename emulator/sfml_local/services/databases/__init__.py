"""Databases and schemas."""
