"""The steps of fares."""
