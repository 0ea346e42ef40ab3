"""Modules of step code: found under the steps roots, parsed, never imported."""

from __future__ import annotations

import ast
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from sfml.catalog.imports import Import, imports_of
from sfml.diagnostic import Diagnostic
from sfml.source import Span

RUNTIME = "sfml_steps"
MAX_BYTES = 2_000_000

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\Z")


@dataclass(frozen=True, slots=True)
class StepsRoot:
    """A folder whose packages hold step code. `shown` is its name to users; `only` narrows it to one package."""

    folder: Path
    shown: str
    only: str | None = None


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed module. `archive_path` is relative to its root: `clv/train.py`; `file` is what users see."""

    name: str
    archive_path: str
    file: str
    path: Path
    content: bytes
    text: str
    tree: ast.Module | None
    error: Diagnostic | None = None
    is_package: bool = False
    imports: tuple[Import, ...] = ()

    def span(self, node: ast.expr | ast.stmt | ast.arg) -> Span:
        """Where a node stands; ast counts columns in bytes, people in characters."""
        line, end_line = node.lineno, node.end_lineno or node.lineno
        return Span.of(
            self.file,
            line,
            self._column(line, node.col_offset),
            end_line,
            self._column(end_line, node.end_col_offset or node.col_offset),
        )

    def _column(self, line: int, offset: int) -> int:
        lines = self.content.splitlines()
        raw = lines[line - 1][:offset] if line <= len(lines) else b""
        return len(raw.decode("utf-8", errors="replace")) + 1


def steps_roots(root: Path, folders: tuple[str, ...]) -> tuple[StepsRoot, ...]:
    """The project's roots, then the one that the runtime is installed in, for where the project has none."""
    roots = [StepsRoot(root / folder, folder) for folder in folders]
    runtime = runtime_folder()
    if runtime is not None:
        roots.append(StepsRoot(runtime.parent, "", only=RUNTIME))
    return tuple(roots)


def runtime_folder() -> Path | None:
    """The folder of `sfml_steps` as installed, or in the checkout beside the compiler."""
    try:
        found = importlib.util.find_spec(RUNTIME)
    except (ImportError, ValueError):
        found = None
    if found is not None and found.origin:
        return Path(found.origin).resolve().parent
    beside = Path(__file__).resolve().parents[3] / "steps" / RUNTIME
    return beside if beside.is_dir() else None


def module_file(roots: tuple[StepsRoot, ...], name: str) -> tuple[StepsRoot, Path] | None:
    """The file of a module, in the first root that has it; packages are found by their `__init__.py`."""
    if not _NAME.match(name):
        return None
    parts = name.split(".")
    for root in roots:
        if root.only is not None and parts[0] != root.only:
            continue
        base = root.folder.joinpath(*parts)
        for candidate in (base / "__init__.py", base.with_name(f"{parts[-1]}.py")):
            if candidate.is_file() and candidate.resolve().is_relative_to(root.folder.resolve()):
                return root, candidate
    return None


def is_package_folder(roots: tuple[StepsRoot, ...], name: str) -> bool:
    """Whether some root has a folder for the package, be it without `__init__.py`."""
    return bool(_NAME.match(name)) and any(
        root.folder.joinpath(*name.split(".")).is_dir()
        for root in roots
        if root.only is None or name.split(".")[0] == root.only
    )


def parse_module(name: str, root: StepsRoot, path: Path) -> Module:
    """The module; what keeps it from being parsed becomes its `error`."""
    relative = path.relative_to(root.folder).as_posix()
    file = f"{root.shown}/{relative}" if root.shown not in ("", ".") else relative
    content = path.read_bytes()
    text = content.decode("utf-8-sig", errors="replace")
    tree: ast.Module | None = None
    error: Diagnostic | None = None
    if len(content) > MAX_BYTES:
        error = Diagnostic.error("SF303", f"`{file}` is too large to be step code", at=Span.whole(file))
    else:
        try:
            tree = ast.parse(content)
        except SyntaxError as cause:
            error = _syntax_error(cause, file)
        except (ValueError, RecursionError, MemoryError) as cause:
            error = Diagnostic.error("SF303", f"`{file}` cannot be parsed: {cause}", at=Span.whole(file))
    is_package = path.name == "__init__.py"
    imports = imports_of(tree, name, is_package) if tree is not None else ()
    return Module(name, relative, file, path, content, text, tree, error, is_package, imports)


def _syntax_error(cause: SyntaxError, file: str) -> Diagnostic:
    line, column = cause.lineno or 1, cause.offset or 1
    same_line = (cause.end_lineno or line) == line
    end = cause.end_offset if same_line and cause.end_offset and cause.end_offset > column else column + 1
    return Diagnostic.error(
        "SF303",
        f"`{file}` is not valid Python: {cause.msg}",
        at=Span.of(file, line, column, line, end),
        why="a step that cannot be parsed can neither be checked nor run",
    )
