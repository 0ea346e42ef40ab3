"""The local Snowflake used alone: `python -m sfml_local` serves one folder in the foreground."""
