"""A LightGBM booster that is trained by several workers, each on its share of the rows."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from ..workers import ScalingConfig, crew_of, frame_of, join_cluster, on_workers, split_columns


class LightGBMScalingConfig(ScalingConfig):
    """How a LightGBM training is spread."""


class LightGBMEstimator:
    """Trains a booster. `params` are those of LightGBM; `n_estimators` and `objective` may be among them."""

    def __init__(
        self,
        n_estimators: int = 100,
        objective: str = "regression",
        *,
        params: Mapping[str, Any] | None = None,
        scaling_config: LightGBMScalingConfig | None = None,
    ) -> None:
        given = dict(params or {})
        self.n_estimators = int(given.pop("n_estimators", n_estimators))
        self.params = {"objective": objective, **given}
        self.scaling_config = scaling_config or LightGBMScalingConfig()
        self._booster: Any = None

    def fit(
        self,
        dataset: Any,
        input_cols: Sequence[str] | None = None,
        label_col: str | Sequence[str] | None = None,
        eval_set: Any = None,
    ) -> Any:
        """The booster that was trained on a data connector's rows."""
        ray = join_cluster()
        inputs, labels = split_columns(frame_of(dataset), input_cols, label_col)
        watched = (
            None if eval_set is None else split_columns(frame_of(eval_set), list(inputs.columns), label_col)
        )
        crew = crew_of(ray, self.scaling_config, len(inputs))
        print(f"Training LightGBM on {crew.size} worker(s) with {crew.cores} core(s) each")
        params = {"num_threads": crew.cores, **self.params}
        ports = _free_ports(crew.size)
        shares = [
            (
                ray.put((inputs.iloc[at :: crew.size], labels.iloc[at :: crew.size])),
                {**params, **_network(ports, at)},
                self.n_estimators,
                ray.put(watched),
                at == 0,
            )
            for at in range(crew.size)
        ]
        text = next(answer for answer in on_workers(ray, _train, crew, shares) if answer is not None)
        import lightgbm

        self._booster = lightgbm.Booster(model_str=text)
        return self._booster

    def get_booster(self) -> Any:
        """The booster of the latest fit."""
        if self._booster is None:
            raise ValueError("the estimator has not been fitted")
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
