"""Values that travel between the server and a worker come back as they were."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import Any

import pytest

from sfml_local.processes.transport import decoded, encoded


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        2.5,
        "it's \\ \n $$ →",
        Decimal("1.20"),
        datetime.date(2026, 1, 2),
        datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.UTC),
        datetime.time(3, 4),
        b"\x00\xff",
        [1, [Decimal("2")]],
        {"$decimal": "a user's own key", "list": [{}]},
    ],
)
def test_values_survive_json(value: Any) -> None:
    assert decoded(json.loads(json.dumps(encoded(value)))) == value


def test_other_objects_are_refused() -> None:
    with pytest.raises(TypeError, match="object is no SQL value"):
        encoded(object())
