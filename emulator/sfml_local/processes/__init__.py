"""Processes that run a user's code, and their protocol with the server."""
