"""SF344 to SF347: whether the files that step code reads travel with it, and can be read where the task runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sfml.base.diagnostic import Diagnostic
from sfml.catalog.code import Read, reads
from sfml.catalog.data_files import NAME, leads_outside, listing_of, matching, patterns_of
from sfml.catalog.modules import Module
from sfml.catalog.package_data import Resources, resources_of
from sfml.catalog.reads import FileNaming
from sfml.check.case import Case
from sfml.check.programs import Program, programs_of

_CAUGHT = ("OSError", "IOError", "FileNotFoundError", "NotADirectoryError")


def missing_resources(case: Case) -> Iterator[Diagnostic]:
    """SF344: a step reads a resource that does not exist, or that cannot be read from an archive.

    What: a file that `importlib.resources` or `pkgutil.get_data` reads by a constant name is in a package of step code
    with an `__init__.py`. Such files, and folders, travel without being listed.
    Why: the task would fail when it reads the file.
    Instead: correct the name, or put the file there.
    """
    for program, module, read, resources in _resources(case):
        severity = program.severity(read.around)
        if resources.problem is not None and severity is not None:
            message = f"`{module.name}` {resources.problem}"
            yield Diagnostic("SF344", severity, message, module.span(read.node), help=resources.help)


def unlisted_resources(case: Case) -> Iterator[Diagnostic]:
    """SF345: a step reads resources by a name that is computed at run time, and its package lists no data files.

    What: files that are read by a constant name, or from a constant folder of a package, travel. Others travel when
    `__data_files__` in the `__init__.py` of their package lists them.
    Why: a file that does not travel cannot be read where the task runs.
    Instead: list the files: `__data_files__ = ["*.sql"]`.
    """
    for program, module, read, resources in _resources(case):
        if resources.is_open and program.severity(read.around) is not None:
            package = read.location.anchor
            init = f"{package.replace('.', '/')}/__init__.py"
            yield Diagnostic.warning(
                "SF345",
                f"`{module.name}` reads files of `{package}` by a name that is computed at run time",
                at=module.span(read.node),
                why="only files that are named in the code or listed travel with it",
                help=f'list them in {init}: `{NAME} = ["*.sql"]`, or keep them in a folder of their own',
            )


def listed_in_vain(case: Case) -> Iterator[Diagnostic]:
    """SF346: `__data_files__` is not a literal list, or a pattern in it matches no file of the package.

    What: `__data_files__` is a literal list of patterns at the top of a package's `__init__.py`. Each pattern matches
    files below the folder of the package.
    Why: the files would not travel, and be missing where the task runs.
    Instead: correct the pattern, or move the files into the package.
    """
    packages = {
        module.file: module for program in programs_of(case) if not program.is_script
        for module in program.modules if module.is_package
    }  # fmt: skip
    for module in packages.values():
        listing = listing_of(module)
        patterns = patterns_of(module)
        if listing is not None and len(patterns) != len(getattr(listing, "elts", (None, *patterns))):
            yield Diagnostic.error(
                "SF346",
                f"`{NAME}` of `{module.name}` is not a literal list of texts",
                at=module.span(listing),
                why="step code is read and never run to find out what travels",
                help=f'write the patterns out: `{NAME} = ["queries/*.sql"]`',
            )
        for pattern, node in patterns:
            problem = _pattern_problem(module.path.parent, pattern)
            if problem is not None:
                message = f"`{pattern}` in `{NAME}` of `{module.name}` {problem[0]}"
                yield Diagnostic.error("SF346", message, at=module.span(node), help=problem[1])


def _pattern_problem(folder: Path, pattern: str) -> tuple[str, str] | None:
    if leads_outside(pattern):
        return (
            "leads out of its package",
            "move the files into the package; links inside the project are followed",
        )
    paths = matching(folder, pattern)
    if not paths:
        return (
            "matches no file",
            "correct it, or take it out; patterns are relative to the folder of the package",
        )
    if not any(path.is_file() or path.is_symlink() for path in paths):
        inside = "/".join(part for part in pattern.split("/") if part not in ("", "**"))
        return "matches only folders", f"list their files: `{f'{inside}/' if inside else ''}**/*`"
    return None


def files_by_path(case: Case) -> Iterator[Diagnostic]:
    """SF347: a step reads a file of the project by its path.

    What: step code reads its files as resources, not by a path. It is imported from an archive, where neither a path
    that is composed from `__file__` nor one relative to the working folder leads to a file. Under a condition it is a
    warning.
    Why: the code finds the file on this machine, but not where the task runs.
    Instead: read it as a resource of its package: `resources.files(__package__).joinpath("name").read_text()`.
    """
    seen: set[object] = set()
    for program in programs_of(case):
        if program.is_script:
            continue  # a job's folder is a real folder in the container
        for module in program.modules:
            for read in reads(module):
                file = _file_by_path(case.catalog.root, module, read)
                severity = program.severity(read.around) if file is not None else None
                span = module.span(read.node)
                if file is None or severity is None or span in seen or read.around.catches(*_CAUGHT):
                    continue
                seen.add(span)
                yield Diagnostic(
                    "SF347",
                    severity,
                    f"`{module.name}` reads {file} by its path",
                    span,
                    why="step code is imported from an archive, where no such path leads to a file",
                    help=_resource_help(module, read),
                )


def _resources(case: Case) -> Iterator[tuple[Program, Module, Read, Resources]]:
    """Every place that reads resources, with the files that it names, unless it catches the error of a missing file."""
    for program in programs_of(case):
        if program.is_script:
            continue
        for module in program.modules:
            for read in reads(module):
                if read.location.by is FileNaming.RESOURCE and not read.around.catches(*_CAUGHT):
                    catalog = program.catalog
                    yield program, module, read, resources_of(read, module, catalog.module, catalog.is_ours)


def _file_by_path(root: Path, module: Module, read: Read) -> str | None:
    """The file that a read names by a path, in words; None where the read works in an archive too."""
    place, folder = read.location, module.path.parent
    if place.by is FileNaming.FILE:
        path = folder / place.path
        if place.is_exact and not read.lists and (path == module.path or path.is_dir()):
            return None  # the module's own path, or a folder that is not listed
        return f"`{place.path}`" if place.is_exact and place.path != "." else "files beside it"
    if place.by is FileNaming.WORKING and place.is_exact and not place.path.startswith("/"):
        steps = module.path.parents[module.archive_path.count("/")]
        if any((base / place.path).is_file() for base in (root, folder, steps)):
            return f"`{place.path}`"
    return None


def _resource_help(module: Module, read: Read) -> str:
    place, folder = read.location, module.path.parent
    if "." not in module.name and not module.is_package:
        return "put both into a package, and read it as a resource: `resources.files(__package__)`"
    if place.by is FileNaming.FILE and not place.is_exact:
        return "read them as resources: `resources.files(__package__)`"
    name = Path(place.path).name
    if (folder / place.path).is_file() and not place.path.startswith(".."):
        return f'read it as a resource: `resources.files(__package__).joinpath("{place.path}").read_text()`'
    return f'put it into the package, and read it as a resource: `resources.files(__package__).joinpath("{name}")`'
