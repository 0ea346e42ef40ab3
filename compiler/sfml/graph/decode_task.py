"""A task's settings → its draft."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import cast

from sfml.base.diagnostic import Diagnostic, did_you_mean
from sfml.base.quoting import folded, name_parts, raw
from sfml.graph.decode_expectations import task_expectation
from sfml.graph.decode_schedule import duration, scalars, serverless, texts, whole_number
from sfml.graph.draft import TaskDraft, Use
from sfml.graph.located import Place, Ref
from sfml.graph.model import (
    Body,
    CallBody,
    Channel,
    JobBody,
    MessageFormat,
    NotifyBody,
    OnPool,
    OnWarehouse,
    RunOn,
    SqlBody,
    StepBody,
    Target,
    TaskNode,
    Value,
)
from sfml.graph.references import references_in, value_of
from sfml.spec.documents import ON_DISK, Documents
from sfml.spec.model import PipelineSpec, TaskSpec
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode, entries_of, map_of, text_of, texts_of
from sfml.spec.paths import inside

MOST_LOOKED_AT = 1_000
"""The most entries of a folder that are compared with a misspelt name."""


def task_draft(
    task: TaskSpec,
    spec: PipelineSpec,
    target: Target,
    root: Path,
    findings: list[Diagnostic],
    *,
    documents: Documents = ON_DISK,
    is_finalizer: bool = False,
) -> TaskDraft:
    """The draft of a task whose settings have the right shape; findings are appended to `findings`."""
    settings = task.settings
    places = dict(_places(task))
    body = _body(settings, root, findings, documents)
    outcomes = _outcomes(settings.get("outcomes"), spec)
    run_on = _run_on(map_of(settings.get("run_on")), target, isinstance(body, JobBody), findings)
    node = TaskNode(
        name=task.name,
        body=body,
        run_on=run_on,
        run_if=text_of(settings.get("run_if")),
        when=text_of(settings.get("when")),
        timeout=duration(settings.get("timeout"), findings),
        packages=_words(settings.get("packages")),
        pip=_words(settings.get("pip")),
        artifact_repositories=_words(settings.get("artifact_repositories")),
        imports=tuple(_imports(settings.get("imports"), root, findings)),
        external_access=_words(settings.get("external_access")),
        secrets=texts(settings.get("secrets")),
        env_vars=texts(settings.get("env_vars")),
        session_parameters=scalars(settings.get("session_parameters")),
        execute_as_user=text_of(settings.get("execute_as_user")),
        log_level=text_of(settings.get("log_level")),
        tags=texts(settings.get("tags")),
        contacts=texts(settings.get("contacts")),
        reads=_read_objects(settings.get("reads")),
        feature_views=_feature_views(settings.get("reads")),
        writes=_words(settings.get("writes")),
        comment=text_of(settings.get("comment")),
        is_finalizer=is_finalizer,
        own_name=text_of(settings.get("name")),
        expect=task_expectation(settings.get("expect"), findings),
        defaulted=frozenset(key for key, place in places.items() if _is_default(place)),
        spans=MappingProxyType(
            {key: place.span for key, place in places.items() if not key.endswith("!key")}
        ),
    )
    return TaskDraft(
        node=node,
        after=tuple(_refs(texts_of(settings.get("after")), spec)),
        outcomes=outcomes,
        uses=tuple(_uses(body, places)),
        places=MappingProxyType(places),
        raw_settings=frozenset(settings.entries),
        beside=_names_in(root / body.folder) if isinstance(body, JobBody) and body.folder else frozenset(),
    )


def _is_default(place: Place) -> bool:
    """Whether the value stands in a `defaults:` block, of a target or not."""
    keys = place.path.split(".")
    return keys[0] == "defaults" or (keys[0] == "targets" and keys[2:3] == ["defaults"])


def _places(task: TaskSpec) -> Iterator[tuple[str, Place]]:
    """The place of every setting and of the entries of mappings and lists in it; of keys under `with.name!key`."""
    yield "", Place(task.at, task.settings.path)
    for key, at, node in entries_of(task.settings):
        yield key, Place(node.span, node.path)
        yield f"{key}!key", Place(at, node.path)
        for inner, inner_at, value in entries_of(node):
            yield f"{key}.{inner}", Place(value.span, value.path)
            yield f"{key}.{inner}!key", Place(inner_at, value.path)
        if isinstance(node, ListNode):
            for index, item in enumerate(node.items):
                yield f"{key}[{index}]", Place(item.span, item.path)


def _refs(nodes: Iterable[ScalarNode], spec: PipelineSpec) -> Iterator[Ref]:
    """The names as references. The name of a `for_each` becomes its members, or its predecessors if it is empty."""
    for node in nodes:
        for member in _members(str(node.value), spec, frozenset()):
            yield Ref(member, Place(node.span, node.path))


def _members(name: str, spec: PipelineSpec, passed: frozenset[str]) -> Iterator[str]:
    if name not in spec.passed:
        yield from spec.groups.get(name, (name,))
    elif name not in passed:
        for before in spec.passed[name]:
            yield from _members(before, spec, passed | {name})


def _outcomes(node: Node | None, spec: PipelineSpec) -> MappingProxyType[str, tuple[Ref, ...]] | None:
    """Outcome → the tasks that it starts; in the list form each outcome starts the task of its name."""
    match node:
        case MapNode():
            return MappingProxyType(
                {key: tuple(_refs(texts_of(value), spec)) for key, _, value in entries_of(node)}
            )
        case ListNode():
            return MappingProxyType({str(item.value): tuple(_refs((item,), spec)) for item in texts_of(node)})
        case _:
            return None


def _uses(body: Body, places: dict[str, Place]) -> Iterator[Use]:
    for setting, value in body_values(body):
        for reference in references_in(value):
            place = places.get(setting) or places[setting.partition(".")[0]]
            if reference.span is not None:  # a reference nested in a list or mapping has a more exact place
                place = Place(reference.span, place.path)
            yield Use(reference, setting, place)


def body_values(body: Body) -> Iterator[tuple[str, Value]]:
    """The setting and the value of each part of a body that may hold references."""
    match body:
        case StepBody(arguments=arguments):
            for name, value in arguments.items():
                yield f"with.{name}", value
        case JobBody(arguments=items):
            yield "job.args", items
        case CallBody(arguments=items):
            yield "call.args", items
        case NotifyBody(message=message, subject=subject):
            yield "notify.message", message
            yield "notify.subject", subject
        case SqlBody():
            return


def _body(settings: MapNode, root: Path, findings: list[Diagnostic], documents: Documents) -> Body:
    problems: list[tuple[Node, str]] = []
    body = _body_of(settings, root, findings, problems, documents)
    for node, message in problems:
        help = "write `${task.field}`, `${config.key}` or `${run.id}`; `$${` stands for a plain `${`"
        findings.append(Diagnostic.error("SF140", message, at=node.span, path=node.path, help=help))
    return body


def _body_of(
    settings: MapNode,
    root: Path,
    findings: list[Diagnostic],
    problems: list[tuple[Node, str]],
    documents: Documents,
) -> Body:
    if "step" in settings.entries:
        arguments = {key: value_of(node, problems) for key, _, node in entries_of(settings.get("with"))}
        return StepBody(text_of(settings.get("step")) or "", MappingProxyType(arguments))
    if job := map_of(settings.get("job")):
        folder = _folder(job.get("folder"), root, findings)
        entrypoint = _entrypoint(job.get("entrypoint"), folder, root, findings)
        return JobBody(folder, entrypoint, _values_of(job.get("args"), problems))
    if "call" in settings.entries:
        call = settings.get("call")
        if isinstance(call, MapNode):
            return CallBody(text_of(call.get("procedure")) or "", _values_of(call.get("args"), problems))
        return CallBody(text_of(call) or "")
    if notify := map_of(settings.get("notify")):
        message = notify.get("message")
        return NotifyBody(
            integration=text_of(notify.get("integration")) or "",
            message=value_of(message, problems) if message is not None else None,
            email=_words(notify.get("email")),
            subject=value_of(subject, problems) if (subject := notify.get("subject")) is not None else None,
            cc=_words(notify.get("cc")),
            bcc=_words(notify.get("bcc")),
            type=cast("Channel | None", text_of(notify.get("type"))),
            format=cast(MessageFormat, text_of(notify.get("format")) or "text"),
        )
    return sql_body(settings.get("sql"), root, findings, documents)


def _values_of(node: Node | None, problems: list[tuple[Node, str]]) -> tuple[Value, ...]:
    return tuple(value_of(item, problems) for item in node.items) if isinstance(node, ListNode) else ()


def sql_body(
    node: Node | None, root: Path, findings: list[Diagnostic], documents: Documents = ON_DISK
) -> SqlBody:
    """The statement in a spec, or in the file that `{file: …}` names."""
    if not isinstance(node, MapNode):
        return SqlBody((text_of(node) or "").strip())
    path = node.get("file")
    assert isinstance(path, ScalarNode)
    file = inside(root, path)
    if isinstance(file, Diagnostic):
        findings.append(file)
        return SqlBody("", "")
    text = documents.text(root / file, file)
    if isinstance(text, Diagnostic):
        message = f"the SQL file `{path.value}` cannot be used: {text.message}"
        findings.append(Diagnostic.error(text.code, message, at=path.span, path=path.path, help=text.help))
        return SqlBody("", file)
    if not text.strip():
        message = f"the SQL file `{path.value}` is empty"
        help = "write a statement into it"
        findings.append(Diagnostic.error("SF324", message, at=path.span, path=path.path, help=help))
    return SqlBody(text.strip(), file)


def _folder(node: Node | None, root: Path, findings: list[Diagnostic]) -> str:
    if not isinstance(node, ScalarNode):
        return ""
    folder = inside(root, node)
    if isinstance(folder, Diagnostic):
        findings.append(folder)
        return ""
    if not (root / folder).is_dir():
        message = f"there is no folder `{node.value}`"
        help = (
            _alike(root, folder, Path.is_dir)
            or f"make it, or correct the path: from this file, it is `{folder}` in the project"
        )
        findings.append(Diagnostic.error("SF121", message, at=node.span, path=node.path, help=help))
    return folder


def _imports(node: Node | None, root: Path, findings: list[Diagnostic]) -> Iterator[str]:
    """The paths of imported folders and Python files, relative to the project root."""
    for item in texts_of(node):
        path = inside(root, item)
        if isinstance(path, Diagnostic):
            findings.append(path)
        elif (root / path).is_dir() or ((root / path).is_file() and path.endswith(".py")):
            yield path
        else:
            message = f"there is no `{item.value}`"
            help = _alike(root, path, lambda one: one.is_dir() or one.suffix == ".py")
            if (root / path).exists():
                message = f"`{item.value}` is neither a folder nor a Python file"
            help = help or f"name a folder or a Python file; from this file, it is `{path}` in the project"
            findings.append(Diagnostic.error("SF121", message, at=item.span, path=item.path, help=help))


def _names_in(folder: Path) -> frozenset[str]:
    return frozenset(path.name for path in folder.iterdir()) if folder.is_dir() else frozenset()


def _entrypoint(node: Node | None, folder: str, root: Path, findings: list[Diagnostic]) -> str:
    if not isinstance(node, ScalarNode):
        return ""
    entrypoint = posixpath.normpath(str(node.value))
    if entrypoint.startswith(("../", "/")):
        message = f"`{node.value}` leads out of the job's folder"
        way = f"name a file below `{folder}`" if folder else "name a file of the job's folder"
        findings.append(Diagnostic.error("SF122", message, at=node.span, path=node.path, help=way))
    elif folder and (root / folder).is_dir() and not (root / folder / entrypoint).is_file():
        message = f"there is no file `{entrypoint}` in `{folder}`"
        within = entrypoint.removeprefix(f"{folder}/")
        help = f"paths count from the job's folder: write `{within}`" if within != entrypoint else None
        help = help or _alike(root / folder, entrypoint, Path.is_file)
        help = help or "name a file of that folder, such as `main.py`"
        findings.append(Diagnostic.error("SF121", message, at=node.span, path=node.path, help=help))
    return entrypoint


def _alike(root: Path, path: str, fits: Callable[[Path], bool]) -> str | None:
    """A help line with an entry of the same folder whose name is close to that of a missing path."""
    above, _, name = path.rpartition("/")
    folder = root / above
    try:
        beside = [one.name for one in islice(folder.iterdir(), MOST_LOOKED_AT) if fits(one)]
    except OSError:
        return None
    close = did_you_mean(name, beside)
    if close is None or not above:
        return close
    return f"did you mean `{above}/{close.split('`')[1]}`?"


def _run_on(node: MapNode | None, target: Target, is_job: bool, findings: list[Diagnostic]) -> RunOn:
    """Where the task runs: by its own setting, else on the target's pool for a job, else on the target's warehouse."""
    if node is None:
        if is_job and target.compute_pool:
            return OnPool(target.compute_pool)
        return OnWarehouse(target.warehouse)
    if "pool" in node.entries:
        metrics = node.get("metrics")
        return OnPool(
            pool=text_of(node.get("pool")) or "",
            instances=whole_number(node.get("instances")) or 1,
            min_instances=whole_number(node.get("min_instances")),
            runtime=text_of(node.get("runtime")),
            warehouse=text_of(node.get("warehouse")),
            metrics=not (isinstance(metrics, ScalarNode) and metrics.value is False),
        )
    if "serverless" in node.entries:
        return serverless(node, findings)
    return OnWarehouse(text_of(node.get("warehouse")) or "")


def _read_objects(node: Node | None) -> tuple[str, ...]:
    """The tables and views of `reads`, a list or a mapping, with those of its feature views."""
    mapping = map_of(node)
    if mapping is None:
        return _words(node)
    return tuple(dict.fromkeys((*_words(mapping.get("tables")), *_feature_views(node))))


def _feature_views(node: Node | None) -> tuple[str, ...]:
    """The tables or views in which a Feature Store keeps the feature views of `reads`."""
    mapping = map_of(node)
    return () if mapping is None else tuple(map(_feature_view, _words(mapping.get("feature_views"))))


def _feature_view(written: str) -> str:
    """`STORE.NAME/version` by its name in Snowflake: `STORE."NAME$version"`."""
    place, _, version = written.rpartition("/")
    *store, name = name_parts(place)
    physical = f"{raw(name)}${version}".replace('"', '""')
    return ".".join((*(folded(part) for part in store), folded(f'"{physical}"')))


def _words(node: Node | None) -> tuple[str, ...]:
    return tuple(text for item in texts_of(node) if (text := text_of(item)) is not None)
