"""`validate --fix`: what is safe to change in the files of a project, changed, and everything else left alone."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.base.atomic import write_whole
from sfml.base.diagnostic import Fix
from sfml.base.errors import SfmlError
from sfml.base.fixes import fixed
from sfml.base.record import record
from sfml.spec.compose import compose
from sfml.spec.text import decoded

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading

MAX_ROUNDS = 10
"""Findings of later phases, and fixes that overlapped, are there after the earlier ones are mended."""

_MARK = b"\xef\xbb\xbf"


@record
class AppliedFix:
    """A change that was made; the place is that before it, in the text of its round."""

    code: str
    fix: Fix


def fix_all(read: Callable[[], list[Reading]]) -> tuple[list[Reading], tuple[AppliedFix, ...]]:
    """Reads, mends and reads again until there is nothing left to mend; the last readings and what was done."""
    done: list[AppliedFix] = []
    readings = read()
    for _ in range(MAX_ROUNDS):
        changes = _round(readings)
        if not changes:
            break
        done += changes
        readings = read()
    return readings, tuple(done)


def _round(readings: list[Reading]) -> tuple[AppliedFix, ...]:
    """The changes of one round, made; fixes of the same text by several pipelines count once."""
    by_file: dict[Path, dict[Fix, str]] = {}
    for reading in readings:
        for finding in reading.diagnostics:
            if finding.fix is None:
                continue
            path = _own_file(reading, finding.fix)
            if path is not None:
                by_file.setdefault(path, {}).setdefault(finding.fix, finding.code)
    done: list[AppliedFix] = []
    for path, codes in by_file.items():
        done += [AppliedFix(codes[fix], fix) for fix in mend(path, tuple(codes))]
    return tuple(done)


def _own_file(reading: Reading, fix: Fix) -> Path | None:
    """The file to change; None for one that is not a YAML file of the project, whatever links say."""
    root = reading.root.resolve()
    path = (root / fix.span.file.removeprefix(reading.prefix)).resolve()
    if not path.is_relative_to(root) or path.suffix not in (".yaml", ".yml") or not path.is_file():
        return None
    return path


def mend(path: Path, fixes: tuple[Fix, ...]) -> tuple[Fix, ...]:
    """The file with the fixes in it, and those that were made; a file that moved on meanwhile is left alone."""
    raw = path.read_bytes()
    file = fixes[0].span.file
    source = decoded(raw, file)
    if not isinstance(source, str):
        return ()
    text, done = fixed(source, fixes)
    before = _problems(source, file)
    if len(done) > 1 and _problems(text, file) > before:
        # Each alone is right, together they are not: two keys that were meant to be the same one.
        text, done = fixed(source, done[:1])
    if not done or _problems(text, file) > before:
        return ()
    try:
        write_whole(
            path,
            (_MARK if raw.startswith(_MARK) else b"") + text.encode(),
            mode=stat.S_IMODE(path.stat().st_mode),
        )
    except OSError as cause:
        raise SfmlError(
            f"cannot write `{file}`: {cause.strerror or cause}", help="make the file and its folder writable"
        ) from cause
    return done


def _problems(text: str, file: str) -> int:
    """How much is wrong with the text as YAML."""
    return len(compose(text, file)[1])


def shown(change: AppliedFix) -> str:
    """A change in a line: where, and what became what."""
    old, new = change.fix.old.strip(), change.fix.new.strip()
    return f"{change.fix.span}  {old} → {new}" if new else f"{change.fix.span}  {old} removed"
