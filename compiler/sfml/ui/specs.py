"""The pipelines of the project, read from their files, and again when one of the files has changed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from sfml.base.errors import InvalidSpec, SfmlError, UsageError
from sfml.base.record import record
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.frontend.entry_files import entry_files, pipeline_name
from sfml.frontend.placed_spec import placed
from sfml.frontend.reading import Reading, read
from sfml.render.page.drawing import Drawing, drawing_of
from sfml.render.page.places import PlacedDrawing, placed_of
from sfml.review.model import CompiledTarget
from sfml.semantics.redaction import redacted

LOOKS_AFTER = 1.0
"""Seconds after which files are looked at again."""


@record
class SpecOptions:
    """What the command was given: the specs to show, the target, variables, and the name of the user."""

    specs: tuple[str, ...]
    target: str | None
    variables: Mapping[str, str]
    user: str


class Spec:
    """One pipeline. `placed` is None if not even its target can be read; `error` says why it does not compile."""

    def __init__(self, name: str, file: str, reading: Reading | None, error: SfmlError | None) -> None:
        self.name, self.file, self.reading, self.error = name, file, reading, error

    @cached_property
    def placed(self) -> CompiledSpec | None:
        """The compiled spec; for one with errors, only the pipeline's name and target."""
        try:
            return None if self.reading is None else placed(self.reading)
        except SfmlError:
            return None

    @property
    def compiled(self) -> CompiledSpec | None:
        return self.placed if self.error is None else None

    @cached_property
    def drawing(self) -> Drawing | None:
        """The graph as a drawing; None for a spec that does not compile."""
        compiled = self.compiled
        if compiled is None or compiled.reading.graph is None:
            return None
        return drawing_of(CompiledTarget(compiled.reading.graph, compiled.desired, ""))

    @cached_property
    def picture(self) -> PlacedDrawing | None:
        """The drawing with the places of its cards, without secrets in their texts.

        The next runs stand beside it, as the account tells them.
        """
        if self.drawing is None:
            return None
        cards = tuple(
            replace(
                card,
                lines=tuple(map(redacted, card.lines)),
                note=None if card.note is None else redacted(card.note),
                next_runs=None,
            )
            for card in self.drawing.cards
        )
        return placed_of(replace(self.drawing, cards=cards))


class Specs:
    """The pipelines that the page shows."""

    def __init__(self, options: SpecOptions) -> None:
        self.options = options
        self._turn = threading.Lock()
        self._looked_at = float("-inf")
        self._specs: dict[str, tuple[object, Spec]] = {}
        self._shown: tuple[Spec, ...] = ()

    def all(self) -> tuple[Spec, ...]:
        """The pipelines, in the order of their files; empty for a project without any."""
        with self._turn:
            if time.monotonic() - self._looked_at > LOOKS_AFTER:
                self._shown = tuple(_distinct([self._spec(file) for file in self._files()]))
                self._looked_at = time.monotonic()
            return self._shown

    def named(self, name: str) -> Spec | None:
        return next((spec for spec in self.all() if spec.name == name), None)

    def _files(self) -> tuple[str, ...]:
        try:
            return tuple(str(path) for path in entry_files(self.options.specs))
        except UsageError:
            if self.options.specs:
                raise
            return ()  # the project has no pipeline yet

    def _spec(self, file: str) -> Spec:
        known = self._specs.get(file)
        if known is not None and known[0] == _stamp(_files_of(known[1])):
            return known[1]
        spec = self._read(file)
        self._specs[file] = (_stamp(_files_of(spec)), spec)
        return spec

    def _read(self, file: str) -> Spec:
        options = self.options
        try:
            reading = read(Path(file), target=options.target, variables=options.variables, user=options.user)
        except SfmlError as error:
            return Spec(pipeline_name(Path(file)) or Path(file).stem, file, None, error)
        loaded = reading.loaded.spec
        name = loaded.name if loaded is not None else pipeline_name(Path(file)) or Path(file).stem
        invalid = InvalidSpec(reading.diagnostics) if reading.graph is None else None
        return Spec(str(name), file, reading, invalid)


def _distinct(specs: Sequence[Spec]) -> Iterable[Spec]:
    """The pipelines, each with a name of its own: of several with the same name, the second one gets `-2` after it."""
    counts: Counter[str] = Counter()
    for spec in specs:
        counts[spec.name] += 1
        name = spec.name if counts[spec.name] == 1 else f"{spec.name}-{counts[spec.name]}"
        yield spec if name == spec.name else Spec(name, spec.file, spec.reading, spec.error)


def _files_of(spec: Spec) -> frozenset[str]:
    """The files that a spec was read from, and their folders, whose times tell of new files."""
    files = {spec.file, *(spec.reading.sources if spec.reading is not None else ())}
    return frozenset(files | {str(Path(file).parent) for file in files})


def _stamp(files: Iterable[str]) -> object:
    """What differs when a file was changed, added or removed."""
    stamps = []
    for file in sorted(files):
        try:
            status = Path(file).stat()
        except OSError:
            stamps.append((file, 0, 0))
        else:
            stamps.append((file, status.st_mtime_ns, status.st_size))
    return tuple(stamps)
