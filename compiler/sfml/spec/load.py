"""Reading a spec, from its entry file to a resolved pipeline.

The phases: files → shapes → target → variables → defaults, graph and schedule with the target's patches → expressions →
the shapes of the result. Each phase collects all its findings; the next one starts only if there are no errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sfml.base.diagnostic import Diagnostic, by_position, did_you_mean, has_errors, renaming
from sfml.base.source import Span, is_yaml
from sfml.spec.assemble import Layers, assembled, settings_of
from sfml.spec.documents import ON_DISK, Documents
from sfml.spec.expressions import MAX_CALCULATIONS, MAX_EXPRESSIONS, calculations, evaluated
from sfml.spec.include import with_includes
from sfml.spec.known_tasks import KnownTasks
from sfml.spec.model import LoadedSpec, PipelineSpec, Project
from sfml.spec.names import Git, declared_environment, login_name
from sfml.spec.nodes import MapNode, Node, ScalarNode, entries_of, map_of, plain, text_of, texts_of
from sfml.spec.paths import inside, link_outside
from sfml.spec.project import PROJECT_FILE, chosen_target, project_root, step_roots, with_local_defaults
from sfml.spec.variables import variable_values

_TARGET_SETTINGS = (
    *("kind", "default", "connection", "account", "owner_role", "database", "schema", "warehouse"),
    *("compute_pool", "stage", "mode", "create", "sizes", "keep_deployments"),
)


_PLACE = ("kind", "database", "schema")

_BEGINNING = {
    "pipeline.schema.json": "begin it with `version: 1`, `pipeline: NAME` and `graph: {tasks: {…}}`",
    "project.schema.json": "begin it with `version: 1` and `targets: {local: {kind: local}}`",
}
_WRITTEN_HERE = {"schedule": "schedule: `{cron: …, timezone: …}`", "tests": "tests: `{name: {given: …}}`"}
"""Key → what can be written under it in place of the name of a file."""


class _Stop(Exception):
    """Ends reading after a phase with errors."""


class _Reader:
    """Reads the files of one project, and keeps their texts and findings.

    `git` holds the values of `git.…` in expressions.
    """

    def __init__(self, root: Path, documents: Documents, git: Mapping[str, str]) -> None:
        self.root = root
        self.documents = documents
        self.git = git
        self.sources: dict[str, str] = {}
        self.schemas: dict[str, str] = {}
        self.findings: list[Diagnostic] = []
        self.expressions = 0
        self.calculations: set[str] = set()

    def document(self, file: str, schema: str) -> MapNode | None:
        """The mapping in a file, with its shape checked; None when the file cannot be read or holds no mapping."""
        text = link_outside(self.root, file) or self.documents.text(self.root / file, file)
        if isinstance(text, Diagnostic):
            self.findings.append(text)
            return None
        self.sources[file] = text
        self.schemas[file] = schema
        self.expressions += text.count("{{")
        if self.expressions <= MAX_EXPRESSIONS:
            self.calculations |= calculations(text)
        if self.expressions > MAX_EXPRESSIONS or len(self.calculations) > MAX_CALCULATIONS:
            what = f"{MAX_EXPRESSIONS:,} expressions, or {MAX_CALCULATIONS:,} different ones that calculate"
            message = f"with `{file}`, the pipeline holds more than {what}"
            help = "give values that are used often a name: `variables`"
            self.findings.append(Diagnostic.error("SF104", message, at=Span.whole(file), help=help))
            return None
        node, findings = self.documents.checked(text, file, schema)
        self.findings.extend(findings)
        if node is None and not findings:
            self.findings.append(
                Diagnostic.error(
                    "SF111", f"`{file}` is empty", at=Span.whole(file), help=_BEGINNING.get(schema)
                )
            )
        return map_of(node)

    def named(self, node: ScalarNode, schema: str) -> MapNode | None:
        """The document of the file whose path a value of the spec is; None, with a finding, when there is none."""
        file = inside(self.root, node)
        if isinstance(file, Diagnostic):
            self.findings.append(file)
            return None
        is_folder = (self.root / file).is_dir()
        if is_folder or not self.documents.exists(self.root / file):
            message = f"`{node.value}` is a folder" if is_folder else f"there is no file `{node.value}`"
            help = f"it would be {file}, seen from the project's folder"
            if not is_yaml(file):
                what = _WRITTEN_HERE.get(node.path.rpartition(".")[2], "graph")
                help = f"name a YAML file, or write the {what} here"
            self.findings.append(Diagnostic.error("SF121", message, at=node.span, path=node.path, help=help))
            return None
        return self.document(file, schema)

    def known_tasks(self, file: str, target: str) -> KnownTasks | None:
        """What is known of the pipeline's tasks; nothing where a value of git could have changed meanwhile."""
        reads_git = any("git." in text for text in self.sources.values())
        return None if reads_git else self.documents.known_tasks(file, target)

    def stop_on_errors(self) -> None:
        if has_errors(self.findings):
            raise _Stop


def load(
    path: Path,
    *,
    target: str | None = None,
    variables: Mapping[str, str] | None = None,
    user: str | None = None,
    text: str | None = None,
    git: Mapping[str, str] | None = None,
    documents: Documents = ON_DISK,
) -> LoadedSpec:
    """The pipeline whose entry file is `path`, resolved for a target, with all findings.

    `variables` are those of `--var`. `text` is read in place of the entry file, which then need not exist. `git` holds
    the values of `git.…` in expressions; without it, they are asked of git. `documents` are the files.
    """
    root = project_root(path.parent)
    if root is None:
        finding = Diagnostic.error(
            "SF120",
            f"no `{PROJECT_FILE}` in the folder of `{path.name}` or above it",
            at=Span.whole(path.name),
            help="make one: `sfml init`",
        )
        return LoadedSpec(None, None, (finding,), file=path.name)
    file = _relative(path, root)
    if text is not None:
        documents = Documents({**documents.given, root / file: text})
    reader = _Reader(root, documents, Git(root) if git is None else git)
    project: Project | None = None
    spec: PipelineSpec | None = None
    try:
        document = reader.document(PROJECT_FILE, "project.schema.json")
        entry = reader.document(file, "pipeline.schema.json")
        if document is not None:
            project = _project(reader, document)
        if document is None or entry is None or project is None:
            raise _Stop
        spec = _resolved(reader, project, document, entry, file, target, variables or {}, user)
    except _Stop:
        spec = None
    sources, schemas = MappingProxyType(reader.sources), MappingProxyType(reader.schemas)
    return LoadedSpec(project, spec, by_position(reader.findings), sources, file, schemas)


def load_project(root: Path, documents: Documents = ON_DISK) -> tuple[Project | None, tuple[Diagnostic, ...]]:
    """The project in the folder `root` without any of its pipelines, and the findings in its project file."""
    reader = _Reader(root, documents, Git(root))
    document = reader.document(PROJECT_FILE, "project.schema.json")
    project = _project(reader, document) if document is not None else None
    return project, by_position(reader.findings)


def _project(reader: _Reader, document: MapNode) -> Project:
    roots, findings = step_roots(document, reader.root)
    reader.findings.extend(findings)
    targets = map_of(document.get("targets"))
    return Project(reader.root, document, roots, tuple(targets.entries) if targets else ("local",))


def targets_of(path: Path, documents: Documents = ON_DISK) -> tuple[str, ...]:
    """The targets of the project that an entry file belongs to; empty when the project file is missing or invalid."""
    root = project_root(path.parent)
    text = documents.text(root / PROJECT_FILE, PROJECT_FILE) if root is not None else ""
    if isinstance(text, Diagnostic) or not text:
        return ()
    node, findings = documents.checked(text, PROJECT_FILE, "project.schema.json")
    document = map_of(node)
    if document is None or has_errors(findings):
        return ()
    targets = map_of(document.get("targets"))
    return tuple(targets.entries) if targets is not None else ()


def places_of(project: Project, pipeline: str, user: str) -> Mapping[str, tuple[str, str] | None]:
    """Target → the database and schema to which it leads this pipeline and user, as written.

    None where they depend on more than these two, such as a variable of the environment, or cannot be read.
    """
    names: dict[str, Any] = {"pipeline": pipeline, "user": user}
    places: dict[str, tuple[str, str] | None] = {}
    for name in project.targets:
        chosen = chosen_target(project.document, name)
        if isinstance(chosen, Diagnostic):
            continue
        patch, findings = chosen[2], list[Diagnostic]()
        own = {key: value for key, value in patch.entries.items() if key in _PLACE}
        node = _target(replace(patch, entries=own), pipeline, name, names, findings)
        database, schema = (text_of(node.get(key)) for key in ("database", "schema"))
        places[name] = None if findings or not (database and schema) else (database, schema)
    return places


def _relative(path: Path, root: Path) -> str:
    """The path relative to the project root. A symbolic link in the last part of the path is not followed."""
    absolute = path.parent.resolve() / path.name
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else path.name


def _resolved(
    reader: _Reader,
    project: Project,
    document: MapNode,
    entry: MapNode,
    file: str,
    wanted: str | None,
    variables: Mapping[str, str],
    user: str | None,
) -> PipelineSpec:
    graph = _part(reader, entry.get("graph"), "job_config.schema.json")
    schedule_node = entry.get("schedule")
    schedule = (
        _part(reader, schedule_node, "schedule_config.schema.json")
        if _names_a_file(schedule_node)
        else settings_of(schedule_node)
    )
    tests = _tests(reader, entry.get("tests"))
    reader.stop_on_errors()
    assert graph is not None
    name_node = entry.entries["pipeline"]
    assert isinstance(name_node, ScalarNode)
    pipeline = str(name_node.value)
    chosen = chosen_target(document, wanted)
    if isinstance(chosen, Diagnostic):
        reader.findings.append(chosen)
        raise _Stop
    target_name, target_at, project_patch = chosen
    reader.findings.extend((*_unknown_targets(entry, project), *_targets_of_tests(tests, project)))
    patches = map_of(entry.get("targets"))
    pipeline_patch = map_of(patches.get(target_name)) if patches else None
    names = _names(reader, document, pipeline, user)
    target = _target(project_patch, pipeline, target_name, names, reader.findings)
    reader.stop_on_errors()
    names["target"] = MappingProxyType(_plain_map(target) | {"name": target_name})
    values = variable_values(
        (map_of(document.get("variables")), map_of(entry.get("variables"))),
        tuple(map_of(patch.get("variables")) if patch else None for patch in (project_patch, pipeline_patch)),
        variables,
        names,
        reader.findings,
    )
    reader.stop_on_errors()
    names["var"] = MappingProxyType(values)
    included = with_includes(graph, names, reader.named, reader.findings)
    reader.stop_on_errors()
    layers = Layers(document, entry, included, schedule, (project_patch, pipeline_patch))
    chosen_one = (target_name, target_at, target)
    spec = assembled(
        layers, project, file, names, chosen_one, reader.findings, reader.known_tasks(file, target_name)
    )
    reader.stop_on_errors()
    return replace(spec, variables=names["var"], tests=tests)


def _tests(reader: _Reader, node: Node | None) -> MapNode | None:
    """The tests by name, from the entry file, or from the key `tests` of the file that it names."""
    if not _names_a_file(node):
        return map_of(node)
    document = _part(reader, node, "tests.schema.json")
    return map_of(document.get("tests")) if document is not None else None


def _names_a_file(node: Node | None) -> bool:
    return isinstance(node, ScalarNode) and isinstance(node.value, str) and node.value != "manual"


def _part(reader: _Reader, node: Node | None, schema: str) -> MapNode | None:
    """A part of the pipeline, which is written in the entry file or in a file that the entry file names."""
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        return reader.named(node, schema)
    return map_of(node)


def _unknown_targets(entry: MapNode, project: Project) -> tuple[Diagnostic, ...]:
    patches = map_of(entry.get("targets"))
    if patches is None:
        return ()
    return tuple(
        Diagnostic.error(
            "SF134",
            f"`{PROJECT_FILE}` has no target `{name}`",
            at=patches.key_spans.get(name, node.span),
            path=node.path,
            help=did_you_mean(name, project.targets) or "targets are defined in the project file",
            fix=renaming(patches.key_spans.get(name), name, set(project.targets) - patches.entries.keys()),
        )
        for name, node in patches.entries.items()
        if name not in project.targets
    )


def _targets_of_tests(tests: MapNode | None, project: Project) -> Iterator[Diagnostic]:
    """The findings for targets that tests name and that the project does not have."""
    for _, _, test in entries_of(tests):
        for named in texts_of(test.get("targets") if isinstance(test, MapNode) else None):
            if named.value not in project.targets:
                yield Diagnostic.error(
                    "SF134",
                    f"`{PROJECT_FILE}` has no target `{named.value}`",
                    at=named.span,
                    path=named.path,
                    help=did_you_mean(str(named.value), project.targets)
                    or "targets are defined in the project file",
                    fix=renaming(named.span, str(named.value), project.targets),
                )


def _names(reader: _Reader, document: MapNode, pipeline: str, user: str | None) -> dict[str, Any]:
    return {
        "pipeline": pipeline,
        "user": user or login_name(),
        "env": declared_environment(document),
        "git": reader.git,
    }


def _target(
    patch: MapNode, pipeline: str, name: str, names: dict[str, Any], findings: list[Diagnostic]
) -> MapNode:
    """The target's settings with their expressions evaluated and the defaults of its kind; patches are left out."""
    own = {
        key: value
        for key, value in patch.entries.items()
        if key in _TARGET_SETTINGS and not (isinstance(value, ScalarNode) and value.value is None)
    }
    settings = MapNode(own, patch.key_spans, patch.span, patch.path or f"targets.{name}")
    node = evaluated(settings, names, findings)
    assert isinstance(node, MapNode)
    return with_local_defaults(node, pipeline)


def _plain_map(node: MapNode) -> dict[str, Any]:
    return {key: plain(value) for key, value in node.entries.items()}
