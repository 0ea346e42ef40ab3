"""Readings of specs that tell what they were read from, so that their outlines can be kept."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

from sfml.base.diagnostic import Diagnostic
from sfml.catalog import StepCatalog
from sfml.frontend.project_files import is_within
from sfml.frontend.reading import Reading, read
from sfml.graph.model import JobBody, TaskGraph
from sfml.lower.desired import DesiredGraph, MLJobDefinitionSpec
from sfml.operations.kept_outlines import KeptOutline
from sfml.plan.outline import outline_of
from sfml.spec.documents import Documents
from sfml.spec.names import Git, environment_defaults
from sfml.spec.project import project_root


class TracedReadings:
    """Reads entry files, which share what is known of step code."""

    def __init__(self, target: str | None, variables: Mapping[str, str], user: str) -> None:
        self._read = functools.partial(
            read, target=target, variables=variables, user=user, find_catalog=functools.cache(StepCatalog)
        )

    def trace(self, file: str) -> TracedReading:
        return TracedReading(self._read, file)


class TracedReading:
    """One reading of an entry file."""

    def __init__(self, read_spec: functools.partial[Reading], file: str) -> None:
        self._read = read_spec
        self._file = file
        self._texts = _NotedTexts()
        self._git = _NotedGit(project_root(Path(file).parent) or Path(file).parent)

    def read(self, *, checked: bool) -> Reading:
        return self._read(self._file, documents=self._texts, git=self._git, checked=checked)

    def kept(self, reading: Reading, desired: DesiredGraph, *, checked: bool) -> KeptOutline | None:
        """The outline as it can be kept; None if it depends on what the files of the project do not say."""
        project, graph = reading.loaded.project, reading.graph
        assert project is not None and graph is not None
        texts = tuple(sorted(self._texts.files))
        programs = tuple(_programs(graph))
        if self._git.was_asked or not all(
            map(is_within, (*texts, *project.steps, *programs, *_shipped(desired)))
        ):
            return None
        is_code = any(text.startswith(f"{folder}/") for folder in project.steps for text in texts)
        variables = tuple(sorted(environment_defaults(project.document)))
        return KeptOutline(outline_of(desired), texts, variables, bool(programs) or is_code, checked)


class _NotedTexts(Documents):
    """The files on disk; notes which were read, relative to the project's root."""

    def __init__(self) -> None:
        super().__init__()
        self.files: set[str] = set()

    def text(self, path: Path, file: str) -> str | Diagnostic:
        self.files.add(file)
        return super().text(path, file)


class _NotedGit(Git):
    """What git says; notes whether it was asked."""

    was_asked = False

    def _values(self) -> dict[str, str]:
        self.was_asked = True
        return super()._values()


def _programs(graph: TaskGraph) -> Iterator[str]:
    """The folders and files of the project that go into the containers of ML Jobs."""
    for node in graph.all_tasks:
        yield from node.imports
        if isinstance(node.body, JobBody):
            yield node.body.folder


def _shipped(desired: DesiredGraph) -> Iterator[str]:
    """The files in archives and in the payloads of ML Jobs, relative to folders of the project."""
    for archive in desired.archives:
        yield from (path for path, _ in archive.files)
    for task in desired.all_tasks:
        if isinstance(task.definition, MLJobDefinitionSpec):
            yield from task.definition.payload
