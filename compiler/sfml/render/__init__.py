"""Renders values as text, JSON, Markdown and pictures. Functions return strings; none writes to a stream."""
