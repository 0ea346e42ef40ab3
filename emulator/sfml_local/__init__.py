"""A local Snowflake: a server on loopback that Snowflake's own clients use like an account."""
