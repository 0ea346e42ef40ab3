"""The one place that talks to Snowflake, through Snowflake's own clients, imported when first needed."""
