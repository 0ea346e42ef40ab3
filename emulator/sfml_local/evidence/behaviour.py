"""One behaviour of the local Snowflake, and its certainty."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Evidence(StrEnum):
    DOCUMENTED = "documented"
    CHECKED = "checked"
    ASSUMED = "assumed"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`source` is a page below docs.snowflake.com/en, or the reason for the assumption."""

    area: str
    what: str
    evidence: Evidence
    source: str
