"""Features of the hours that were measured."""

from __future__ import annotations

from typing import TypedDict

from sfml_steps import Context, step


class Features(TypedDict):
    """The table of features; `summary` is shown with the run."""

    summary: str
    table: str


@step
def compute_features(ctx: Context, table: str, hours: int = 240) -> Features:
    """Write an example of measurements: cold costs energy. Put a query of your own data here."""
    rows = []
    for hour in range(hours):
        degrees = (hour * 37 % 400) / 10 - 5
        noise = (hour * 7919) % 13 / 4
        rows.append((hour, degrees, 50 - degrees + (degrees - 18) ** 2 / 12 + noise))
    frame = ctx.session.create_dataframe(rows, schema=["HOUR", "DEGREES", "USED"])
    frame.write.mode("overwrite").save_as_table(table)
    return {"summary": f"{hours} hours", "table": table}
