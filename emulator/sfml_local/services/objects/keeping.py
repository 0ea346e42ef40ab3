"""Updates the record of a table, view or sequence after statements about it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from sfml_local.core import table_notes
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.rewriting import Rewriting, dotted
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
            forget(account, name)
            _create(rewriting, tree, kind, name)
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


def _create(rewriting: Rewriting, tree: exp.Create, kind: str, name: ObjectName) -> None:
    account = rewriting.account
    declared = rewriting.note(Declarations).found or Declared()
    source = _source(rewriting, tree)
    keys = source.keys if source is not None else tuple(declared.keys)
    details = {**_copied(source), **declared.details}
    written = (rewriting.written or "").strip()
    records.save(
        account,
        Record(name, kind, account.clock(), rewriting.session.role, written, details, tuple(keys)),
    )
    if source is not None and not rewriting.comments.get(None):
        comment = table_notes.comments(account.engine).get(source.name)
        if comment:
            table_notes.set_comment(account.engine, name, comment)
    for column, values in declared.tags.items():
        tagging.assign(account, "TABLE", name.fqn(), values, column or "")


def _source(rewriting: Rewriting, tree: exp.Create) -> Record | None:
    """The table that CLONE or LIKE copies, with its keys."""
    source = tree.args.get("clone") or next(iter(tree.find_all(exp.LikeProperty)), None)
    table = source.this if source is not None else None
    if not isinstance(table, exp.Table):
        return None
    full = resolve(".".join(part.sql(dialect="snowflake") for part in table.parts), rewriting.session)
    return records.find(rewriting.account, full)


def _copied(source: Record | None) -> dict[str, object]:
    """The properties that a copy takes over from its table."""
    if source is None:
        return {}
    return {
        key: value for key, value in source.details.items() if key not in ("TRANSIENT", "CHANGE_TRACKING")
    }


def forget(account: Account, name: ObjectName) -> None:
    records.forget(account, name)
    tags.forget(account, "TABLE", name.fqn())


def rename(account: Account, name: ObjectName, new: ObjectName) -> None:
    records.move(account, name, new)
    tags.move(account, "TABLE", name.fqn(), new.fqn())


def change(account: Account, record: Record, **details: object) -> None:
    """Set a table's properties; None removes one."""
    kept = {key: value for key, value in {**record.details, **details}.items() if value is not None}
    records.save(account, replace(record, details=kept))
