"""The plan of a part of a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sfml.api.drawing import preformatted
from sfml.lower.desired import DesiredGraph
from sfml.render.part import ShownPart, part_json, part_text
from sfml.render.symbols import Symbols

if TYPE_CHECKING:
    from snowflake.core.task.dagv1 import DAG


class RunPlan:
    """What a part of a run would run, and what it would reuse from earlier runs."""

    def __init__(self, shown: ShownPart, graph: DesiredGraph) -> None:
        self._shown = shown
        self._graph = graph

    @property
    def runs(self) -> tuple[str, ...]:
        """The tasks that run, in the order of the graph."""
        return self._shown.part.running

    @property
    def reuses(self) -> dict[str, str]:
        """Task → the id of the run whose result is reused."""
        return {name: result.run_id for name, result in self._shown.part.reused.items()}

    @property
    def recovers(self) -> str | None:
        """The id of the run that is recovered."""
        return self._shown.record.recovers

    def dag(self) -> DAG:
        """The graph that the part would make, as a `snowflake.core.task.dagv1.DAG` with its tasks.

        A gate whose arms the part runs is a `DAGTaskBranch`; other conditions are written out. The body of an ML Job is
        a placeholder.
        """
        from sfml.snowflake.dag import dag

        return dag(self._graph)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `sfml run --dry-run`."""
        return {"format_version": 1, **json.loads(json.dumps(part_json(self._shown)))}

    def __str__(self) -> str:
        return part_text(self._shown, Symbols())

    def __repr__(self) -> str:
        return f"<RunPlan: runs {', '.join(self.runs)}>"

    def _repr_html_(self) -> str:
        return preformatted(str(self))
