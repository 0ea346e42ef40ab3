"""What the client of the Feature Store asks, beside dynamic tables, views, tags and tasks."""
