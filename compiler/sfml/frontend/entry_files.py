"""SPEC arguments → entry files. An argument is a file, a folder, a glob or the name of a pipeline."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sfml.base.diagnostic import did_you_mean
from sfml.base.errors import UsageError
from sfml.base.source import is_yaml
from sfml.frontend.entry_text import is_entry_text, name_in
from sfml.spec.project import PROJECT_FILE, project_root

_MAX_BYTES = 1_000_000
_NAMES_SHOWN = 5


def entry_files(arguments: Iterable[str]) -> tuple[Path, ...]:
    """The entry files that the arguments name, without duplicates; those of one argument are sorted.

    A file is taken as an entry file without a look at its content. In a folder, and among the files that match a glob,
    an entry file is a YAML file with a key `pipeline`. Any other argument is the name of a pipeline of the project in
    the working directory, or the path of a file from that project's root; without arguments, all pipelines of that
    project are meant. Raises UsageError for an argument that names no entry file.
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


def narrowed(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The one entry file that a folder, a glob or the whole project has; the arguments themselves if there are several.

    For options that go with one pipeline: a project with only one needs no SPEC for them.
    """
    if is_single(arguments) or any(argument.endswith(".json") for argument in arguments):
        return arguments
    files = entry_files(arguments)
    return (str(files[0]),) if len(files) == 1 else arguments


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
    if path.is_file() or path.is_symlink():
        return (path,)
    if glob.has_magic(argument):
        matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - absolute patterns too
        paths = tuple(path for path in map(Path, matches) if is_entry_file(path))
        if not paths:
            raise UsageError(f"no pipeline matches `{argument}`", help="an entry file has a key `pipeline`")
        return paths
    paths = files_of_pipeline(argument) or _from_root(argument)
    if not paths:
        raise unknown_spec(argument)
    return paths


def _from_root(argument: str) -> tuple[Path, ...]:
    """The file at this path from the root of the project, as commands name specs wherever they are run."""
    root = project_root(Path.cwd())
    file = root / argument if root is not None and not Path(argument).is_absolute() else None
    if file is None or not file.is_file():
        return ()
    return (Path(os.path.relpath(file)),)


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
    if Path(name).exists() or files_of_pipeline(name) or _from_root(name):
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
    return tuple(Path(os.path.relpath(path)) for path in entries_of_project(root))


def entries_of_project(root: Path) -> tuple[Path, ...]:
    """The entry files of the project at `root`; projects below are left out.

    A file in a linked folder that is in no project is one of them: to read it tells that it leads out of the project.
    """
    return tuple(sorted(each_entry_of_project(root)))


def each_entry_of_project(root: Path) -> Iterator[Path]:
    """The entry files of the project at `root` in no order, each as it is found; projects below are left out."""
    roots: dict[Path, Path | None] = {}
    for path in _each_pipeline_of(root):
        folder = path.parent
        if folder not in roots:
            roots[folder] = project_root(folder)
        if roots[folder] in (root, None):
            yield path


def pipeline_name(path: Path) -> str | None:
    """The name of the pipeline in an entry file, found without parsing the file; None where it has none."""
    return name_in(_beginning(path) or b"")


def pipelines_of(folder: Path) -> tuple[Path, ...]:
    """The entry files in a folder and below it; hidden folders, `build` and `node_modules` are left out.

    Of a link to a folder that is not below `folder`, only the files that it holds itself are looked at.
    """
    return tuple(sorted(_each_pipeline_of(folder)))


def _each_pipeline_of(folder: Path) -> Iterator[Path]:
    top = folder.resolve()
    for place, folders, files in os.walk(folder, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not is_left_out(name))
        names = (name for name in files if is_yaml(name) and not is_left_out(name))
        yield from filter(is_entry_file, (Path(place, name) for name in names))
        yield from filter(is_entry_file, _beside(top, (os.path.join(place, name) for name in folders)))  # noqa: PTH118 - a path for each folder takes long


def _beside(top: Path, folders: Iterable[str]) -> Iterator[Path]:
    """The files of those folders that are links to places outside of `top`."""
    for folder in map(Path, filter(os.path.islink, folders)):
        if not folder.resolve().is_relative_to(top):
            yield from (path for path in sorted(folder.iterdir()) if not is_left_out(path.name))


def _unreadable(error: OSError) -> None:
    raise UsageError(
        f"`{error.filename}` cannot be read: {error.strerror}",
        help="pipelines may be in it; make it readable, or name the specs",
    ) from error


def is_entry_file(path: Path) -> bool:
    """Whether the file looks like the entry file of a pipeline; it is not parsed.

    A link to nothing and a file that cannot be read count, because whoever reads them next reports them.
    """
    if not is_yaml(path.name):
        return False
    content = _beginning(path)
    return content is None or is_entry_text(content)


def _beginning(path: Path) -> bytes | None:
    """The first `_MAX_BYTES` bytes of a file; None if it cannot be read; empty if it is no file."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return b""  # a folder, or a pipe or a device: opening it could wait for ever
        with path.open("rb") as stream:
            return stream.read(_MAX_BYTES)
    except OSError:
        return None


def is_left_out(name: str) -> bool:
    """Whether folders and files of this name are not searched for entry files."""
    return name.startswith(".") or name in ("build", "node_modules")
