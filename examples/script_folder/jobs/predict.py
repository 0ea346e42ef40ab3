"""Predict the days after the last one that the model knows."""

import argparse

from snowflake.snowpark import Session

parser = argparse.ArgumentParser()
parser.add_argument("--days", type=int, default=7)
options = parser.parse_args()

session = Session.builder.getOrCreate()
[model] = session.table("RENTAL_MODEL").collect()
days = [model["LAST_DAY"] + ahead for ahead in range(1, options.days + 1)]
forecast = [(int(day), model["INTERCEPT"] + model["SLOPE"] * day) for day in days]
frame = session.create_dataframe(forecast, schema=["DAY", "RENTALS"])
frame.write.mode("overwrite").save_as_table("RENTAL_FORECAST")
print(f"{len(forecast)} days predicted")
