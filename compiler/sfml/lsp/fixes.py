"""Quick fixes: those that `sfml validate --fix` makes, one by one or all of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lsprotocol import types

from sfml.base.diagnostic import Fix
from sfml.base.fixes import fixed
from sfml.lsp.cursor import Cursor
from sfml.lsp.findings import FileFinding, diagnostic

ALL = "source.fixAll.sfml"


def actions(cursor: Cursor, params: types.CodeActionParams) -> list[types.CodeAction]:
    """The fixes of findings in the range, and the one that makes all of the file."""
    only = params.context.only
    result: list[types.CodeAction] = []
    fixes = [(one, one.finding.fix) for one in cursor.session.found.get(cursor.path, ()) if one.finding.fix]
    fixes = [(one, fix) for one, fix in fixes if fix is not None and fix.span.file == cursor.file]
    if _wants(only, types.CodeActionKind.QuickFix.value):
        result += _quick(cursor, params.range, fixes)
    known_fixes = [fix for _, fix in fixes if fix is not None]
    wants_all = only is not None and _wants(only, ALL)
    if known_fixes and (wants_all or (only is None and len(known_fixes) > 1)):
        edit = _edit(cursor, known_fixes)
        if edit is not None:
            title = f"Make all {len(known_fixes)} safe fixes of sfml"
            result.append(types.CodeAction(title, kind=ALL, edit=edit))
    return result


def _wants(only: Iterable[object] | None, kind: str) -> bool:
    if only is None:
        return True
    names = [str(getattr(one, "value", one)) for one in only]
    return any(kind == name or kind.startswith(f"{name}.") for name in names)


def _quick(
    cursor: Cursor, at: types.Range, fixes: Iterable[tuple[FileFinding, Fix | None]]
) -> Iterator[types.CodeAction]:
    begin, end = cursor.places.offset(at.start), cursor.places.offset(at.end)
    for one, fix in fixes:
        places = [one.span, *((fix.span,) if fix is not None else ())]
        near = any(
            cursor.places.offset_of(span.start) <= end and begin <= cursor.places.offset_of(span.end)
            for span in places
        )
        edit = _edit(cursor, [fix]) if fix is not None and near else None
        if edit is None or fix is None:
            continue
        yield types.CodeAction(
            title=_title(fix),
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[diagnostic(one, cursor.places, None)],
            is_preferred=True,
            edit=edit,
        )


def _title(fix: Fix) -> str:
    old, new = (" ".join(text.split()) for text in (fix.old, fix.new))
    return f"Replace `{old}` by `{new}`" if new else f"Remove `{old[:60]}`"


def _edit(cursor: Cursor, fixes: list[Fix]) -> types.WorkspaceEdit | None:
    """The edits of those fixes that fit the text as it is now; None if none does."""
    _, made_fixes = fixed(cursor.text, fixes)
    edits = [types.TextEdit(cursor.places.range(fix.span), fix.new) for fix in made_fixes]
    return types.WorkspaceEdit(changes={cursor.session.uri_of(cursor.path): edits}) if edits else None
