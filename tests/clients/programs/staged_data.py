"""Files in stages: put, read into data frames, loaded, merged, unloaded.

As https://docs.snowflake.com/en/developer-guide/snowpark/python/working-with-dataframes and
https://docs.snowflake.com/en/user-guide/querying-stage write them.
"""

import io
import json

import snowflake.snowpark.functions as f
from snowflake.snowpark import Session
from snowflake.snowpark.types import DoubleType, IntegerType, StringType, StructField, StructType


def main() -> None:
    session = Session.builder.config("connection_name", "local").create()
    told = {}
    session.sql("create or replace stage landing directory = (enable = true)").collect()
    session.file.put_stream(io.BytesIO(b"id|name|price\n1|tea|2.5\n2|milk|1\n"), "@landing/in/day1.csv")
    session.file.put_stream(io.BytesIO(b"id|name|price\n2|milk|1.25\n3|salt|?\n"), "@landing/in/day2.csv")
    told["put"] = sorted(row["name"] for row in session.sql("ls @landing").collect())

    session.sql(
        "create or replace file format piped type = csv field_delimiter = '|' skip_header = 1"
    ).collect()
    query = (
        "select t.$1::int, t.$2, metadata$filename from @landing/in (file_format => 'piped') t order by 1, 3"
    )
    told["queried"] = [list(row)[:2] for row in session.sql(query).collect()]

    schema = StructType(
        [
            StructField("ID", IntegerType()),
            StructField("NAME", StringType()),
            StructField("PRICE", DoubleType()),
        ]
    )
    day = (
        session.read.options({"field_delimiter": "|", "skip_header": 1})
        .schema(schema)
        .csv("@landing/in/day1.csv.gz")
    )
    day.write.save_as_table("prices", mode="overwrite")
    told["read"] = [list(row) for row in session.table("prices").sort("id").collect()]

    session.sql("create or replace table loaded like prices").collect()
    done = session.sql(
        "copy into loaded from @landing/in file_format = (format_name = 'piped') on_error = continue"
    )
    told["loaded"] = [[row["status"], row["rows_loaded"], row["errors_seen"]] for row in done.collect()]

    target, source = session.table("prices"), session.table("loaded").filter(f.col("price") != 1)
    merged = target.merge(
        source,
        target["ID"] == source["ID"],
        [
            f.when_matched().update({"PRICE": source["PRICE"]}),
            f.when_not_matched().insert({"ID": source["ID"], "NAME": source["NAME"]}),
        ],
    )
    told["merged"] = [merged.rows_inserted, merged.rows_updated]

    session.table("prices").write.parquet(
        "@landing/out/prices.parquet", single=True, overwrite=True, header=True
    )
    back = session.read.parquet("@landing/out/prices.parquet")
    told["unloaded"] = sorted([row["ID"], row["PRICE"]] for row in back.collect())
    session.sql("copy files into @landing/kept/ from @landing/out").collect()
    session.sql("remove @landing/out").collect()
    told["left"] = sorted(row["name"] for row in session.sql("ls @landing pattern = '.*parquet'").collect())
    session.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
