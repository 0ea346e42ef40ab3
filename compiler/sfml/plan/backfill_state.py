"""The state of the backfills of a pipeline: one file on its stage, with what came of each value; pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

from sfml.base.errors import ConflictingState
from sfml.base.record import record
from sfml.graph.located import Scalar
from sfml.lower.canonical import canonical_json
from sfml.plan.stage_content import StageContent, state_path

STATE_VERSION = 1

ValueState: TypeAlias = Literal["pending", "running", "succeeded", "failed", "cancelled"]


@record
class FilledValue:
    """A value of a backfill: its config, and its last run. `nonce` identifies that run, `lane` is its root.

    Times are ISO texts in UTC. `origin` is the fingerprint of the graph that it ran on.
    """

    config: Mapping[str, Scalar]
    state: ValueState = "pending"
    run_id: str | None = None
    nonce: str | None = None
    lane: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    error: str | None = None
    origin: str | None = None

    @property
    def key(self) -> str:
        return key_of(self.config)


def key_of(config: Mapping[str, Scalar]) -> str:
    """The text by which a value is recognised: its config with sorted keys."""
    return canonical_json(config)


@record
class BackfillState:
    """The values of all backfills of a pipeline that are kept, by their keys."""

    values: Mapping[str, FilledValue]

    def of(self, configs: Iterable[Mapping[str, Scalar]]) -> tuple[FilledValue, ...]:
        """The values of these configs, in this order; those that are not known are pending."""
        return tuple(self.values.get(key_of(config)) or FilledValue(config) for config in configs)

    def with_value(self, value: FilledValue) -> BackfillState:
        return BackfillState({**self.values, value.key: value})


def backfill_path(pipeline: str) -> str:
    return state_path(pipeline, "backfill-values.json")


def has_backfill(staged: StageContent | None) -> bool:
    return staged is not None and backfill_path(staged.pipeline) in staged.paths


def state_json(state: BackfillState) -> str:
    """The text of the state's file."""
    names = ("state", "run_id", "nonce", "lane", "started_at", "completed_at", "error", "origin")
    values = [
        {"config": dict(value.config), **{name: getattr(value, name) for name in names}}
        for value in state.values.values()
    ]
    return canonical_json({"format_version": STATE_VERSION, "values": values}) + "\n"


def state_from(content: bytes | None) -> BackfillState:
    """The state in the bytes of its file. Raises `ConflictingState` if this version cannot read it."""
    if content is None:
        return BackfillState({})
    try:
        value: Mapping[str, Any] = json.loads(content)
        if value["format_version"] != STATE_VERSION:
            raise ValueError(f"it has the unknown version {value['format_version']}")
        values = [FilledValue(**one) for one in value["values"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as cause:
        raise ConflictingState(
            f"the state of the backfill on the stage cannot be read: {cause}",
            help="remove state/backfill-values.json below the pipeline's folder on the stage: all values run again",
        ) from cause
    return BackfillState({one.key: one for one in values})
