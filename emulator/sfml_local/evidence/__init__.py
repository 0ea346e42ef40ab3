"""How sure the local Snowflake is of what it does."""
