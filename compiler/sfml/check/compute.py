"""SF4xx, compute: where tasks run, their timeouts, and their settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sfml.base.diagnostic import Diagnostic, Label
from sfml.base.quoting import raw
from sfml.check.case import Case, error, listed, warning
from sfml.graph.draft import TaskDraft
from sfml.graph.durations import in_words
from sfml.graph.located import Place
from sfml.graph.model import (
    CallBody,
    JobBody,
    Manual,
    NotifyBody,
    OnPool,
    Serverless,
    SqlBody,
    StepBody,
    StreamSchedule,
)
from sfml.semantics.conditions import reads_streams
from sfml.semantics.limits import DEFAULT_TIMEOUT_MS, MAX_TAG_VALUE, MAX_TIMEOUT_MS, WAREHOUSE_SIZES

_MAX_TIMEOUT = MAX_TIMEOUT_MS // 1000
_DEFAULT_TIMEOUT = DEFAULT_TIMEOUT_MS // 1000
_TRAINING = 4 * 3600
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]]*\])?"
_ONE_SIGN = re.compile(rf"({_NAME})\s*=\s*([\w.*!+-]+)\Z")
"""A package with one `=` before its version."""
_SPECIFIER = r"(?:===?|~=|!=|[<>]=?)\s*[\w.*!+-]+"
_NO_SIGN = re.compile(rf"({_NAME})\s+([0-9][\w.*!+-]*)\Z")
"""A package with nothing but a blank before its version."""
_SEVERAL = re.compile(rf"{_NAME}\s*(?:{_SPECIFIER})?[\s,]\s*[A-Za-z0-9]")
"""A package, with or without a version, and the beginning of another one."""
_OF_PROCEDURES = re.compile(rf"{_NAME}\s*(?:{_SPECIFIER}(?:\s*,\s*{_SPECIFIER})*)?\Z")
"""A name with the versions that it may have. pip takes more: addresses, files, markers of platforms."""
_PACKAGE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?![\w/:+])")


def wrong_compute(case: Case) -> Iterator[Diagnostic]:
    """SF401: a task runs on compute that its kind does not support.

    What: a `job` runs on a compute pool; `call`, `sql` and `notify` run on a warehouse or serverless; a step runs on
    any of them.
    Why: an ML Job is a container, and a statement is not.
    Instead: change `run_on`.
    """
    for task in case.tasks:
        on_pool = isinstance(task.node.run_on, OnPool)
        place = task.place("run_on")
        if isinstance(task.node.body, JobBody) and not on_pool:
            message = f"job `{task.name}` does not run on a compute pool"
            help = 'write `run_on: {pool: "{{ target.compute_pool }}"}`'
            help += "" if task.node.timeout else f", and {_longer_timeout(case)}"
            yield error("SF401", message, place, why="an existing script runs as an ML Job", help=help)
        elif isinstance(task.node.body, (CallBody, SqlBody, NotifyBody)) and on_pool:
            message = f"task `{task.name}` is a statement and cannot run on a compute pool"
            yield error("SF401", message, place, help="run it on a warehouse: `run_on: {warehouse: …}`")


def shorter_graphs(case: Case) -> Iterator[Diagnostic]:
    """SF402: a task may take longer than its whole graph.

    What: the timeout of the graph (in the schedule config) is at least the timeout of each task.
    Why: a task with its own timeout runs up to that. But when the graph's timeout is over (1 hour if it is not set),
    Snowflake ends the tasks without a timeout of their own, and the tasks after them may not run.
    Instead: raise `timeout` in the schedule config, or lower that of the task.
    """
    graph_timeout = case.draft.settings.timeout
    limit = _DEFAULT_TIMEOUT if graph_timeout is None else (graph_timeout or _MAX_TIMEOUT)
    place = case.draft.places.get("schedule_config.timeout")
    for task in case.tasks:
        if task.node.timeout is None:
            continue
        timeout = task.node.timeout or _MAX_TIMEOUT
        if not limit < timeout <= _MAX_TIMEOUT:
            continue
        if graph_timeout is None:
            message = f"task `{task.name}` may take {in_words(timeout)}, its graph 1h by default"
        else:
            message = f"task `{task.name}` may take {in_words(timeout)}, its graph {in_words(limit)}"
        yield warning(
            "SF402",
            message,
            task.place("timeout"),
            labels=(Label(place.span, "the graph's timeout"),) if place else (),
            why="its own timeout counts for it, but the rest of the run is ended when the graph's time is up",
            help=f"set `timeout: {in_words(timeout)}` or more in the schedule config",
        )


def serverless_sizes(case: Case) -> Iterator[Diagnostic]:
    """SF403: serverless sizes contradict each other.

    What: the sizes are in the order min ≤ initial ≤ max.
    Why: Snowflake refuses the task otherwise.
    Instead: correct the sizes.
    """
    order = {size: index for index, size in enumerate(WAREHOUSE_SIZES)}
    for who, sizes, place in _serverless(case):
        for low, high in (("min", "initial"), ("initial", "max"), ("min", "max")):
            smaller, larger = getattr(sizes, low), getattr(sizes, high)
            if smaller and larger and order[smaller] > order[larger]:
                message = f"{who}: `{low}` is {smaller}, larger than `{high}`, {larger}"
                yield error("SF403", message, place, help="order the sizes")
                break


def _serverless(case: Case) -> Iterator[tuple[str, Serverless, Place]]:
    """The root and the tasks that run serverless: in words, the sizes, and the place of the setting."""
    root = case.draft.settings.run_on
    if isinstance(root, Serverless):
        places = case.draft.places
        yield "the root", root, places.get("schedule_config.run_on.serverless", places["schedule_config"])
    for task in case.tasks:
        if isinstance(task.node.run_on, Serverless):
            yield f"task `{task.name}`", task.node.run_on, task.place("run_on.serverless", "run_on")


def target_completion(case: Case) -> Iterator[Diagnostic]:
    """SF404: the target completion interval is out of range.

    What: `target_completion` is 10 seconds to 24 hours.
    Why: Snowflake refuses the task otherwise.
    Instead: choose a time in that range.
    """
    for who, sizes, place in _serverless(case):
        interval = sizes.target_completion
        if interval is not None and not 10 <= interval <= 86_400:
            message = f"{who} is to complete in {in_words(interval)}; Snowflake takes 10s to 24h"
            yield error("SF404", message, place, help="write `10s` to `24h`")


def triggered_without_target(case: Case) -> Iterator[Diagnostic]:
    """SF413: a serverless root that streams start has no target completion interval.

    What: with `on_stream`, a root that runs serverless has `target_completion`.
    Why: Snowflake requires it for serverless triggered tasks, which have no schedule to derive it from.
    Instead: add it, or run the root on the target's warehouse.
    """
    settings = case.draft.settings
    root = settings.run_on
    if not isinstance(root, Serverless) or root.target_completion is not None:
        return
    if isinstance(settings.schedule, StreamSchedule) or (
        isinstance(settings.schedule, Manual) and reads_streams(settings.when)
    ):
        places = case.draft.places
        place = places.get("schedule_config.run_on.serverless", places["schedule_config"])
        message = "the serverless root that streams start has no `target_completion`"
        why = "Snowflake demands it of serverless triggered tasks"
        yield error("SF413", message, place, why=why, help="add `target_completion: 10m`")


def useless_settings(case: Case) -> Iterator[Diagnostic]:
    """SF405: a setting that this kind of task does not have.

    What: `packages` is for steps on a warehouse or serverless; `pip`, `artifact_repositories`, `imports` and
    `env_vars` are for ML Jobs; `external_access` and `secrets` are for both; statements have none of these.
    Why: the setting would have no effect.
    Instead: remove it, or use the setting for this kind of task.
    """
    for task in case.tasks:
        allowed = _allowed(task)
        for setting in _OF_KINDS:
            if setting in task.raw_settings and setting not in allowed and getattr(task.node, setting):
                message = f"`{setting}` means nothing on task `{task.name}`, {_kind(task)}"
                help = {"packages": "`pip`", "pip": "`packages`"}.get(setting)
                help = f"use {help}" if help and help.strip("`") in allowed else "take it out"
                if setting == "env_vars" and isinstance(task.node.body, StepBody):
                    help = "a procedure has no environment: give the values under `with:`"
                yield error("SF405", message, task.place(f"{setting}!key"), help=help)


_OF_KINDS = ("packages", "pip", "artifact_repositories", "imports", "external_access", "secrets", "env_vars")


def _allowed(task: TaskDraft) -> frozenset[str]:
    if isinstance(task.node.run_on, OnPool) or isinstance(task.node.body, JobBody):
        return frozenset(_OF_KINDS) - {"packages"}
    if isinstance(task.node.body, StepBody):
        return frozenset(("packages", "external_access", "secrets"))
    return frozenset()


def _kind(task: TaskDraft) -> str:
    if isinstance(task.node.run_on, OnPool) or isinstance(task.node.body, JobBody):
        return "an ML Job"
    return "a procedure" if isinstance(task.node.body, StepBody) else "a statement"


def instances(case: Case) -> Iterator[Diagnostic]:
    """SF406: an ML Job waits for more nodes than it asks for.

    What: `min_instances` is at most `instances`.
    Why: the job would never start.
    Instead: lower `min_instances`, or raise `instances`.
    """
    for task in case.tasks:
        run_on = task.node.run_on
        if isinstance(run_on, OnPool) and run_on.min_instances and run_on.min_instances > run_on.instances:
            message = f"task `{task.name}` waits for {run_on.min_instances} of {run_on.instances} instances"
            yield error("SF406", message, task.place("run_on.min_instances"), help="raise `instances`")


def pool_nodes(case: Case) -> Iterator[Diagnostic]:
    """SF349: an ML Job waits for more nodes than its compute pool has.

    What: a task on the target's pool waits for at most the `max_nodes` of the target's `create.compute_pool`.
    Why: Snowflake's client refuses the job, because it would never start. The size of a pool that exists already is
    checked by `sfml apply`, before it changes anything.
    Instead: raise `max_nodes`, or lower `instances` or `min_instances`.
    """
    target = case.draft.target
    most = target.new_pool.max_nodes if target.new_pool is not None else None
    if most is None or target.compute_pool is None:
        return
    for task in case.tasks:
        match task.node.run_on:
            case OnPool(pool=pool, instances=instances, min_instances=least) if (
                raw(pool) == raw(target.compute_pool) and (least or instances) > most
            ):
                message = (
                    f"task `{task.name}` waits for {least or instances} nodes of a pool of at most {most}"
                )
                place = task.place("run_on.min_instances" if least else "run_on.instances", "run_on")
                help = "lower it, or raise `max_nodes` of the target's `create.compute_pool`"
                yield error("SF349", message, place, help=help)


def timeouts(case: Case) -> Iterator[Diagnostic]:
    """SF407: a timeout is out of range.

    What: a timeout is at most 7 days; 0 means 7 days.
    Why: Snowflake refuses more.
    Instead: choose a shorter timeout.
    """
    places = [(task.node.timeout, task.place("timeout")) for task in case.tasks]
    graph = case.draft.places.get("schedule_config.timeout")
    if graph is not None:
        places.append((case.draft.settings.timeout, graph))
    for timeout, place in places:
        if timeout is not None and timeout > _MAX_TIMEOUT:
            message = f"a timeout of {in_words(timeout)} is longer than the 7 days that Snowflake allows"
            yield error("SF407", message, place, help="write `7d` or less")


def training_in_an_hour(case: Case) -> Iterator[Diagnostic]:
    """SF408: an ML Job has Snowflake's default timeout of 1 hour.

    What: a task on a compute pool sets its `timeout`.
    Why: training often takes longer than an hour, and waiting for a node counts too. After it, the task is ended and
    fails.
    Instead: add a `timeout`.
    """
    for task in case.tasks:
        if isinstance(task.node.run_on, OnPool) and task.node.timeout is None:
            message = f"task `{task.name}` runs on a compute pool and has no `timeout`"
            why = "Snowflake ends it after 1 hour, waiting for a node included"
            help = f"add {_longer_timeout(case)}"
            yield warning("SF408", message, task.place("run_on"), why=why, help=help)


def _longer_timeout(case: Case) -> str:
    """What gives a job more than an hour; as long as its graph takes no less."""
    timeout = case.draft.settings.timeout
    limit = _DEFAULT_TIMEOUT if timeout is None else (timeout or _MAX_TIMEOUT)
    also = "" if limit >= _TRAINING else ", to the task and to the schedule config"
    return f"`timeout: {in_words(_TRAINING)}`{also}"


def packages_given_twice(case: Case) -> Iterator[Diagnostic]:
    """SF416: a package is named twice.

    What: `packages` and `pip` name each package once. Names ignore case, and `-`, `_` and `.` in them are the same.
    Why: which of two versions is installed is not defined, or the task fails when its packages are resolved.
    Instead: leave one of them.
    """
    for task in case.tasks:
        for setting in ("packages", "pip"):
            first: dict[str, str] = {}
            for index, package in enumerate(getattr(task.node, setting)):
                match = _PACKAGE.match(package)
                name = re.sub(r"[-_.]+", "-", match[1]).lower() if match else package
                if first.setdefault(name, package) != package:
                    message = f"`{first[name]}` and `{package}` of task `{task.name}` are one package"
                    place = task.place(f"{setting}[{index}]", setting)
                    yield error("SF416", message, place, help="leave one of them")


def misspelt_packages(case: Case) -> Iterator[Diagnostic]:
    """SF419: the version of a package is not written as one.

    What: `packages` and `pip` hold one package an entry, as `name==version`, or with a range such as `name>=1,<2`.
    Only `pip` takes what else pip knows: addresses, files, markers.
    Why: `name=version` is the notation of conda, and `name version` of none. Snowflake refuses both when the task runs,
    and pip when the job starts, hours after the apply.
    Instead: write `==`.
    """
    for task in case.tasks:
        for setting in ("packages", "pip"):
            for index, package in enumerate(getattr(task.node, setting)):
                problem = _misspelt(package.strip(), setting)
                if problem is not None:
                    what, help = problem
                    place = task.place(f"{setting}[{index}]", setting)
                    yield error("SF419", f"`{package}` of task `{task.name}` {what}", place, help=help)


def _misspelt(package: str, setting: str) -> tuple[str, str] | None:
    """What is wrong with the package, and what to write; None for one that may be right."""
    match = _ONE_SIGN.match(package) or _NO_SIGN.match(package)
    if match is not None:
        return "is not a package with a version", f"write `{match[1]}=={match[2]}`"
    if not package or _SEVERAL.match(package):
        return "is not one package", "write one package an entry: `[pandas, numpy==2.3.4]`"
    if setting == "packages" and not _OF_PROCEDURES.match(package):
        return "is not a package that a procedure can have", "write its name, or `name==version`"
    return None


def tag_values(case: Case) -> Iterator[Diagnostic]:
    """SF412: the value of a tag is too long.

    What: the value of a tag has at most 256 characters.
    Why: Snowflake refuses more.
    Instead: shorten it.
    """
    places = case.draft.places
    for name, value in case.draft.settings.tags.items():
        if len(value) > MAX_TAG_VALUE:
            place = places.get(f"schedule_config.tags.{name}", places["schedule_config"])
            message = f"tag `{name}` of the root is longer than 256 characters"
            yield error("SF412", message, place, help="shorten it")
    for task in case.tasks:
        long = [name for name, value in task.node.tags.items() if len(value) > MAX_TAG_VALUE]
        if long:
            message = f"tag {listed(long)} of task `{task.name}` is longer than 256 characters"
            yield error("SF412", message, task.place(f"tags.{long[0]}"), help="shorten it")
