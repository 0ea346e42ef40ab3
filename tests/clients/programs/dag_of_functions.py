"""A graph of Python functions with a branch and a finalizer, deployed, run and followed.

As https://docs.snowflake.com/en/developer-guide/snowflake-python-api/snowflake-python-managing-tasks writes them.
"""

import json
import time
from datetime import timedelta

from snowflake.core import CreateMode, Root
from snowflake.core.task.context import TaskContext
from snowflake.core.task.dagv1 import DAG, DAGOperation, DAGTask, DAGTaskBranch
from snowflake.snowpark import Session


def count_rows(session: Session) -> str:
    session.sql("create or replace table numbers as select 1 as n union all select 2").collect()
    return str(session.table("numbers").count())


def choose(session: Session) -> str:
    context = TaskContext(session)
    rows = int(context.get_predecessor_return_value("COUNT_ROWS"))
    limit = int(context.get_task_graph_config_property("limit"))
    print(f"{rows} rows, limit {limit}")
    return "large" if rows > limit else "small"


def large(session: Session) -> str:
    return TaskContext(session).get_current_task_short_name()


def small(session: Session) -> None:
    raise AssertionError("the other branch")


def tidy(session: Session) -> None:
    context = TaskContext(session)
    context.set_return_value(context.get_current_root_task_name())


def main() -> None:
    session = Session.builder.config("connection_name", "local").create()
    session.sql("create stage if not exists code").collect()
    root = Root(session)
    schema = root.databases["SFML"].schemas["PUBLIC"]

    with DAG(
        "functions",
        schedule=timedelta(days=1),
        stage_location="@code",
        packages=["snowflake-snowpark-python", "snowflake.core"],
        use_func_return_value=True,
        config={"limit": 1},
    ) as dag:
        branch = DAGTaskBranch("choose", choose)
        first = DAGTask("count_rows", count_rows)
        first >> branch >> [DAGTask("large", large), DAGTask("small", small)]
        DAGTask("tidy", tidy, is_finalizer=True)

    operation = DAGOperation(schema)
    operation.deploy(dag, mode=CreateMode.or_replace)
    print("deployed", operation.iter_dags(like="functions"))
    operation.run(dag)
    seen = {run.state for run in operation.get_current_dag_runs(dag)}
    deadline = time.monotonic() + 120
    while not (complete := operation.get_complete_dag_runs(dag, error_only=False)):
        assert time.monotonic() < deadline
        seen |= {run.state for run in operation.get_current_dag_runs(dag)}
        time.sleep(0.2)
    [run] = complete
    rows = session.sql(
        "select name, state, return_value from table(information_schema.task_history("
        f"root_task_id => '{schema.tasks['functions'].fetch().id}')) where run_id = {run.run_id}"
    ).collect()
    print(
        json.dumps(
            {
                "followed": sorted(seen),
                "name": run.dag_name,
                "state": run.state,
                "error": run.first_error_message,
                "errors": len(operation.get_complete_dag_runs(dag)),
                "states": {row["NAME"]: row["STATE"] for row in rows},
                "values": {row["NAME"]: row["RETURN_VALUE"] for row in rows if row["RETURN_VALUE"]},
            }
        )
    )
    operation.drop(dag, drop_finalizer=True)
    assert operation.iter_dags(like="functions") == []


if __name__ == "__main__":
    main()
