"""What Snowflake does with tasks, as pure functions that need no account and no client."""
