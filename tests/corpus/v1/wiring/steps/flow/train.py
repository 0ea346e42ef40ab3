from typing import Any, Literal

from flow.types import Candidate, Metrics
from sfml_steps import Context, step


@step
def fit(ctx: Context, table: str, rounds: int = 10, mode: Literal["fast", "exact"] = "fast") -> Candidate:
    return Candidate("a", Metrics(r2=0.5, by_segment={}), [table])


@step
def anything(ctx: Context, **values: Any) -> dict[str, Any]:
    return values


@step
def evaluate(
    ctx: Context, r2: float, tables: list[str], settings: dict[str, Any], note: str | None = None
) -> None:
    return None
