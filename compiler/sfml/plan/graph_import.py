"""Writing the spec of a graph that sfml did not deploy, so that sfml can adopt it without changes.

Each body is kept as it is, in a file of its own, because the code of a pickled function cannot be read. Names, settings
and conditions are written as they are; what a spec cannot express is listed in `losses`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field

from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.graph.durations import in_words
from sfml.lower.lower import DUMMY_ROOT
from sfml.lower.names import default_name, folded_name
from sfml.plan import renderings
from sfml.plan.model import Comparable, ObservedGraph, ObservedTask
from sfml.plan.settings import DEFAULTS
from sfml.semantics.condition_words import arguments_of
from sfml.semantics.conditions import reads_streams
from sfml.spec.nodes import Plain
from sfml.spec.yaml_text import block_text, without_expressions

_STREAM = "SYSTEM$STREAM_HAS_DATA"
_TAKEN = ("config", "run")


@record
class ImportedFiles:
    """The files of the spec, by path relative to the folder of specs; `losses` are sentences about what it lacks."""

    pipeline: str
    files: Mapping[str, bytes]
    names: Mapping[str, str] = field(default_factory=dict)
    """Name in Snowflake → name in the spec, without the root."""
    losses: tuple[str, ...] = ()

    @property
    def entry(self) -> str:
        return f"{self.pipeline}.yaml"


def imported_spec(
    observed: ObservedGraph, pipeline: str, *, in_full: bool = False, schemas: str | None = None
) -> ImportedFiles:
    """The spec of a deployed graph.

    `in_full` also writes settings that have Snowflake's default, for projects whose `defaults` differ from it.
    `schemas` is the path of the schemas for editors, relative to the entry file.
    """
    names = spec_names(observed)
    files: dict[str, bytes] = {}
    root = observed.root
    graph: dict[str, Plain] = {"version": 1}
    top = _root(root, pipeline, files)
    if top:
        graph["root"] = top
    graph["query_tag"] = False
    if config := _scalars(root.settings["config"]):
        graph["config"] = config
    tasks: dict[str, Plain] = {}
    finalizer: dict[str, Plain] = {}
    for task in _ordered(observed):
        place = finalizer if task.settings["finalize"] is not None else tasks
        place[names[task.name]] = _task(task, observed, pipeline, names, files, in_full=in_full)
    graph["tasks"] = tasks
    if finalizer:
        graph["finalizer"] = finalizer
    entry: dict[str, Plain] = {"version": 1, "pipeline": pipeline}
    if comment := str(root.settings["comment"] or ""):
        entry["description"] = comment  # descriptions hold no expressions
    entry["graph"] = f"{pipeline}/job_config.yaml"
    entry["schedule"] = f"{pipeline}/schedule_config.yaml"
    schedule = {"version": 1, **_schedule(root, in_full=in_full)}
    texts = {f"{pipeline}.yaml": entry, "job_config.yaml": graph, "schedule_config.yaml": schedule}
    for name, value in texts.items():
        path = name if name == f"{pipeline}.yaml" else f"{pipeline}/{name}"
        files[path] = (_head(name, path, schemas) + block_text(value)).encode()
    return ImportedFiles(pipeline, dict(sorted(files.items())), names, tuple(_losses(observed, names)))


def pipeline_name(root: str) -> str:
    """The pipeline's name for the name of a root task."""
    return _word(raw(root)) or "pipeline"


def spec_names(observed: ObservedGraph) -> Mapping[str, str]:
    """Name in Snowflake → name in the spec, for every task except the root.

    It is the name without the root's name before it, in lower case, with `_` for other characters and a number if two
    would be equal.
    """
    names: dict[str, str] = {}
    used = {*_TAKEN}
    for task in _ordered(observed):
        name = raw(task.name).removeprefix(f"{raw(observed.root.name)}$")
        word = base = _word(name) or "task"
        number = 2
        while word in used:
            word, number = f"{base}_{number}", number + 1
        used.add(word)
        names[task.name] = word
    return names


def _word(name: str) -> str:
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return f"t_{word}" if word[:1].isdigit() else word


def _ordered(observed: ObservedGraph) -> list[ObservedTask]:
    """The tasks with parents before children, ties by name, the finalizer last."""
    left = {task.name: task for task in observed.tasks}
    ordered: list[ObservedTask] = []
    placed = {observed.root.name}
    while left:
        ready = sorted(name for name, task in left.items() if set(_after(task)) & left.keys() == set())
        for name in ready or sorted(left):
            ordered.append(left.pop(name))
            placed.add(name)
    return sorted(ordered, key=lambda task: task.settings["finalize"] is not None)


def _after(task: ObservedTask) -> tuple[str, ...]:
    after = task.settings["after"]
    return tuple(str(name) for name in after) if isinstance(after, tuple) else ()


def _head(name: str, path: str, schemas: str | None) -> str:
    if schemas is None:
        return ""
    kinds = {"job_config.yaml": "job_config", "schedule_config.yaml": "schedule_config"}
    place = "../" * path.count("/") + schemas
    return f"# yaml-language-server: $schema={place}/{kinds.get(name, 'pipeline')}.schema.json\n"


def _root(root: ObservedTask, pipeline: str, files: dict[str, bytes]) -> dict[str, Plain]:
    top: dict[str, Plain] = {}
    if root.name != pipeline.upper():
        top["name"] = root.name
    if renderings.body(root.definition) != DUMMY_ROOT.sql:
        top["sql"] = _body(root, pipeline, "root", files)
    return top


def _body(task: ObservedTask, pipeline: str, name: str, files: dict[str, bytes]) -> Plain:
    # The root's file has a suffix, because a task of the graph may be named `root`.
    file = (
        f"sql/{name}.sql" if task.settings["after"] or task.settings["finalize"] else f"sql/{name}-task.sql"
    )
    files[f"{pipeline}/{file}"] = task.definition.encode()
    return {"file": file}


def _task(
    task: ObservedTask,
    observed: ObservedGraph,
    pipeline: str,
    names: Mapping[str, str],
    files: dict[str, bytes],
    *,
    in_full: bool,
) -> dict[str, Plain]:
    name = names[task.name]
    settings: dict[str, Plain] = {"sql": _body(task, pipeline, name, files)}
    if default_name(_root_name(observed, pipeline), name) != task.name:
        settings["name"] = task.name
    after: list[Plain] = [names[predecessor] for predecessor in _after(task) if predecessor in names]
    if after:
        settings["after"] = after
    if when := str(task.settings["when"] or ""):
        settings["when"] = when
    return {**settings, **_shared(task, in_full=in_full), **_commented(task)}


def _root_name(observed: ObservedGraph, pipeline: str) -> str:
    return observed.root.name if observed.root.name != pipeline.upper() else folded_name(pipeline.upper())


def _commented(task: ObservedTask) -> dict[str, Plain]:
    comment = str(task.settings["comment"] or "")
    return {"comment": without_expressions(comment)} if comment else {}


def _shared(task: ObservedTask, *, in_full: bool) -> dict[str, Plain]:
    """The settings in a spec that both tasks and the root can have."""
    settings = task.settings
    written: dict[str, Plain] = {"run_on": _run_on(settings)}
    timeout = settings["timeout_ms"]
    if isinstance(timeout, int) and (in_full or timeout != DEFAULTS["timeout_ms"]):
        written["timeout"] = in_words(timeout // 1000)
    if parameters := _scalars(settings["session_parameters"]):
        written["session_parameters"] = parameters
    for key in ("execute_as_user", "log_level"):
        if settings.get(key):
            written[key] = str(settings[key])
    if tags := _scalars(settings.get("tags")):
        written["tags"] = tags
    return written


def _run_on(settings: Mapping[str, Comparable]) -> Plain:
    if settings["warehouse"] is not None:
        return {"warehouse": str(settings["warehouse"])}
    sizes: dict[str, Plain] = {}
    for key, default in (("initial", "MEDIUM"), ("min", "XSMALL"), ("max", "XXLARGE")):
        size = settings[f"serverless.{key}"]
        if size is not None and size != default:
            sizes[key] = str(size)
    target = settings["serverless.target_completion"]
    if isinstance(target, int):
        sizes["target_completion"] = in_words(target)
    return {"serverless": sizes}


def _schedule(root: ObservedTask, *, in_full: bool) -> dict[str, Plain]:
    settings = root.settings
    when = str(settings["when"] or "")
    streams = _streams(when)
    config: dict[str, Plain] = {"schedule": _times(settings, streams, root)}
    if when and not streams:
        config["when"] = when
    for key in ("overlap", "retries", "suspend_after_failures"):
        value = settings[key]
        if in_full or value != DEFAULTS[key]:
            config[key] = value if isinstance(value, int) else str(value)
    alerts: dict[str, Plain] = {
        key: str(settings[key]) for key in ("on_error", "on_success") if settings[key]
    }
    if alerts:
        config["alerts"] = alerts
    return {**config, **_shared(root, in_full=in_full)}


def _times(settings: Mapping[str, Comparable], streams: tuple[str, ...], root: ObservedTask) -> Plain:
    text = str(settings["schedule"] or "")
    if text.startswith("cron "):
        *fields, timezone = text.removeprefix("cron ").split()
        written = root.values.get("schedule")
        if isinstance(written, Mapping) and written.get("cron_expr"):
            # The original spelling is used, because the compared form is in upper case.
            fields, timezone = str(written["cron_expr"]).split(), str(written.get("timezone") or "UTC")
        return {"cron": " ".join(fields), "timezone": timezone}
    if text.startswith("every "):
        return {"every": in_words(int(text.split()[1]))}
    if streams:
        schedule: dict[str, Plain] = {"on_stream": list(streams)}
        interval = settings.get("minimum_trigger_interval")
        if isinstance(interval, int) and interval != DEFAULTS.get("minimum_trigger_interval"):
            schedule["every"] = in_words(interval)
        return schedule
    return "manual"


def _streams(condition: str) -> tuple[str, ...]:
    """The streams of a condition that only checks whether one of them has data; empty for any other condition."""
    streams = [name for name in arguments_of(condition, _STREAM) if name]
    plain = " or ".join(f"{_STREAM}('{name}')" for name in streams)
    return tuple(streams) if streams and renderings.same("when", condition, plain) else ()


def _scalars(value: Comparable) -> dict[str, Plain]:
    scalars: dict[str, Plain] = {}
    for key, one in value.items() if isinstance(value, Mapping) else ():
        if isinstance(one, str):
            scalars[key] = without_expressions(one)
        elif isinstance(one, bool | int | float):
            scalars[key] = one
    return scalars


def _losses(observed: ObservedGraph, names: Mapping[str, str]) -> Iterator[str]:
    """A sentence for everything that a spec cannot express."""
    root = observed.root
    config = root.settings["config"]
    for key, value in config.items() if isinstance(config, Mapping) else ():
        if not isinstance(value, bool | int | float | str):
            yield f"`{key}` of the CONFIG is not a text, number or boolean, and a spec can hold only these"
    when = str(root.settings["when"] or "")
    if root.settings["schedule"] is None and reads_streams(when) and not _streams(when):
        yield "the root is started by streams under a condition of its own, which a spec cannot say: it stays manual"
    for task in (root, *observed.tasks):
        shown = names.get(task.name, "the root")
        timeout = task.settings["timeout_ms"]
        if isinstance(timeout, int) and timeout % 1000:
            yield f"the timeout of {shown}, {timeout} ms, is not a whole number of seconds"
        if task is not root and not task.started:
            yield f"{shown} is suspended there; an apply would resume it, unless the spec has `enabled: false`"
    finalizers = [names[task.name] for task in observed.tasks if task.settings["finalize"] is not None]
    if len(finalizers) > 1:
        yield f"the graph has several finalizers: {', '.join(finalizers)}"
