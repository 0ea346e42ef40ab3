"""Fit a line to the rentals of the first days, measure it on the others, and keep it in a table."""

import argparse

from line import error_of, fitted
from snowflake.snowpark import Session

parser = argparse.ArgumentParser()
parser.add_argument("--source", required=True)
parser.add_argument("--share", type=float, default=0.8)
options = parser.parse_args()

session = Session.builder.getOrCreate()
rows = session.table(options.source).sort("DAY").collect()
points = [(float(row["DAY"]), float(row["RENTALS"])) for row in rows]
seen = int(len(points) * options.share)
slope, intercept = fitted(points[:seen])
error = error_of(points[seen:], slope, intercept)
print(f"{seen} days seen, off by {error:.1f} rentals a day on {len(points) - seen} others")
model = [(slope, intercept, error, points[-1][0])]
frame = session.create_dataframe(model, schema=["SLOPE", "INTERCEPT", "ERROR", "LAST_DAY"])
frame.write.mode("overwrite").save_as_table("RENTAL_MODEL")
