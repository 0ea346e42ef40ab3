"""The pages: each is a template and what it shows, made from readings; served one by one, or exported together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sfml.account.history import Run, TaskRun
from sfml.account.run_history import RunHistory
from sfml.account.task_log import TaskLog
from sfml.base.record import record
from sfml.operations.apply_plan import LOCAL_SCHEDULES
from sfml.render.reason import reason_text
from sfml.render.units import moment
from sfml.ui import fleet_view, pipeline_view, record_views, run_view
from sfml.ui.marks import UNKNOWN, run_mark, task_mark
from sfml.ui.places import (
    action_place,
    deployments_place,
    models_place,
    pipeline_place,
    run_place,
    runs_place,
)
from sfml.ui.readings import FIRST, Readings
from sfml.ui.specs import Spec, Specs
from sfml.ui.watching import Seen

Link = Callable[[str], str]
"""Gives the address of a place, as it is written on the page that links to it."""


@record
class Page:
    """A page: its template, its title and what the template shows. `every` is how often it looks again, in seconds."""

    template: str
    title: str
    values: Mapping[str, Any]
    every: float = 0
    status: int = 200


@record
class Look:
    """How a page is asked for: how links are written, how long it waits for a first reading, and what it may do.

    `partial` asks for the parts alone that may have changed.
    """

    to: Link
    patience: float = FIRST
    partial: bool = False
    acts: bool = True
    has_task: Callable[[Spec, Run, TaskRun], bool] = lambda spec, run, task: True
    """Whether a task in a run has a page of its own, which the run links to."""


class Pages:
    """Makes the pages of a project."""

    def __init__(self, specs: Specs, readings: Readings) -> None:
        self.specs = specs
        self.readings = readings

    # -- of the project

    def fleet(self, look: Look) -> Page:
        now, seen = datetime.now(UTC), self.readings.fleet(self.specs.all(), look.patience)
        rows = fleet_view.fleet_rows(seen, now)
        values = {"rows": rows, "verdict": fleet_view.verdict(rows, seen), "here": "fleet"}
        return Page("fleet.html", "Pipelines", values, every=2)

    def next_runs(self, look: Look) -> Page:
        seen = self.readings.fleet(self.specs.all(), look.patience)
        runs, others = fleet_view.next_runs(seen, datetime.now(UTC))
        is_local = any(spec.placed is not None and spec.placed.desired.target.is_local for spec, _ in seen)
        values = {
            "runs": runs,
            "others": others,
            "days": fleet_view.AHEAD.days,
            "local_note": f"On a local Snowflake, {LOCAL_SCHEDULES}." if is_local else "",
            "here": "next",
        }
        return Page("next.html", "Next runs", values, every=10)

    # -- of one pipeline

    def pipeline(self, spec: Spec, look: Look) -> Page:
        now = datetime.now(UTC)
        self.readings.runs(spec, 0)
        status = self.readings.status(spec, look.patience)
        runs = self.readings.runs(spec, look.patience)
        health = status.value.health if status.value is not None else None
        last = _newer(
            runs.value.runs[0] if runs.value and runs.value.runs else None, health.run if health else None
        )
        usual = runs.value.usual_ms if runs.value is not None else None
        desired = spec.placed.desired if spec.placed is not None else None
        picture = spec.picture
        values = {
            **frame(spec, "graph", []),
            "description": desired.description if desired is not None else None,
            "findings": pipeline_view.findings_text(spec),
            "findings_title": f"{spec.file} does not compile, so there is no graph to draw",
            "status": status,
            "last": run_mark(last) if status.value is not None else UNKNOWN,
            "when": fleet_view.when_text(last, now),
            "last_place": run_place(spec.name, last.run_id) if last is not None else None,
            "progress": pipeline_view.progress_words(last, usual, now),
            "schedule": fleet_view.schedule_words(status.value, desired),
            "next_runs": pipeline_view.next_words(spec, status.value, now),
            "deployed": pipeline_view.deployed_words(status.value),
            "problem_lines": fleet_view.problem_lines(status.value),
            "differs": pipeline_view.differs_words(status.value),
            "actions": tuple(_actions(spec, status.value, last)) if look.acts else (),
            "picture": picture is not None,
            "picture_opening": pipeline_view.picture_opening(picture) if picture and not look.partial else "",
            "is_small": picture is not None and picture.width <= pipeline_view.SMALL,
            "states": pipeline_view.states_markup(picture, last),
            "cards": () if look.partial else pipeline_view.card_rows(spec.drawing),
        }
        return Page(
            "pipeline.html", spec.name, values, every=1 if last is not None and not last.is_over else 2
        )

    def history(self, spec: Spec, look: Look) -> Page:
        runs = self.readings.runs(spec, look.patience)
        history = runs.value or RunHistory(())
        bars = run_view.bars_of(spec.name, history, look.to)
        values = {
            **frame(spec, "runs", [("Runs", None)]),
            "runs": runs,
            "rows": run_view.run_rows(spec.name, history),
            "summary": run_view.history_words(history),
            "durations": run_view.durations_plot(bars, history),
            "gates": run_view.gate_plots(bars, history),
            "where": _where(spec),
        }
        return Page("history.html", f"Runs of {spec.name}", values, every=5)

    def run(self, spec: Spec, run_id: str, look: Look) -> Page:
        now = datetime.now(UTC)
        runs = self.readings.runs(spec, look.patience)
        history = runs.value or RunHistory(())
        run = next((one for one in history.runs if one.run_id == run_id), None)
        crumbs = [("Runs", runs_place(spec.name)), (run_id[:8], None)]
        values: dict[str, Any] = {
            **frame(spec, None, crumbs),
            "heading": f"Run {run_id[:8]} of {spec.name}",
            "runs": runs,
            "run": run,
            "runs_place": runs_place(spec.name),
            "is_over": run is not None and run.is_over,
        }
        if run is None:
            is_unknown = runs.value is not None
            return Page("run.html", f"Run of {spec.name}", values, 2, 404 if is_unknown else 200)
        line = run_view.timeline(spec.name, run, now, lambda task: look.has_task(spec, run, task))
        values |= {
            "mark": run_mark(run),
            "reason": reason_text(run.reason) if run.reason is not None else "",
            "began": moment(run.started_at) if run.started_at else "?",
            "took": run_view.took_words(run, now, history.usual_ms),
            "facts": (("run", run.run_id), *run_view.run_facts(run, history)),
            "counts": run_view.counts_words(run),
            "rows": line.rows,
            "half": line.half,
            "whole": line.whole,
            "actions": tuple(_run_actions(spec, run, history)) if look.acts else (),
        }
        return Page("run.html", f"Run {run_id[:8]} of {spec.name}", values, every=0 if run.is_over else 1)

    def task(self, spec: Spec, run_id: str, name: str, look: Look) -> Page:
        now = datetime.now(UTC)
        runs = self.readings.runs(spec, look.patience)
        run = next((one for one in runs.value.runs if one.run_id == run_id), None) if runs.value else None
        task = next((one for one in run.tasks if one.name == name), None) if run is not None else None
        crumbs = [("Runs", runs_place(spec.name)), (run_id[:8], run_place(spec.name, run_id)), (name, None)]
        graph = spec.compiled.reading.graph if spec.compiled is not None else None
        nodes = () if graph is None else graph.all_tasks
        values: dict[str, Any] = {
            **frame(spec, None, crumbs),
            "heading": f"{name} in run {run_id[:8]}",
            "runs": runs,
            "task": task,
            "is_over": False,
            "inputs": run_view.inputs_of(next((node for node in nodes if node.name == name), None)),
        }
        if run is None or task is None:
            return Page("task.html", name, values, 2, 404 if runs.value is not None else 200)
        log = self.readings.log(spec, run, task, look.patience)
        is_over = run.is_over and _is_complete(log, task)
        values |= {
            "mark": task_mark(task, run),
            "because": task.because,
            "facts": tuple(run_view.task_facts(task, run, now)),
            "error": run_view.error_text(spec, task, log.value),
            "result": task.return_value,
            "log": log,
            "log_text": log.value.text if log.value is not None else None,
            "no_log": run_view.no_log_words(task, log.value),
            "is_over": is_over,
        }
        return Page("task.html", f"{name} in run {run_id[:8]}", values, every=0 if is_over else 1)

    def models(self, spec: Spec, look: Look) -> Page:
        seen = self.readings.models(spec, look.patience)
        models = tuple(record_views.model_view(name, own) for name, own in (seen.value or {}).items())
        values = {
            **frame(spec, "models", [("Models", None)]),
            "seen": seen,
            "models": models,
            "acts": look.acts,
            "promote_place": lambda model, version: action_place(spec.name, "promote", f"{model}@{version}"),
            "rollback_place": lambda model: action_place(spec.name, "rollback-model", model),
        }
        return Page("models.html", f"Models of {spec.name}", values, every=5)

    def deployments(self, spec: Spec, look: Look) -> Page:
        seen = self.readings.deployments(spec, look.patience)
        rows: tuple[record_views.DeploymentRow, ...] = ()
        if seen.value is not None and spec.placed is not None:
            rows = record_views.deployment_rows(spec.name, seen.value, spec.placed.desired.target)
        values = {
            **frame(spec, "deployments", [("Deployments", None)]),
            "seen": seen,
            "rows": rows,
            "unreadable": tuple(error.message for error in seen.value.unreadable) if seen.value else (),
            "acts": look.acts,
            "rollback_place": lambda number: action_place(spec.name, "rollback", str(number)),
        }
        return Page("deployments.html", f"Deployments of {spec.name}", values, every=5)

    def deployment(self, spec: Spec, number: int, look: Look) -> Page:
        seen = self.readings.deployments(spec, look.patience)
        kept = seen.value.kept if seen.value is not None else ()
        at = next((at for at, one in enumerate(kept) if one.header.number == number), None)
        values: dict[str, Any] = {
            **frame(spec, None, [("Deployments", deployments_place(spec.name)), (str(number), None)]),
            "heading": f"Deployment {number} of {spec.name}",
            "seen": seen,
            "row": None,
            "rows": (),
            "list_place": deployments_place(spec.name),
            "acts": look.acts,
            "rollback_place": lambda number: action_place(spec.name, "rollback", str(number)),
            "difference": "",
        }
        status = 404 if seen.value is not None and at is None else 200
        if at is not None and seen.value is not None and spec.placed is not None:
            target = spec.placed.desired.target
            rows = record_views.deployment_rows(spec.name, seen.value, target)
            values["row"] = next(row for row in rows if row.number == number)
            values["difference"] = "The first that is kept"
            if at > 0:
                before = kept[at - 1]
                changes = record_views.changes_between(before, kept[at], target)
                values["rows"] = record_views.change_rows(changes)
                values["difference"] = f"What it changed of deployment {before.header.number}"
        return Page(
            "deployment.html",
            f"Deployment {number} of {spec.name}",
            values,
            0 if at is not None else 2,
            status,
        )


def frame(spec: Spec, tab: str | None, crumbs: list[tuple[str, str | None]]) -> dict[str, Any]:
    """What pages of a pipeline share: its heading, where the page is, and the tabs, of which `tab` is chosen."""
    own = (spec.name, pipeline_place(spec.name) if crumbs else None)
    return {
        "spec": spec,
        "heading": spec.name,
        "tab": tab,
        "crumbs": (own, *crumbs),
        "tabs": (
            ("graph", "Graph", pipeline_place(spec.name)),
            ("runs", "Runs", runs_place(spec.name)),
            ("models", "Models", models_place(spec.name)),
            ("deployments", "Deployments", deployments_place(spec.name)),
        ),
        "here": "",
    }


def _actions(spec: Spec, status: Any, last: Run | None) -> Iterator[tuple[str, str]]:
    """The actions that make sense now, with the pages that show what they would do."""
    if status is None or not status.is_deployed:
        return
    if spec.error is None:
        yield "Run", action_place(spec.name, "run")
    yield from _run_actions(spec, last, None)
    if fleet_view.is_on(status):
        yield "Suspend", action_place(spec.name, "suspend")
    elif status.schedule is not None:
        yield "Resume", action_place(spec.name, "resume")


def _run_actions(spec: Spec, run: Run | None, history: RunHistory | None) -> Iterator[tuple[str, str]]:
    """Cancel what executes, retry what failed; only the last run that is no part can be retried."""
    if run is None:
        return
    if not run.is_over:
        yield "Cancel", action_place(spec.name, "cancel")
    elif run.part is None and run.outcome in ("failed", "timed_out", "cancelled"):
        whole = next((one for one in history.runs if one.part is None), None) if history is not None else run
        if whole is not None and whole.run_id == run.run_id:
            yield "Retry", action_place(spec.name, "retry")


def _newer(one: Run | None, other: Run | None) -> Run | None:
    """Of two readings of the last run, the one that is further."""
    if one is None or other is None:
        return one or other
    if one.run_id == other.run_id:
        return one if one.is_over or not other.is_over else other
    return max((one, other), key=lambda run: run.started_at or datetime.min.replace(tzinfo=UTC))


def _is_complete(log: Seen[TaskLog], task: TaskRun) -> bool:
    """Whether a log was read after the end of its task."""
    ended = task.row.completed_at if task.row is not None else None
    return log.value is not None and (ended is None or log.read_at is None or log.read_at >= ended)


def _where(spec: Spec) -> str:
    return spec.placed.desired.where if spec.placed is not None else spec.file
