"""When the address of a connection says by itself which account it leads to."""

from __future__ import annotations

from typing import Any

import pytest

from sfml.snowflake.connection import _is_addressed


def test_a_host_made_of_the_targets_account_is_no_other_accounts() -> None:
    assert _is_addressed("MYORG-PROD", {"account": "myorg-prod", "user": "CI"})


@pytest.mark.parametrize(
    "arguments",
    [
        {"account": "MYORG-DEV"},
        {"account": "MYORG-PROD", "host": "elsewhere.example.org"},
        {"account": "MYORG-PROD", "port": 8080},
        {"account": "MYORG-PROD", "region": "eu-central-1"},
        {"account": "MYORG-PROD.privatelink"},
        {"account": "xy12345.eu-central-1"},
        {},
    ],
)
def test_any_other_address_is_asked_where_it_leads(arguments: dict[str, Any]) -> None:
    assert not _is_addressed("MYORG-PROD", arguments)


def test_a_locator_is_always_asked_for() -> None:
    assert not _is_addressed("XY12345", {"account": "xy12345"})
