"""The model registry: what `snowflake.ml.registry` asks of an account, kept in SQLite and in folders."""
