"""What may be written at the cursor: keys by the schemas, and the names that the project has for each place."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

from lsprotocol import types

from sfml.base.record import record
from sfml.base.source import is_yaml
from sfml.catalog import StepFunction
from sfml.catalog.shapes import ListOf, Record, Shape, words
from sfml.graph.declared_tests import FAILS, STATES, SUCCEEDS
from sfml.graph.references import RUN_KEYS
from sfml.graph.topology import Reach
from sfml.lsp.cursor import Cursor
from sfml.lsp.index import Index
from sfml.lsp.names import JOB, PIPELINE, PROJECT, SCHEDULE, TASKS, TESTS, Kind, Role
from sfml.lsp.outline_text import Gap, Key, Wanted, gap_at, keys_below
from sfml.lsp.schemas import properties_at, values_at
from sfml.spec.nodes import ScalarNode, entries_of, map_of, plain
from sfml.spec.project import PROJECT_FILE

TRIGGERS = (".", "{", "[", "$", " ", '"')
MOST_FILES = 300


@record
class Choice:
    """A word that may stand at the cursor; `rank` orders choices of one place, the lowest first."""

    label: str
    kind: types.CompletionItemKind
    detail: str = ""
    documentation: str = ""
    rank: int = 1
    after: str = ""


def completions(cursor: Cursor) -> types.CompletionList | None:
    """The words that may stand at the cursor."""
    if not is_yaml(cursor.path.name):
        return None
    gap = gap_at(cursor.text, cursor.offset)
    scene = Scene(cursor, gap)
    choices = {choice.label: choice for choice in scene.choices()}
    edited = cursor.places.range_of(gap.start, gap.end)
    items = [
        _item(choice, edited)
        for choice in sorted(choices.values(), key=lambda choice: (choice.rank, choice.label))
    ]
    return types.CompletionList(is_incomplete=False, items=items)


def _item(choice: Choice, edited: types.Range) -> types.CompletionItem:
    return types.CompletionItem(
        label=choice.label,
        kind=choice.kind,
        detail=choice.detail or None,
        documentation=choice.documentation or None,
        sort_text=f"{choice.rank}{choice.label}",
        filter_text=choice.label,
        text_edit=types.TextEdit(edited, choice.label + choice.after),
    )


def schema_of(cursor: Cursor) -> str:
    """The schema of a file: the one that a pipeline reads it with, or else the one that its keys look like."""
    for index in cursor.indexes:
        if (schema := index.schema(cursor.file)) is not None:
            return schema
    if cursor.file == PROJECT_FILE:
        return PROJECT
    keys = set(keys_below(cursor.text, ()))
    if "pipeline" in keys or "graph" in keys:
        return PIPELINE
    if keys & {"parameters"}:
        return TASKS
    if keys & {"tests"}:
        return TESTS
    return SCHEDULE if keys & {"schedule", "overlap", "retries"} else JOB


class Scene:
    """The cursor's surroundings: the keys around it as they would be in a job config, and the names that are known."""

    def __init__(self, cursor: Cursor, gap: Gap) -> None:
        self.cursor = cursor
        self.gap = gap
        self.schema = schema_of(cursor)
        self.index: Index | None = next(iter(cursor.indexes), None)
        self.keys = gap.keys
        self.inner = _graph_keys(self.schema, gap.keys)

    def choices(self) -> Iterator[Choice]:
        if self.gap.opened == "${":
            yield from self._references()
        elif self.gap.opened == "{{":
            yield from self._expressions()
        elif self.gap.wanted is Wanted.KEY:
            yield from self._keys(self.keys, self.inner)
        elif self.gap.wanted is not Wanted.NOTHING:
            yield from self._values()
            if self.gap.wanted is Wanted.ITEM:
                yield from self._keys(self.keys, self.inner)

    # Keys.

    def _keys(self, keys: tuple[Key, ...], inner: tuple[Key, ...]) -> Iterator[Choice]:
        beside = set(self.gap.beside) - {self.gap.word}
        for name, (part, is_required) in properties_at(self.schema, keys).items():
            if name not in beside:
                detail = "required" if is_required else ""
                yield Choice(
                    name,
                    types.CompletionItemKind.Property,
                    detail,
                    _explained(part.schema),
                    0 if is_required else 1,
                    ": ",
                )
        for choice in self._named_keys(inner):
            if choice.label not in beside:
                yield choice

    def _named_keys(self, inner: tuple[Key, ...]) -> Iterator[Choice]:
        """The keys that are names of this project."""
        patched = self.keys[:1] == ("targets",)
        match inner:
            case ("tasks",) | ("tests", _, "given") if patched or inner[0] == "tests":
                yield from self._tasks(": ")
            case ("finalizer",) if patched:
                yield from self._finalizers(": ")
            case ("config",) | ("tests", _, "config") if patched or inner[0] == "tests":
                yield from self._config(": ")
            case ("variables",) if patched:
                yield from self._variables(": ")
            case ("tasks" | "finalizer", str() as task, "with"):
                yield from self._parameters(self.step(task))
            case ("tasks", str() as task, "outcomes"):
                yield from self._outcomes(task, ": ")
            case ("include", "with") | ("include", int(), "with"):
                yield from self._names(Kind.PARAMETER, ": ")
        if self.schema == PIPELINE and self.keys == ("targets",):
            yield from self._targets(": ")

    # Values.

    def _values(self) -> Iterator[Choice]:
        for value in values_at(self.schema, self.keys):
            yield Choice(_yaml(value), types.CompletionItemKind.EnumMember, rank=1)
        match self.inner:
            case ("tasks" | "finalizer", _, "step"):
                yield from self._steps()
            case ("tasks", str() as task, "after") | ("tasks", str() as task, "after", int()):
                yield from (one for one in self._tasks("") if one.label != task)
            case ("tasks", str() as task, "outcomes") | ("tasks", str() as task, "outcomes", int()):
                yield from self._outcomes(task, "")
                yield from (one for one in self._tasks("") if one.label != task)
            case ("tasks", _, "outcomes", str()) | ("tasks", _, "outcomes", str(), int()):
                yield from self._tasks("")
            case ("overridable", int()):
                yield from self._config("")
            case ("moved", int(), "to"):
                yield from self._tasks("")
            case ("tests", _, "given", str() as task) | ("tests", _, "given", str() as task, "outcome"):
                yield from self._outcomes(task, "")
                for word in (SUCCEEDS, FAILS) if self.inner[-1] != "outcome" else ():
                    yield Choice(word, types.CompletionItemKind.EnumMember)
            case ("tests", _, str() as key) | ("tests", _, str() as key, int()) if key in STATES:
                yield from self._tasks("")
                yield from self._finalizers("")
            case ("tests", _, "targets") | ("tests", _, "targets", int()):
                yield from self._targets("")
            case (*_, "run_on", ("pool" | "warehouse") as what) | (("compute_pool" | "warehouse") as what,):
                yield from self._places(str(what))
            case ("tasks", _, "sql", "file") | ("root", "sql", "file"):
                yield from self._files(".sql")
            case ("include", "tasks") | ("include", int(), "tasks"):
                yield from self._files(".yaml")
        if self.schema == PIPELINE and self.keys in (("graph",), ("schedule",), ("tests",)):
            yield from self._files(".yaml")
        if self.schema == PIPELINE and self.keys[:1] == ("seeds",):
            yield from self._files("")
        step_argument = self.inner[:1] in (("tasks",), ("finalizer",)) and self.inner[2:3] == ("with",)
        if step_argument and len(self.inner) == 4 and not self.gap.word:
            yield from self._argument_values(str(self.inner[1]), str(self.inner[3]))

    def _argument_values(self, task: str, name: str) -> Iterator[Choice]:
        """The texts that a parameter names, for an argument."""
        step = self.step(task)
        parameter = step.parameter(name) if step is not None else None
        for value in getattr(parameter.shape, "values", ()) if parameter is not None else ():
            yield Choice(_yaml(value), types.CompletionItemKind.EnumMember)

    # Names of the project.

    def _names(self, kind: Kind, after: str) -> Iterator[Choice]:
        if self.index is None:
            return
        for names in self.index.names.values():
            for name in names:
                if name.kind is kind and name.role is not Role.READS:
                    yield Choice(name.name, types.CompletionItemKind.Variable, kind.value, after=after)

    def _tasks(self, after: str) -> Iterator[Choice]:
        known: dict[str, str] = {}
        spec = self.index.good.loaded.spec if self.index is not None else None
        for task in spec.tasks if spec is not None else ():
            known[task.name] = _runs(task.settings.entries)
        for group in spec.groups if spec is not None else ():
            known[group] = "all of its repetitions"
        for path in (("tasks",), ("graph", "tasks")):
            for name in keys_below(self.cursor.text, path) if self.schema in (JOB, PIPELINE, TASKS) else ():
                known.setdefault(name, "")
        for name, detail in known.items():
            yield Choice(name, types.CompletionItemKind.Function, detail, after=after)

    def _finalizers(self, after: str) -> Iterator[Choice]:
        spec = self.index.good.loaded.spec if self.index is not None else None
        for task in spec.finalizers if spec is not None else ():
            yield Choice(task.name, types.CompletionItemKind.Function, "finalizer", after=after)

    def _config(self, after: str) -> Iterator[Choice]:
        spec = self.index.good.loaded.spec if self.index is not None else None
        values = plain(spec.config) if spec is not None else {}
        known = {key: json.dumps(value) for key, value in values.items()} if isinstance(values, dict) else {}
        for path in (("config",), ("graph", "config")):
            for name in keys_below(self.cursor.text, path) if self.schema in (JOB, PIPELINE) else ():
                known.setdefault(name, "")
        for name, value in known.items():
            yield Choice(name, types.CompletionItemKind.Constant, value, after=after)

    def _variables(self, after: str) -> Iterator[Choice]:
        spec = self.index.good.loaded.spec if self.index is not None else None
        known = {name: _shown(value) for name, value in spec.variables.items()} if spec is not None else {}
        for name in keys_below(self.cursor.text, ("variables",)):
            known.setdefault(name, "")
        for name, value in known.items():
            yield Choice(name, types.CompletionItemKind.Variable, value, after=after)

    def _targets(self, after: str) -> Iterator[Choice]:
        project = self.cursor.project.project
        for name in project.targets if project is not None else ():
            yield Choice(name, types.CompletionItemKind.Module, "target", after=after)

    def _steps(self) -> Iterator[Choice]:
        catalog = self.index.good.catalog if self.index is not None else None
        for step in catalog.steps() if catalog is not None else ():
            rank = 2 if step.name.startswith("sfml_steps.") else 1
            yield Choice(
                step.name, types.CompletionItemKind.Function, step.signature, step.docstring or "", rank
            )

    def step(self, task: str) -> StepFunction | None:
        """The step function of a task, also of one that is being written."""
        if self.index is None:
            return None
        return _written_step(self.cursor.text, task, self.index.step) or self.index.step_of(task)

    def _parameters(self, step: StepFunction | None) -> Iterator[Choice]:
        for one in step.parameters if step is not None else ():
            detail = f"{one.annotation or words(one.shape)}{'' if one.is_required else ', optional'}"
            rank = 0 if one.is_required else 1
            yield Choice(one.name, types.CompletionItemKind.Field, detail, rank=rank, after=": ")

    def _outcomes(self, task: str, after: str) -> Iterator[Choice]:
        step = self.step(task)
        for one in (step.outcomes or ()) if step is not None else ():
            yield Choice(one.name, types.CompletionItemKind.EnumMember, "outcome", rank=0, after=after)
        spec = self.index.good.loaded.spec if self.index is not None else None
        for known in spec.tasks if spec is not None else ():
            outcomes = map_of(known.settings.get("outcomes"))
            if known.name == task and outcomes is not None:
                for name in outcomes.entries:
                    yield Choice(name, types.CompletionItemKind.EnumMember, "outcome", rank=0, after=after)

    def _places(self, what: str) -> Iterator[Choice]:
        """The pools or warehouses that the project names, and the target's own."""
        key = "compute_pool" if what in ("pool", "compute_pool") else "warehouse"
        if self.keys[:1] != ("targets",) or self.schema != PROJECT:
            yield Choice(
                f'"{{{{ target.{key} }}}}"', types.CompletionItemKind.Variable, "the target's own", rank=0
            )
        project = self.cursor.project.project
        targets = map_of(project.document.get("targets")) if project is not None else None
        places: dict[str, str] = {}
        for name, _, target in entries_of(targets):
            settings = map_of(target)
            node = settings.get(key) if settings is not None else None
            if isinstance(node, ScalarNode) and isinstance(node.value, str) and "{{" not in node.value:
                places[node.value] = f"of target {name}"
            sizes = map_of(settings.get("sizes")) if settings is not None else None
            for size, _, _ in entries_of(sizes):
                places.setdefault(size, f"sized in target {name}")
        for name, detail in places.items():
            yield Choice(name, types.CompletionItemKind.Value, detail)

    def _files(self, suffix: str) -> Iterator[Choice]:
        """Files beside this one and below, as they are named from here."""
        base = self.cursor.path.parent
        count = 0
        for folder, folders, files in os.walk(base):
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "build")
            for name in sorted(files):
                path = os.path.relpath(os.path.join(folder, name), base).replace(os.sep, "/")  # noqa: PTH118
                if name.endswith(suffix) and not name.startswith(".") and path != self.cursor.path.name:
                    count += 1
                    yield Choice(path, types.CompletionItemKind.File)
            if count > MOST_FILES:
                return

    # Inside of texts.

    def _references(self) -> Iterator[Choice]:
        """What may follow `${`: results of tasks, config keys and values of the run."""
        head, dot, _ = self.gap.inside.partition(".")
        if not dot:
            yield Choice("config", types.CompletionItemKind.Module, "a value of the graph's CONFIG", rank=0)
            yield Choice("run", types.CompletionItemKind.Module, "a value of the run", rank=2)
            above = self._ancestors()
            for task in self._tasks(""):
                yield Choice(task.label, task.kind, task.detail, rank=0 if task.label in above else 1)
        elif head == "config":
            yield from self._config("")
        elif head == "run":
            yield from (Choice(key, types.CompletionItemKind.Property) for key in RUN_KEYS)
        else:
            yield from self._fields(head)

    def _ancestors(self) -> frozenset[str]:
        """The tasks that run before the one around the cursor."""
        graph = self.index.good.walkable if self.index is not None else None
        if graph is None or len(self.inner) < 2:
            return frozenset()
        reach = Reach({task.name: task.after for task in graph.tasks})
        name = str(self.inner[1])
        return frozenset(reach.above(name)) if name in {task.name for task in graph.tasks} else frozenset()

    def _fields(self, task: str) -> Iterator[Choice]:
        """The fields of a task's result at the path that is written already."""
        step = self.step(task)
        shape: Shape | None = step.returns if step is not None else None
        for key in self.gap.inside.split(".")[1:-1]:
            shape = shape.fields.get(key) if isinstance(shape, Record) else None
        if isinstance(shape, ListOf):
            shape = shape.item
        for name, one in shape.fields.items() if isinstance(shape, Record) else ():
            yield Choice(name, types.CompletionItemKind.Field, words(one))

    def _expressions(self) -> Iterator[Choice]:
        """What may follow `{{`."""
        head, dot, _ = self.gap.inside.rpartition(" ")[2].partition(".")
        spec = self.index.good.loaded.spec if self.index is not None else None
        if not dot:
            for name, text in (
                ("var", "a variable of the spec"),
                ("target", "a setting of the target"),
                ("env", "an environment variable that sfml.yaml declares"),
                ("git", "commit, short or branch"),
                ("pipeline", spec.name if spec is not None else "the pipeline's name"),
                ("user", "the user's name"),
                ("each", "the value of a for_each"),
                *((("param", "a parameter of this file"),) if self.schema == TASKS else ()),
            ):
                yield Choice(name, types.CompletionItemKind.Module, text)
        elif head == "var":
            yield from self._variables("")
        elif head == "target":
            for name, value in {"name": spec.target_name if spec else "", **_target_values(spec)}.items():
                yield Choice(name, types.CompletionItemKind.Property, value)
        elif head == "git":
            yield from (
                Choice(name, types.CompletionItemKind.Property) for name in ("commit", "short", "branch")
            )
        elif head == "env":
            yield from self._environment()
        elif head == "param":
            yield from self._names(Kind.PARAMETER, "")

    def _environment(self) -> Iterator[Choice]:
        project = self.cursor.project.project
        declared = plain(project.document.entries["env"]) if project and project.document.get("env") else ()
        for name in declared if isinstance(declared, (list, dict)) else ():
            yield Choice(str(name), types.CompletionItemKind.Variable)


def _graph_keys(schema: str, keys: tuple[Key, ...]) -> tuple[Key, ...]:
    """The keys as they would be in a job config, those of a patch without its target."""
    if schema not in (PIPELINE, PROJECT):
        return keys
    if keys[:1] == ("targets",):
        keys = keys[2:]
    return keys[1:] if keys[:1] == ("graph",) else keys


def _explained(schema: dict[str, Any]) -> str:
    lines = [str(schema.get("description", ""))]
    if "default" in schema:
        lines.append(f"Default: {_yaml(schema['default'])}")
    if schema.get("examples"):
        lines.append(f"Example: {_yaml(schema['examples'][0])}")
    return "\n\n".join(line for line in lines if line)


def _yaml(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shown(value: Any) -> str:
    return str(plain(value)) if hasattr(value, "span") else _yaml(value)


def _runs(settings: dict[str, Any]) -> str:
    for kind in ("step", "sql", "job", "call", "notify"):
        if kind in settings:
            value = getattr(settings[kind], "value", None)
            return f"{kind} {value}"[:60].partition("\n")[0] if isinstance(value, str) else kind
    return ""


def _target_values(spec: Any) -> dict[str, str]:
    values = plain(spec.target) if spec is not None else {}
    return {key: _yaml(value) for key, value in values.items()} if isinstance(values, dict) else {}


def _written_step(text: str, task: str, find: Callable[[str], StepFunction | None]) -> StepFunction | None:
    """The step of a task in a text that cannot be read."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.strip().startswith(f"{task}:"):
            indent = len(line) - len(line.lstrip())
            for below in (line, *lines[number + 1 : number + 40]):
                if below is not line and below.strip() and len(below) - len(below.lstrip()) <= indent:
                    break
                _, separator, rest = below.partition("step:")
                if separator:
                    return find(rest.strip().strip("\"'").partition(",")[0].partition("}")[0].strip())
    return None
