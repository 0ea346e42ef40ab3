from dataclasses import dataclass
from typing import NotRequired, TypedDict


class Metrics(TypedDict):
    r2: float
    by_segment: dict[str, float]
    note: NotRequired[str]


@dataclass
class Candidate:
    name: str
    metrics: Metrics
    tables: list[str]
