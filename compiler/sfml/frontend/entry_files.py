"""SPEC arguments → entry files. An argument is a file, a folder, a glob or the name of a pipeline."""

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
    """The entry files that the arguments name, without duplicates; those of one argument are sorted.

    A file is taken as an entry file without a look at its content. In a folder, and among the files that match a glob,
    an entry file is a YAML file with a key `pipeline`. Any other argument is the name of a pipeline of the project in
    the working directory; without arguments, all pipelines of that project are meant. Raises UsageError for an argument
    that names no entry file.
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
    """Whether the arguments name one pipeline by its file or its name, and not by a folder or glob."""
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
        # An empty path is the working directory; after `$VARIABLE` without a value, that would be all pipelines.
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
        # A folder without entry files may have the same name as a pipeline.
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
    """Every entry file of the project in the working directory. Raises UsageError without a project or a pipeline."""
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
    """The entry file of the pipeline with that name, or nothing; raises UsageError where two pipelines have it."""
    paths = _pipelines_by_name().get(name, ())
    if len(paths) > 1:
        files = " and ".join(path.as_posix() for path in paths)
        raise UsageError(f"more than one pipeline is named `{name}`: {files}", help="name the file")
    return paths


def misspelt(name: str) -> str | None:
    """A help line for a name that no pipeline of the project has: the closest name, or all; None for a right name."""
    if Path(name).exists() or files_of_pipeline(name):
        return None
    return unknown_spec(name).help


def unknown_spec(argument: str) -> UsageError:
    """The error for an argument that is not a file, folder or pipeline; its help names the closest in the project."""
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
    """Name of a pipeline → its entry files, in the project of the working directory; several if names are equal."""
    root = project_root(Path.cwd())
    files: dict[str, tuple[Path, ...]] = {}
    for path in pipelines_of_project(root) if root is not None else ():
        name = pipeline_name(path)
        if name is not None:
            files[name] = (*files.get(name, ()), path)
    return files


def pipelines_of_project(root: Path) -> tuple[Path, ...]:
    """The entry files of the project at `root`, relative to the working directory; projects below are left out."""
    paths = (path for path in pipelines_of(root) if project_root(path.parent) == root)
    return tuple(Path(os.path.relpath(path)) for path in paths)


def pipeline_name(path: Path) -> str | None:
    """The name of the pipeline in an entry file, found without parsing the file; None where it has none."""
    match = _NAME.search(_beginning(path))
    return match[1].decode("ascii") if match else None


def pipelines_of(folder: Path) -> tuple[Path, ...]:
    """The entry files in a folder and below it; hidden folders, `build` and `node_modules` are left out."""
    entry_paths: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_left_out(name))
        paths = (Path(place, name) for name in files if not is_left_out(name))
        entry_paths += [path for path in paths if is_entry_file(path)]
    return tuple(sorted(entry_paths))


def is_entry_file(path: Path) -> bool:
    """Whether the file looks like the entry file of a pipeline; it is not parsed."""
    return path.suffix in _SUFFIXES and path.is_file() and is_entry_text(_beginning(path))


def _beginning(path: Path) -> bytes:
    """The first `_MAX_BYTES` bytes of a file; empty if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(_MAX_BYTES)
    except OSError:
        return b""


def is_entry_text(content: bytes) -> bool:
    """Whether the beginning of a YAML file looks like that of an entry file."""
    return _PIPELINE_KEY.search(content, 0, _MAX_BYTES) is not None


def is_left_out(name: str) -> bool:
    """Whether folders and files of this name are not searched for entry files."""
    return name.startswith(".") or name in ("build", "node_modules")
