"""What came of a backfill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sfml.api.drawing import table
from sfml.plan.backfill_state import FilledValue
from sfml.render.backfill import backfill_json, counts_text, value_text


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
