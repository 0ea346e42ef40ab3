"""What holds for every module of tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def _no_snowpark_session_is_left() -> Iterator[None]:
    """Fail where a module's tests leave a Snowpark session behind: `snowflake.ml` would go on with it.

    With the server of that session gone, `snowflake.ml` 2.6.0 doubles a list at each call until memory ends.
    """
    yield
    snowpark = sys.modules.get("snowflake.snowpark.session")
    assert snowpark is None or not snowpark._active_sessions
