"""Writes the pages as files that open from disk: the same pages, read once, with relative links and no script."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from sfml.account.history import Run, TaskRun
from sfml.account.run_history import RunHistory
from sfml.base.errors import SfmlError, UsageError
from sfml.base.record import record
from sfml.lower.write import write_file
from sfml.ui.accounts import Accounts
from sfml.ui.pages import Look, Page, Pages
from sfml.ui.places import (
    deployment_place,
    deployments_place,
    models_place,
    pipeline_place,
    run_place,
    runs_place,
    task_place,
)
from sfml.ui.readings import Readings
from sfml.ui.rendering import Renderer, Site
from sfml.ui.specs import Spec, SpecOptions, Specs
from sfml.ui.styles import page_style
from sfml.ui.watching import Seen

T = TypeVar("T")

LIST = "sfml-export.json"
"""The file that lists what an export wrote, so that the next one into the same folder replaces it."""

MOST_RUNS = 50
"""How many of the newest runs of a pipeline are exported."""

WHOLE_RUNS = 1
"""Of how many of them every task has a page with its log, which costs a statement; of the others, those that failed."""


class SingleReadings(Readings):
    """Reads each thing once."""

    def __init__(self, accounts: Accounts) -> None:
        super().__init__(accounts)
        self._known: dict[Hashable, Seen[Any]] = {}

    def runs(self, spec: Spec, patience: float = 0) -> Seen[RunHistory]:
        seen = super().runs(spec, patience)
        return (
            seen
            if seen.value is None
            else replace(seen, value=replace(seen.value, runs=seen.value.runs[:MOST_RUNS]))
        )

    def _look(
        self, key: Hashable, read: Callable[[], T], pause: Callable[[T, float], float], patience: float
    ) -> Seen[T]:
        if key not in self._known:
            try:
                self._known[key] = Seen(read(), datetime.now(UTC))
            except SfmlError as error:
                self._known[key] = Seen(error=error)
        return cast("Seen[T]", self._known[key])


@record
class _File:
    """A page and where it is written; the page is made when it is."""

    place: str
    make: Callable[[Look], Page]


def export(
    options: SpecOptions, site: Site, folder: Path, tell: Callable[[str], None] = lambda name: None
) -> tuple[str, ...]:
    """Write the pages below a folder; returns their paths. Raises `UsageError` if it holds something else.

    `tell` is called with the name of each pipeline before it is read.
    """
    _clear(folder)
    specs, readings = Specs(options), SingleReadings(Accounts(None))
    pages = Pages(specs, readings)
    renderer = Renderer(replace(site, exported=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"))
    written = ["static/page.css"]
    write_file(folder / written[0], page_style().encode())
    try:
        for file in _files(pages, tell):
            path = _file_name(file.place)
            to = _links(file.place)
            page = file.make(Look(to, acts=False, has_task=_has_task(readings)))
            write_file(folder / path, renderer.html(page, to).encode())
            written.append(path)
    finally:
        readings.close()
        write_file(
            folder / LIST, (json.dumps({"format_version": 1, "files": written}, indent=1) + "\n").encode()
        )
    return tuple(written)


def _clear(folder: Path) -> None:
    """Remove the files of an earlier export. Raises `UsageError` for a folder that holds anything else."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    try:
        listed = json.loads((folder / LIST).read_text(encoding="utf-8"))["files"]
        files = [folder / name for name in listed] if isinstance(listed, list) else []
        if not files:
            raise ValueError("an export lists its files")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as cause:
        raise UsageError(
            f"`{folder}` holds something else than exported pages", help="name a new folder, or an empty one"
        ) from cause
    root = folder.resolve()
    for file in files:
        if file.resolve().is_relative_to(root) and file.is_file():
            file.unlink()


def _files(pages: Pages, tell: Callable[[str], None]) -> Iterator[_File]:
    yield _File("", pages.fleet)
    yield _File("next/", pages.next_runs)
    for spec in pages.specs.all():
        tell(spec.name)
        yield from _files_of(pages, spec)


def _files_of(pages: Pages, spec: Spec) -> Iterator[_File]:
    name, readings = spec.name, pages.readings
    yield _File(pipeline_place(name), partial(pages.pipeline, spec))
    yield _File(runs_place(name), partial(pages.history, spec))
    yield _File(models_place(name), partial(pages.models, spec))
    yield _File(deployments_place(name), partial(pages.deployments, spec))
    kept = readings.deployments(spec).value
    for deployment in kept.kept if kept is not None else ():
        number = deployment.header.number
        yield _File(deployment_place(name, number), partial(pages.deployment, spec, number))
    history = readings.runs(spec).value
    has_task = _has_task(readings)
    for run in history.runs if history is not None else ():
        yield _File(run_place(name, run.run_id), partial(pages.run, spec, run.run_id))
        for task in run.tasks:
            if has_task(spec, run, task):
                make = partial(pages.task, spec, run.run_id, task.name)
                yield _File(task_place(name, run.run_id, task.name), make)


def _has_task(readings: Readings) -> Callable[[Spec, Run, TaskRun], bool]:
    """Whether a task in a run gets a page of its own: each costs a statement, for its log."""

    def has(spec: Spec, run: Run, task: TaskRun) -> bool:
        history = readings.runs(spec).value
        newest = history.runs[:WHOLE_RUNS] if history is not None else ()
        return (task.state or "").startswith("FAILED") or any(one.run_id == run.run_id for one in newest)

    return has


def _file_name(place: str) -> str:
    """The path of a page's file; `%` would be decoded in a link to it."""
    return f"{place.replace('%', '~')}index.html"


def _links(place: str) -> Callable[[str], str]:
    """Writes addresses relative to the page at a place."""
    here = posixpath.dirname(_file_name(place)) or "."

    def to(other: str) -> str:
        file = other if other.startswith("static/") else _file_name(other)
        return posixpath.relpath(file, here)

    return to
