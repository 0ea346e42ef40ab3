"""Distinguishes ARRAY and OBJECT from VARIANT."""
