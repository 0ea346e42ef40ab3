"""Modules of step code: found under the steps roots and parsed, but never imported."""

from __future__ import annotations

import ast
import importlib.util
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

from sfml.base.diagnostic import Diagnostic
from sfml.base.record import record
from sfml.base.source import Span
from sfml.catalog.folders import link_problem
from sfml.catalog.imports import Import
from sfml.catalog.loads import every_import

RUNTIME = "sfml_steps"
MAIN = "__main__"
MAX_BYTES = 2_000_000
MAX_WEIGHT = 200_000
"""The most weight (see `weight`) of all modules of a pipeline: about 1 MB of usual code, 400 kB of the densest."""
MAX_IMPORTS = 1_000

_NONE: Mapping[Path, bytes] = MappingProxyType({})
_LIGHT = (string.ascii_letters + string.digits + "_ \t#").encode()

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\Z")


@record
class StepsRoot:
    """A folder whose packages hold step code. `shown` is its name in messages; `only` limits it to one package.

    Links are followed if they stay below `project`.
    """

    folder: Path
    shown: str
    project: Path
    only: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """A module of step code. `tree` is None, and `error` says why, when it cannot be read or parsed.

    `archive_path` is relative to its root (`clv/train.py`); `file` is the path in messages.
    """

    name: str
    archive_path: str
    file: str
    path: Path
    content: bytes
    text: str
    tree: ast.Module | None
    project: Path
    error: Diagnostic | None = None
    is_package: bool = False
    imports: tuple[Import, ...] = ()

    def span(self, node: ast.expr | ast.stmt | ast.arg) -> Span:
        """The span of a node, with columns in characters; `ast` counts them in bytes."""
        line, end_line = node.lineno, node.end_lineno or node.lineno
        return Span.of(
            self.file,
            line,
            self._column(line, node.col_offset),
            end_line,
            self._column(end_line, node.end_col_offset or node.col_offset),
        )

    def _column(self, line: int, offset: int) -> int:
        if _is_ascii(self.content):  # text before a place is not decoded for each
            return offset + 1
        lines = _lines(self.content)
        raw = lines[line - 1][:offset] if line <= len(lines) else b""
        return len(raw.decode("utf-8", errors="replace")) + 1


@lru_cache(maxsize=16)
def _lines(content: bytes) -> list[bytes]:
    return content.splitlines()


@lru_cache(maxsize=16)
def _is_ascii(content: bytes) -> bool:
    return content.isascii()


def weight(content: bytes) -> int:
    """The number of bytes that are not letters, digits, `_`, `#`, spaces or tabs: roughly one per node of the tree."""
    return len(content.translate(None, _LIGHT))


def steps_roots(root: Path, folders: tuple[str, ...]) -> tuple[StepsRoot, ...]:
    """The project's steps roots, then the one with the installed step runtime, in case the project does not hold it."""
    roots = [StepsRoot(root / folder, folder, _outer(root, folder)) for folder in folders]
    runtime = runtime_folder()
    if runtime is not None:
        roots.append(StepsRoot(runtime.parent, "", runtime.parent, only=RUNTIME))
    return tuple(roots)


def _outer(project: Path, folder: str) -> Path:
    """The folder that links may not leave: the project, or the steps folder if it is outside the project."""
    inside = (project / folder).resolve().is_relative_to(project.resolve())
    return project if inside else project / folder


@cache  # looked up once for all pipelines
def runtime_folder() -> Path | None:
    """The folder of the installed `sfml_steps`, or of the one in this checkout; None without either."""
    try:
        spec = importlib.util.find_spec(RUNTIME)
    except (ImportError, ValueError):
        spec = None
    if spec is not None and spec.origin:
        return Path(spec.origin).resolve().parent
    beside = Path(__file__).resolve().parents[3] / "steps" / RUNTIME
    return beside if beside.is_dir() else None


def module_file(roots: tuple[StepsRoot, ...], name: str) -> tuple[StepsRoot, Path] | None:
    """The first root that has the module, and its file there; that of a package is `__init__.py`. None without one."""
    if not _NAME.match(name):
        return None
    parts = name.split(".")
    for root in roots:
        if root.only is not None and parts[0] != root.only:
            continue
        base = root.folder.joinpath(*parts)
        for candidate in (base / "__init__.py", base.with_name(f"{parts[-1]}.py")):
            if candidate.is_file() or candidate.is_symlink():
                return root, candidate
    return None


def is_package_folder(roots: tuple[StepsRoot, ...], name: str) -> bool:
    """Whether some root has a folder for the package, with or without `__init__.py`."""
    return bool(_NAME.match(name)) and any(
        root.folder.joinpath(*name.split(".")).is_dir()
        for root in roots
        if root.only is None or name.split(".")[0] == root.only
    )


def read_module(
    name: str, root: StepsRoot, path: Path, allowance: int = MAX_WEIGHT, given: Mapping[Path, bytes] = _NONE
) -> Module:
    """The module; if it cannot be read or parsed, or is heavier than `allowance`, its `error` says so.

    `given` maps files to contents that are not saved.
    """
    module = _without_tree(name, root, path, b"")
    problem = link_problem(path, root.project)
    if problem is not None:
        return replace(module, error=_bad_link(module.file, problem))
    try:
        if path in given:
            content = given[path]
        else:
            with path.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
    except OSError as cause:
        return replace(module, error=_unread(module.file, f"cannot be read: {cause.strerror or cause}"))
    if len(content) > MAX_BYTES or weight(content) > allowance:
        why = "is too large to be step code, with what else the step needs"
        return replace(_without_tree(name, root, path, content), error=_unread(module.file, why))
    return _parsed(name, root, path, content)


# Pipelines share step code, so modules are cached by content; a changed file is parsed again.
@lru_cache(maxsize=1_000)
def _parsed(name: str, root: StepsRoot, path: Path, content: bytes) -> Module:
    module = _without_tree(name, root, path, content)
    try:
        tree = ast.parse(content)
        imports = every_import(tree, content, name, module.is_package)
    except SyntaxError as cause:
        return replace(module, error=_syntax_error(cause, module.file))
    except (ValueError, RecursionError, MemoryError) as cause:
        why = f"cannot be parsed: {cause if str(cause) else 'it is nested too deeply'}"
        return replace(module, error=_unread(module.file, why))
    if len(imports) > MAX_IMPORTS:
        return replace(module, error=_unread(module.file, f"imports more than {MAX_IMPORTS:,} modules"))
    return replace(module, tree=tree, imports=imports)


def _without_tree(name: str, root: StepsRoot, path: Path, content: bytes) -> Module:
    relative = path.relative_to(root.folder).as_posix()
    file = f"{root.shown}/{relative}" if root.shown not in ("", ".") else relative
    text = content.decode("utf-8-sig", errors="replace")
    is_package = path.name == "__init__.py"
    return Module(name, relative, file, path, content, text, None, root.project, is_package=is_package)


def _unread(file: str, why: str) -> Diagnostic:
    return Diagnostic.error("SF303", f"`{file}` {why}", at=Span.whole(file))


def _bad_link(file: str, problem: str) -> Diagnostic:
    return Diagnostic.error(
        "SF340",
        f"the link `{file}` {problem}",
        at=Span.whole(file),
        why="a file outside the project may be another one on another machine",
        help="put what it leads to into the project, or remove the link",
    )


def _syntax_error(cause: SyntaxError, file: str) -> Diagnostic:
    line, column = cause.lineno or 1, cause.offset or 1
    same_line = (cause.end_lineno or line) == line
    end = cause.end_offset if same_line and cause.end_offset and cause.end_offset > column else column + 1
    return Diagnostic.error(
        "SF303",
        f"`{file}` is not valid Python: {cause.msg}",
        at=Span.of(file, line, column, line, end),
        why="code that cannot be parsed can neither be checked nor run",
    )
