"""The event table, and its logs."""
