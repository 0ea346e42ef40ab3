from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NotRequired, TypedDict

from sfml_steps import Context, step


class Window(TypedDict):
    days: int
    note: NotRequired[str]


@dataclass
class Limits:
    low: float = 0.0


class Base(enum.Enum):
    pass


class Colour(Base):
    RED = "red"


class Kind(enum.StrEnum):
    LINEAR = "linear"


Day = dt.date


@step
def measure(
    ctx: Context,
    day: Day,
    days: Sequence[dt.date],
    until: dt.datetime | None,
    limits: Limits,
    colour: "Colour",
    price: dict[str, Decimal],
    kinds: set[str],
    window: Window,
    kind: Kind,
    either: dt.date | str,
    left_out: dt.date = dt.date(2026, 1, 1),
) -> Window:
    return {"days": 1}


@step
def look_back(ctx: Context, days: int = 1) -> None:
    ctx.result("measure")
    ctx.result("mesure")
    if days > 1:
        ctx.result("other")
    ctx.session.result("nothing")


@step
def close(ctx: Context) -> None:
    ctx.result("measure")
