"""The steps of returns."""

INPUTS = ("AMOUNT", "ITEMS", "FIRST_ORDER")
"""The columns that a model is given; it predicts RETURNED."""
