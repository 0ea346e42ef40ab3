"""Files of a PUT whose names are taken in the stage, which an account leaves as they are without OVERWRITE = TRUE.

The client itself writes into a folder, and looks at nothing there: the server answers SKIPPED instead of a folder if
all of a PUT's files are there, and leaves those that are there out of what it lets the client write. It does so for
no file that it cannot find: one of another machine, a missing one, or a stream whose path names no placeholder.
"""

from __future__ import annotations

import contextlib
import glob
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sfml_local.core.result import SELECT, Result, columns

_COLUMNS = columns(
    "source target source_size:fixed target_size:fixed source_compression target_compression status message"
)
STREAMS = Path("/tmp/placeholder")
"""Where Snowpark says that a stream is."""
_ENCODINGS = {"gzip": "GZIP", "compress": "COMPRESS", "bzip2": "BZIP2", "br": "BROTLI", "xz": "XZ"}
"""Encodings that a name tells → what PUT calls them."""
_BEGINNINGS = {b"ORC": "ORC", b"PAR1": "PARQUET", b"\x28\xb5\x2f\xfd": "ZSTD"}


class _File(NamedTuple):
    """A file to put: where it is, its name in the stage, and the compressions before and after."""

    path: Path
    target: str
    compressions: tuple[str, str]

    def skipped(self) -> tuple[Any, ...]:
        """The file's row in the answer to PUT."""
        size = self.path.stat().st_size if self.path.is_file() else 0
        return (self.path.name, self.target, size, 0, *self.compressions, "SKIPPED", "")


class Split(NamedTuple):
    """What of a PUT the client has to write, and the rows of what is there."""

    sources: list[str]
    skipped: list[tuple[Any, ...]]


def split(source: str, folder: Path, options: Mapping[str, Any]) -> Split:
    """The files that a stage's folder lacks, and those that are there; the pattern itself if none of its files is."""
    files = [_file(path, options) for path in _paths(source)]
    present = [one for one in files if (folder / one.target).is_file()]
    if not present:
        return Split([source], [])
    missing = [glob.escape(str(one.path)) for one in files if one not in present]
    return Split(missing, [one.skipped() for one in present])


def answer(skipped: list[tuple[Any, ...]]) -> Result:
    """The answer to a PUT of which nothing is left to write."""
    return Result(_COLUMNS, sorted(skipped), SELECT)


def _paths(source: str) -> list[Path]:
    path = Path(source)
    if path.parent == STREAMS:
        return [path]
    with contextlib.suppress(RuntimeError):  # no home is known
        path = path.expanduser()
    found = glob.glob(str(path)) if path.is_absolute() else []  # noqa: PTH207 - hidden files as the client
    return [Path(one) for one in found if Path(one).is_file()]


def _file(path: Path, options: Mapping[str, Any]) -> _File:
    given = str(options.get("SOURCE_COMPRESSION", "AUTO_DETECT")).upper()
    found = _detected(path) if given == "AUTO_DETECT" else None if given == "NONE" else given
    if found is not None:
        return _File(path, path.name, (found, found))
    if options.get("AUTO_COMPRESS", True):
        return _File(path, f"{path.name}.gz", ("NONE", "GZIP"))
    return _File(path, path.name, ("NONE", "NONE"))


def _detected(path: Path) -> str | None:
    """The compression that the client sees: by the file's name, or by its first bytes."""
    encoding = "br" if path.suffix == ".br" else mimetypes.guess_type(path)[1]
    if encoding is not None:
        return _ENCODINGS.get(encoding)
    begin = b""
    with contextlib.suppress(OSError), path.open("rb") as file:
        begin = file.read(4)
    return next((name for bytes_, name in _BEGINNINGS.items() if begin.startswith(bytes_)), None)
