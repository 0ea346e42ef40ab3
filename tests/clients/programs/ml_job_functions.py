"""Functions that run as ML Jobs, followed, listed, cancelled and deleted.

As https://docs.snowflake.com/en/developer-guide/snowflake-ml/ml-jobs/overview writes them.
"""

import json
import time

import pandas as pd
from snowflake.ml.jobs import delete_job, get_job, list_jobs, remote
from snowflake.snowpark import Session

session = Session.builder.config("connection_name", "local").create()


@remote("MY_COMPUTE_POOL", stage_name="payload_stage", session=session)
def train_model(data: pd.DataFrame, *, rounds: int = 10, fail: bool = False) -> dict:
    from snowflake.snowpark.context import get_active_session

    print(f"training on {len(data)} rows")
    if fail:
        raise ValueError("no such hyperparameter")
    rows = get_active_session().sql("select count(*) from table(generator(rowcount => 5))").collect()[0][0]
    return {"mean": data["y"].mean(), "rounds": rounds, "rows": rows, "frame": data.assign(z=data["y"] * 2)}


@remote("MY_COMPUTE_POOL", stage_name="payload_stage", session=session)
def wait_long() -> None:
    time.sleep(600)


def main() -> None:
    data = pd.DataFrame({"y": [1.0, 2.0, 3.0]})
    job = train_model(data, rounds=3)
    result = job.result()
    failed = train_model(data, fail=True)
    try:
        failed.result()
        raise AssertionError("the job must fail")
    except RuntimeError as error:
        cause = error.__cause__

    running = wait_long()
    early = running.status
    try:
        running.wait(timeout=1)
        raise AssertionError("the job must still run")
    except TimeoutError:
        pass
    running.cancel()

    again = get_job(job.id, session=session)
    listed = list_jobs(limit=10, session=session).set_index("name")["status"].to_dict()
    told = {
        "result": {key: value for key, value in result.items() if key != "frame"},
        "frame": result["frame"]["z"].tolist(),
        "status": job.wait(),
        "logs": job.get_logs(as_list=True),
        "last": again.get_logs(limit=1, verbose=True) != "",
        "cause": [type(cause).__name__, str(cause)],
        "failed": [failed.status, failed.get_logs().splitlines()[0]],
        "early": early,
        "listed": [listed[one.name] for one in (job, failed, running)],
        "instances": [job.target_instances, job.min_instances],
    }
    for one in (job, failed, running):
        delete_job(one)
    left = set(list_jobs(session=session)["name"])
    print(json.dumps({**told, "left": len(left & {job.name, failed.name, running.name})}))


if __name__ == "__main__":
    main()
