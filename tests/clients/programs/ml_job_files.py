"""Files, folders and stages submitted as ML Jobs, with all that a submission may say.

As https://docs.snowflake.com/en/developer-guide/snowflake-ml/ml-jobs/overview writes them.
"""

import json
import tempfile
from pathlib import Path

from snowflake.ml import dataset
from snowflake.ml.jobs import submit_directory, submit_file, submit_from_stage
from snowflake.snowpark import Session

SCRIPT = """
import argparse, os
import features
from snowflake.ml import dataset
from snowflake.ml.data.data_connector import DataConnector
from snowflake.snowpark import Session

parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=int)
rows = parser.parse_args().rows

session = Session.builder.getOrCreate()
frame = DataConnector.from_sql("select x from sales order by x", session=session).to_pandas()
__return__ = {
    "total": features.total(frame.head(rows)),
    "greeting": os.environ.get("GREETING"),
    "warehouse": session.get_current_warehouse(),
    "count": len(DataConnector.from_dataframe(session.table("sales")).to_pandas()),
    "dataset": len(DataConnector.from_dataset(dataset.load_dataset(session, "sales_data", "v1")).to_pandas()),
}
print("done")
"""


def main() -> None:
    session = Session.builder.config("connection_name", "local").create()
    session.create_dataframe([[x] for x in (1, 2, 3, 4)], schema=["x"]).write.save_as_table(
        "sales", mode="overwrite"
    )
    dataset.create_from_dataframe(session, "sales_data", "v1", input_dataframe=session.table("sales"))
    folder = Path(tempfile.mkdtemp())
    shared = folder / "shared"
    source = folder / "source"
    for path in (shared, source):
        path.mkdir()
    (source / "train.py").write_text(SCRIPT)
    (shared / "features.py").write_text("def total(frame):\n    return int(frame['X'].sum())\n")

    from_file = submit_file(
        str(source / "train.py"),
        "MY_COMPUTE_POOL",
        stage_name="payload_stage",
        args=["--rows", "3"],
        imports=[str(shared / "features.py")],
        env_vars={"GREETING": "hello"},
        pip_requirements=["pandas", "pyyaml>=6"],
        external_access_integrations=["PYPI_EAI"],
        query_warehouse="REPORTING_WH",
        enable_metrics=True,
        name="from_file",
        comment="nightly",
        session=session,
    )

    (source / "features.py").write_text((shared / "features.py").read_text())
    from_directory = submit_directory(
        str(source),
        "MY_COMPUTE_POOL",
        entrypoint="train.py",
        stage_name="payload_stage",
        args=["--rows", "2"],
        session=session,
    )

    session.sql("create stage if not exists source_stage").collect()
    session.file.put(f"{source}/*.py", "@source_stage/code", auto_compress=False)
    from_stage = submit_from_stage(
        "@source_stage/code",
        "MY_COMPUTE_POOL",
        entrypoint="train.py",
        stage_name="payload_stage",
        args=["--rows", "1"],
        session=session,
    )

    jobs = {"file": from_file, "directory": from_directory, "stage": from_stage}
    told = {name: [job.result(), job.status, job.get_logs()] for name, job in jobs.items()}
    print(json.dumps({**told, "named": from_file.name.startswith("FROM_FILE")}))


if __name__ == "__main__":
    main()
