"""A line through the weeks of each segment, and a table of all lines."""

from __future__ import annotations

from typing import TypedDict

from sfml_steps import Context, StepError, step


class Fitted(TypedDict):
    """The line of a segment, and how much of its revenue it explains; `summary` is shown with the run."""

    summary: str
    slope: float
    intercept: float
    r2: float


class Published(TypedDict):
    """How many models the table got from this run."""

    summary: str
    models: int


@step
def fit_segment(ctx: Context, source: str, segment: str) -> Fitted:
    """Fit a line to the weeks of one segment, in the warehouse."""
    from snowflake.snowpark import functions as f

    weeks = ctx.session.table(source).filter(f.col("SEGMENT") == f.lit(segment))
    numbers = [
        f.call_function(name, f.col("REVENUE"), f.col("WEEK"))
        for name in ("REGR_SLOPE", "REGR_INTERCEPT", "REGR_R2")
    ]
    [(slope, intercept, r2)] = weeks.agg(*numbers).collect()
    if slope is None:
        raise StepError(f"{source} has too few weeks of segment {segment}")
    return {
        "summary": f"R² {r2:.2f}",
        "slope": float(slope),
        "intercept": float(intercept),
        "r2": float(r2),
    }


@step
def publish_models(ctx: Context, segments: list[str], table: str) -> Published:
    """Write the models of this run; a segment whose task failed keeps the model that it had."""
    fitted = {segment: ctx.result(f"fit_{segment}") for segment in segments}
    rows = [
        (segment, model["slope"], model["intercept"], model["r2"], ctx.run.id)
        for segment, model in fitted.items()
        if model is not None
    ]
    new = ctx.session.create_dataframe(rows, schema=["SEGMENT", "SLOPE", "INTERCEPT", "R2", "RUN"])
    if ctx.session.sql(f"SHOW TABLES LIKE '{table}'").collect():
        before = ctx.session.table(table)
        kept = before.join(new.select("SEGMENT"), "SEGMENT", "leftanti")
        new = kept.select(*new.columns).union_all(new)
    new.write.mode("overwrite").save_as_table(table)
    return {"summary": f"{len(rows)} of {len(segments)} models", "models": len(rows)}
