"""A local Snowflake: a server on loopback that Snowflake's own clients take for an account."""
