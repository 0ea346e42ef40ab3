"""How certain the behaviours of the local Snowflake are."""
