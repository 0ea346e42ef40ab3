"""The plan of a backfill, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sfml.api.drawing import table
from sfml.lower.desired import DesiredGraph
from sfml.plan.backfill_state import FilledValue
from sfml.render.backfill import backfill_json, counts_text
from sfml.render.run import value_text

if TYPE_CHECKING:
    from snowflake.core.task.dagv1 import DAG


class BackfillPlan:
    """What a backfill would run, on copies of the deployed graph."""

    def __init__(
        self,
        lane: DesiredGraph,
        values: Sequence[FilledValue],
        todo: Sequence[FilledValue],
        notes: Sequence[str],
    ) -> None:
        self._lane = lane
        self._values = values
        self._todo = todo
        self._notes = notes

    @property
    def runs(self) -> tuple[str, ...]:
        """The values that would run, each as its config in words."""
        return tuple(value_text(value.config) for value in self._todo)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known before."""
        return tuple(self._notes)

    def dag(self) -> DAG:
        """A copy of the graph, in which values would run, as a `snowflake.core.task.dagv1.DAG`.

        Conditions are written out, also those that depend on a gate.
        """
        from sfml.snowflake.dag import dag

        return dag(self._lane)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `sfml backfill --dry-run`."""
        place = self._lane.pipeline, self._lane.target.name
        return {"format_version": 1, **backfill_json(*place, self._values, ran=0, notes=self._notes)}

    def __repr__(self) -> str:
        return f"<BackfillPlan of {self._lane.pipeline}: {len(self._todo)} of {counts_text(self._values)}>"

    def _repr_html_(self) -> str:
        todo = {value.key for value in self._todo}
        rows = [
            (value_text(value.config), value.state, "runs" if value.key in todo else "")
            for value in self._values
        ]
        return table(("value", "state", ""), rows)


class Backfill:
    """The values of a backfill, with the state of the last run of each."""

    def __init__(self, pipeline: str, target: str, values: Sequence[FilledValue], ran: int) -> None:
        self._place = pipeline, target
        self._values = values
        self._ran = ran

    @property
    def ran(self) -> int:
        """How many values were run by this call."""
        return self._ran

    @property
    def states(self) -> dict[str, str]:
        """The config of each value in words → `succeeded`, `failed`, `cancelled`, `running` or `pending`."""
        return {value_text(value.config): value.state for value in self._values}

    @property
    def is_done(self) -> bool:
        """Whether the last run of every value succeeded."""
        return all(value.state == "succeeded" for value in self._values)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `sfml backfill`."""
        return {"format_version": 1, **backfill_json(*self._place, self._values, ran=self._ran)}

    def __repr__(self) -> str:
        return f"<Backfill of {self._place[0]}: {counts_text(self._values)}>"

    def _repr_html_(self) -> str:
        rows = [
            (value_text(value.config), value.state, value.run_id or "", value.error or "")
            for value in self._values
        ]
        return table(("value", "state", "run", "reason"), rows)
