"""Data files that travel with step code: those that a package lists in its `__init__.py`, and the folders of jobs.

A package lists its data files as a literal: `__data_files__ = ["queries/*.sql"]`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from sfml.base.errors import UsageError
from sfml.catalog.folders import folder_contents, link_problem
from sfml.catalog.model import SourceFile
from sfml.catalog.modules import Module

NAME = "__data_files__"
MAX_BYTES = 50_000_000
"""The most bytes of all files of one step or job, which are held in memory."""


def contents(files: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, bytes]]:
    """The content of each file, by its name. Raises UsageError when they are too large together."""
    left = MAX_BYTES
    for name, path in files:
        with path.open("rb") as stream:
            content = stream.read(left + 1)
        left -= len(content)
        if left < 0:
            raise UsageError(
                f"with `{path.name}`, the files of one step or job are larger than {MAX_BYTES // 1_000_000} MB",
                help="put large files on a stage and read them there",
            )
        yield name, content


def listing_of(module: Module) -> ast.expr | None:
    """The expression that is assigned to `__data_files__` at the top of a package's `__init__.py`; else None."""
    for statement in module.tree.body if module.tree is not None and module.is_package else ():
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                if name == NAME:
                    return value
    return None


def patterns_of(module: Module) -> tuple[tuple[str, ast.expr], ...]:
    """The patterns in a package's `__data_files__`, relative to its folder, with their nodes.

    Only texts in a literal list, tuple or set are read.
    """
    listing = listing_of(module)
    items = listing.elts if isinstance(listing, (ast.List, ast.Tuple, ast.Set)) else ()
    return tuple(
        (item.value, item) for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)
    )


def leads_outside(pattern: str) -> bool:
    """Whether a pattern leads out of the folder of its package."""
    return pattern.startswith(("/", "~")) or ".." in pattern.split("/")


@lru_cache(maxsize=256)
def listed_modules(module: Module) -> tuple[str, ...]:
    """The dotted names of the modules among the files that the package lists."""
    if not any("py" in pattern or pattern.endswith("*") for pattern, _ in patterns_of(module)):
        return ()
    names = (
        name.removesuffix(".py").split("/") for name, _ in listed_files(module)[0] if name.endswith(".py")
    )
    return tuple(
        ".".join((module.name, *(parts[:-1] if parts[-1] == "__init__" else parts)))
        for parts in names
        if all(part.isidentifier() for part in parts)
    )


def data_files(module: Module) -> dict[str, bytes]:
    """Archive path → content of each listed file; files behind a link that leads out of the project are left out."""
    base = module.archive_path.rpartition("/")[0]
    return dict(contents((f"{base}/{name}", path) for name, path in listed_files(module)[0]))


def listed_files(module: Module) -> tuple[tuple[tuple[str, Path], ...], tuple[tuple[str, str], ...]]:
    """The files that a package lists, as (name, path), and its bad links, as (name, reason).

    Names are relative to the folder of the package.
    """
    folder = module.path.parent
    files: dict[str, Path] = {}
    refused: dict[str, str] = {}
    for pattern, _ in patterns_of(module):
        for path in matching(folder, pattern):
            name = path.relative_to(folder).as_posix()
            problem = link_problem(path, module.project)
            if problem is not None:
                refused[name] = problem
            elif path.is_file():
                files[name] = path
    return tuple(files.items()), tuple(refused.items())


def matching(folder: Path, pattern: str) -> list[Path]:
    """The paths below a folder that a pattern matches; empty for a pattern that is not valid.

    Hidden files are included only if the pattern has a part that begins with a dot; compiled ones never are.
    """
    if leads_outside(pattern):
        return []
    try:
        paths = sorted(folder.glob(pattern))
    except (ValueError, IndexError, NotImplementedError):  # the errors of pathlib for a bad pattern
        return []
    may_be_hidden = any(part.startswith(".") for part in pattern.split("/"))
    return [path for path in paths if _travels(path.relative_to(folder).parts, may_be_hidden)]


def _travels(parts: tuple[str, ...], may_be_hidden: bool) -> bool:
    return "__pycache__" not in parts and (may_be_hidden or not any(part.startswith(".") for part in parts))


def folder_files(root: Path, folder: str) -> tuple[SourceFile, ...]:
    """Every file that travels with a folder of the project, sorted; paths are relative to that folder."""
    return tuple(
        SourceFile(name, content) for name, content in contents(folder_contents(root / folder, root).files)
    )
