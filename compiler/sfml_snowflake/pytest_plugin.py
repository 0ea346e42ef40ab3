"""The entry point of the pytest plugin: `sfml.pytest_plugin`, where `sfml` is this project's package."""

from __future__ import annotations

from sfml_snowflake import require_own_package

require_own_package()

from sfml.pytest_plugin import local_snowflake, local_snowflake_server, pytest_configure  # noqa: E402

__all__ = ["local_snowflake", "local_snowflake_server", "pytest_configure"]
