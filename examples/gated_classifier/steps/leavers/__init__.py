"""The steps of leavers."""

INPUTS = ("ORDERS", "SPEND", "LAST_DAYS")
"""The features of a customer that the model is given."""
