"""Compiling one side: a pipeline of a commit, whose files were written to a folder, or of the work tree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sfml.base.diagnostic import Diagnostic, has_errors
from sfml.base.errors import SfmlError
from sfml.base.record import record
from sfml.base.release import VERSION
from sfml.base.source import Span
from sfml.catalog.modules import RUNTIME
from sfml.frontend.reading import Reading, read
from sfml.frontend.shared_findings import distinct_findings
from sfml.graph.model import JobBody, SqlBody, TaskGraph
from sfml.lower.job_folders import job_files
from sfml.lower.lower import lower
from sfml.plan.review_fingerprint import reviewed_fingerprint
from sfml.review.model import CompiledTarget
from sfml.review.origins import with_origins


@record
class SideInputs:
    """The folder with a side's files, and the values with which its specs are compiled."""

    top: Path
    git: Mapping[str, str]
    variables: Mapping[str, str]
    user: str


@record
class PipelineSide:
    """A pipeline on one side: `compiled` holds the targets without errors, `files` all files that it uses.

    `files` are relative to the repository; those that end in a slash are folders. There is a reading for each target.
    """

    pipeline: str | None
    compiled: Mapping[str, CompiledTarget]
    findings: tuple[Diagnostic, ...]
    sources: Mapping[str, str]
    files: frozenset[str]
    readings: tuple[Reading, ...] = ()
    policy_findings: tuple[Diagnostic, ...] = ()
    """What the project's policies find on this side."""


def side_of(
    ground: SideInputs, entry: str, project: str, targets: tuple[str, ...], steps: tuple[str, ...]
) -> PipelineSide:
    """The pipeline of the entry file, compiled for each of the targets."""
    compiled: dict[str, CompiledTarget] = {}
    readings: list[Reading] = []
    refused: list[Diagnostic] = []
    sources: dict[str, str] = {}
    files: set[str] = {entry}
    pipeline: str | None = None
    for target in targets:
        reading = read(
            ground.top / entry,
            target=target,
            variables=ground.variables,
            user=ground.user,
            cwd=ground.top,  # files in findings are relative to the repository, whatever the working directory is
            git=ground.git,
        )
        sources |= reading.sources
        readings.append(reading)
        files |= {f"{project}{file}" for file in _read_files(reading)}
        if reading.loaded.spec is not None:
            pipeline = reading.loaded.spec.name
        if reading.graph is None or has_errors(reading.diagnostics):
            continue
        try:
            desired = lower(
                reading.graph, reading.catalog.closure, VERSION, job_files=job_files(reading.root)
            )
        except SfmlError as error:
            refused.append(_refused(error, reading, entry))
            continue
        with_places = with_origins(desired, reading.loaded, ground.variables, project)
        compiled[target] = CompiledTarget(reading.graph, with_places, reviewed_fingerprint(desired))
        pipeline = desired.pipeline
        files |= {
            f"{root}{path}"
            for root in steps
            for archive in desired.archives
            for path, _ in archive.files
            if not path.startswith(f"{RUNTIME}/") or (ground.top / root / RUNTIME).is_dir()
        }
    findings = tuple(dict.fromkeys((*distinct_findings(readings), *refused)))
    return PipelineSide(pipeline, compiled, findings, sources, frozenset(files), tuple(readings))


def _read_files(reading: Reading) -> set[str]:
    """The files that the pipeline was read from, relative to the project."""
    files = {*reading.loaded.sources, *reading.catalog.sources}
    return files | (_named_files(reading.graph) if reading.graph is not None else set())


def _named_files(graph: TaskGraph) -> set[str]:
    """The files and folders that tasks and seeds name; folders end in a slash."""
    paths = {seed.file for seed in graph.seeds}
    if graph.root_body is not None and graph.root_body.file is not None:
        paths.add(graph.root_body.file)
    for node in graph.all_tasks:
        match node.body:
            case SqlBody(file=str() as file):
                paths.add(file)
            case JobBody(folder=folder):
                paths.add(f"{folder}/")
            case _:
                pass
        paths |= {path if path.endswith(".py") else f"{path}/" for path in node.imports}
    return paths


def _refused(error: SfmlError, reading: Reading, entry: str) -> Diagnostic:
    """The finding for an error of lowering, such as files of a step that are too large, at the entry file."""
    file = f"{reading.prefix}{reading.loaded.spec.path}" if reading.loaded.spec else entry
    return Diagnostic.error("SF121", error.message, at=Span.whole(file), help=error.help)
