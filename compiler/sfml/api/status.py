"""The status of pipelines: what is deployed, whether it is well, how the last run ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, overload

from sfml.api.drawing import preformatted
from sfml.render.health import problem_text
from sfml.render.status import PipelineStatus, status_json, status_text
from sfml.render.symbols import Symbols


class Status:
    """The status of one pipeline."""

    def __init__(self, status: PipelineStatus) -> None:
        self._status = status

    @property
    def pipeline(self) -> str:
        return self._status.pipeline

    @property
    def target(self) -> str:
        """The target's name; `?` when the spec has errors and no target was named."""
        return self._status.target

    @property
    def is_well(self) -> bool:
        """Whether nothing needs attention; false also when the status could not be read."""
        return not self._status.needs_attention

    @property
    def is_deployed(self) -> bool | None:
        """None when the status could not be read."""
        return None if self._status.unknown is not None else self._status.is_deployed

    @property
    def differs(self) -> bool | None:
        """Whether what is deployed differs from the files; None when that is not known."""
        return self._status.health.differs if self._status.health else None

    @property
    def outcome(self) -> str | None:
        """How the last run ended, as in `Run.outcome`; None without one."""
        run = self._status.health.run if self._status.health else None
        return run.outcome if run else None

    @property
    def problems(self) -> tuple[str, ...]:
        """What needs attention, one line each."""
        status = self._status
        if status.unknown is not None:
            return (status.unknown,)
        problems = status.health.problems if status.health else ()
        return tuple(problem_text(problem, status.pipeline) for problem in problems)

    def to_dict(self) -> dict[str, Any]:
        """The entry of the JSON of `sfml status`."""
        [entry] = status_json((self._status,))["pipelines"]
        return dict(entry)

    def __repr__(self) -> str:
        return f"<Status {self.pipeline} on {self.target}: {'; '.join(self.problems) or 'well'}>"


class Statuses(Sequence[Status]):
    """The status of each pipeline, in the order of their files; printed as `sfml status` prints them."""

    def __init__(self, statuses: Sequence[PipelineStatus]) -> None:
        self._statuses = tuple(statuses)
        self._each = tuple(map(Status, self._statuses))

    @overload
    def __getitem__(self, index: int) -> Status: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Status]: ...

    def __getitem__(self, index: int | slice) -> Status | Sequence[Status]:
        return self._each[index]

    def __len__(self) -> int:
        return len(self._each)

    @property
    def needing_attention(self) -> Sequence[Status]:
        return tuple(status for status in self if not status.is_well)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `sfml status`."""
        return {"format_version": 1, **status_json(self._statuses)}

    def __str__(self) -> str:
        return status_text(self._statuses, Symbols(True), datetime.now(UTC))

    def __repr__(self) -> str:
        return f"<Statuses of {len(self)}: {', '.join(one.pipeline for one in self.needing_attention) or 'all well'}>"

    def _repr_html_(self) -> str:
        return preformatted(str(self))
