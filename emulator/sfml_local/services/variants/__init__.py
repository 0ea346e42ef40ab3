"""ARRAY and OBJECT told apart from VARIANT."""
