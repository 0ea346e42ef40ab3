"""Writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_whole(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Write a temporary file in the same folder, then rename it to `path`.

    `mode` are the file's permissions; without it only the owner may read and write it. Raises `OSError`; then the old
    file is unchanged, and the temporary one is removed.
    """
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if mode is not None:
            Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_new(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write new files below a folder, all of them or none.

    Raises `OSError`, with the path of the file that cannot be written; then the files and folders that were made are
    removed.
    """
    made: list[Path] = []
    try:
        for name, content in files.items():
            path = folder / name
            made += reversed([above for above in path.parents if not above.exists()])
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as stream:
                made.append(path)
                stream.write(content)
    except OSError as error:
        error.filename = error.filename or str(path)
        for one in reversed(made):
            one.rmdir() if one.is_dir() else one.unlink()
        raise
