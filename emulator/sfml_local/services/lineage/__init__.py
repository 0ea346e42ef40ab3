"""Lineage, as far as definitions tell it."""
