"""Step code as immutable zips, named after their own hash.

The bytes are the same wherever they are made: entries are sorted, stamped 1980, made "on Unix" with fixed
permissions, and stored without compression. A deflated stream differs between versions of zlib; the few
kilobytes saved would not pay for a hash that depends on the machine.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from sfml.lower.desired import Archive
from sfml.lower.names import code_path

_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_FILE_MODE = 0o100644 << 16
_FOLDER_MODE = (0o040755 << 16) | 0x10


class SourceFile(Protocol):
    """A file to be shipped; `path` is posix, relative to a steps root: `clv/train.py`."""

    @property
    def path(self) -> str: ...

    @property
    def content(self) -> bytes: ...


class Closure(Protocol):
    """Every file that a step needs: its module, what that imports under the steps roots, package data."""

    def __call__(self, step: str, /) -> Iterable[SourceFile]: ...


def archive_of(pipeline: str, files: Iterable[SourceFile]) -> Archive:
    """The archive that holds these files; equal files give the same archive."""
    contents = {file.path: file.content for file in files}
    content = zip_bytes(contents)
    sha256 = hashlib.sha256(content).hexdigest()
    return Archive(
        sha256=sha256,
        stage_path=code_path(pipeline, sha256),
        content=content,
        files=tuple((path, hashlib.sha256(contents[path]).hexdigest()) for path in sorted(contents)),
    )


def zip_bytes(contents: Mapping[str, bytes]) -> bytes:
    """A zip of these files, byte for byte the same on every machine."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted({*contents, *_folders(contents)}):
            is_folder = path.endswith("/")
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _FOLDER_MODE if is_folder else _FILE_MODE
            archive.writestr(entry, b"" if is_folder else contents[path])
    return buffer.getvalue()


def _folders(paths: Iterable[str]) -> Iterator[str]:
    """The folders above the paths; without them zipimport finds no package that lacks `__init__.py`."""
    for path in paths:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            yield "/".join(parts[:depth]) + "/"
