"""Jobs of several instances: one Ray cluster, a log for each, and nodes of the compute pool.

The estimators of Snowflake's container train on all nodes of a job. Starting a cluster takes several seconds, so
one job does what the tests of a cluster look at.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from payloads import POOL, define, payload
from snowflake.ml.jobs import MLJob, submit_directory
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

has_boosters = all(importlib.util.find_spec(name) for name in ("xgboost", "lightgbm"))
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")

CLUSTER = """
import os
import pathlib
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from snowflake.ml.data import DataConnector
from snowflake.snowpark.context import get_active_session

ray.init(address="auto", ignore_reinit_error=True)
table = DataConnector.from_dataframe(get_active_session().table("READINGS")).to_pandas()

@ray.remote(num_cpus=1)
def total(share):
    from package import VALUE  # the payload is importable on every node
    return ray.util.get_node_ip_address(), VALUE, int(share["X"].sum())

nodes = [node for node in ray.nodes() if node["Alive"]]
answers = ray.get(
    [
        total.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote(share)
        for node, share in zip(nodes, (table[:50], table[50:]))
    ]
)
cluster = {
    "nodes": len(nodes),
    "tags": sorted(tag for node in nodes for tag in node["Resources"] if tag.startswith("node_tag")),
    "places": len({place for place, _, _ in answers}),
    "values": [value for _, value, _ in answers],
    "total": sum(share for _, _, share in answers),
    "index": os.environ["SNOWFLAKE_JOB_INDEX"],
    "of": os.environ["SNOWFLAKE_JOBS_COUNT"],
    "from nothing": b"supervisor.py" in pathlib.Path(f"/proc/{os.getppid()}/cmdline").read_bytes(),
}
print("the head speaks")
"""
TRAINING = """
import json
import os
from snowflake.ml.data import DataConnector
from snowflake.ml.modeling.distributors.lightgbm import LightGBMEstimator, LightGBMScalingConfig
from snowflake.ml.modeling.distributors.xgboost import XGBEstimator, XGBScalingConfig
from snowflake.ml.modeling.distributors.xgboost.xgboost_estimator import XGBEstimator as ByModule
from snowflake.snowpark.context import get_active_session

assert ByModule is XGBEstimator
rows = DataConnector.from_dataframe(get_active_session().table("POINTS"))
frame = rows.to_pandas()
inputs, label = ["X", "Z"], "Y"

def right(predictions):
    return float(((predictions > 0.5) == (frame[label] > 0)).mean())

def error_of(call):
    try:
        call()
    except ValueError as error:
        return str(error)

boosted = XGBEstimator(params={"n_estimators": 5, "objective": "binary:logistic"}, scaling_config=XGBScalingConfig())
xgb = boosted.fit(rows, input_cols=inputs, label_col=label)
import xgboost
cores = os.cpu_count()  # with three times as many, more than the two nodes have
sharing = XGBScalingConfig(num_workers=3, num_cpu_per_worker=cores)
three = XGBEstimator(
    n_estimators=2, objective="binary:logistic", scaling_config=sharing
).fit(rows, input_cols=inputs, label_col=label)
one = XGBEstimator(
    n_estimators=2, objective="binary:logistic", scaling_config=XGBScalingConfig(num_workers=1, num_cpu_per_worker=1)
).fit(rows, input_cols=inputs, label_col=label, eval_set=rows)
light = LightGBMEstimator(
    n_estimators=5, objective="binary", params={"min_data_in_leaf": 5}, scaling_config=LightGBMScalingConfig()
).fit(rows, input_cols=inputs, label_col=label)
many = LightGBMEstimator(
    n_estimators=3,
    objective="binary",
    params={"min_data_in_leaf": 2},
    scaling_config=LightGBMScalingConfig(num_workers=5, num_cpu_per_worker=1),
).fit(rows, input_cols=inputs, label_col=label, eval_set=rows)
numbers = frame[inputs].astype(float)
boosters = {
    "xgb": right(xgb.predict(xgboost.DMatrix(numbers))),
    "rounds": [each.num_boosted_rounds() for each in (xgb, one, three)],
    "light": right(light.predict(numbers)),
    "trees": [light.num_trees(), many.num_trees()],
    "many": right(many.predict(numbers)),
    "names": [xgb.feature_names, light.feature_name()],
    "missing": error_of(lambda: boosted.fit(rows, input_cols=["W"], label_col=label)),
    "gpu": error_of(lambda: XGBEstimator(scaling_config=XGBScalingConfig(use_gpu=True)).fit(rows, label_col=label)),
}
"""


@pytest.fixture(scope="module")
def of_two(shared: Session, tmp_path_factory: pytest.TempPathFactory) -> MLJob[Any]:
    """A job of two instances that has ended."""
    frame = shared.create_dataframe([[x] for x in range(100)], schema=["X"])
    frame.write.save_as_table("READINGS", mode="overwrite")
    shared.sql(
        "CREATE OR REPLACE TABLE points AS SELECT MOD(seq4(), 20)::NUMBER(10, 2) AS x, MOD(seq4(), 7) AS z,"
        " IFF(MOD(seq4(), 20) > 9, 1, 0) AS y FROM TABLE(GENERATOR(ROWCOUNT => 400))"
    ).collect()
    main = f"{CLUSTER}{TRAINING if has_boosters else 'boosters = None'}\n__return__ = [cluster, boosters]\n"
    job: MLJob[Any] = submit_directory(
        payload(tmp_path_factory.mktemp("two") / "p", main),
        POOL,
        entrypoint="main.py",
        stage_name="JOBS",
        target_instances=2,
        session=shared,
    )
    assert job.wait(300) == "DONE", job.get_logs(verbose=True)
    return job


@needs_ray
def test_two_instances_are_nodes_of_one_cluster(shared: Session, of_two: MLJob[Any]) -> None:
    job = of_two
    assert (job.target_instances, job.min_instances) == (2, 2)
    assert job.result()[0] == {
        "nodes": 2,
        "tags": ["node_tag:head", "node_tag:worker"],
        "places": 2,
        "values": [7, 7],
        "total": 4950,
        "index": "0",
        "of": "2",
        "from nothing": False,
    }
    assert "the head speaks" in job.get_logs()
    assert "the head speaks" in job.get_logs(instance_id=0)
    worker = job.get_logs(instance_id=1)
    assert "Worker node started" in worker
    assert "the head speaks" not in worker
    assert job.get_ray_dashboard_url() is None
    (row,) = shared.sql(
        """SELECT COUNT(*) FROM SNOWFLAKE.TELEMETRY.EVENTS
        WHERE RESOURCE_ATTRIBUTES['snow.service.container.instance'] = '1'"""
    ).collect()
    assert row[0] >= len(worker.splitlines())
    rows = shared.sql(f"SHOW SERVICE INSTANCES IN SERVICE {job.id}").collect()
    assert [(row["instance_id"], row["status"]) for row in rows] == [("0", "DONE"), ("1", "DONE")]


@needs_ray
@pytest.mark.skipif(not has_boosters, reason="XGBoost or LightGBM is not installed")
def test_boosters_are_trained_on_all_nodes(of_two: MLJob[Any]) -> None:
    assert of_two.result()[1] == {
        "xgb": 1.0,
        "rounds": [5, 2, 2],
        "light": 1.0,
        "trees": [5, 3],
        "many": 1.0,
        "names": [["X", "Z"], ["X", "Z"]],
        "missing": "the data has no column 'W'",
        "gpu": "use_gpu=True: the nodes of the local Snowflake have no GPU",
    }
    assert "Training XGBoost on 2 worker(s)" in of_two.get_logs()
    assert f"Training XGBoost on 3 worker(s) with {os.cpu_count()} core(s) each" in of_two.get_logs()
    # One for each of two columns, though five were asked for.
    assert of_two.get_logs().count("Training LightGBM on 2 worker(s)") == 2


@needs_ray
def test_one_instance_has_no_cluster_until_it_asks(shared: Session, tmp_path: Path) -> None:
    main = """
import os, sys
joined = "ray" in sys.modules
import ray
__return__ = [joined, ray.is_initialized(), os.environ["RAY_ADDRESS"]]
"""
    assert define(shared, payload(tmp_path / "p", main))().result(60) == [False, False, "local"]


def test_without_ray_several_instances_are_refused(
    shared: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = define(shared, payload(tmp_path / "p", ""), target_instances=2)
    monkeypatch.setitem(sys.modules, "ray", None)  # how Python itself notes that a module is not there
    with pytest.raises(SnowparkSQLException, match=r"not emulated.* 2 instances without Ray"):
        two()


def test_more_instances_than_the_pool_has_nodes_are_refused(shared: Session, tmp_path: Path) -> None:
    shared.sql("CREATE COMPUTE POOL SMALL MIN_NODES=1 MAX_NODES=1 INSTANCE_FAMILY=CPU_X64_XS").collect()
    sql = define(shared, payload(tmp_path / "p", ""), target_instances=2).to_sql().replace(POOL, "SMALL")
    with pytest.raises(SnowparkSQLException, match=r"MIN_INSTANCES \(2\) exceeds MAX_NODES \(1\)"):
        shared.sql(sql).collect()


def test_a_job_waits_until_its_pool_has_a_node(shared: Session, tmp_path: Path) -> None:
    shared.sql("CREATE COMPUTE POOL ONE MIN_NODES=1 MAX_NODES=1 INSTANCE_FAMILY=CPU_X64_XS").collect()
    flag = tmp_path / "flag"
    source = payload(
        tmp_path / "p",
        f"import pathlib, time\nwhile not pathlib.Path({str(flag)!r}).exists(): time.sleep(0.02)\n",
    )

    def submit() -> MLJob[None]:
        return submit_directory(source, "ONE", entrypoint="main.py", stage_name="JOBS", session=shared)

    first, second, third = submit(), submit(), submit()
    assert [job.status for job in (first, second, third)] == ["RUNNING", "PENDING", "PENDING"]
    (pool,) = shared.sql("SHOW COMPUTE POOLS LIKE 'ONE'").collect()
    assert (pool["active_nodes"], pool["num_jobs"]) == ("1", "3")
    second.cancel()
    assert second.status == "CANCELLED"
    flag.touch()
    assert [job.wait(60) for job in (first, third)] == ["DONE", "DONE"]
