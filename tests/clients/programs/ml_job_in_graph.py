"""A job definition, called and as a task of a graph, whose return value the next task reads.

As https://docs.snowflake.com/en/developer-guide/snowflake-ml/ml-jobs/overview writes them, and Snowflake's end-to-end
sample, whose job reads and sets return values.
"""

import json
import tempfile
import time
from pathlib import Path

from snowflake.core import CreateMode, Root
from snowflake.core.task.context import TaskContext
from snowflake.core.task.dagv1 import DAG, DAGOperation, DAGTask
from snowflake.ml.jobs import MLJobDefinition
from snowflake.snowpark import Session

SCRIPT = """
import sys
from snowflake.core.task.context import TaskContext
from snowflake.snowpark import Session

session = Session.builder.getOrCreate()
__return__ = sys.argv[1:]
if __return__ != ["by hand"]:
    context = TaskContext(session)
    prepared = context.get_predecessor_return_value("PREPARE")
    context.set_return_value(f"model of {prepared}")
"""


def prepare(session: Session) -> str:
    return "42 rows"


def promote(session: Session) -> str:
    return TaskContext(session).get_predecessor_return_value("TRAIN")


def main() -> None:
    session = Session.builder.config("connection_name", "local").create()
    folder = Path(tempfile.mkdtemp())
    (folder / "train.py").write_text(SCRIPT)
    definition = MLJobDefinition.register(
        str(folder / "train.py"),
        compute_pool="MY_COMPUTE_POOL",
        stage_name="payload_stage",
        name="train",
        session=session,
    )
    by_hand = definition("by hand")

    session.sql("create stage if not exists code").collect()
    operation = DAGOperation(Root(session).databases["SFML"].schemas["PUBLIC"])
    packages = ["snowflake-snowpark-python", "snowflake.core"]
    with DAG("training", stage_location="@code", packages=packages, use_func_return_value=True) as dag:
        train = DAGTask("train", definition=definition)
        DAGTask("prepare", prepare) >> train >> DAGTask("promote", promote)
    operation.deploy(dag, mode=CreateMode.or_replace)
    operation.run(dag)
    deadline = time.monotonic() + 120
    while not (complete := operation.get_complete_dag_runs(dag, error_only=False)):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    rows = session.sql(
        "select name, state, return_value from table(information_schema.task_history())"
        " where graph_run_group_id is not null and name like 'TRAINING$%'"
    ).collect()
    print(
        json.dumps(
            {
                "by_hand": by_hand.result(),
                "state": complete[0].state,
                "error": complete[0].first_error_message,
                "tasks": {row["NAME"]: [row["STATE"], row["RETURN_VALUE"]] for row in rows},
            }
        )
    )
    operation.drop(dag)
    definition.delete()


if __name__ == "__main__":
    main()
