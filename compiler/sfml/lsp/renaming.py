"""Renaming tasks, config keys, variables, targets and parameters, in every file of the project at once.

The texts that a rename would leave are read first: it is refused where it would bring in an error.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from lsprotocol import types

from sfml.base.record import record
from sfml.catalog import StepCatalog
from sfml.frontend.reading import read
from sfml.lsp.cursor import Cursor
from sfml.lsp.index import RENAMED, Symbol, occurrences
from sfml.lsp.names import Form, Name
from sfml.lsp.navigation import symbol_at
from sfml.lsp.project import ProjectState
from sfml.spec.compose import compose
from sfml.spec.documents import Documents
from sfml.spec.nodes import ListNode, ScalarNode, map_of

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class CannotRename(Exception):
    """The reason, for the user, why a rename is refused."""


@record
class Change:
    """A stretch of a file, as offsets, and the text that takes its place."""

    file: str
    start: int
    end: int
    text: str


def renameable(cursor: Cursor) -> tuple[Name, Symbol] | None:
    """The name under the cursor, if it can be renamed."""
    named_symbol = symbol_at(cursor)
    return (
        (named_symbol[1], named_symbol[2])
        if named_symbol is not None and named_symbol[2].kind in RENAMED
        else None
    )


def rename(cursor: Cursor, new: str) -> types.WorkspaceEdit | None:
    """The edits that give the name under the cursor another one; None where nothing is to be renamed there.

    Raises `CannotRename`.
    """
    named_symbol = renameable(cursor)
    if named_symbol is None:
        return None
    name, symbol = named_symbol
    wanted = _whole(name, symbol, new)
    if wanted == symbol.name:
        return types.WorkspaceEdit(changes={})
    if not _NAME.match(wanted):
        raise CannotRename(
            f"`{wanted}` is not a name: begin with a letter or `_`; use letters, digits and `_`"
        )
    changes = _changes(cursor.project, symbol, wanted)
    _refuse_what_breaks(cursor.project, symbol, wanted, changes)
    edits: dict[str, list[types.TextEdit]] = defaultdict(list)
    for change in changes:
        path = cursor.project.root / change.file
        text = cursor.session.text_map(path)
        if text is not None:
            edits[cursor.session.uri_of(path)].append(
                types.TextEdit(text.range_of(change.start, change.end), change.text)
            )
    return types.WorkspaceEdit(changes=dict(edits))


def _whole(name: Name, symbol: Symbol, new: str) -> str:
    """The new name of what is defined, where the one under the cursor has a prefix or suffix of its own."""
    before, after = _around(name.name, symbol.name)
    if (
        (before or after)
        and new.startswith(before)
        and new.endswith(after)
        and len(new) > len(before + after)
    ):
        return new[len(before) : len(new) - len(after)]
    return new


def _around(written: str, defined: str) -> tuple[str, str]:
    """What stands before and after the defined name in a written one: a prefix of an include, a member's suffix."""
    at = written.lower().find(defined.lower())
    return ("", "") if at < 0 else (written[:at], written[at + len(defined) :])


def _changes(project: ProjectState, symbol: Symbol, new: str) -> tuple[Change, ...]:
    changes: dict[tuple[str, int], Change] = {}
    lists: set[tuple[str, tuple[object, ...]]] = set()
    for occurrence in occurrences(project, symbol):
        if occurrence.form is Form.ARM:
            keys = occurrence.keys if not isinstance(occurrence.keys[-1], int) else occurrence.keys[:-1]
            if (occurrence.file, keys) not in lists:
                lists.add((occurrence.file, keys))
                change = _arms(project, occurrence, keys, symbol, new)
                changes[change.file, change.start] = change
            continue
        before, after = _around(occurrence.name, symbol.name)
        text = new.upper() if occurrence.form is Form.SNOWFLAKE else new
        start, end = occurrence.start + len(before), occurrence.end - len(after)
        changes[occurrence.file, start] = Change(occurrence.file, start, end, text)
    return tuple(changes.values())


def _arms(project: ProjectState, name: Name, keys: tuple[object, ...], symbol: Symbol, new: str) -> Change:
    """The list form of `outcomes` as a mapping: the step returns what it returned, and the task has its new name."""
    text = project.text(name.file) or ""
    places = project.map(name.file, text)
    node: object = compose(text, name.file)[0]
    for key in keys:
        node = map_of(node).get(str(key)) if map_of(node) else None  # type: ignore[arg-type,union-attr]
    items = node.items if isinstance(node, ListNode) else (node,)
    pairs = []
    for item in items:
        assert isinstance(item, ScalarNode)
        word = str(item.value)
        before, after = _around(word, symbol.name)
        is_it = places.offset_of(item.span.start) <= name.start <= places.offset_of(item.span.end)
        pairs.append((word, f"{before}{new}{after}" if is_it else word))
    assert isinstance(node, (ListNode, ScalarNode))
    start, end = places.offset_of(node.span.start), places.offset_of(node.span.end)
    if text[start : start + 1] == "[" or isinstance(node, ScalarNode):
        return Change(name.file, start, end, "{" + ", ".join(f"{old}: {word}" for old, word in pairs) + "}")
    indent = " " * (node.span.start.column - 1)
    lines = f"\n{indent}".join(f"{old}: {word}" for old, word in pairs)
    return Change(name.file, start, end, lines)


def _refuse_what_breaks(project: ProjectState, symbol: Symbol, new: str, changes: tuple[Change, ...]) -> None:
    """Read every pipeline that has a changed file, as it would be, and refuse a rename that brings in an error."""
    files = {change.file for change in changes}
    texts: dict[Path, str] = dict(project.documents.given)
    for file in files:
        texts[project.root / file] = applied(project.text(file) or "", [c for c in changes if c.file == file])
    code = {path: text.encode(errors="surrogatepass") for path, text in texts.items() if path.suffix == ".py"}
    after = Documents(texts)

    def catalog(root: Path, folders: tuple[str, ...]) -> StepCatalog:
        return StepCatalog(root, folders, code)

    for pipeline in project.pipelines.values():
        if not pipeline.files() & files:
            continue
        for target in pipeline.targets:
            before = project.current(pipeline, target)
            then = read(pipeline.path, target=target, cwd=project.root, documents=after, find_catalog=catalog)
            known = {
                _unnamed(diagnostic.message, symbol.name, new)
                for diagnostic in before.diagnostics
                if diagnostic.is_error
            }
            for finding in then.diagnostics:
                if finding.is_error and _unnamed(finding.message, symbol.name, new) not in known:
                    raise CannotRename(f"`{new}` cannot be its name: {finding.message}")


def _unnamed(message: str, old: str, new: str) -> str:
    return message.replace(new, old)


def applied(text: str, changes: list[Change]) -> str:
    """The text with the changes made."""
    for one in sorted(changes, key=lambda change: change.start, reverse=True):
        text = text[: one.start] + one.text + text[one.end :]
    return text
