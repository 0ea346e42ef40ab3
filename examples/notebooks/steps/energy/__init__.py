"""The steps of energy."""
