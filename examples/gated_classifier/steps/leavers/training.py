"""From a training set to a candidate for the registry."""

from __future__ import annotations

import json
from typing import TypedDict

from leavers import INPUTS
from sfml_steps import Context, step
from sfml_steps.models import pickled
from sfml_steps.registry import Candidate


class Training(TypedDict):
    """A candidate, and how well it orders customers that training did not see."""

    summary: str
    candidate: Candidate
    auc: float


@step
def train_model(ctx: Context, source: str) -> Training:
    """Fit a logistic regression to three quarters of the customers, and measure it on the others."""
    import sklearn
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = ctx.session.table(source).to_pandas().sort_values("CUSTOMER")
    inputs, label = rows[list(INPUTS)].fillna(0).astype(float), rows["HAS_LEFT"].astype(int)
    unseen = rows["CUSTOMER"] % 4 == 0
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(inputs[~unseen], label[~unseen])
    auc = round(float(roc_auc_score(label[unseen], model.predict_proba(inputs[unseen])[:, 1])), 3)
    candidate: Candidate = {
        "model": ctx.write_file("model.pkl", pickled(model)),
        "format": "sklearn",
        "sample": ctx.write_file(
            "sample.json", json.dumps(inputs.head(5).to_dict(orient="records")).encode()
        ),
        "packages": [f"scikit-learn=={sklearn.__version__}"],
        "metrics": {"auc": auc},
        "options": {"target_methods": ["predict_proba"]},
    }
    return {"summary": f"AUC {auc:.3f}", "candidate": candidate, "auc": auc}
