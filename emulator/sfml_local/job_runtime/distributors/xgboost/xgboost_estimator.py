"""An XGBoost booster that is trained by several workers, each on its share of the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from ..workers import Estimator, ScalingConfig


class XGBScalingConfig(ScalingConfig):
    """How an XGBoost training is spread."""


class XGBEstimator(Estimator):
    """Trains a booster. `params` are those of XGBoost; `n_estimators` and `objective` may be among them."""

    library = "XGBoost"

    def __init__(
        self,
        n_estimators: int = 100,
        objective: str = "reg:squarederror",
        *,
        params: Mapping[str, Any] | None = None,
        scaling_config: XGBScalingConfig | None = None,
    ) -> None:
        super().__init__(n_estimators, objective, params, scaling_config or XGBScalingConfig())

    def fit(
        self,
        dataset: Any,
        input_cols: Sequence[str] | None = None,
        label_col: str | Sequence[str] | None = None,
        eval_set: Any = None,
        verbose_eval: bool | int | None = None,
        xgb_model: Any = None,
    ) -> Any:
        """The booster that was trained on a data connector's rows."""
        training = self._training(dataset, input_cols, label_col, eval_set)
        params = {"nthread": training.crew.cores, **self.params}
        start = None if xgb_model is None else bytes(_booster_of(xgb_model).save_raw("ubj"))
        tracker = _tracker(training.crew.size)
        common = (tracker, params, self.n_estimators, training.watched, verbose_eval, start)
        raw = training.first_answer(_train, [common] * training.crew.size)
        import xgboost

        self._booster = xgboost.Booster(model_file=bytearray(raw))
        return self._booster


def _booster_of(model: Any) -> Any:
    return model.get_booster() if hasattr(model, "get_booster") else model


def _tracker(size: int) -> dict[str, Any]:
    """The address at which the workers find each other; one alone looks for nobody."""
    if size == 1:
        return {}
    from xgboost.tracker import RabitTracker

    tracker = RabitTracker(n_workers=size, host_ip="127.0.0.1")
    tracker.start()
    _trackers.append(tracker)
    return dict(tracker.worker_args())


_trackers: list[Any] = []
"""A tracker ends with its object: each is kept as long as the process."""


def _train(
    share: Any,
    arguments: dict[str, Any],
    params: dict[str, Any],
    rounds: int,
    watched: Any,
    verbose: bool | int | None,
    start: bytes | None,
) -> bytes | None:
    """Train on one share together with the others; the first worker answers the booster."""
    import xgboost
    from xgboost import collective

    inputs, labels = share
    together = collective.CommunicatorContext(**arguments) if arguments else nullcontext()
    with together:
        matrix = xgboost.DMatrix(inputs, label=labels)
        evals = [] if watched is None else [(xgboost.DMatrix(watched[0], label=watched[1]), "eval")]
        before = None if start is None else xgboost.Booster(model_file=bytearray(start))
        booster = xgboost.train(
            params, matrix, rounds, evals=evals, verbose_eval=verbose or False, xgb_model=before
        )
        is_first = not arguments or collective.get_rank() == 0
        return bytes(booster.save_raw("ubj")) if is_first else None
