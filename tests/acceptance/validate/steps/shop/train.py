from typing import Literal, TypedDict

from sfml_steps import Context, step


class Fit(TypedDict):
    candidate: str
    metrics: dict[str, float]


@step
def prepare(ctx: Context, table: str, days: int = 30) -> list[str]:
    return [table]


@step
def fit(ctx: Context, features: list[str], depth: int = 6, mode: Literal["fast", "exact"] = "fast") -> Fit:
    return {"candidate": "a", "metrics": {"r2": 0.5}}


@step
def gate(ctx: Context, value: float) -> Literal["promote", "alert"]:
    return "promote" if value > 0.5 else "alert"


@step
def verdict(ctx: Context) -> Literal["good", "bad", "same"]:
    return "same"


@step
def vague(ctx: Context) -> str:
    return "good"


@step
def promote(ctx: Context, candidate: str = "") -> None:
    return None


@step
def careless():
    return 1


def helper(ctx: Context) -> None:
    return None


@step
def report(ctx: Context, fit: Fit | None = None, depth: float = 6) -> dict[str, float]:
    return {"depth": depth}
