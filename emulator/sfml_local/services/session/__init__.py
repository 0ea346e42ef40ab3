"""What a session sets, and what clients ask when they connect."""
