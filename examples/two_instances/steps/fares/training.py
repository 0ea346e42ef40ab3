"""Trains one model on all nodes of its job."""

from __future__ import annotations

import json
from typing import TypedDict

from sfml_steps import Context, step
from sfml_steps.registry import Candidate

INPUTS = ("DISTANCE", "MINUTES", "NIGHT")


class Training(TypedDict):
    """A candidate for the registry, its mean error, and the nodes that it was trained on."""

    summary: str
    candidate: Candidate
    error: float
    nodes: int


@step
def train_model(ctx: Context, source: str, rounds: int = 20) -> Training:
    """Train on three quarters of the trips, each node with its share of them, and measure on the others.

    The distributor belongs to Snowflake's container runtime, which has started Ray on all instances of the job.
    """
    import ray
    import xgboost
    from snowflake.ml.data import DataConnector
    from snowflake.ml.modeling.distributors.xgboost import XGBEstimator, XGBScalingConfig
    from snowflake.snowpark import functions as f

    trips = ctx.session.table(source)
    seen = trips.filter(f.col("TRIP") % 4 != 0)
    unseen = trips.filter(f.col("TRIP") % 4 == 0).to_pandas()
    estimator = XGBEstimator(
        n_estimators=rounds,
        objective="reg:squarederror",
        params={"max_depth": 4, "eta": 0.3},
        scaling_config=XGBScalingConfig(),
    )
    model = estimator.fit(DataConnector.from_dataframe(seen), input_cols=list(INPUTS), label_col="FARE")
    inputs = unseen[list(INPUTS)].astype(float)
    error = float((model.predict(xgboost.DMatrix(inputs)) - unseen["FARE"].astype(float)).abs().mean())
    nodes = len(ray.nodes())
    ctx.logger.info("trained on %d nodes, off by %.2f on %d other trips", nodes, error, len(unseen))
    sample = inputs.head(5).to_dict(orient="records")
    candidate: Candidate = {
        "model": ctx.write_file("model.ubj", bytes(model.save_raw("ubj"))),
        "format": "xgboost",
        "sample": ctx.write_file("sample.json", json.dumps(sample).encode()),
        "packages": [f"xgboost=={xgboost.__version__}"],
        "metrics": {"error": round(error, 3)},
    }
    return {
        "summary": f"off by {error:.2f}, trained on {nodes} nodes",
        "candidate": candidate,
        "error": round(error, 3),
        "nodes": nodes,
    }
