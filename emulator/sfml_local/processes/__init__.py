"""Processes that run a user's code, and what the server and they say to each other."""
