"""What an action would do, shown before it is done; and how it is done, as the commands do it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sfml.account.registered import default_of, version_before
from sfml.base.errors import ConflictingState, UsageError
from sfml.base.record import record
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.graph.located import Scalar
from sfml.graph.model import Mode
from sfml.operations.apply_plan import ApplyPlan, planned_graph, schedule_words, work_of
from sfml.operations.deployer import Deployer
from sfml.operations.graph_health import demand_finished_apply, run_notes, suspended_names
from sfml.operations.guided_deployer import GuidedDeployer
from sfml.operations.held_lease import SHORT_WAIT, HeldLease, held_words, holding, new_lease
from sfml.operations.models import RegisteredModel, promote, roll_back, version_in
from sfml.operations.part_runs import cancel_beside, remove_left_over
from sfml.operations.rollback import goal_of
from sfml.operations.runs import (
    cancel_runs,
    checked_overrides,
    follow,
    follow_retry,
    interval_of,
    last_run,
    not_deployed,
    retry,
    start,
)
from sfml.operations.schedule_switch import (
    deployed_words,
    own_root,
    stage_without_journal,
    turn_off,
    turn_on,
)
from sfml.operations.target_account import TargetAccount
from sfml.operations.told_progress import ToldProgress
from sfml.plan.artefact import Artefact
from sfml.plan.lease import Lease
from sfml.plan.provenance import origin_text
from sfml.plan.settings import split_comment
from sfml.render.history import rollback_text
from sfml.render.plan import plan_text
from sfml.render.reason import names_text, outcome_text
from sfml.render.symbols import Symbols
from sfml.render.units import moment, plural
from sfml.ui.places import deployments_place, models_place, pipeline_place, run_place

SYMBOLS = Symbols(True)

LEASE_WAIT = SHORT_WAIT
"""Seconds that an action waits for another holder of the lease."""

Tell = Callable[[str], None]
"""Gets a line about how far an action is."""

Form = Mapping[str, str]


@record
class Field:
    """A field of the form below a plan; an empty one is left as it is."""

    name: str
    label: str
    hint: str = ""
    value: str = ""


@record
class Proposal:
    """What an action would do. `is_nothing` says that there is nothing to be done."""

    title: str
    text: str
    button: str
    warnings: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    is_nothing: bool = False

    @property
    def mark(self) -> str:
        """What differs when the action would do something else than was shown."""
        return hashlib.sha256("\n".join((self.title, self.text, *self.warnings)).encode()).hexdigest()[:32]


@record
class Done:
    """What an action did, and the page to look at next."""

    text: str
    place: str


@record
class Scene:
    """What an action is about: the pipeline in its target, who acts, and a subject such as a version."""

    name: str
    spec: CompiledSpec
    target: TargetAccount
    user: str
    subject: str = ""

    @contextmanager
    def lease(self, tell: Tell, reason: str | None = None) -> Iterator[HeldLease]:
        """Hold the pipeline's lease, as the commands do; what it waits for is told."""
        root, ours = self.spec.desired.root.name, new_lease(self.user, reason)

        def waiting(holder: Lease | None) -> None:
            tell(f"{held_words(root, holder, ours)}; waiting …")

        with holding(self.target.leases, root, ours, wait=LEASE_WAIT, waiting=waiting) as held_lease:
            yield held_lease


@record
class Action:
    """Something that can be done from the page: what it would do, and doing it."""

    propose: Callable[[Scene], Proposal]
    perform: Callable[[Scene, Form, Tell], Done]
    needs_compiled: bool = False


# -- run


def propose_run(scene: Scene) -> Proposal:
    desired, target = scene.spec.desired, scene.target
    graph = target.history.deployed(desired.root.name)
    if graph.root is None:
        raise not_deployed(desired)
    demand_finished_apply(scene.spec, target)
    record_of = own_root(desired, target).comment
    notes = tuple(run_notes(scene.spec, target, graph))
    suspended = suspended_names(graph)
    config = desired.root.config or {}
    may_override = tuple(
        key for key in config if desired.target.mode is not Mode.PRODUCTION or key in desired.overridable
    )
    lines = [
        f"Runs the deployed graph of {scene.name} once, now, in {desired.target.name}:"
        f" {plural(len(graph.tasks), 'task')}{_of(record_of)}.",
        "The schedule does not change.",
    ]
    if suspended:
        lines.append(f"{plural(len(suspended), 'suspended task')} will be passed over.")
    fields = tuple(Field(f"config.{key}", key, f"now: {_written(config[key])}") for key in may_override)
    return Proposal(f"Run {scene.name}", "\n".join(lines), "Run it now", notes, fields)


def _written(value: Scalar) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _of(comment: str | None) -> str:
    origin = origin_text(split_comment(comment)[1])
    return f", of {origin}" if origin else ""


def perform_run(scene: Scene, form: Form, tell: Tell) -> Done:
    desired, history = scene.spec.desired, scene.target.history
    overrides = {
        key.removeprefix("config."): value
        for key, value in form.items()
        if key.startswith("config.") and value
    }
    checked_overrides(desired, overrides)
    suspended = suspended_names(history.deployed(desired.root.name))
    started = start(desired, history, overrides)
    tell("started; waiting until the history has it …")
    states = follow(desired, history, started, interval=interval_of(desired.target), suspended=suspended)
    run = next(states)
    return Done(f"Run {run.run_id} was started.", run_place(scene.name, run.run_id))


# -- retry


def propose_retry(scene: Scene) -> Proposal:
    desired, target = scene.spec.desired, scene.target
    root = own_root(desired, target)
    demand_finished_apply(scene.spec, target)
    run = last_run(desired, target.history, root)
    if run is None:
        raise ConflictingState(f"{scene.name} has no run to be retried", help=f"sfml run {desired.where}")
    failed = [task.name for task in run.tasks if (task.state or "").startswith(("FAILED", "CANCELLED"))]
    never = [task.name for task in run.tasks if task.state is None]
    reused = sum(task.state == "SUCCEEDED" for task in run.tasks)
    began = f" of {moment(run.started_at)}" if run.started_at else ""
    lines = [
        f"Retries run {run.run_id}{began}, which {outcome_text(run)}.",
        f"Runs again: {names_text(failed, 10)}." if failed else "No task of it failed.",
        *([f"Then, as far as the graph reaches them: {names_text(never, 10)}."] if never else []),
        f"Reuses the results of {plural(reused, 'task')} that succeeded.",
    ]
    is_nothing = not run.is_over or run.outcome in ("succeeded", "skipped")
    if is_nothing:
        lines.append("Snowflake retries only a run that has ended and failed.")
    return Proposal(
        f"Retry the last run of {scene.name}", "\n".join(lines), "Retry it", is_nothing=is_nothing
    )


def perform_retry(scene: Scene, form: Form, tell: Tell) -> Done:
    desired, history = scene.spec.desired, scene.target.history
    root, failed = retry(desired, history)
    tell("retried; waiting until the history has it …")
    states = follow_retry(desired, history, root, failed, interval=interval_of(desired.target))
    run = next(states)
    return Done(f"Run {run.run_id} is retried.", run_place(scene.name, run.run_id))


# -- cancel


def propose_cancel(scene: Scene) -> Proposal:
    desired, target = scene.spec.desired, scene.target
    root = own_root(desired, target)
    executing = [row for row in target.history.rows(root) if row.state == "EXECUTING"]
    groups = tuple(dict.fromkeys(row.run_group for row in executing))
    lines = [
        f"Cancels {plural(len(groups), 'run')} of {scene.name}: {', '.join(groups)}."
        if groups
        else f"No run of the deployed graph of {scene.name} is executing; parts of runs and backfills are cancelled.",
        "Tasks that are executing are ended, tasks that have not begun do not begin; the finalizer still runs.",
        "The schedule does not change. A cancelled run can be retried.",
    ]
    return Proposal(f"Cancel what runs of {scene.name}", "\n".join(lines), "Cancel it")


def perform_cancel(scene: Scene, form: Form, tell: Tell) -> Done:
    desired, target = scene.spec.desired, scene.target
    root = own_root(desired, target)
    interval = interval_of(desired.target)
    tell("cancelling; this takes until the last task has ended …")
    runs = cancel_runs(desired, target.history, root, interval=interval)
    runs = (*runs, *cancel_beside(desired, target, interval=interval))
    if not runs:
        return Done(f"No run of {scene.name} was executing any more.", pipeline_place(scene.name))
    return Done(f"Cancelled {plural(len(runs), 'run')} of {scene.name}.", run_place(scene.name, runs[0]))


# -- suspend and resume


def propose_suspend(scene: Scene) -> Proposal:
    root = own_root(scene.spec.desired, scene.target)
    stage_without_journal(scene.spec.desired, scene.target)
    lines = ["An executing run goes on. A later apply leaves the schedule off."]
    if deployed_words(scene.spec.desired, root) is None:
        lines = ["It has no schedule: it runs only when somebody runs it."]
    elif not root.started:
        lines = ["It is off already."]
    return Proposal(
        f"Turn the schedule of {scene.name} off", "\n".join(lines), "Turn it off", is_nothing=not root.started
    )


def perform_suspend(scene: Scene, form: Form, tell: Tell) -> Done:
    return _switched(scene, tell, turn_off, f"The schedule of {scene.name} is off.")


def propose_resume(scene: Scene) -> Proposal:
    desired = scene.spec.desired
    root = own_root(desired, scene.target)
    stage_without_journal(desired, scene.target)
    words = deployed_words(desired, root)
    lines = [f"The schedule goes on: {words}." if words else "What is deployed has no schedule."]
    lines.append("All tasks of the graph are resumed.")
    return Proposal(
        f"Turn the schedule of {scene.name} on",
        "\n".join(["It is on already."] if root.started else lines),
        "Turn it on",
        is_nothing=root.started,
    )


def perform_resume(scene: Scene, form: Form, tell: Tell) -> Done:
    return _switched(scene, tell, turn_on, f"The schedule of {scene.name} is on.")


def _switched(scene: Scene, tell: Tell, switch: Callable[..., None], done: str) -> Done:
    desired, target = scene.spec.desired, scene.target
    with scene.lease(tell) as held_lease:
        root = own_root(desired, target)
        staged = stage_without_journal(desired, target)
        remove_left_over(desired, target, held_lease, staged)
        switch(desired, target, root)
    return Done(done, pipeline_place(scene.name))


# -- models


def _model(scene: Scene, name: str) -> RegisteredModel:
    return RegisteredModel(scene.target.connection, scene.spec.desired.target, name, scene.user)


_REASON = Field("reason", "Reason", "kept with the version")


def _promotion(scene: Scene) -> tuple[RegisteredModel, str]:
    name, _, version = scene.subject.rpartition("@")
    if not name:
        raise UsageError("a promotion names a model and a version")
    return _model(scene, name), version


def propose_promote(scene: Scene) -> Proposal:
    model, wanted = _promotion(scene)
    there = model.versions()
    version = version_in(there, f'"{wanted}"')
    default = default_of(there)
    lines = [
        f"Makes {version.name} the default version of {model.name} in {model.target.name},"
        f" in place of {default.name if default else 'none'}.",
        "Scoring uses the default version. The alias CHAMPION follows it if the model uses it.",
        *_metric_lines(default.metrics if default else {}, version.metrics),
    ]
    is_nothing = default is not None and default.name == version.name
    return Proposal(
        f"Promote {version.name} of {model.name}",
        "\n".join(lines),
        "Promote it",
        fields=(_REASON,),
        is_nothing=is_nothing,
    )


def _metric_lines(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if isinstance(old, int | float) and isinstance(new, int | float):
            yield f"  {name}: {old:.5g} {SYMBOLS['arrow']} {new:.5g} ({new - old:+.4g})"


def perform_promote(scene: Scene, form: Form, tell: Tell) -> Done:
    model, wanted = _promotion(scene)
    change = promote(model, f'"{wanted}"', reason=form.get("reason") or None, approve=lambda question: None)
    return Done(f"{change.default} is the default version of {change.model}.", models_place(scene.name))


def propose_model_rollback(scene: Scene) -> Proposal:
    model = _model(scene, scene.subject)
    there = model.versions()
    default, before = default_of(there), version_before(there)
    if before is None:
        text = "No version is older than the default one, or those that are were left by a rollback."
        return Proposal(f"Roll {model.name} back", text, "Roll it back", is_nothing=True)
    lines = [
        f"Makes {before.name} the default version of {model.name} in {model.target.name} again,"
        f" in place of {default.name if default else 'none'}.",
        *_metric_lines(default.metrics if default else {}, before.metrics),
    ]
    return Proposal(f"Roll {model.name} back", "\n".join(lines), "Roll it back", fields=(_REASON,))


def perform_model_rollback(scene: Scene, form: Form, tell: Tell) -> Done:
    model = _model(scene, scene.subject)
    change = roll_back(model, reason=form.get("reason") or None, approve=lambda question: None)
    return Done(f"{change.default} is the default version of {change.model} again.", models_place(scene.name))


# -- the deployed graph


def _rollback(scene: Scene) -> tuple[Artefact, int, ApplyPlan]:
    desired, target = scene.spec.desired, scene.target
    goal, source = goal_of(desired, target, int(scene.subject) if scene.subject else None)
    return goal, source, planned_graph(goal.graph(desired.target), target)


def propose_rollback(scene: Scene) -> Proposal:
    goal, source, work = _rollback(scene)
    graph = goal.graph(scene.spec.desired.target)
    text = rollback_text(scene.spec.desired.pipeline, source, goal) + plan_text(
        work.plan, graph, SYMBOLS, schedule=schedule_words(graph)
    )
    return Proposal(
        f"Roll {scene.name} back to deployment {source}",
        f"{text}\nModels and tables stay as they are.",
        "Go back to it",
        is_nothing=not work.groups,
    )


def perform_rollback(scene: Scene, form: Form, tell: Tell) -> Done:
    desired, target = scene.spec.desired, scene.target
    with scene.lease(tell) as held_lease:
        goal, source, work = _rollback(scene)
        remove_left_over(desired, target, held_lease, work.staged)
        graph = goal.graph(desired.target)
        if work.groups:
            full = work_of(work, graph, held_lease.lease, {"user": scene.user}, kind="rollback")
            deployer = Deployer(full, target.tasks, target.stage, held_lease, watcher=ToldProgress(tell))
            GuidedDeployer(deployer, desired.where, is_open=work.is_unfinished, command="rollback").deploy()
    return Done(f"Deployment {source} of {scene.name} is deployed again.", deployments_place(scene.name))


ACTIONS: Mapping[str, Action] = {
    "run": Action(propose_run, perform_run, needs_compiled=True),
    "retry": Action(propose_retry, perform_retry),
    "cancel": Action(propose_cancel, perform_cancel),
    "suspend": Action(propose_suspend, perform_suspend),
    "resume": Action(propose_resume, perform_resume),
    "promote": Action(propose_promote, perform_promote),
    "rollback-model": Action(propose_model_rollback, perform_model_rollback),
    "rollback": Action(propose_rollback, perform_rollback),
}
