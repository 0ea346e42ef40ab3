"""Updates the record of a table, view or sequence after statements about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from sfml_local.core import copied_tables, table_notes
from sfml_local.core.bindings import copies
from sfml_local.core.names import ObjectName
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.services.access import store as access
from sfml_local.services.objects import store as records
from sfml_local.services.objects.declared import Declarations, Declared
from sfml_local.services.objects.store import Record
from sfml_local.services.tags import store as tags
from sfml_local.services.tags import tagging

if TYPE_CHECKING:
    from sfml_local.core.account import Account


def note(rewriting: Rewriting, tree: Expr, kind: str, name: ObjectName) -> None:
    """Update records after a CREATE, DROP or ALTER."""
    account = rewriting.account
    match tree:
        case exp.Create():
            source = _source(rewriting, tree)
            replaced = _copied_tags(rewriting, name)
            forget(account, name, grants=not copies(rewriting.written or "", "GRANTS"))
            _create(rewriting, tree, kind, name, source)
            _assign(account, name, replaced)
        case exp.Drop():
            forget(account, name)
        case exp.Alter():
            for action in tree.args.get("actions") or ():
                if isinstance(action, exp.AlterRename) and isinstance(action.this, exp.Table):
                    rename(account, name, name.sibling(dotted(action.this.this)))
            if (declared := rewriting.note(Declarations).found) is not None:
                _add_columns(rewriting, name, declared)


def _add_columns(rewriting: Rewriting, name: ObjectName, declared: Declared) -> None:
    """Keys and tags of columns that ALTER TABLE added."""
    account = rewriting.account
    if declared.keys:
        known = records.find(account, name)
        record = known or Record(name, "TABLE", account.clock(), rewriting.session.role)
        records.save(account, replace(record, keys=(*record.keys, *declared.keys)))
    for column, values in declared.tags.items():
        tagging.assign(account, "TABLE", name.fqn(), values, column or "")


Tags = Mapping[str, Mapping[ObjectName, str]]
"""The tags of a table, under "", and of its columns, under their names."""


@dataclass(frozen=True, slots=True)
class Source:
    """What CLONE or LIKE copies of a table beside its columns."""

    record: Record | None
    comment: str
    tags: Tags


def _create(
    rewriting: Rewriting, tree: exp.Create, kind: str, name: ObjectName, source: Source | None
) -> None:
    account = rewriting.account
    declared = rewriting.note(Declarations).found or Declared()
    record = None if source is None else source.record
    keys = record.keys if record is not None else tuple(declared.keys)
    details = {**_copied(record), **declared.details}
    written = (rewriting.written or "").strip()
    records.save(
        account,
        Record(name, kind, account.clock(), rewriting.session.role, written, details, tuple(keys)),
    )
    if source is not None and source.comment and not rewriting.comments.get(None):
        table_notes.set_comment(account.engine, name, source.comment)
    _assign(account, name, source.tags if source is not None else {})
    _assign(account, name, {column or "": values for column, values in declared.tags.items()})


def _assign(account: Account, name: ObjectName, tags: Tags) -> None:
    for column, values in tags.items():
        tagging.assign(account, "TABLE", name.fqn(), values, column)


def _copied_tags(rewriting: Rewriting, name: ObjectName) -> Tags:
    """The tags of a replaced table that COPY TAGS keeps; they go before those of a copied one.

    https://docs.snowflake.com/en/release-notes/2026/other/2026-04-02-create-table-copy-tags-ga
    """
    if not copies(rewriting.written or "", "TAGS"):
        return {}
    return tags.assigned_to_parts(rewriting.account, "TABLE", name.fqn())


def _source(rewriting: Rewriting, tree: exp.Create) -> Source | None:
    """What the table that CLONE or LIKE copies has, read before it is perhaps replaced by its copy."""
    account = rewriting.account
    name = copied_tables.source_name(tree, rewriting.session)
    if name is None:
        return None
    return Source(
        records.find(account, name),
        table_notes.comments(account.engine).get(name, ""),
        tags.assigned_to_parts(account, "TABLE", name.fqn()),
    )


def _copied(source: Record | None) -> dict[str, object]:
    """The properties that a copy takes over from its table."""
    if source is None:
        return {}
    return {
        key: value for key, value in source.details.items() if key not in ("TRANSIENT", "CHANGE_TRACKING")
    }


def forget(account: Account, name: ObjectName, *, grants: bool = True) -> None:
    """Remove what is known of a table or view that goes, or is replaced, with the grants on it if these go too."""
    records.forget(account, name)
    tags.forget(account, "TABLE", name.fqn())
    if grants:
        access.forget_grants_on(account, GRANTED_ON, name.fqn())


GRANTED_ON = ("TABLE", "VIEW", "DYNAMIC_TABLE", "SEQUENCE")


def rename(account: Account, name: ObjectName, new: ObjectName) -> None:
    records.move(account, name, new)
    access.move_grants_on(account, GRANTED_ON, name.fqn(), new.fqn())
    tags.move(account, "TABLE", name.fqn(), new.fqn())


def change(account: Account, record: Record, **details: object) -> None:
    """Set a table's properties; None removes one."""
    kept = {key: value for key, value in {**record.details, **details}.items() if value is not None}
    records.save(account, replace(record, details=kept))
