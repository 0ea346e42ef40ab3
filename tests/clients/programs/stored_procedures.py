"""Stored procedures and functions registered with Snowpark.

As https://docs.snowflake.com/en/developer-guide/snowpark/python/creating-sprocs and
https://docs.snowflake.com/en/developer-guide/snowpark/python/creating-udfs write them.
"""

import json
import tempfile
import zipfile
from pathlib import Path

from snowflake.snowpark import Session
from snowflake.snowpark.functions import call_udf, col, pandas_udf, sproc, udf
from snowflake.snowpark.types import IntegerType, PandasSeries, StringType, StructField, StructType

PACKAGES = ["snowflake-snowpark-python"]


def main() -> None:
    session = Session.builder.config("connection_name", "local").create()
    session.sql("create or replace stage sprocs").collect()
    told = {}

    def copy_rows(session: Session, source: str, target: str, count: int) -> str:
        session.table(source).limit(count).write.save_as_table(target, mode="overwrite")
        return "COPIED"

    session.create_dataframe([[n, n * 0.5] for n in range(5)], schema=["id", "half"]).write.save_as_table(
        "from_rows", mode="overwrite"
    )
    copied = session.sproc.register(
        func=copy_rows,
        packages=PACKAGES,
        is_permanent=True,
        name="my_copy",
        replace=True,
        stage_location="@sprocs",
        execute_as="caller",
    )
    told["permanent"] = [copied("from_rows", "to_rows", 3), session.table("to_rows").count()]
    told["called"] = session.call("my_copy", "from_rows", "to_rows", 2)

    @sproc(name="add_up", replace=True, packages=[*PACKAGES, "pandas"])
    def add_up(session: Session, table: str, factor: float = 2.0) -> float:
        return float(session.table(table).to_pandas()["HALF"].sum() * factor)

    told["decorated"] = [add_up("from_rows"), session.sql("call add_up('from_rows', 1)").collect()[0][0]]

    @sproc(
        return_type=StructType([StructField("ID", IntegerType()), StructField("NAME", StringType())]),
        input_types=[IntegerType()],
        packages=PACKAGES,
    )
    def named(session, least):
        return (
            session.table("from_rows").filter(col("id") >= least).select(col("id"), col("id").cast("string"))
        )

    told["table"] = sorted(tuple(row) for row in named(3).collect())

    folder = Path(tempfile.mkdtemp())
    (folder / "scoring.py").write_text(
        "import weights\n\ndef score(session, x):\n    return x * weights.FACTOR\n", encoding="utf-8"
    )
    with zipfile.ZipFile(folder / "weights.zip", "w") as archive:
        archive.writestr("weights/__init__.py", "FACTOR = 7\n")
    session.file.put(str(folder / "weights.zip"), "@sprocs", auto_compress=False)
    score = session.sproc.register_from_file(
        str(folder / "scoring.py"),
        "score",
        return_type=IntegerType(),
        input_types=[IntegerType()],
        imports=["@sprocs/weights.zip"],
        packages=PACKAGES,
    )
    told["file"] = score(6)

    add_one = udf(
        lambda x: x + 1, return_type=IntegerType(), input_types=[IntegerType()], name="add_one", replace=True
    )

    @pandas_udf
    def plus(x: PandasSeries[int], y: PandasSeries[float]) -> PandasSeries[float]:
        return x + y

    frame = session.table("from_rows").sort("id")
    told["udf"] = [row[0] for row in frame.select(add_one("id")).collect()]
    told["by_name"] = [
        row[0] for row in frame.filter(call_udf("add_one", col("id")) > 4).select("id").collect()
    ]
    told["vectorized"] = [row[0] for row in frame.select(plus("id", "half")).collect()]
    told["listed"] = sorted(
        row["name"] for row in session.sql("show procedures").collect() if "MY_" in row["name"]
    )
    session.sql("drop procedure my_copy(varchar, varchar, int)").collect()
    told["left"] = [row["name"] for row in session.sql("show procedures like 'MY_COPY'").collect()]
    session.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
