"""What the names of a project mean: the place that defines each, and every place that it stands at."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from sfml.base.record import record
from sfml.base.source import Span
from sfml.catalog import StepFunction
from sfml.frontend.reading import Reading
from sfml.graph.model import SqlBody
from sfml.lsp.names import (
    TASKS,
    Form,
    Kind,
    Name,
    Role,
    names_in,
    names_in_code,
    names_in_sql,
)
from sfml.lsp.project import PipelineState, ProjectState
from sfml.spec.project import PROJECT_FILE

RENAMED = (Kind.TASK, Kind.CONFIG, Kind.VARIABLE, Kind.TARGET, Kind.PARAMETER)
"""The kinds of names whose definition is a key of a spec."""


@record
class Place:
    """A stretch of a file of the project, or of an installed package if `path` is not inside of it."""

    path: Path
    start: int
    end: int


@record
class Symbol:
    """A name with its definition, by which it is known in all pipelines and files; `name` is as written there."""

    kind: Kind
    name: str
    place: Place


class Index:
    """The names of one pipeline: those of its files, and what they mean in it."""

    def __init__(self, project: ProjectState, pipeline: PipelineState) -> None:
        self.project = project
        self.pipeline = pipeline
        self.reading = project.current(pipeline)
        self._schemas = {
            file: schema
            for one in (*pipeline.good.values(), *pipeline.readings.values())
            for file, schema in one.loaded.schemas.items()
        }

    @cached_property
    def names(self) -> dict[str, tuple[Name, ...]]:
        """File → its names."""
        found: dict[str, tuple[Name, ...]] = {}
        for file, schema in self._schemas.items():
            text = self.project.text(file)
            if text is not None:
                found[file] = names_in(text, file, schema)
        return found | {file: tuple(names) for file, names in self._of_statements()}

    def schema(self, file: str) -> str | None:
        return self._schemas.get(file)

    @property
    def good(self) -> Reading:
        """The reading of the default target, or the last one that could be resolved."""
        return _good(self.pipeline, self.reading)

    def _of_statements(self) -> Iterator[tuple[str, Iterator[Name]]]:
        """The names in SQL files and in the code of steps that the pipeline uses."""
        graph = self.good.walkable or self.good.graph
        bodies = [task.body for task in graph.all_tasks] if graph is not None else []
        for file in dict.fromkeys(body.file for body in bodies if isinstance(body, SqlBody) and body.file):
            if (text := self.project.text(file)) is not None:
                yield file, names_in_sql(text, file)
        for module in self.good.catalog.modules():
            if ".config" in module.text and not module.archive_path.startswith("sfml_steps/"):
                yield module.file, names_in_code(module.text, module.file)

    @cached_property
    def _symbols(self) -> dict[tuple[Kind, str, str], Symbol]:
        """(kind, file for names of one file, name) → its definition; the base comes before patches."""
        symbols: dict[tuple[Kind, str, str], Symbol] = {}
        order = sorted(self.names, key=lambda file: file != PROJECT_FILE)
        for role in (Role.DEFINES, Role.SETS):
            for file in order:
                for name in self.names[file]:
                    if name.role is role and name.kind in RENAMED:
                        key = self._key(name)
                        if key is not None and key not in symbols:
                            symbols[key] = Symbol(name.kind, name.name, self.place(name))
        return symbols

    def _key(self, name: Name) -> tuple[Kind, str, str] | None:
        if name.kind is Kind.PARAMETER:
            if self._schemas.get(name.file) == TASKS:
                return name.kind, name.file, name.name
            return None
        return name.kind, "", name.name

    @cached_property
    def _members(self) -> Mapping[str, Symbol]:
        """Task of the resolved graph → its definition: members of a `for_each`, and included tasks with a prefix."""
        symbols: dict[str, Symbol] = {}
        for reading in (*self.pipeline.good.values(), *self.pipeline.readings.values()):
            spec = reading.loaded.spec
            if spec is None:
                continue
            defined = {
                task.name: self._at(reading.place(task.at)) for task in (*spec.tasks, *spec.finalizers)
            }
            for name, symbol in defined.items():
                if symbol is not None:
                    symbols[name] = symbol
            for group, members in spec.groups.items():
                symbol = next((defined[member] for member in members if defined.get(member)), None)
                if symbol is not None:
                    symbols[group] = symbol
        return symbols

    def _at(self, span: Span) -> Symbol | None:
        """The task that is defined at a span."""
        text = self.project.text(span.file)
        if text is None:
            return None
        start = self.project.map(span.file, text).offset_of(span.start)
        for name in self.names.get(span.file, ()):
            if name.kind is Kind.TASK and name.start in (start, start + 1) and name.role is not Role.READS:
                return Symbol(Kind.TASK, name.name, self.place(name))
        return None

    def place(self, name: Name) -> Place:
        return Place(self.project.root / name.file, name.start, name.end)

    # What a name means.

    def symbol(self, name: Name) -> Symbol | None:
        """The definition of a name; None for one that is not defined, or that is defined in code."""
        if name.kind is Kind.TASK:
            return self._task(name)
        if name.kind is Kind.PARAMETER and self._schemas.get(name.file) != TASKS:
            return self._parameter_of_include(name)
        key = self._key(name)
        return self._symbols.get(key) if key is not None else None

    def _task(self, name: Name) -> Symbol | None:
        if name.form is Form.SNOWFLAKE:
            wanted = name.name.upper()
            known = (*self._members, *(key[2] for key in self._symbols if key[0] is Kind.TASK))
            name_of_task = next((one for one in known if one.upper() == wanted), None)
            return (
                None
                if name_of_task is None
                else self._members.get(name_of_task) or self._symbols.get((Kind.TASK, "", name_of_task))
            )
        if self._schemas.get(name.file) == TASKS:
            # A file of tasks knows its own tasks by their own names, whatever prefix they are included with.
            for one in self.names[name.file]:
                if one.kind is Kind.TASK and one.role is Role.DEFINES and one.name == name.name:
                    return Symbol(Kind.TASK, one.name, self.place(one))
        return self._members.get(name.name) or self._symbols.get((Kind.TASK, "", name.name))

    def _parameter_of_include(self, name: Name) -> Symbol | None:
        """The parameter that `with:` of an `include` sets: one of the file that stands beside it."""
        for other in self.names.get(name.file, ()):
            if other.kind is Kind.FILE and other.keys[:-1] == name.keys[:-2]:
                file = posixpath.normpath(posixpath.join(posixpath.dirname(name.file), other.name))
                return self._symbols.get((Kind.PARAMETER, file, name.name))
        return None

    def step(self, name: str) -> StepFunction | None:
        return self.good.catalog.find(name)

    def step_of(self, task: str) -> StepFunction | None:
        """The step function that a task runs."""
        graph = self.good.walkable or self.good.graph
        spec = self.good.loaded.spec
        if spec is None and graph is None:
            return None
        for one in (*spec.tasks, *spec.finalizers) if spec is not None else ():
            if one.name == task or one.name in spec.groups.get(task, ()):  # type: ignore[union-attr]
                step = one.settings.get("step")
                value = getattr(step, "value", None)
                return self.step(value) if isinstance(value, str) else None
        return None

    def at(self, file: str, offset: int) -> Name | None:
        """The narrowest name at an offset."""
        here = [name for name in self.names.get(file, ()) if name.start <= offset <= name.end]
        return min(here, key=lambda one: one.end - one.start, default=None)


def _good(pipeline: PipelineState, reading: Reading) -> Reading:
    if reading.loaded.spec is not None:
        return reading
    return pipeline.good.get(reading.target) or next(iter(pipeline.good.values()), reading)


def indexes_of(project: ProjectState, file: str) -> list[Index]:
    """The names of each pipeline that reads a file; of all for a file that none has read yet."""
    return [Index(project, pipeline) for pipeline in project.readers(file)]


def occurrences(project: ProjectState, symbol: Symbol) -> tuple[Name, ...]:
    """Every place of a name in the whole project, each once, the definition among them."""
    by_place: dict[tuple[str, int], Name] = {}
    clashing: set[tuple[str, int]] = set()
    for pipeline in project.pipelines.values():
        index = Index(project, pipeline)
        for names in index.names.values():
            for one in names:
                if one.kind is not symbol.kind or (one.kind is not Kind.TASK and one.name != symbol.name):
                    continue
                key = (one.file, one.start)
                if index.symbol(one) == symbol:
                    by_place[key] = one
                elif (
                    one.form is Form.PYTHON
                ):  # code that another pipeline shares, where the name means another key
                    clashing.add(key)
    return tuple(name for key, name in sorted(by_place.items()) if key not in clashing)
