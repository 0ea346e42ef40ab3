"""The arguments of a step: the values under `with:`, with references replaced when the task runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sfml_steps.context import Run
from sfml_steps.errors import StepError

Json = Any


@dataclass(frozen=True)
class Sources:
    """The sources of references: results by task names in Snowflake, the configuration, and the run."""

    result: Callable[[str], Json]
    config: Callable[[], Mapping[str, Json]]
    run: Run


def resolve(value: Json, sources: Sources) -> Json:
    """Return the value with every reference replaced by the value that it reads.

    References are mappings with one key: `$result`, `$config`, `$run`, `$text`. `$literal` holds a mapping of the user
    that only looks like a reference; `$object` holds such a mapping that has references in it.
    """
    if isinstance(value, list):
        return [resolve(item, sources) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, argument),) = value.items()
        if key in READERS:
            return READERS[key](argument, sources)
        if key.startswith("$"):
            raise StepError(
                f"the call holds a reference `{key}`, which this runtime does not know: it is older than the "
                "compiler that wrote the task; apply the pipeline again"
            )
    return {key: resolve(item, sources) for key, item in value.items()}


def _result(argument: Sequence[Any], sources: Sources) -> Json:
    task, *path = argument
    return follow(sources.result(task), path, f"the result of {task}")


def _config(key: str, sources: Sources) -> Json:
    config = sources.config()
    if key not in config:
        raise StepError(
            f"the graph's configuration has no `{key}`; it has {', '.join(sorted(config)) or 'nothing'}"
        )
    return config[key]


def _run(key: str, sources: Sources) -> Json:
    run = sources.run
    return {"id": run.id, "scheduled_at": run.scheduled_at, "task": run.task, "root": run.root}[key]


def _text(parts: Sequence[Json], sources: Sources) -> str:
    values = (resolve(part, sources) for part in parts)
    return "".join(part if isinstance(part, str) else json.dumps(part, ensure_ascii=False) for part in values)


def _literal(argument: Json, sources: Sources) -> Json:
    return argument


def _object(argument: Mapping[str, Json], sources: Sources) -> Json:
    return {key: resolve(value, sources) for key, value in argument.items()}


READERS: Mapping[str, Callable[[Any, Sources], Json]] = {
    "$result": _result,
    "$config": _config,
    "$run": _run,
    "$text": _text,
    "$literal": _literal,
    "$object": _object,
}


def follow(value: Json, path: Sequence[str | int], origin: str) -> Json:
    """Return the value at a path of keys and indexes; `origin` names the outer value in errors."""
    where = origin
    for key in path:
        if value is None:
            raise StepError(f"{where} is empty, so it has no `{key}`: did that task run and return a value?")
        if not holds(value, key):
            raise StepError(f"{where} has no `{key}`; it has {described(value)}")
        value = value[key]
        where += f"[{key}]" if isinstance(key, int) else f".{key}"
    return value


def holds(value: Json, key: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(key, int) and -len(value) <= key < len(value)
    return isinstance(value, dict) and key in value


def described(value: Json) -> str:
    if isinstance(value, dict):
        return ", ".join(f"`{key}`" for key in value) or "no keys"
    if isinstance(value, list):
        return f"{len(value)} items"
    return f"only the value {json.dumps(value)}"
