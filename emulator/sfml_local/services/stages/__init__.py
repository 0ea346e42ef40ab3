"""Stages, file formats, and files as tables."""
