"""The event table, and the logs that it reads."""
