"""Snowflake's expressions: functions, conversions and their errors, where DuckDB has others or none.

`dialect` leaves the functions of `FUNCTIONS` as they are written, `lowering` turns them into calls of macros
(`macros`), which choose by the types of their arguments when DuckDB binds them, and of Python functions (`library`),
which work out the values.
"""
