"""The status of many pipelines, whose specs are compiled once, or known from earlier commands.

The rules of `sfml validate` take half of the time of compiling, and a spec whose graph is the deployed one has passed
them: only the others are checked.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.account.health import GraphHealth
from sfml.base.diagnostic import has_errors
from sfml.base.errors import SfmlError
from sfml.base.record import record
from sfml.operations.fleet_accounts import FleetAccounts
from sfml.operations.kept_outlines import KeptOutline, KeptOutlines
from sfml.plan.outline import outline_of
from sfml.render.status import PipelineStatus, status_of, unread_status
from sfml.spec.project import project_root

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading
    from sfml.lower.desired import DesiredGraph
    from sfml.operations.traced_reading import TracedReadings

MANY = 20
"""The number of pipelines from which on outlines are kept: fewer are compiled faster than kept ones are looked up."""


@record
class SpecOptions:
    """How specs are compiled: `-t`, `--var` and `--user`."""

    target: str | None
    variables: Mapping[str, str]
    user: str

    @property
    def words(self) -> tuple[str, ...]:
        values = (f"{name}={value}" for name, value in sorted(self.variables.items()))
        return self.target or "", self.user, *values


@record
class PlacedOutline:
    """The outline of a pipeline, and the root of its project."""

    root: Path
    desired: DesiredGraph


@record
class _Refusal:
    """Why the status of a spec is unknown: its findings, or the error that kept it from being compiled."""

    pipeline: str | None
    error: SfmlError | None = None


class FleetStatus:
    """The status of pipelines, by their entry files; `on_errors` is called with the reading of a spec with errors."""

    def __init__(
        self,
        files: Sequence[str],
        accounts: FleetAccounts,
        options: SpecOptions,
        on_errors: Callable[[Reading], None] = lambda reading: None,
    ) -> None:
        self._files = files
        self._accounts = accounts
        self._options = options
        self._on_errors = on_errors
        self._outlines: dict[str, PlacedOutline] = {}
        self._refusals: dict[str, _Refusal] = {}
        self._unchecked: set[str] = set()
        self._kept = _Kept(files, options) if len(files) >= MANY else None
        for file in files:
            if not self._recall(file):
                # What the rules would refuse may fail in any way; then the rules say why.
                with suppress(Exception):
                    self._compile(file, checked=False)
                if file not in self._outlines:
                    self._check(file)

    @property
    def is_local(self) -> bool:
        return all(outline.desired.target.is_local for outline in self._outlines.values())

    def look(self) -> tuple[PipelineStatus, ...]:
        """Read the status of every pipeline."""
        try:
            statuses = self._statuses()
        except Exception:
            if not self._unchecked:
                raise
            for file in sorted(self._unchecked):
                self._check(file)
            statuses = self._statuses()
        if self._kept is not None:
            self._kept.write()
        return statuses

    def _statuses(self) -> tuple[PipelineStatus, ...]:
        outlines = dict(self._outlines)
        healths = dict(zip(outlines, self._accounts.healths(tuple(outlines.values())), strict=True))
        for file in [file for file in self._files if file in self._unchecked]:
            health = healths[file]
            if not (isinstance(health, GraphHealth) and health.differs is False):
                self._check(file)
        return tuple(
            status_of(self._outlines[file].desired, healths[file])
            if file in self._outlines
            else self._unread(file)
            for file in self._files
        )

    def _unread(self, file: str) -> PipelineStatus:
        refusal = self._refusals[file]
        return unread_status(file, refusal.pipeline, self._options.target, refusal.error)

    def _recall(self, file: str) -> bool:
        """Take the outline that an earlier command has kept; false if there is none."""
        kept = self._kept.outline(file) if self._kept is not None else None
        if kept is None:
            return False
        self._outlines[file] = kept.outline
        if not kept.checked:
            self._unchecked.add(file)
        return True

    def _check(self, file: str) -> None:
        """Compile a spec with the rules. One with errors is left out, and its findings are told."""
        self._unchecked.discard(file)
        self._outlines.pop(file, None)
        try:
            reading = self._compile(file, checked=True)
        except SfmlError as error:
            self._refusals[file] = _Refusal(None, error)
            return
        if file not in self._outlines:
            spec = reading.loaded.spec
            self._refusals[file] = _Refusal(None if spec is None else str(spec.name))
            self._on_errors(reading)

    def _compile(self, file: str, *, checked: bool) -> Reading:
        """Read the spec; without errors, its outline is known then."""
        from sfml.frontend.compiled_spec import desired_graph

        trace = self._compiler.trace(file)
        reading, kept = trace.read(checked=checked), None
        if reading.graph is not None and not has_errors(reading.diagnostics):
            desired = desired_graph(reading)
            self._outlines[file] = PlacedOutline(reading.root, outline_of(desired))
            if not checked:
                self._unchecked.add(file)
            kept = trace.kept(reading, desired, checked=checked) if self._kept is not None else None
        if self._kept is not None:
            self._kept.add(file, kept)
        return reading

    @functools.cached_property
    def _compiler(self) -> TracedReadings:
        from sfml.operations.traced_reading import TracedReadings

        return TracedReadings(self._options.target, self._options.variables, self._options.user)


@record
class _Recalled:
    outline: PlacedOutline
    checked: bool


class _Kept:
    """The kept outlines of the projects that entry files belong to."""

    def __init__(self, files: Iterable[str], options: SpecOptions) -> None:
        folders = {file: Path(file).parent for file in files}
        roots = {folder: project_root(folder) for folder in set(folders.values())}
        self._places = {
            file: (root, (folder.resolve() / Path(file).name).relative_to(root).as_posix())
            for file, folder in folders.items()
            if (root := roots[folder]) is not None
        }
        self._stores = {
            root: KeptOutlines(root, options.words)
            for root in sorted({root for root, _ in self._places.values()})
        }
        self._known = {root: dict(store.read()) for root, store in self._stores.items()}
        self._new: set[Path] = set()

    def outline(self, file: str) -> _Recalled | None:
        place = self._places.get(file)
        kept = self._known[place[0]].get(place[1]) if place is not None else None
        if place is None or kept is None:
            return None
        return _Recalled(PlacedOutline(place[0], kept.desired), kept.checked)

    def add(self, file: str, outline: KeptOutline | None) -> None:
        """Keep an outline that was compiled; None for one that must not be kept."""
        if file in self._places:
            root, name = self._places[file]
            self._known[root].pop(name, None)
            if outline is not None:
                self._known[root][name] = outline
            self._new.add(root)

    def write(self) -> None:
        for root in sorted(self._new):
            self._stores[root].write(self._known[root])
        self._new.clear()
