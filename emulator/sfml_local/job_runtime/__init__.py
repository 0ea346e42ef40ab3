"""Modules that Snowflake's container for jobs has and its package on PyPI lacks: `as_main` lets jobs import them.

They run in the processes of jobs, so they import nothing of this package.
"""
