"""Dynamic tables: created, refreshed by hand and by schedule, and shown."""
