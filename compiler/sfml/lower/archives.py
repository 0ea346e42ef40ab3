"""Step code as immutable zip archives that are named by their hash.

The bytes are the same on every machine: entries are sorted, dated 1980, marked as made on Unix with fixed permissions,
and stored without compression, because compressed bytes differ between versions of zlib.
"""

from __future__ import annotations

import functools
import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from sfml.lower.desired import Archive
from sfml.lower.names import code_path

_SMALL = 1_000_000
"""The most bytes of files whose archive is remembered."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_FILE_MODE = 0o100644 << 16
_FOLDER_MODE = (0o040755 << 16) | 0x10


class SourceFile(Protocol):
    """A file of step code; `path` is a posix path relative to a steps root: `clv/train.py`."""

    @property
    def path(self) -> str: ...

    @property
    def content(self) -> bytes: ...


class Closure(Protocol):
    """Returns every file that a step needs: its module, the modules that this imports, and package data."""

    def __call__(self, step: str, /) -> Iterable[SourceFile]: ...


def archive_of(pipeline: str, files: Iterable[SourceFile]) -> Archive:
    """The archive of these files; the same files give the same archive."""
    contents = tuple(sorted({file.path: file.content for file in files}.items()))
    is_small = sum(len(content) for _, content in contents) <= _SMALL
    sha256, content, hashes = (_packed if is_small else _packed.__wrapped__)(contents)
    return Archive(sha256=sha256, stage_path=code_path(pipeline, sha256), content=content, files=hashes)


@functools.lru_cache(maxsize=32)
def _packed(
    contents: tuple[tuple[str, bytes], ...],
) -> tuple[str, bytes, tuple[tuple[str, str], ...]]:
    """The digest of a zip of these files, its bytes, and the digest of each file; pipelines share step code."""
    content = zip_bytes(dict(contents))
    hashes = tuple((path, hashlib.sha256(own).hexdigest()) for path, own in contents)
    return hashlib.sha256(content).hexdigest(), content, hashes


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
    """The folders of the paths; zipimport needs them to find packages without `__init__.py`."""
    for path in paths:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            yield "/".join(parts[:depth]) + "/"
