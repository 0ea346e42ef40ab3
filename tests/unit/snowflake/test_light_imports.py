"""While `snowflake.core` is imported nothing searches for garbage; before and after as the process had it."""

from __future__ import annotations

import gc

import pytest

from sfml.snowflake.light_connector import without_snowpark


@pytest.mark.parametrize("is_enabled", [True, False])
def test_garbage_is_searched_for_as_before(is_enabled: bool) -> None:
    (gc.enable if is_enabled else gc.disable)()
    try:
        with pytest.raises(ImportError), without_snowpark():
            assert not gc.isenabled()
            raise ImportError("not installed")
        assert gc.isenabled() == is_enabled
    finally:
        gc.enable()
