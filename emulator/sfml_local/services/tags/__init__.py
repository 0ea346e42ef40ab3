"""Tags, and tagged objects."""
