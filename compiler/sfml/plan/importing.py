"""A spec that describes a graph which others deployed, so that sfml may take it over as it is.

Bodies are kept to the letter, each in a file of its own: what a pickled function does cannot be read. Names,
settings and conditions are written down as they are; whatever a spec has no words for is told.
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
    """The files by path, relative to the folder of specs, and what could not be written down."""

    pipeline: str
    files: Mapping[str, bytes]
    names: Mapping[str, str] = field(default_factory=dict)
    """Name in Snowflake → name in the spec, the root left out."""
    losses: tuple[str, ...] = ()

    @property
    def entry(self) -> str:
        return f"{self.pipeline}.yaml"


def imported_spec(
    observed: ObservedGraph, pipeline: str, *, in_full: bool = False, schemas: str | None = None
) -> ImportedFiles:
    """The spec of a deployed graph.

    `in_full` also writes down what is at Snowflake's default, for projects whose `defaults` would set it otherwise.
    `schemas` is where editors find the schemas, seen from the entry file.
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
    """A pipeline's name for a root task's."""
    return _word(raw(root)) or "pipeline"


def spec_names(observed: ObservedGraph) -> Mapping[str, str]:
    """A name in the spec for every task but the root: its own without the root's before it, made a plain word."""
    found: dict[str, str] = {}
    taken = {*_TAKEN}
    for task in _ordered(observed):
        name = raw(task.name).removeprefix(f"{raw(observed.root.name)}$")
        word = base = _word(name) or "task"
        number = 2
        while word in taken:
            word, number = f"{base}_{number}", number + 1
        taken.add(word)
        found[task.name] = word
    return found


def _word(name: str) -> str:
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return f"t_{word}" if word[:1].isdigit() else word


def _ordered(observed: ObservedGraph) -> list[ObservedTask]:
    """Parents before children, ties by name, the finalizer last."""
    left = {task.name: task for task in observed.tasks}
    done: list[ObservedTask] = []
    placed = {observed.root.name}
    while left:
        ready = sorted(name for name, task in left.items() if set(_after(task)) & left.keys() == set())
        for name in ready or sorted(left):
            done.append(left.pop(name))
            placed.add(name)
    return sorted(done, key=lambda task: task.settings["finalize"] is not None)


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
    # With a suffix for the root: a task of the graph may well be called `root`.
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
    found: dict[str, Plain] = {"sql": _body(task, pipeline, name, files)}
    if default_name(_root_as_ours(observed, pipeline), name) != task.name:
        found["name"] = task.name
    after: list[Plain] = [names[one] for one in _after(task) if one in names]
    if after:
        found["after"] = after
    if when := str(task.settings["when"] or ""):
        found["when"] = when
    return {**found, **_shared(task, in_full=in_full), **_commented(task)}


def _root_as_ours(observed: ObservedGraph, pipeline: str) -> str:
    return observed.root.name if observed.root.name != pipeline.upper() else folded_name(pipeline.upper())


def _commented(task: ObservedTask) -> dict[str, Plain]:
    comment = str(task.settings["comment"] or "")
    return {"comment": without_expressions(comment)} if comment else {}


def _shared(task: ObservedTask, *, in_full: bool) -> dict[str, Plain]:
    """What tasks and roots both may have."""
    settings = task.settings
    found: dict[str, Plain] = {"run_on": _run_on(settings)}
    timeout = settings["timeout_ms"]
    if isinstance(timeout, int) and (in_full or timeout != DEFAULTS["timeout_ms"]):
        found["timeout"] = in_words(timeout // 1000)
    if parameters := _scalars(settings["session_parameters"]):
        found["session_parameters"] = parameters
    for key in ("execute_as_user", "log_level"):
        if settings.get(key):
            found[key] = str(settings[key])
    if tags := _scalars(settings.get("tags")):
        found["tags"] = tags
    return found


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
    found: dict[str, Plain] = {"schedule": _times(settings, streams, root)}
    if when and not streams:
        found["when"] = when
    for key in ("overlap", "retries", "suspend_after_failures"):
        value = settings[key]
        if in_full or value != DEFAULTS[key]:
            found[key] = value if isinstance(value, int) else str(value)
    alerts: dict[str, Plain] = {
        key: str(settings[key]) for key in ("on_error", "on_success") if settings[key]
    }
    if alerts:
        found["alerts"] = alerts
    return {**found, **_shared(root, in_full=in_full)}


def _times(settings: Mapping[str, Comparable], streams: tuple[str, ...], root: ObservedTask) -> Plain:
    text = str(settings["schedule"] or "")
    if text.startswith("cron "):
        *fields, timezone = text.removeprefix("cron ").split()
        written = root.values.get("schedule")
        if isinstance(written, Mapping) and written.get("cron_expr"):
            # As it was written: folding a zone would read oddly.
            fields, timezone = str(written["cron_expr"]).split(), str(written.get("timezone") or "UTC")
        return {"cron": " ".join(fields), "timezone": timezone}
    if text.startswith("every "):
        return {"every": in_words(int(text.split()[1]))}
    if streams:
        found: dict[str, Plain] = {"on_stream": list(streams)}
        interval = settings.get("minimum_trigger_interval")
        if isinstance(interval, int) and interval != DEFAULTS.get("minimum_trigger_interval"):
            found["every"] = in_words(interval)
        return found
    return "manual"


def _streams(condition: str) -> tuple[str, ...]:
    """The streams of a condition that only asks whether one of them has data; else none."""
    streams = [name for name in arguments_of(condition, _STREAM) if name]
    plain = " or ".join(f"{_STREAM}('{name}')" for name in streams)
    return tuple(streams) if streams and renderings.same("when", condition, plain) else ()


def _scalars(value: Comparable) -> dict[str, Plain]:
    found: dict[str, Plain] = {}
    for key, one in value.items() if isinstance(value, Mapping) else ():
        if isinstance(one, str):
            found[key] = without_expressions(one)
        elif isinstance(one, bool | int | float):
            found[key] = one
    return found


def _losses(observed: ObservedGraph, names: Mapping[str, str]) -> Iterator[str]:
    """What a spec has no words for."""
    root = observed.root
    config = root.settings["config"]
    for key, value in config.items() if isinstance(config, Mapping) else ():
        if not isinstance(value, bool | int | float | str):
            yield f"`{key}` of the CONFIG is no plain value, and a spec holds plain values only"
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
