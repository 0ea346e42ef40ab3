"""The files that travel because code reads them as resources of a package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from sfml.base.diagnostic import did_you_mean
from sfml.base.record import record
from sfml.catalog.code import Read, reads
from sfml.catalog.data_files import patterns_of
from sfml.catalog.folders import folder_contents, link_problem
from sfml.catalog.modules import Module
from sfml.catalog.reads import FileNaming, Location

FindModule = Callable[[str], Module | None]


@record
class Resources:
    """The files that a read of resources names, as (path in the archive, path); else the `problem` and its `help`.

    `is_open` is true where the read may name any file of a package that has no `__data_files__`.
    """

    files: tuple[tuple[str, Path], ...] = ()
    problem: str | None = None
    help: str | None = None
    is_open: bool = False


def named_files(
    module: Module, find: FindModule, is_ours: Callable[[str], bool]
) -> Iterator[tuple[str, Path]]:
    """Every file that the module's code reads as a resource, as (path in the archive, path)."""
    for read in reads(module):
        if read.location.by is FileNaming.RESOURCE:
            yield from resources_of(read, module, find, is_ours).files


def resources_of(read: Read, module: Module, find: FindModule, is_ours: Callable[[str], bool]) -> Resources:
    """The files that a read of resources names; nothing for a package outside the project."""
    place = read.location
    if not place.anchor:
        return _no_package(module)
    if not is_ours(place.anchor.partition(".")[0]):
        return Resources()
    package = find(place.anchor)
    if package is not None and not package.is_package and not place.needs_package:
        package = find(place.anchor.rpartition(".")[0])
    if package is None:
        return Resources(
            problem=f"reads resources of `{place.anchor}`, which has no `__init__.py`",
            help=f"add {place.anchor.replace('.', '/')}/__init__.py: only packages that have one are read "
            "from an archive",
        )
    if not package.is_package:
        return Resources(
            problem=f"reads resources of `{place.anchor}`, which is a module and no package",
            help="name its package: `resources.files(__package__)`",
        )
    return _below(package, place, read.lists)


def _no_package(module: Module) -> Resources:
    if "." in module.name or module.is_package:
        problem = "reads resources of the package that calls, which Python 3.11 does not know"
        return Resources(problem=problem, help="name the package: `resources.files(__package__)`")
    return Resources(
        problem="reads resources, but is not in a package",
        help="put the module into a folder with an `__init__.py`, and the file beside it",
    )


def _below(package: Module, place: Location, lists: bool) -> Resources:
    folder = package.path.parent
    base = package.archive_path.rpartition("/")[0]
    path = folder / place.path
    if place.path.startswith(("..", "/")):
        return Resources(
            problem=f"reads `{place.path}`, which lies outside of the package `{package.name}`",
            help="put the file into the package, or name the package that it lies in",
        )
    if place.path == "." and (lists or not place.is_exact):
        return Resources(is_open=not patterns_of(package))
    problem = link_problem(path, package.project)
    if problem is not None:
        return Resources(
            problem=f"reads `{place.path}`, a link that {problem}",
            help="put what it leads to into the project",
        )
    if path.is_file() and place.is_exact:
        return Resources(((f"{base}/{place.path}", path),))
    if path.is_dir():
        whole = folder_contents(path, package.project).files if place.path != "." else ()
        return Resources(tuple((f"{base}/{place.path}/{name}", file) for name, file in whole))
    return Resources(
        problem=f"reads `{place.path}`, and there is no such file in the package `{package.name}`",
        help=did_you_mean(place.path, _names(folder)) or f"put it into {_shown(package)}",
    )


def _names(folder: Path) -> Iterator[str]:
    for _, path in zip(range(500), sorted(folder.rglob("*")), strict=False):
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            yield path.relative_to(folder).as_posix()


def _shown(package: Module) -> str:
    return f"{package.file.rpartition('/')[0]}/"
