"""The state of one project in an editor: its pipelines, each read for every target, and what has to be read again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from sfml.base.diagnostic import Diagnostic, has_errors
from sfml.base.errors import SfmlError
from sfml.base.source import is_yaml
from sfml.catalog import StepCatalog
from sfml.frontend.entry_files import entries_of_project
from sfml.frontend.entry_text import is_entry_text
from sfml.frontend.reading import Reading, may_have_policies, read
from sfml.frontend.team_policies import PolicyChoice, own_policies, with_policies
from sfml.frontend.whole_project import read_together
from sfml.lsp.positions import TextMap
from sfml.spec.edited_documents import EditedDocuments
from sfml.spec.load import load_project
from sfml.spec.model import Project
from sfml.spec.project import PROJECT_FILE, chosen_target, project_root

Stamp = tuple[tuple[str, int, int], ...]
"""The state of files on disk: path, time of the last change, size."""

_UNREAD_STEPS = frozenset(("SF301", "SF302", "SF303", "SF342"))
"""Findings that a new or changed module may mend, whatever modules the pipeline has read."""


@dataclass(slots=True)
class PipelineState:
    """A pipeline, as it was read last; `stale` are the targets to be read again."""

    path: Path
    file: str
    targets: tuple[str | None, ...] = (None,)
    readings: dict[str | None, Reading] = field(default_factory=dict)
    good: dict[str | None, Reading] = field(default_factory=dict)
    """The last readings whose spec could be resolved, for hints while the text is broken."""
    stale: set[str | None] = field(default_factory=lambda: {None})
    catalog: StepCatalog | None = None
    catalog_key: object = None
    stamp: Stamp = ()
    steps: Stamp = ()

    def files(self) -> set[str]:
        """The files of the project that the last readings have read."""
        return {file for reading in self.readings.values() for file in reading.sources} | {self.file}


class ProjectState:
    """A project with an open file. `texts` are the unsaved texts of the editor by path, and change under way."""

    def __init__(self, root: Path, texts: Mapping[Path, str]) -> None:
        self.root = root
        self._texts = texts
        self.documents = EditedDocuments(texts)
        self.pipelines: dict[str, PipelineState] = {}
        self.project: Project | None = None
        self.findings: tuple[Diagnostic, ...] = ()
        self.whole: list[Reading] | None = None
        """The readings of all pipelines with the findings about them together; None while one is stale."""
        self._steps: Stamp = ()
        self.find_pipelines()

    def file(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def find_pipelines(self) -> None:
        """Look for entry files, on disk and among the open texts; those that are gone are forgotten."""
        paths = set(entries_of_project(self.root))
        for path, text in self._texts.items():
            if is_yaml(path.name) and project_root(path.parent) == self.root:
                paths = paths | {path} if is_entry_text(text.encode(errors="replace")) else paths - {path}
        known = {self.file(path): path for path in sorted(paths)}
        if known.keys() != self.pipelines.keys():
            self.whole = None
        self.pipelines = {
            file: self.pipelines.get(file) or PipelineState(path, file) for file, path in known.items()
        }
        self.project, self.findings = load_project(self.root, self.documents)
        self._steps = self._step_stamp()

    def text(self, file: str) -> str | None:
        """The text of a file, unsaved or on disk; None where it cannot be read."""
        text = self._texts.get(self.root / file)
        if text is not None:
            return text
        try:
            return (self.root / file).read_bytes().decode("utf-8", errors="replace")
        except OSError:
            return None

    def map(self, file: str, text: str) -> TextMap:
        """The places of a text of a file."""
        return text_map(text, not file.endswith(".py"))

    @property
    def default_target(self) -> str | None:
        """The target of commands without `--target`; else the first one."""
        if self.project is None:
            return None
        chosen = chosen_target(self.project.document, None)
        return self.project.targets[0] if isinstance(chosen, Diagnostic) else chosen[0]

    @property
    def _targets(self) -> tuple[str | None, ...]:
        """The targets that pipelines are read for; one without a name where the project file has none, or is wrong."""
        if self.project is None or has_errors(self.findings) or self.project.document.get("targets") is None:
            return (None,)
        return self.project.targets

    # What has to be read again.

    def changed(self, path: Path) -> None:
        """Mark what depends on a file whose text has changed."""
        file = self.file(path)
        if file == PROJECT_FILE:
            self.project, self.findings = load_project(self.root, self.documents)
        for pipeline in self.pipelines.values():
            if file == PROJECT_FILE or self._depends(pipeline, file):
                self._mark(pipeline)

    def _mark(self, pipeline: PipelineState) -> None:
        pipeline.targets = self._targets
        pipeline.stale = set(pipeline.targets)
        self.whole = None

    def _depends(self, pipeline: PipelineState, file: str) -> bool:
        if not pipeline.readings or file in pipeline.files():
            return True
        if file.endswith(".py"):
            codes = {
                diagnostic.code
                for reading in pipeline.readings.values()
                for diagnostic in reading.diagnostics
            }
            return bool(codes & _UNREAD_STEPS)
        return not is_yaml(file) or any(reading.loaded.spec is None for reading in pipeline.readings.values())

    def look_at_disk(self) -> None:
        """Mark what depends on files that have changed on disk since they were read."""
        self.find_pipelines()
        steps = self._steps
        for pipeline in self.pipelines.values():
            if pipeline.steps != steps or pipeline.stamp != self._stamp(pipeline):
                self._mark(pipeline)

    def _stamp(self, pipeline: PipelineState) -> Stamp:
        files = {file for reading in pipeline.readings.values() for file in reading.loaded.sources}
        return tuple(stamp for file in sorted(files) if (stamp := _stamp_of(self.root / file)))

    def _step_stamp(self) -> Stamp:
        """The state of all files below the steps roots."""
        roots = self.project.steps if self.project is not None else ()
        stamps: list[tuple[str, int, int]] = []
        for root in roots:
            for folder, folders, files in os.walk(self.root / root):
                folders[:] = [name for name in folders if name != "__pycache__" and not name.startswith(".")]
                paths = (os.path.join(folder, name) for name in files)  # noqa: PTH118 - much faster
                stamps += [stamp for path in paths if (stamp := _stamp_of(path))]
        return tuple(sorted(stamps))

    # Reading.

    def pending(self, first: set[str]) -> list[tuple[PipelineState, str | None]]:
        """What has to be read, in this order: pipelines that read a file of `first`, default target before the others;
        then the rest."""
        for pipeline in self.pipelines.values():
            if None in pipeline.stale:
                self._mark(pipeline)
        default = self.default_target
        stale = [pipeline for pipeline in self.pipelines.values() if pipeline.stale]
        near = {one.file for one in stale if one.files() & first}
        pairs = [(one, target) for one in stale for target in one.targets if target in one.stale]
        return sorted(pairs, key=lambda pair: (pair[0].file not in near, pair[1] != default))

    def read(self, pipeline: PipelineState, target: str | None) -> Reading:
        """Read a pipeline for one target, with the step catalogue of its last reading where no code has changed."""
        if pipeline.catalog is not None:
            pipeline.catalog.forget_programs()
        reading = self._read(pipeline, target)
        if pipeline.catalog is not None and any(
            diagnostic.code == "SF303" for diagnostic in reading.diagnostics
        ):
            # A kept catalogue counts modules of earlier texts against the limit of what may be read.
            pipeline.catalog = None
            reading = self._read(pipeline, target)
        pipeline.readings[target] = reading
        if reading.loaded.spec is not None:
            pipeline.good[target] = reading
        pipeline.stale.discard(target)
        for other in [name for name in pipeline.readings if name not in pipeline.targets]:
            del pipeline.readings[other]
            pipeline.good.pop(other, None)
        if not pipeline.stale:
            pipeline.stamp = self._stamp(pipeline)
            pipeline.steps = self._steps
        self.whole = None
        return reading

    def _read(self, pipeline: PipelineState, target: str | None) -> Reading:
        def catalog(root: Path, folders: tuple[str, ...]) -> StepCatalog:
            open_texts = {path: text for path, text in self._texts.items() if path.suffix == ".py"}
            key = (folders, self._steps, open_texts)
            if pipeline.catalog is None or pipeline.catalog_key != key:
                contents = {path: text.encode(errors="surrogatepass") for path, text in open_texts.items()}
                pipeline.catalog, pipeline.catalog_key = StepCatalog(root, folders, contents), key
            return pipeline.catalog

        return read(
            pipeline.path, target=target, cwd=self.root, documents=self.documents, find_catalog=catalog
        )

    def read_whole(self) -> list[Reading]:
        """All readings, with the findings about several pipelines; every pipeline has been read."""
        if self.whole is None:
            files = [pipeline.path for pipeline in self.pipelines.values()]
            each = [
                [pipeline.readings[name] for name in pipeline.targets if name in pipeline.readings]
                for pipeline in self.pipelines.values()
            ]
            by_path = {pipeline.path: pipeline for pipeline in self.pipelines.values()}
            self.whole = read_together(
                files, each, lambda path, target: by_path[path].readings[target], _held_to_conditions
            )
        return self.whole

    def current(self, pipeline: PipelineState, target: str | None = None) -> Reading:
        """The reading of a pipeline for a target, by default the default one, of the texts as they are now."""
        if None in pipeline.stale:
            self._mark(pipeline)
        wanted = target if target is not None else self.default_target
        if wanted not in pipeline.targets:
            wanted = pipeline.targets[0]
        if wanted in pipeline.stale or wanted not in pipeline.readings:
            return self.read(pipeline, wanted)
        return pipeline.readings[wanted]

    def readers(self, file: str) -> list[PipelineState]:
        """The pipelines that read a file; its own pipeline alone if it is an entry file."""
        own = self.pipelines.get(file)
        if own is not None:
            return [own]
        return [
            pipeline
            for pipeline in self.pipelines.values()
            if file == PROJECT_FILE or file in pipeline.files()
        ]


def _held_to_conditions(readings: list[Reading]) -> list[Reading]:
    """The readings with the findings of the project's policies in YAML; an editor runs no code of policies."""
    if not any(map(may_have_policies, readings)):
        return readings
    sets = {}
    for reading in readings:
        if reading.root not in sets:
            own = own_policies(reading)
            conditions = tuple(policy for policy in own.policies if not policy.is_python)
            sets[reading.root] = replace(own, policies=conditions)
    try:
        return with_policies(readings, PolicyChoice(sets))
    except SfmlError:  # what keeps policies from being read is told by `sfml validate`
        return readings


@lru_cache(maxsize=64)
def text_map(text: str, is_yaml: bool) -> TextMap:
    return TextMap(text, is_yaml=is_yaml)


def _stamp_of(path: str | Path) -> tuple[str, int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - of many files
    except OSError:
        return None
    return str(path), status.st_mtime_ns, status.st_size
