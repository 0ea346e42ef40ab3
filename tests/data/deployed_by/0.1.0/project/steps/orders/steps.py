"""The steps of both pipelines."""

from typing import Literal, TypedDict

from sfml_steps import Context, step


class Total(TypedDict):
    """How many purchases there are, and their sum."""

    count: int
    amount: float


@step
def total(ctx: Context, source: str) -> Total:
    """Sum the purchases up."""
    count, amount = ctx.session.sql(f"select count(*), sum(AMOUNT) from {source}").collect()[0]
    return {"count": int(count), "amount": float(amount)}


@step
def decide(ctx: Context, count: int, least: int) -> Literal["publish", "wait"]:
    """Publish only what rests on enough purchases."""
    return "publish" if count >= least else "wait"


@step
def publish(ctx: Context, total: float) -> dict[str, float]:
    """Write the total down."""
    ctx.session.sql(f"create or replace table PUBLISHED as select {float(total)} as TOTAL").collect()
    return {"total": total}


@step
def nothing(ctx: Context) -> dict[str, float]:
    """Do nothing."""
    return {}
