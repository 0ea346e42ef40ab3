"""The findings of a pipeline's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, overload

from sfml.api.drawing import preformatted
from sfml.base.diagnostic import Diagnostic
from sfml.base.errors import InvalidSpec
from sfml.base.record import record
from sfml.render.json import diagnostic_json, diagnostics_json


@record
class Finding:
    """One finding; lines and columns count from 1, `file` is relative to the working directory.

    `path` is the logical path, such as `tasks.train.after[0]`; `targets` names the targets with this finding if several
    were checked.
    """

    code: str
    severity: str
    message: str
    file: str | None
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None
    path: str | None
    why: str | None
    help: str | None
    targets: tuple[str, ...]
    also: tuple[str, ...]
    diagnostic: Diagnostic = field(repr=False)

    @classmethod
    def of(cls, diagnostic: Diagnostic) -> Finding:
        value = diagnostic_json(diagnostic)
        fields = {key: value[key] for key in cls.__match_args__ if key in value}
        return cls(
            **{**fields, "targets": tuple(value["targets"]), "also": tuple(value["also"])},
            diagnostic=diagnostic,
        )

    def to_dict(self) -> dict[str, Any]:
        """One entry of `diagnostics` in the JSON of `sfml validate`."""
        return diagnostic_json(self.diagnostic)


class Findings(Sequence[Finding]):
    """The findings of a pipeline, ordered by position; `str()` gives the text of `sfml validate`."""

    def __init__(
        self, diagnostics: tuple[Diagnostic, ...], sources: Mapping[str, str], targets: tuple[str, ...]
    ) -> None:
        self._diagnostics = diagnostics
        self._sources = sources
        self._findings = tuple(map(Finding.of, diagnostics))
        self.targets = targets
        """The names of the targets that were checked."""

    @overload
    def __getitem__(self, at: int) -> Finding: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Finding]: ...
    def __getitem__(self, at: int | slice) -> Finding | Sequence[Finding]:
        return self._findings[at]

    def __len__(self) -> int:
        return len(self._findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._findings)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that prevent compilation."""
        return tuple(finding for finding in self if finding.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self if finding.severity == "warning")

    def raise_for_errors(self) -> None:
        """Raise `InvalidSpec`, with every finding in its text, if there are errors."""
        if self.errors:
            raise InvalidSpec(self._diagnostics, str(self))

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `sfml validate`."""
        return diagnostics_json(self._diagnostics, self.targets)

    def __str__(self) -> str:
        from sfml.render.text import diagnostics_text

        return diagnostics_text(self._diagnostics, self._sources) or "no findings"

    def __repr__(self) -> str:
        return f"<Findings: {len(self.errors)} errors, {len(self.warnings)} warnings>"

    def _repr_html_(self) -> str:
        return preformatted(str(self))
