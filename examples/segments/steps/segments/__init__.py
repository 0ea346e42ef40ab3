"""The steps of segments."""
