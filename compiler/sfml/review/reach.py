"""The pipelines that a change can reach. The answer may include a pipeline too many, but never leaves one out.

Texts are searched and not compiled, so that the time depends on the size of the change and not of the repository.
Compiling the named pipelines then shows exactly which files each uses.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from sfml.base.record import record
from sfml.catalog.loads import every_import
from sfml.catalog.modules import MAX_WEIGHT, RUNTIME, weight
from sfml.catalog.reads import RESOURCES
from sfml.review.git_objects import LINK, GitEntry
from sfml.review.naming import is_open, is_plain, module_pattern, named_in
from sfml.spec.compose import compose
from sfml.spec.nodes import map_of, plain, texts_of
from sfml.spec.project import PROJECT_FILE


@record
class ReachPlace:
    """A project on one side: its folder with a slash at the end (empty for the repository), steps roots and targets."""

    folder: str
    steps: tuple[str, ...]
    targets: tuple[str, ...]


def project_of(files: Collection[str], path: str) -> str | None:
    """The folder of the project that a file belongs to, with a slash at the end; None outside a project."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        prefix = f"{folder}/" if folder else ""
        if f"{prefix}{PROJECT_FILE}" in files:
            return prefix
    return None


def place_of(folder: str, text: str, files: Iterable[str]) -> ReachPlace:
    """The project of a folder, with the steps roots and targets from the text of its project file."""
    document = map_of(compose(text, PROJECT_FILE)[0])
    named = document.get("steps") if document is not None else None
    steps = [str(plain(one)).strip("/") for one in texts_of(named)] if named is not None else ["steps"]
    roots = tuple(f"{folder}{step}/" if step not in ("", ".") else folder for step in steps)
    targets = map_of(document.get("targets")) if document is not None else None
    return ReachPlace(
        folder, roots, tuple(targets.entries) if targets is not None and targets.entries else ("local",)
    )


def reached(
    place: ReachPlace,
    entries: Collection[str],
    changed: Collection[str],
    files: Mapping[str, GitEntry],
    specs: Mapping[str, str],
    code: Mapping[str, bytes],
) -> frozenset[str]:
    """The entry files that one of the changed files may reach, on the side whose files are `files`.

    `specs` maps the project's YAML files to their texts, `code` the Python files under its steps roots to theirs.
    """
    own = frozenset(path for path in changed if path.startswith(place.folder))
    if not own:
        return frozenset()
    project = f"{place.folder}{PROJECT_FILE}"
    folders = frozenset(above for path in own for above in _folders(path, place.folder))
    if (
        project in own
        or not all(map(is_plain, own))
        or any(path.startswith(f"{root}{RUNTIME}/") for path in own for root in place.steps)
        or _has_links(files, place)
    ):
        return frozenset(entries)
    modules = module_pattern(changed_modules(place, own, files, code))
    roots = {root.rstrip("/") for root in place.steps}
    project_text = specs.get(project, "")
    named = named_in(project_text, project, own | (folders - roots))
    if named or (modules and modules.search(project_text)) or is_open(project_text, project):
        return frozenset(entries)
    dirty = {path for path in own if path in specs}
    new: frozenset[str] = own | folders
    rest = {path: text for path, text in specs.items() if path not in dirty and path != project}
    first = True
    while new:
        reaching = {
            path
            for path, text in rest.items()
            if named_in(text, path, new)
            or (first and ((modules and modules.search(text)) or is_open(text, path)))
        }
        new, first = frozenset(reaching), False
        dirty |= reaching
        rest = {path: text for path, text in rest.items() if path not in reaching}
    return frozenset(path for path in entries if path in dirty or path in own)


def needed(
    place: ReachPlace, entries: Iterable[str], files: Mapping[str, GitEntry], specs: Mapping[str, str]
) -> set[str]:
    """The files that compiling the entry files may read."""
    own = {path for path in files if path.startswith(place.folder)}
    if _has_links(files, place):
        return own
    read: set[str] = set()
    todo = {path for path in entries if path in files} | {f"{place.folder}{PROJECT_FILE}"}
    everything = own | {above for path in own for above in _folders(path, place.folder)}
    named: set[str] = set()
    while todo:
        path = todo.pop()
        read.add(path)
        text = specs.get(path, "")
        if is_open(text, path):
            return own
        mentioned = named_in(text, path, everything)
        named |= mentioned
        todo |= {file for file in mentioned if file in specs} - read
    step_code = tuple(root for root in place.steps if root != place.folder)
    return {
        path
        for path in own
        if path in read
        or path.startswith(step_code)
        or (path.endswith(".py") and place.folder in place.steps)
        or not is_plain(path)
        or path in named
        or any(above in named for above in _folders(path, place.folder))
    }


def changed_modules(
    place: ReachPlace, changed: Collection[str], files: Mapping[str, GitEntry], code: Mapping[str, bytes]
) -> frozenset[str]:
    """The dotted names of the modules that a change can reach: the changed modules, and those that import them."""
    known = {name: path for path in code for name in _modules(place, path)}
    reached_modules: set[str] = set()
    reads_files = any(b"__file__" in text or RESOURCES.search(text) for text in code.values())
    for path in changed:
        if path.endswith(".py"):
            for name in _modules(place, path):
                # A new or removed module may change the packages around it.
                reached_modules |= {name} if path in files and path in code else set(_with_parents(name))
        reached_modules |= {
            name
            for name in _packages_above(place, path)
            if (reads_files and not path.endswith(".py"))
            or b"__data_files__" in code.get(known.get(name, ""), b"")
        }
    if not reached_modules:
        return frozenset()
    imports: dict[str, frozenset[str]] = {}
    new = set(reached_modules)
    while new:
        words = re.compile(
            rb"\b(?:%s)\b" % b"|".join(sorted({name.rpartition(".")[2].encode() for name in new}))
        )
        more: set[str] = set()
        for name, path in known.items():
            if name in reached_modules:
                continue
            if any(parent in new for parent in _with_parents(name)):
                more.add(name)
            elif words.search(code[path]):
                if name not in imports:
                    imports[name] = imported_by(name, path, code[path])
                if "*" in imports[name] or imports[name] & new:
                    more.add(name)
        new = more
        reached_modules |= more
    return frozenset(reached_modules)


def imported_by(name: str, path: str, content: bytes) -> frozenset[str]:
    """The dotted names that a module may import, with the packages around them; `*` if that is not known."""
    if weight(content) > MAX_WEIGHT:
        return frozenset("*")
    try:
        every = every_import(ast.parse(content), content, name, path.endswith("/__init__.py"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset("*")
    names = {imported.module for imported in every} | {
        f"{imported.module}.{part}" for imported in every for part, _ in imported.names
    }
    return frozenset(parent for one in names for parent in _with_parents(one))


def _has_links(files: Mapping[str, GitEntry], place: ReachPlace) -> bool:
    """Whether the project holds links, so that a changed file may be read under another name."""
    return any(entry.mode == LINK and path.startswith(place.folder) for path, entry in files.items())


def _folders(path: str, below: str) -> Iterator[str]:
    while "/" in path[len(below) :]:
        path = path.rpartition("/")[0]
        yield path


def _modules(place: ReachPlace, path: str) -> Iterator[str]:
    """The dotted names of a Python file in the steps roots."""
    for root in place.steps:
        if path.startswith(root) and path.endswith(".py"):
            yield path[len(root) : -len(".py")].removesuffix("/__init__").replace("/", ".")


def _packages_above(place: ReachPlace, path: str) -> Iterator[str]:
    for root in place.steps:
        if path.startswith(root):
            yield from _with_parents(path[len(root) :].rpartition("/")[0].replace("/", "."))


def _with_parents(name: str) -> tuple[str, ...]:
    parts = name.split(".")
    return tuple(".".join(parts[: count + 1]) for count in range(len(parts)))
