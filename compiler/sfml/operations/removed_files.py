"""Files of earlier runs that tasks of a part read, and that have been removed since."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sfml.base.errors import ConflictingState
from sfml.base.quoting import raw
from sfml.lower.desired import DesiredTask
from sfml.operations.target_account import TargetAccount
from sfml.plan.part import Part
from sfml.plan.rehoming import call_of, results_read


def refuse_removed_files(part: Part, target: TargetAccount) -> None:
    """Raise `ConflictingState` if a task reads the path of a file that has been removed. Costs a call for each run."""
    named = {raw(task.name): task.task for task in part.graph.all_tasks if task.task is not None}
    seen_files: dict[str, frozenset[str]] = {}
    for task in part.graph.all_tasks:
        if task.task not in part.running:
            continue
        for name, path in _files_read(part, task, named):
            run_id = path.split("/")[2]
            if run_id not in seen_files:
                seen_files[run_id] = target.stage.files_of_run(part.graph.pipeline, run_id)
            if path not in seen_files[run_id]:
                raise ConflictingState(
                    f"`{task.task}` reads the file {path}, which `{name}` wrote and which has been removed since;"
                    " nothing was run",
                    help=f"run it as well:  --only '{name},{task.task}'",
                )


def _files_read(part: Part, task: DesiredTask, named: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The files of runs in the results that a task is known to read: the task that wrote it, and the path."""
    call = call_of(task.definition)
    reads = list(_references(call.get("with", {}))) if call is not None else []
    if call is None:
        reads = [(name, []) for name in results_read(task)]
    pattern = re.compile(rf"(?<![\w.-]){re.escape(part.graph.pipeline)}/runs/[\w-]+/[\w./=-]*[\w=-]")
    for raw_name, keys in reads:
        name = named.get(raw_name, "")
        result = part.reused.get(name)
        if result is None or result.value is None:
            continue
        try:
            value = json.loads(result.value)
            for key in keys:
                value = value[key]
        except (ValueError, KeyError, IndexError, TypeError):
            continue
        yield from ((name, path) for text in _texts(value) for path in pattern.findall(text))


def _references(value: Any) -> Iterator[tuple[str, list[Any]]]:
    match value:
        case {"$result": [str(name), *keys]} if len(value) == 1:
            yield name, keys
        case {"$literal": _} if len(value) == 1:
            return
        case dict():
            for item in value.values():
                yield from _references(item)
        case list():
            for item in value:
                yield from _references(item)


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)
