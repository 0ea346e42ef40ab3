"""From features to a candidate for the registry."""

from __future__ import annotations

import json
from typing import TypedDict

from sfml_steps import Context, step
from sfml_steps.models import pickled
from sfml_steps.registry import Candidate


class Training(TypedDict):
    """A candidate, and the share of the variance of unseen hours that it explains."""

    summary: str
    candidate: Candidate
    r2: float


@step
def train_model(ctx: Context, source: str, degree: int = 1) -> Training:
    """Fit a polynomial of the temperature to three quarters of the hours, and measure it on the others."""
    import sklearn
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures

    rows = ctx.session.table(source).to_pandas().sort_values("HOUR")
    inputs, used = rows[["DEGREES"]].astype(float), rows["USED"].astype(float)
    unseen = rows["HOUR"] % 4 == 0
    model = make_pipeline(PolynomialFeatures(degree), LinearRegression())
    model.fit(inputs[~unseen], used[~unseen])
    r2 = round(float(model.score(inputs[unseen], used[unseen])), 3)
    ctx.logger.info("degree %d explains %.3f of %d unseen hours", degree, r2, unseen.sum())
    candidate: Candidate = {
        "model": ctx.write_file("model.pkl", pickled(model)),
        "format": "sklearn",
        "sample": ctx.write_file(
            "sample.json", json.dumps(inputs.head(5).to_dict(orient="records")).encode()
        ),
        "packages": [f"scikit-learn=={sklearn.__version__}"],
        "metrics": {"r2": r2},
    }
    return {"summary": f"R² {r2:.3f}", "candidate": candidate, "r2": r2}
