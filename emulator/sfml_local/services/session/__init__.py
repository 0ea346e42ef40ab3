"""Settings of sessions, and the queries of clients when they connect."""
