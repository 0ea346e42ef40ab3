"""What each customer did until a day, and what they spent in the weeks after it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, TypedDict

from sfml_steps import Context, StepError, step

if TYPE_CHECKING:
    from snowflake.snowpark import Column, DataFrame

PURCHASE_COLUMNS = ("CUSTOMER_ID", "PURCHASED_ON", "UNITS", "AMOUNT")

# Who came back, but not within the last half year, behaves like who never came back: their predictions
# should not differ for noise. Chosen by cross-validation on training customers, among 14 to 40 weeks.
ACTIVE_DAYS = 26 * 7


class Features(TypedDict):
    """The table of features, one row a customer, and how many there are; `summary` is shown with the run."""

    summary: str
    features: str
    customers: int
    active: int
    calibration_end: str
    target_end: str


@step
def prepare_data(
    ctx: Context,
    source: str,
    calibration_end: str,
    target_weeks: int = 39,
    table: str = "CLV_FEATURES",
) -> Features:
    """Write a table with a row for every customer who bought until `calibration_end`.

    `source` has the columns CUSTOMER_ID, PURCHASED_ON, UNITS, AMOUNT, a row a purchase. The target is what
    a customer spends in the `target_weeks` that follow.
    """
    from snowflake.snowpark import functions as f

    end = parsed_day(calibration_end)
    target_end = end + datetime.timedelta(weeks=target_weeks)
    purchases = ctx.session.table(source)
    missing = set(PURCHASE_COLUMNS) - {name.strip('"') for name in purchases.columns}
    if missing:
        raise StepError(f"table {source} lacks the columns {', '.join(sorted(missing))}")
    if not purchases.filter(f.col("PURCHASED_ON") <= f.lit(end)).limit(1).collect():
        raise StepError(f"no customer in {source} bought anything until {end}: is `calibration_end` right?")
    customer_table(purchases, end, target_end).write.mode("overwrite").save_as_table(table)
    written = ctx.session.table(table)
    customers, active = written.agg(f.count("*"), f.sum("ACTIVE")).collect()[0]
    ctx.logger.info("%s: %s customers, %s of them active, until %s", table, customers, active, end)
    return {
        "summary": f"{int(customers):,} customers, {int(active):,} active",
        "features": table,
        "customers": int(customers),
        "active": int(active),
        "calibration_end": end.isoformat(),
        "target_end": target_end.isoformat(),
    }


def customer_table(purchases: DataFrame, end: datetime.date, target_end: datetime.date) -> DataFrame:
    """Every customer's past until `end` (inclusive), features of it, and their spend until `target_end`.

    Purchases of one day are one. The features FREQUENCY to GAP_LAST are the model's inputs: they describe
    how an active customer comes back, and are the same for all who are not active.
    """
    from snowflake.snowpark import functions as f

    day = f.col("PURCHASED_ON")
    past = spending(customer_days(purchases.filter(day <= f.lit(end))), end)
    future = (
        purchases.filter((day > f.lit(end)) & (day <= f.lit(target_end)))
        .group_by("CUSTOMER_ID")
        .agg(f.sum("AMOUNT").alias("LATER"))
    )
    joined = past.join(future, "CUSTOMER_ID", "left")
    active = (f.col("PURCHASES") > 1) & (f.col("DAYS_SINCE_LAST") < f.lit(ACTIVE_DAYS))

    def if_active(value: Column, otherwise: float) -> Column:
        return f.when(active, number(value)).otherwise(number(f.lit(otherwise)))

    repeats = f.col("PURCHASES") - f.lit(1)
    return joined.select(
        "CUSTOMER_ID",
        "FIRST_PURCHASE_ON",
        "LAST_PURCHASE_ON",
        "TENURE_DAYS",
        "DAYS_SINCE_LAST",
        "PURCHASES",
        "UNITS",
        number(f.col("SPEND")).alias("SPEND"),
        f.when(active, f.lit(1)).otherwise(f.lit(0)).alias("ACTIVE"),
        if_active(repeats, 0).alias("FREQUENCY"),
        if_active(f.col("DAYS_SINCE_LAST"), ACTIVE_DAYS).alias("RECENCY"),
        if_active(f.col("REPEAT_SPEND") / f.greatest(repeats, f.lit(1)), 0).alias("MONETARY_VALUE"),
        if_active(f.col("GAP_MEAN_DAYS"), ACTIVE_DAYS).alias("GAP_MEAN"),
        if_active(f.coalesce(f.col("GAP_STD_DAYS"), f.lit(0)), 0).alias("GAP_STD"),
        if_active(f.col("GAP_LAST_DAYS"), ACTIVE_DAYS).alias("GAP_LAST"),
        f.coalesce(number(f.col("LATER")), number(f.lit(0))).alias("TARGET"),
    )


def customer_days(purchases: DataFrame) -> DataFrame:
    """A row a customer and day, with the gap in days to the day before, and flags of the first and last."""
    from snowflake.snowpark import Window
    from snowflake.snowpark import functions as f

    days = purchases.group_by("CUSTOMER_ID", "PURCHASED_ON").agg(
        f.sum("AMOUNT").alias("DAY_AMOUNT"), f.sum("UNITS").alias("DAY_UNITS")
    )
    in_order = Window.partition_by("CUSTOMER_ID").order_by("PURCHASED_ON")
    before = f.lag("PURCHASED_ON").over(in_order)
    after = f.lead("PURCHASED_ON").over(in_order)
    return days.select(
        "CUSTOMER_ID",
        "PURCHASED_ON",
        "DAY_AMOUNT",
        "DAY_UNITS",
        f.datediff("day", before, f.col("PURCHASED_ON")).alias("GAP"),
        f.when(before.is_null(), f.lit(0)).otherwise(f.col("DAY_AMOUNT")).alias("REPEAT_AMOUNT"),
        f.when(after.is_null(), f.datediff("day", before, f.col("PURCHASED_ON"))).alias("LAST_GAP"),
    )


def spending(days: DataFrame, end: datetime.date) -> DataFrame:
    """A row a customer: their days of purchase summed up."""
    from snowflake.snowpark import functions as f

    first, last = f.min("PURCHASED_ON"), f.max("PURCHASED_ON")
    gap = number(f.col("GAP"))
    return days.group_by("CUSTOMER_ID").agg(
        first.alias("FIRST_PURCHASE_ON"),
        last.alias("LAST_PURCHASE_ON"),
        f.datediff("day", first, f.lit(end)).alias("TENURE_DAYS"),
        f.datediff("day", last, f.lit(end)).alias("DAYS_SINCE_LAST"),
        f.count("*").alias("PURCHASES"),
        f.sum("DAY_UNITS").alias("UNITS"),
        f.sum("DAY_AMOUNT").alias("SPEND"),
        f.sum("REPEAT_AMOUNT").alias("REPEAT_SPEND"),
        f.avg(gap).alias("GAP_MEAN_DAYS"),
        f.stddev(gap).alias("GAP_STD_DAYS"),
        f.max("LAST_GAP").alias("GAP_LAST_DAYS"),
    )


def number(column: Column) -> Column:
    """As a float, so that the features have one type wherever they are read."""
    from snowflake.snowpark.types import DoubleType

    return column.cast(DoubleType())


def parsed_day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise StepError(f"`calibration_end` is a day such as 1997-09-30, not `{text}`") from error
