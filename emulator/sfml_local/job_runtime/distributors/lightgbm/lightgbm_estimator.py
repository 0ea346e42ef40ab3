"""A LightGBM booster that is trained by several workers, each on its share of the rows."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from ..workers import Estimator, ScalingConfig


class LightGBMScalingConfig(ScalingConfig):
    """How a LightGBM training is spread."""


class LightGBMEstimator(Estimator):
    """Trains a booster. `params` are those of LightGBM; `n_estimators` and `objective` may be among them."""

    library = "LightGBM"

    def _most_workers(self, rows: Any) -> int:
        """Each worker finds the bins of some columns; LightGBM crashes where one has none."""
        return min(len(rows), len(rows.columns))

    def __init__(
        self,
        n_estimators: int = 100,
        objective: str = "regression",
        *,
        params: Mapping[str, Any] | None = None,
        scaling_config: LightGBMScalingConfig | None = None,
    ) -> None:
        super().__init__(n_estimators, objective, params, scaling_config or LightGBMScalingConfig())

    def fit(
        self,
        dataset: Any,
        input_cols: Sequence[str] | None = None,
        label_col: str | Sequence[str] | None = None,
        eval_set: Any = None,
    ) -> Any:
        """The booster that was trained on a data connector's rows."""
        training = self._training(dataset, input_cols, label_col, eval_set)
        params = {"num_threads": training.crew.cores, **self.params}
        ports = _free_ports(training.crew.size)
        arguments = [
            ({**params, **_network(ports, at)}, self.n_estimators, training.watched, at == 0)
            for at in range(training.crew.size)
        ]
        text = training.first_answer(_train, arguments)
        import lightgbm

        self._booster = lightgbm.Booster(model_str=text)
        return self._booster


def _free_ports(count: int) -> list[int]:
    with ExitStack() as bound:
        sockets = [bound.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _network(ports: list[int], at: int) -> dict[str, Any]:
    """The parameters by which the workers find each other; one alone looks for nobody."""
    if len(ports) == 1:
        return {}
    return {
        "machines": ",".join(f"127.0.0.1:{port}" for port in ports),
        "local_listen_port": ports[at],
        "num_machines": len(ports),
        "tree_learner": "data",
        "pre_partition": True,
    }


def _train(share: Any, params: dict[str, Any], rounds: int, watched: Any, is_first: bool) -> str | None:
    """Train on one share together with the others; the first worker answers the booster as text."""
    import lightgbm

    inputs, labels = share
    data = lightgbm.Dataset(inputs, label=labels)
    valid = None if watched is None else [data.create_valid(watched[0], label=watched[1])]
    booster = lightgbm.train({"verbosity": -1, **params}, data, rounds, valid_sets=valid)
    booster.free_network()
    return booster.model_to_string() if is_first else None
