"""The plan of an apply, and its result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sfml.api.drawing import preformatted
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph
from sfml.plan import model
from sfml.render.plan import change_json, plan_json, risk_json


@record
class Risk:
    """A risk of an apply: a `label` such as `forfeits-retry`, and a sentence."""

    label: str
    message: str

    def to_dict(self) -> dict[str, Any]:
        """One entry of `risks`."""
        return {"label": self.label, "message": self.message}


@record
class Change:
    """The change of one task: `action` is create, alter, replace, move, drop or unchanged.

    `fields` are mappings as in the JSON, with `path`, `old`, `new`, `reason`, `place` and `files`.
    """

    task: str
    name: str
    action: str
    why: str | None
    moved_from: str | None
    fields: tuple[Mapping[str, Any], ...]
    risks: tuple[Risk, ...]

    def to_dict(self) -> dict[str, Any]:
        """One entry of `changes`."""
        return {
            "task": self.task,
            "name": self.name,
            "action": self.action,
            "moved_from": self.moved_from,
            "why": self.why,
            "fields": [dict(field) for field in self.fields],
            "risks": [risk.to_dict() for risk in self.risks],
        }


class Plan:
    """The changes that an apply would make; `str()` gives the text of `sfml plan`."""

    def __init__(
        self, plan: model.Plan, desired: DesiredGraph, *, resume: bool | None = None, adopt: bool = False
    ) -> None:
        self._plan = plan
        self._desired = desired
        self.resume = resume
        self.adopt = adopt

    @property
    def pipeline(self) -> str:
        return self._plan.pipeline

    @property
    def target(self) -> str:
        return self._plan.target

    @property
    def is_empty(self) -> bool:
        """Whether an apply would change nothing."""
        return self._plan.is_empty

    @property
    def summary(self) -> Mapping[str, int]:
        """The number of tasks for each action: create, alter, replace, move, drop, unchanged."""
        return dict(self._plan.summary)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The change of each task, including unchanged tasks."""
        return tuple(_change(change) for change in self._plan.changes)

    @property
    def risks(self) -> tuple[Risk, ...]:
        """The risks for the graph, then those for its tasks."""
        of_tasks = (risk for change in self._plan.changes for risk in change.risks)
        return tuple(_risk(risk) for risk in (*self._plan.risks, *of_tasks))

    @property
    def notes(self) -> tuple[str, ...]:
        """Further remarks, as sentences."""
        return self._plan.notes

    @property
    def likeness(self) -> Mapping[str, Any]:
        """The plan as JSON without the times of the next runs, which change by themselves; used to compare plans."""
        return {**plan_json(self._plan), "next_runs": None}

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `sfml plan`."""
        return {"format_version": 1, **json.loads(json.dumps(plan_json(self._plan)))}

    def __str__(self) -> str:
        from sfml.operations.apply_plan import schedule_words
        from sfml.render.plan import plan_text
        from sfml.render.symbols import Symbols

        return plan_text(self._plan, self._desired, Symbols(True), schedule=schedule_words(self._desired))

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {action}" for action, count in self.summary.items() if count)
        return f"<Plan of {self.pipeline} for {self.target}: {counts or 'nothing'}>"

    def _repr_html_(self) -> str:
        return preformatted(str(self))


@record
class Applied:
    """A plan that was applied; `deployment` is the number of the new deployment, None when no task changed."""

    plan: Plan
    deployment: int | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `sfml apply`."""
        return {**self.plan.to_dict(), "applied": True, "deployment": self.deployment}


def _change(change: model.Change) -> Change:
    value = change_json(change)
    risks = tuple(_risk(risk) for risk in change.risks)
    return Change(**{**value, "fields": tuple(value["fields"]), "risks": risks})


def _risk(risk: model.Risk) -> Risk:
    return Risk(**risk_json(risk))
