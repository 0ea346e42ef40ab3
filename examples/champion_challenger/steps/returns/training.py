"""Trains a challenger, and measures it on orders that training did not see."""

from __future__ import annotations

import json
from typing import TypedDict

from sfml_steps import Context, step
from sfml_steps.models import pickled
from sfml_steps.registry import Candidate

INPUTS = ("AMOUNT", "ITEMS", "FIRST_ORDER")


class Challenger(TypedDict):
    """A candidate for the registry, and the share of held-out orders that it is right about."""

    summary: str
    candidate: Candidate
    accuracy: float


@step
def train_challenger(ctx: Context, source: str, held_out: str, depth: int = 2) -> Challenger:
    """Grow a decision tree on the orders that are not held out."""
    import sklearn
    from sklearn.tree import DecisionTreeClassifier

    unseen = ctx.session.table(held_out).to_pandas()
    orders = ctx.session.table(source).to_pandas()
    seen = orders[~orders["ID"].isin(unseen["ID"])]
    inputs = list(INPUTS)
    model = DecisionTreeClassifier(max_depth=depth, random_state=0)
    model.fit(seen[inputs].astype(float), seen["RETURNED"].astype(int))
    right = model.predict(unseen[inputs].astype(float)) == unseen["RETURNED"].astype(int)
    accuracy = round(float(right.mean()), 4)
    sample = seen[inputs].head(5).astype(float).to_dict(orient="records")
    candidate: Candidate = {
        "model": ctx.write_file("model.pkl", pickled(model)),
        "format": "sklearn",
        "sample": ctx.write_file("sample.json", json.dumps(sample).encode()),
        "packages": [f"scikit-learn=={sklearn.__version__}"],
        "metrics": {"accuracy": accuracy},
    }
    return {"summary": f"accuracy {accuracy:.3f}", "candidate": candidate, "accuracy": accuracy}
