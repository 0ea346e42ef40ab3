"""The Snowflake statements that sqlglot leaves opaque, read into frozen dataclasses."""
