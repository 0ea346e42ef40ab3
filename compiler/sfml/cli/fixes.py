"""`validate --fix`: makes the safe fixes in the files of a project; all other text stays unchanged."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.base.atomic import write_whole
from sfml.base.diagnostic import Fix
from sfml.base.errors import SfmlError
from sfml.base.fixes import fixed
from sfml.base.full_disk import is_disk_full
from sfml.base.record import record
from sfml.base.source import is_yaml
from sfml.spec.compose import compose
from sfml.spec.text import decoded

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading

MAX_ROUNDS = 10
"""The maximum number of rounds. Findings of later phases, and overlapping fixes, need further rounds."""

_MARK = b"\xef\xbb\xbf"


@record
class AppliedFix:
    """A fix that was made; its span refers to the text before its round."""

    code: str
    fix: Fix


def fix_all(read: Callable[[], list[Reading]]) -> tuple[list[Reading], tuple[AppliedFix, ...]]:
    """Read the specs and make fixes until none is left. Returns the last readings and the fixes that were made."""
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
    """Make the fixes of one round; returns them. The same fix in several pipelines is made once."""
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
        done += [AppliedFix(codes[fix], fix) for fix in write_fixes(path, tuple(codes))]
    return tuple(done)


def _own_file(reading: Reading, fix: Fix) -> Path | None:
    """The file to change, with links resolved; None if it is not a YAML file inside the project."""
    root = reading.root.resolve()
    path = (root / fix.span.file.removeprefix(reading.prefix)).resolve()
    if not path.is_relative_to(root) or not is_yaml(path.name) or not path.is_file():
        return None
    return path


def write_fixes(path: Path, fixes: tuple[Fix, ...]) -> tuple[Fix, ...]:
    """Write the fixes into the file; returns those that were made. A file that has changed meanwhile is left alone."""
    raw = path.read_bytes()
    file = fixes[0].span.file
    source = decoded(raw, file)
    if not isinstance(source, str):
        return ()
    text, done = fixed(source, fixes)
    before = _problems(source, file)
    if len(done) > 1 and _problems(text, file) > before:
        # Two fixes can conflict: they may rename two keys to the same name. Then only the first is made.
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
        if is_disk_full(cause):
            raise
        raise SfmlError(
            f"cannot write `{file}`: {cause.strerror or cause}", help="make the file and its folder writable"
        ) from cause
    return done


def _problems(text: str, file: str) -> int:
    """The number of findings of the text as YAML."""
    return len(compose(text, file)[1])


def shown(change: AppliedFix) -> str:
    """The fix in one line: its place, the old and the new text."""
    old, new = change.fix.old.strip(), change.fix.new.strip()
    return f"{change.fix.span}  {old} → {new}" if new else f"{change.fix.span}  {old} removed"
