"""Files that travel beside step code: what a package lists in its `__init__.py`, and the folders of jobs.

A package lists its data files as a literal: `__data_files__ = ["queries/*.sql"]`.
"""

from __future__ import annotations

import ast
from pathlib import Path

from sfml.catalog.model import SourceFile
from sfml.catalog.modules import Module

NAME = "__data_files__"


def patterns_of(module: Module) -> tuple[str, ...]:
    """The patterns that the package lists, relative to its folder; only a literal list of texts counts."""
    if module.tree is None:
        return ()
    for statement in module.tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.List(elts=items) | ast.Tuple(elts=items)):
                if name == NAME:
                    return tuple(
                        item.value
                        for item in items
                        if isinstance(item, ast.Constant) and isinstance(item.value, str)
                    )
    return ()


def data_files(module: Module) -> dict[str, bytes]:
    """Archive path → content of each listed file; links out of the package's folder are left behind."""
    folder = module.path.parent
    base = module.archive_path.rpartition("/")[0]
    found: dict[str, bytes] = {}
    for pattern in patterns_of(module):
        if pattern.startswith("/") or ".." in pattern.split("/"):
            continue
        for path in _matching(folder, pattern):
            if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                found[f"{base}/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
    return found


def _matching(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except (ValueError, IndexError, NotImplementedError):  # pathlib's ways of refusing a pattern
        return []


def folder_files(root: Path, folder: str) -> tuple[SourceFile, ...]:
    """Every file below a folder, sorted, by its path in there; hidden files, caches and links out stay behind."""
    base = root / folder
    inside = root.resolve()
    found: list[SourceFile] = []
    for path in sorted(base.rglob("*")):
        relative = path.relative_to(base)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in relative.parts)
        if not hidden and path.is_file() and path.resolve().is_relative_to(inside):
            found.append(SourceFile(relative.as_posix(), path.read_bytes()))
    return tuple(found)
