"""SPEC arguments → entry files: a file, a folder, a glob, a pipeline's name, or without any the whole project."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from sfml.base.diagnostic import did_you_mean
from sfml.base.errors import UsageError
from sfml.spec.project import PROJECT_FILE, project_root

_SUFFIXES = (".yaml", ".yml")
_PIPELINE_KEY = re.compile(rb"^(?:pipeline|\"pipeline\"|'pipeline')\s*:|^\{.*\bpipeline\b", re.MULTILINE)
_NAME = re.compile(
    rb"^(?:\{(?:.*[{,\s])?)?(?:pipeline|\"pipeline\"|'pipeline')\s*:\s*[\"']?([A-Za-z_][A-Za-z0-9_]*)",
    re.MULTILINE,
)
_MAX_BYTES = 1_000_000
_NAMES_SHOWN = 5


def entry_files(arguments: Iterable[str]) -> tuple[Path, ...]:
    """The entry files that the arguments stand for, sorted within each, without repetitions.

    A file is taken at its word. In a folder, and among what a glob finds, an entry file is a YAML file that
    names its `pipeline`. What is neither is the name of a pipeline of the project that the working directory
    belongs to; without arguments every pipeline of that project is meant. Raises UsageError for an argument that
    stands for none.
    """
    texts = tuple(arguments)
    if not texts:
        return _of_project()
    files: dict[Path, None] = {}
    for argument in texts:
        for path in _of_argument(argument):
            files.setdefault(path)
    return tuple(files)


def is_single(arguments: Iterable[str]) -> bool:
    """Whether the arguments name one pipeline by its file or its name, rather than whatever is in a place."""
    texts = tuple(arguments)
    if len(texts) != 1:
        return False
    if not texts[0].strip():
        return True
    try:
        path = Path(texts[0])
        if path.is_dir():
            return not pipelines_of(path) and bool(files_of_pipeline(texts[0]))
        return path.is_file() or not glob.has_magic(texts[0])
    except (OSError, ValueError):
        return True


def _of_argument(argument: str) -> tuple[Path, ...]:
    if not argument.strip():
        # It would be the folder that one is in: with an unset variable of a shell, everything.
        raise UsageError(
            "SPEC is empty", help="name an entry file, a folder, a glob or a pipeline; is a variable unset?"
        )
    path = Path(argument)
    try:
        path.stat()
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as cause:
        why = getattr(cause, "strerror", None) or cause
        raise UsageError(
            f"`{argument[:60]}` cannot be read: {why}",
            help="name an entry file, a folder, a glob or a pipeline",
        ) from cause
    if path.is_dir():
        # A pipeline may have the name of the folder of its code.
        paths = pipelines_of(path) or files_of_pipeline(argument)
        if not paths:
            raise UsageError(
                f"no pipeline in the folder `{argument}`", help="an entry file has a key `pipeline`"
            )
        return paths
    if path.is_file():
        return (path,)
    if glob.has_magic(argument):
        matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - absolute patterns too
        paths = tuple(path for path in map(Path, matches) if is_entry_file(path))
        if not paths:
            raise UsageError(f"no pipeline matches `{argument}`", help="an entry file has a key `pipeline`")
        return paths
    paths = files_of_pipeline(argument)
    if not paths:
        raise unknown_spec(argument)
    return paths


def _of_project() -> tuple[Path, ...]:
    """Every entry file of the project that the working directory belongs to."""
    root = project_root(Path.cwd())
    if root is None:
        raise UsageError(
            f"no spec is named, and there is no {PROJECT_FILE} here or above",
            help="name a spec, a folder of specs or a glob; `sfml init` makes a project",
        )
    paths = pipelines_of_project(root)
    if not paths:
        raise UsageError(
            f"the project of `{Path(os.path.relpath(root / PROJECT_FILE)).as_posix()}` has no pipeline",
            help="an entry file has a key `pipeline`",
        )
    return paths


def files_of_pipeline(name: str) -> tuple[Path, ...]:
    """The entry file of the project's pipeline of that name, or none; raises UsageError where two have the name."""
    paths = _pipelines_by_name().get(name, ())
    if len(paths) > 1:
        files = " and ".join(path.as_posix() for path in paths)
        raise UsageError(f"more than one pipeline is named `{name}`: {files}", help="name the file")
    return paths


def misspelt(name: str) -> str | None:
    """A help line for a name that no spec of the project has: the closest, or all; None for one that a spec has."""
    if Path(name).exists() or files_of_pipeline(name):
        return None
    return unknown_spec(name).help


def unknown_spec(argument: str) -> UsageError:
    """What to raise for an argument that is no file, folder or pipeline, with the closest of the project."""
    names = _pipelines_by_name()
    files = [path.as_posix() for paths in names.values() for path in paths]
    shown = ", ".join(f"`{name}`" for name in list(names)[:_NAMES_SHOWN])
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    listed = f"pipelines of this project: {shown}{more}" if names else None
    return UsageError(
        f"there is no file, folder or pipeline `{argument}`",
        help=did_you_mean(argument, [*names, *files]) or listed or "name a spec, a folder of specs or a glob",
    )


def _pipelines_by_name() -> Mapping[str, tuple[Path, ...]]:
    """The entry files of the working directory's project by the pipelines' names, of which two may be equal."""
    root = project_root(Path.cwd())
    files: dict[str, tuple[Path, ...]] = {}
    for path in pipelines_of_project(root) if root is not None else ():
        name = pipeline_name(path)
        if name is not None:
            files[name] = (*files.get(name, ()), path)
    return files


def pipelines_of_project(root: Path) -> tuple[Path, ...]:
    """The entry files of the project at `root`, as seen from the working directory; those of projects below not."""
    paths = (path for path in pipelines_of(root) if project_root(path.parent) == root)
    return tuple(Path(os.path.relpath(path)) for path in paths)


def pipeline_name(path: Path) -> str | None:
    """The name that an entry file gives its pipeline, read without parsing the file; None where it gives none."""
    match = _NAME.search(_beginning(path))
    return match[1].decode("ascii") if match else None


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
    return path.suffix in _SUFFIXES and path.is_file() and is_entry_text(_beginning(path))


def _beginning(path: Path) -> bytes:
    """The part of the file that is looked at; nothing where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(_MAX_BYTES)
    except OSError:
        return b""


def is_entry_text(content: bytes) -> bool:
    """Whether the beginning of a YAML file looks like that of an entry file."""
    return _PIPELINE_KEY.search(content, 0, _MAX_BYTES) is not None


def is_left_out(name: str) -> bool:
    """Whether no entry file is looked for in a folder, or a file, of this name."""
    return name.startswith(".") or name in ("build", "node_modules")
