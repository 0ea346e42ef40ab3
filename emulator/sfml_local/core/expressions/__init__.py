"""Snowflake's expressions: functions, conversions and their errors, where DuckDB differs or lacks them.

`dialect` leaves the functions of `FUNCTIONS` as they are written, `lowering` turns them into calls of macros
(`macros`), which choose by the types of their arguments when DuckDB binds them, and of Python functions (`library`),
which compute the values.
"""
