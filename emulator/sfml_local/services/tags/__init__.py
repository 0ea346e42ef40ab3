"""Tags, and what is tagged."""
