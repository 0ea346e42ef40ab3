"""Scores what a stream brings."""

from __future__ import annotations

from typing import TypedDict

from sfml_steps import Context, step


class Scored(TypedDict):
    """How many orders were scored; `summary` is shown with the run."""

    summary: str
    orders: int


@step
def score_orders(ctx: Context, stream: str, model: str, table: str) -> Scored:
    """Append the risk of each order that the stream brings, by the weights of the model.

    The append reads the stream, and so consumes it: the next run gets what came since.
    """
    from snowflake.snowpark import functions as f

    before = ctx.session.table(table).count() if has_table(ctx, table) else 0
    new = ctx.session.table(stream).filter(f.col('"METADATA$ACTION"') == f.lit("INSERT"))
    score = f.col("BIAS") + f.col("W_AMOUNT") * f.col("AMOUNT") + f.col("W_COUNTRY") * f.col("NEW_COUNTRY")
    scored = new.cross_join(ctx.session.table(model)).select(
        "ID", (f.lit(1) / (f.lit(1) + f.exp(-score))).alias("RISK")
    )
    scored.write.mode("append").save_as_table(table)
    orders = ctx.session.table(table).count() - before
    return {"summary": f"{orders} orders scored", "orders": orders}


def has_table(ctx: Context, table: str) -> bool:
    return bool(ctx.session.sql(f"SHOW TABLES LIKE '{table}'").collect())
