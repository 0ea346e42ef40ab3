"""The version that a rollback goes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import pytest

from sfml.account.registered import CHALLENGER, ModelVersion, VersionChange, version_before

Changes = Mapping[int, Sequence[tuple[str, int | None]]]
"""Number of a version → what became of it: the action, and the number of the other version."""


def version(number: int, default: int, changes: Changes, challengers: Sequence[int]) -> ModelVersion:
    return ModelVersion(
        f"V{number}",
        datetime(2026, 1, number),
        number == default,
        aliases=(CHALLENGER,) if number in challengers else (),
        changes=tuple(
            VersionChange(action, "2026-01-01T00:00:00Z", "ada", other=f"V{other}" if other else None)
            for action, other in changes.get(number, ())
        ),
    )


@pytest.mark.parametrize(
    ("newest", "default", "changes", "before"),
    [
        (3, 3, {}, "V2"),
        (3, 1, {}, None),
        (3, 3, {3: [("promoted", 1)]}, "V1"),  # V2 never served
        (3, 3, {1: [("promoted", 2)], 3: [("promoted", 1)]}, "V1"),  # V2 was left for V1, by a promotion
        (3, 1, {1: [("promoted", 3)]}, "V3"),
        (3, 3, {2: [("promoted", 1), ("left", 1)], 1: [("restored", 2)], 3: [("promoted", 1)]}, "V1"),
        (3, 3, {2: [("promoted", 1), ("left", 1)], 3: [("promoted", 2)]}, "V1"),  # what the left one replaced
        (4, 4, {3: [("left", 2)], 4: [("promoted", 3)]}, "V2"),  # not known what it replaced
        (2, 1, {1: [("promoted", 2), ("restored", 2)], 2: [("promoted", 1), ("left", 1)]}, None),
        (3, 3, {3: [("promoted", None)]}, "V2"),
        (3, 3, {3: [("promoted", 9)]}, "V2"),  # it was dropped
        (3, 2, {2: [("promoted", 1), ("restored", 3)], 3: [("promoted", 2), ("left", 2)]}, "V1"),
        (3, 3, {3: [("promoted", 1), ("promoted", 2)]}, "V2"),
        (3, 3, {3: [("promoted", 2), ("aliased", 1)]}, "V2"),
    ],
)
def test_it_is_the_one_that_served_before(
    newest: int, default: int, changes: Changes, before: str | None
) -> None:
    found = version_before(version(number, default, changes, ()) for number in range(1, newest + 1))
    assert (found.name if found else None) == before


def test_a_challenger_that_never_served_is_passed_over() -> None:
    assert version_before([version(number, 2, {}, (1,)) for number in (1, 2)]) is None
    served = {1: [("promoted", None)]}
    before = version_before([version(number, 2, served, (1,)) for number in (1, 2)])
    assert before is not None and before.name == "V1"


def test_without_versions_there_is_none() -> None:
    assert version_before([]) is None
