"""The only room that talks to Snowflake, through Snowflake's own clients, which are imported at their first use."""
