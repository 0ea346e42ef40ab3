"""The steps of returns."""
