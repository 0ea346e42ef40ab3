"""What an editor has open: unsaved texts by path, the projects that they belong to, and the order of the work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path, to_fs_path

from sfml.base.diagnostic import Diagnostic
from sfml.base.source import is_yaml
from sfml.frontend.entry_text import is_entry_text
from sfml.frontend.reading import Reading, read
from sfml.lsp.findings import FileFinding, diagnostic, findings_by_file
from sfml.lsp.positions import UTF16, TextMap
from sfml.lsp.project import PipelineState, ProjectState
from sfml.spec.documents import Documents
from sfml.spec.project import PROJECT_FILE, project_root

FIRST_AFTER = 0.05
"""Seconds of reading after which the findings so far are shown, before the rest is read."""


Publish = Callable[[str, "int | None", list[types.Diagnostic]], None]


@dataclass(slots=True)
class OpenDocument:
    """A document that the editor has open; `uri` is the editor's own name of it."""

    uri: str
    version: int | None
    text: str


class Session:
    """The open documents and their projects.

    `publish` sends the diagnostics of one document, and `report` tells of a bug of ours. `relates` says whether the
    client shows places that belong to a finding, `encoding` how it counts columns.
    """

    def __init__(self, publish: Publish, report: Callable[[BaseException], None]) -> None:
        self.publish = publish
        self.report = report
        self.encoding = UTF16
        self.relates = False
        self.documents: dict[Path, OpenDocument] = {}
        self.texts: dict[Path, str] = {}
        self.projects: dict[Path, ProjectState] = {}
        self.found: dict[Path, list[FileFinding]] = {}
        self._shown: dict[Path, object] = {}
        self._edited: Path | None = None
        self._edits = 0
        self._awake = asyncio.Event()

    # What the editor tells.

    def opened(self, uri: str, version: int | None, text: str) -> None:
        path = path_of(uri)
        if path is None:
            return
        self.documents[path] = OpenDocument(uri, version, text)
        self.texts[path] = text
        project = self.project_of(path)
        if project is not None:
            project.look_at_disk()
            project.changed(path)
        self._wake(path)

    def changed(self, uri: str, version: int | None, text: str) -> None:
        path = path_of(uri)
        if path is None or path not in self.documents:
            return
        self.documents[path] = OpenDocument(uri, version, text)
        was_entry = is_entry_text(self.texts.get(path, "").encode(errors="replace"))
        self.texts[path] = text
        project = self.project_of(path)
        if project is not None:
            if was_entry != is_entry_text(text.encode(errors="replace")):
                project.find_pipelines()
            project.changed(path)
        self._wake(path)

    def closed(self, uri: str) -> None:
        path = path_of(uri)
        if path is None or self.documents.pop(path, None) is None:
            return
        self.texts.pop(path, None)
        project = self.project_of(path)
        if project is not None:
            project.changed(path)
            project.look_at_disk()
            if not any(project_root(document.parent) == project.root for document in self.documents):
                self._leave(project)
        else:
            self._show(path, [])
        self._wake(path)

    def saved(self) -> None:
        """Files have changed on disk, here or elsewhere."""
        for root, project in list(self.projects.items()):
            if not (root / PROJECT_FILE).is_file():
                self._leave(project)
                continue
            project.look_at_disk()
        self._wake(self._edited)

    def _leave(self, project: ProjectState) -> None:
        self.projects.pop(project.root, None)
        for path in [one for one in self._shown if one.is_relative_to(project.root)]:
            self._show(path, [])

    def _wake(self, path: Path | None) -> None:
        self._edited = path
        self._edits += 1
        self._awake.set()

    # What is open.

    def project_of(self, path: Path) -> ProjectState | None:
        """The project that a file belongs to; None for a file outside of any."""
        root = project_root(path.parent)
        if root is None:
            return None
        if root not in self.projects:
            self.projects[root] = ProjectState(root, self.texts)
        return self.projects[root]

    def text_map(self, path: Path) -> TextMap | None:
        """The places of a file's text, unsaved or on disk; None where it cannot be read."""
        text = self.texts.get(path)
        if text is None:
            text = _on_disk(path)
        return None if text is None else TextMap(text, self.encoding, is_yaml=path.suffix != ".py")

    def uri_of(self, path: Path) -> str:
        document = self.documents.get(path)
        return document.uri if document is not None else from_fs_path(str(path)) or ""

    # The work.

    async def work(self) -> None:
        """Read what has changed and publish its findings, for as long as the session lasts."""
        while True:
            await self._awake.wait()
            self._awake.clear()
            try:
                await self.read_all()
            except Exception as error:
                self.report(error)

    async def read_all(self) -> None:
        """Read everything that is stale, what is being edited first; begins anew when a text changes meanwhile."""
        edits = self._edits
        for path in [one for one in self.documents if project_root(one.parent) is None]:
            self._read_outside(path)
        near = self._edited
        order = sorted(self.projects.values(), key=lambda one: not (near and near.is_relative_to(one.root)))
        for project in order:
            if not await self._read_project(project, edits):
                self._awake.set()
                return

    async def _read_project(self, project: ProjectState, edits: int) -> bool:
        """Whether the project was read to the end without an edit meanwhile."""
        open_files = {project.file(path) for path in self.documents if path.is_relative_to(project.root)}
        edited = self._edited
        first = {project.file(edited)} if edited and edited.is_relative_to(project.root) else open_files
        pending = project.pending(first)
        since = time.perf_counter()
        has_reported = False
        near: dict[str, PipelineState] = {}
        for index, (pipeline, target) in enumerate(pending):
            self._read(project, pipeline, target)
            if pipeline.files() & first:
                near[pipeline.file] = pipeline
            more = index + 1 < len(pending)
            if more and not has_reported and time.perf_counter() - since > FIRST_AFTER:
                self._publish_near(project, list(near.values()), open_files)
                has_reported = True
            await asyncio.sleep(0)
            if self._edits != edits:
                return False
        self._publish_whole(project)
        return True

    def _read(self, project: ProjectState, pipeline: PipelineState, target: str | None) -> None:
        try:
            project.read(pipeline, target)
        except Exception as error:  # a bug of ours is reported, and the other pipelines are read all the same
            pipeline.stale.discard(target)
            self.report(error)

    def _publish_near(
        self, project: ProjectState, pipelines: list[PipelineState], files: Iterable[str]
    ) -> None:
        """Publish what is known of the open files of some pipelines, while the others are still to be read."""
        readings = [
            reading
            for pipeline in pipelines
            for name, reading in pipeline.readings.items()
            if name not in pipeline.stale
        ]
        mine = {file for pipeline in pipelines for file in pipeline.files()}
        findings = self._by_file(project, readings)
        for file in files:
            if file in mine:
                self._show(project.root / file, findings.get(file, []))

    def _publish_whole(self, project: ProjectState) -> None:
        findings = self._by_file(project, project.read_whole())
        mine = [path for path in self.documents if project_root(path.parent) == project.root]
        paths: dict[Path, list[FileFinding]] = {path: [] for path in mine}
        paths |= {project.root / file: each for file, each in findings.items()}
        for path in [one for one in self._shown if one.is_relative_to(project.root) and one not in paths]:
            if project_root(path.parent) == project.root or not path.exists():
                self._show(path, [])
        for path, each in paths.items():
            self._show(path, each)

    def _by_file(self, project: ProjectState, readings: list[Reading]) -> dict[str, list[FileFinding]]:
        targets = len(project.project.targets) if project.project is not None else 1
        return findings_by_file(readings, PROJECT_FILE, targets, project.findings)

    def _read_outside(self, path: Path) -> None:
        """The findings of a file outside of a project: that it lacks one, if it is a pipeline's entry file."""
        text = self.texts[path]
        findings: tuple[Diagnostic, ...] = ()
        if is_yaml(path.name) and is_entry_text(text.encode(errors="replace")):
            findings = read(path, cwd=path.parent, documents=Documents(self.texts)).diagnostics
        self._show(
            path,
            [FileFinding(finding.span, finding.message, finding) for finding in findings if finding.span],
        )

    def _show(self, path: Path, findings: list[FileFinding]) -> None:
        """Publish the diagnostics of a file, if they differ from what was published last."""
        document = self.documents.get(path)
        key = (tuple(findings), document.version if document else None)
        self.found[path] = findings
        if self._shown.get(path) == key or (not findings and not document and path not in self._shown):
            return
        text = self.text_map(path)
        if text is None and findings:
            return  # a file of an installed package, or one that is gone
        root = project_root(path.parent)
        link = self._links(root, findings) if self.relates and root is not None else None
        each = [diagnostic(finding, text, link) for finding in findings] if text is not None else []
        self.publish(self.uri_of(path), document.version if document else None, each)
        if findings or document:
            self._shown[path] = key
        else:
            self._shown.pop(path, None)
            self.found.pop(path, None)

    def _links(self, root: Path, findings: list[FileFinding]) -> dict[str, tuple[str, TextMap]]:
        links: dict[str, tuple[str, TextMap]] = {}
        for finding in findings:
            spans = (*(label.span for label in finding.finding.labels), finding.finding.span)
            for file in {span.file for span in spans if span is not None}:
                if file not in links and (text := self.text_map(root / file)) is not None:
                    links[file] = (self.uri_of(root / file), text)
        return links


def path_of(uri: str) -> Path | None:
    """The path of a document, with links in its folder resolved; None for one that is not a file."""
    name = to_fs_path(uri)
    if name is None or not uri.startswith("file:"):
        return None
    path = Path(name)
    try:
        return path.parent.resolve() / path.name
    except (OSError, RuntimeError, ValueError):
        return None


def _on_disk(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except OSError:
        return None
