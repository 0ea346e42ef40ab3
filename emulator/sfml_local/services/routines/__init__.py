"""Procedures, functions and blocks of Snowflake Scripting."""
