"""SPEC arguments → entry files: a file, a folder, or a glob."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path

from sfml.errors import UsageError

_SUFFIXES = (".yaml", ".yml")
_PIPELINE_KEY = re.compile(rb"^(?:pipeline|\"pipeline\"|'pipeline')\s*:|^\{.*\bpipeline\b", re.MULTILINE)


def entry_files(arguments: Iterable[str]) -> tuple[Path, ...]:
    """The entry files that the arguments stand for, sorted within each, without repetitions.

    A file is taken at its word. In a folder, and among what a glob finds, an entry file is a YAML file that
    names its `pipeline`. Raises UsageError for an argument that stands for none.
    """
    found: dict[Path, None] = {}
    for argument in arguments:
        for path in _of_argument(argument):
            found.setdefault(path)
    return tuple(found)


def _of_argument(argument: str) -> list[Path]:
    path = Path(argument)
    try:
        path.stat()
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as cause:
        why = getattr(cause, "strerror", None) or cause
        raise UsageError(f"`{argument[:60]}` cannot be read: {why}") from cause
    if path.is_dir():
        paths = list(pipelines_of(path))
        if not paths:
            raise UsageError(
                f"no pipeline in the folder `{argument}`", help="an entry file has a key `pipeline`"
            )
        return paths
    if path.is_file():
        return [path]
    if glob.has_magic(argument):
        matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - absolute patterns too
        paths = [path for path in map(Path, matches) if is_entry_file(path)]
        if not paths:
            raise UsageError(f"no pipeline matches `{argument}`", help="an entry file has a key `pipeline`")
        return paths
    raise UsageError(
        f"there is no file or folder `{argument}`", help="name a spec, a folder of specs or a glob"
    )


def pipelines_of(folder: Path) -> tuple[Path, ...]:
    """The entry files in a folder and below; hidden folders and those of built things are left out."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_left_out(name))
        paths = (Path(place, name) for name in files if not is_left_out(name))
        found += [path for path in paths if is_entry_file(path)]
    return tuple(sorted(found))


def is_entry_file(path: Path) -> bool:
    """Whether the file looks like a pipeline's entry file, judged without parsing it."""
    if path.suffix not in _SUFFIXES or not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            return is_entry_text(stream.read(1_000_000))
    except OSError:
        return False


def is_entry_text(content: bytes) -> bool:
    """Whether the beginning of a YAML file looks like that of an entry file."""
    return _PIPELINE_KEY.search(content, 0, 1_000_000) is not None


def is_left_out(name: str) -> bool:
    """Whether no entry file is looked for in a folder, or a file, of this name."""
    return name.startswith(".") or name in ("build", "node_modules")
