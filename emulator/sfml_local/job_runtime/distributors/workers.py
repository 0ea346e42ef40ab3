"""Workers of a distributed training: how many there are, their shares of the rows, and the calls on them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

AUTOMATIC = -1


@dataclass
class ScalingConfig:
    """How a training is spread. `-1` lets the cluster decide: a worker for each node, with its share of the cores."""

    num_workers: int = AUTOMATIC
    num_cpu_per_worker: int = AUTOMATIC
    use_gpu: bool | None = None


@dataclass(frozen=True)
class Crew:
    """The workers of one training and the cores of each."""

    size: int
    cores: int


def join_cluster() -> Any:
    """Ray, connected to the job's cluster; a job of one instance starts a cluster of one node."""
    import ray

    if not ray.is_initialized():
        ray.init(address=os.environ.get("RAY_ADDRESS") or None, log_to_driver=False)
    return ray


def crew_of(ray: Any, scaling: ScalingConfig | None, most: int) -> Crew:
    """The workers that the configuration asks for, at the `most`. Raises ValueError where they cannot be had."""
    scaling = scaling or ScalingConfig()
    if scaling.use_gpu:
        raise ValueError("use_gpu=True: the nodes of the local Snowflake have no GPU")
    if scaling.num_workers == 0 or scaling.num_workers < AUTOMATIC:
        raise ValueError(f"num_workers={scaling.num_workers}: a number of workers, or -1")
    nodes = [node for node in ray.nodes() if node["Alive"]]
    size = len(nodes) if scaling.num_workers == AUTOMATIC else scaling.num_workers
    size = max(1, min(size, most))
    cores = scaling.num_cpu_per_worker
    if cores <= 0:
        # The nodes are processes of one machine and share its cores.
        cores = max(1, (os.cpu_count() or 1) // size)
    return Crew(size, cores)


def frame_of(dataset: Any) -> Any:
    """The rows of a data connector, a Snowpark data frame or a pandas one, as pandas."""
    return dataset.to_pandas() if hasattr(dataset, "to_pandas") else dataset


def split_columns(
    frame: Any, inputs: Sequence[str] | None, label: str | Sequence[str] | None
) -> tuple[Any, Any]:
    """Inputs and labels as numbers. Raises ValueError for columns that are not there."""
    name = label if isinstance(label, str) or label is None else next(iter(label), None)
    if name is None:
        raise ValueError("label_col names the column to learn")
    chosen = [column for column in frame.columns if column != name] if inputs is None else list(inputs)
    missing = [column for column in (*chosen, name) if column not in frame.columns]
    if missing:
        raise ValueError(f"the data has no column {', '.join(map(repr, missing))}")
    return frame[chosen].apply(_numbers), _numbers(frame[name])


def _numbers(column: Any) -> Any:
    """A column of decimals or truth values as numbers; others as they are."""
    import pandas as pd

    if column.dtype == object:
        return pd.to_numeric(column)
    return column.astype("int8") if column.dtype == bool else column


@dataclass(frozen=True)
class Training:
    """What the workers of one training get; `shares` and `watched` are rows in Ray's store, a share for each worker."""

    ray: Any
    crew: Crew
    shares: Sequence[Any]
    watched: Any

    def first_answer(self, work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> Any:
        """What the first worker answers; `work` gets a share of the rows and the arguments beside it."""
        given = [(share, *others) for share, others in zip(self.shares, arguments, strict=True)]
        return next(answer for answer in on_workers(self.ray, work, self.crew, given) if answer is not None)


class Estimator:
    """Trains a booster. `params` are those of its library; `n_estimators` and `objective` may be among them."""

    library: str

    def __init__(
        self,
        n_estimators: int,
        objective: str,
        params: Mapping[str, Any] | None,
        scaling_config: ScalingConfig,
    ) -> None:
        given = dict(params or {})
        self.n_estimators = int(given.pop("n_estimators", n_estimators))
        self.params = {"objective": objective, **given}
        self.scaling_config = scaling_config
        self._booster: Any = None

    def _training(
        self, dataset: Any, inputs: Sequence[str] | None, label: str | Sequence[str] | None, eval_set: Any
    ) -> Training:
        """The rows of a data connector, spread over workers."""
        ray = join_cluster()
        rows, labels = split_columns(frame_of(dataset), inputs, label)
        watched = None if eval_set is None else split_columns(frame_of(eval_set), list(rows.columns), label)
        crew = crew_of(ray, self.scaling_config, self._most_workers(rows))
        print(f"Training {self.library} on {crew.size} worker(s) with {crew.cores} core(s) each")
        shares = [
            ray.put((rows.iloc[at :: crew.size], labels.iloc[at :: crew.size])) for at in range(crew.size)
        ]
        return Training(ray, crew, shares, ray.put(watched))

    def _most_workers(self, rows: Any) -> int:
        """Each worker has a row of its own."""
        return len(rows)

    def get_booster(self) -> Any:
        """The booster of the latest fit."""
        if self._booster is None:
            raise ValueError("the estimator has not been fitted")
        return self._booster


def on_workers(
    ray: Any, work: Callable[..., Any], crew: Crew, shares: Sequence[tuple[Any, ...]]
) -> list[Any]:
    """What the work answers for each share, each in a process of its own, spread over the nodes."""
    # The workers' Python finds these modules in no package: their code is sent along.
    ray.cloudpickle.register_pickle_by_value(sys.modules[work.__module__])
    # They wait for each other, so all of them have to get a place, however few cores the machine has.
    remote = ray.remote(num_cpus=0, scheduling_strategy="SPREAD")(work)
    return list(ray.get([remote.remote(*share) for share in shares]))
