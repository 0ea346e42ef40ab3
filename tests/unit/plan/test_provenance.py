"""Where a graph came from, out of records of this version and of earlier ones."""

from __future__ import annotations

from typing import Any

import pytest

from sfml.plan.provenance import origin_text, provenance_of, uncommitted_text, uncommitted_value


@pytest.mark.parametrize(
    ("record", "origin", "value"),
    [
        (None, None, None),
        ({}, None, None),
        ({"commit": "9f3e1c2"}, "commit 9f3e1c2", None),
        ({"commit": "9f3e1c2", "uncommitted": "odd"}, "commit 9f3e1c2", None),
        ({"commit": "9f3e1c2", "uncommitted": []}, "commit 9f3e1c2", {"count": 0, "files": []}),
        (
            {"commit": "9f3e1c2", "uncommitted": ["a.py", "b\n.py"]},
            "commit 9f3e1c2 with uncommitted changes in a.py, b .py",
            {"count": 2, "files": ["a.py", "b .py"]},
        ),
        (
            {"commit": "9f3e1c2", "uncommitted": ["a", "b", "c", "d"], "uncommitted_count": 1_240},
            "commit 9f3e1c2 with uncommitted changes in a, b, c and 1,237 more",
            {"count": 1240, "files": ["a", "b", "c", "d"]},
        ),
        (
            {"commit": "9f3e1c2", "uncommitted": ["a"], "uncommitted_count": "many"},
            "commit 9f3e1c2 with uncommitted changes in a",
            {"count": 1, "files": ["a"]},
        ),
    ],
)
def test_a_record_is_read_whatever_it_holds(
    record: dict[str, Any] | None, origin: str | None, value: dict[str, Any] | None
) -> None:
    assert origin_text(record) == origin
    assert uncommitted_value(record) == value


def test_a_record_names_few_files_and_counts_all() -> None:
    assert provenance_of(None, ("a",)) == {}
    assert provenance_of("9f3e1c2", None) == {"commit": "9f3e1c2"}
    assert provenance_of("9f3e1c2", ()) == {"commit": "9f3e1c2", "uncommitted": []}
    record = provenance_of("9f3e1c2", [f"{n:03}.py" for n in reversed(range(30))])
    assert record["uncommitted"] == [f"{n:03}.py" for n in range(20)]
    assert record["uncommitted_count"] == 30
    assert uncommitted_text(record) == "uncommitted changes in 000.py, 001.py, 002.py and 27 more"
