"""How a graph behaves, worked out by Snowflake's rules alone: its tests, and every way through it."""
