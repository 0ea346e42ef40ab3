"""The model registry: everything that `snowflake.ml.registry` needs, stored in SQLite and in folders."""
