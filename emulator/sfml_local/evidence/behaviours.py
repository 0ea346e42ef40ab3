"""All behaviours of the local Snowflake with their certainty, one row each in the files beside this one.

documented  described on a page of Snowflake's documentation
checked     seen on a real account, by its own messages or by tests that ran against one
assumed     neither; the most likely behaviour, to be checked by the same scenario on an account
different   this server deviates on purpose, or refuses
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILES = (
    *(
        "tasks",
        "alerts",
        "streams",
        "code",
        "jobs",
        "models",
        "datasets",
        "dynamic_tables",
        "objects",
        "access",
    ),
    "server",
)
"""The files in the order of the documentation."""


class Evidence(StrEnum):
    DOCUMENTED = "documented"
    CHECKED = "checked"
    ASSUMED = "assumed"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour, and its certainty.

    `source` is a page below docs.snowflake.com/en, or the reason for the assumption. `scenario` of `sfml conformance`
    or `test` below `tests/` tries it; `untried` says why nothing can.
    """

    area: str
    what: str
    evidence: Evidence
    source: str
    scenario: str | None = None
    test: str | None = None
    untried: str | None = None


@cache
def behaviours() -> tuple[Behaviour, ...]:
    """All of them, in the order of their files."""
    return tuple(behaviour for file in FILES for behaviour in _read(Path(__file__).with_name(f"{file}.yaml")))


def _read(file: Path) -> Iterator[Behaviour]:
    rows: list[Mapping[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    for row in rows:
        yield Behaviour(**{**row, "evidence": Evidence(row["evidence"])})
