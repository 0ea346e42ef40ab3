"""Refuses statements that change rows of dynamic tables, or read one that was never refreshed."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, already_exists_as, wrong_kind
from sfml_local.core.names import ObjectName
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.core.temporaries import full_name, target_of
from sfml_local.services.dynamic_tables.tables import DynamicTables

_WORDS: dict[type[Expr], str] = {
    exp.Insert: "INSERT",
    exp.Update: "UPDATE",
    exp.Delete: "DELETE",
    exp.Merge: "MERGE",
    exp.TruncateTable: "TRUNCATE",
}


def guarded(tree: Expr, rewriting: Rewriting) -> Expr:
    """The unchanged tree; raises SqlError for statements that an account refuses."""
    kept = rewriting.account.part(DynamicTables)
    tables = kept.tables
    if not tables or kept.is_writing:
        return tree
    session = rewriting.session
    target = target_of(tree)
    name = full_name(target, session)
    if type(tree) in _WORDS and name in tables and name not in session.temporaries:
        raise SqlError(
            f"SQL compilation error:\n{_WORDS[type(tree)]} is not supported on dynamic table '{name}'.",
            2719,
            "42601",
        )
    if name in tables and name not in session.temporaries and isinstance(tree, exp.Create | exp.Alter):
        _refuse_definition(tree, str(name))
    if isinstance(tree, exp.Drop) and (dropped := _dropped(tree, rewriting)) in tables:
        return _instead_of_drop(tree, str(dropped.name if dropped else ""))
    empty = {one.name for one in tables.values() if one.data_timestamp is None}
    if empty and not isinstance(tree, exp.Drop | exp.Alter | exp.Describe):
        for table in (one for one in tree.find_all(exp.Table) if one is not target):
            read = full_name(table, session)
            if read in empty and read not in session.temporaries:
                raise not_initialized(str(read))
    return tree


def _refuse_definition(tree: exp.Create | exp.Alter, name: str) -> None:
    """CREATE and ALTER of a table or view of this name."""
    if isinstance(tree, exp.Alter):
        actions = tree.args.get("actions") or ()
        if str(tree.args.get("kind")).upper() == "TABLE" and all(
            isinstance(action, exp.AlterRename) for action in actions
        ):
            return
        raise wrong_kind("DYNAMIC_TABLE", str(tree.args.get("kind")).upper())
    if str(tree.kind).upper() in ("TABLE", "VIEW") and not tree.args.get("exists"):
        raise already_exists_as(name, "DYNAMIC_TABLE")


def _dropped(tree: exp.Drop, rewriting: Rewriting) -> ObjectName | None:
    kind = str(tree.args.get("kind")).upper()
    target = next(tree.find_all(exp.Table), None) if kind in ("TABLE", "VIEW") else None
    name = full_name(target, rewriting.session)
    return None if name in rewriting.session.temporaries else name


def _instead_of_drop(tree: exp.Drop, name: str) -> Expr:
    """DROP TABLE IF EXISTS silently ignores a dynamic table, as is reported of accounts."""
    if not tree.args.get("exists") or str(tree.args.get("kind")).upper() != "TABLE":
        raise wrong_kind("DYNAMIC_TABLE", str(tree.args.get("kind")).upper())
    sentence = f"Drop statement executed successfully ({name} already dropped)."
    return exp.select(exp.alias_(exp.Literal.string(sentence), "status", quoted=True))


def not_initialized(name: str) -> SqlError:
    return SqlError(
        f"SQL compilation error:\nDynamic Table '{name}' is not initialized. Please run a manual refresh or wait"
        " for a scheduled refresh before querying.",
        2720,
        "55000",
    )


def renamed(rewriting: Rewriting, tree: Expr, kind: str, name: ObjectName) -> None:
    """Follow ALTER TABLE … RENAME TO of a dynamic table, which accounts take, too."""
    kept = rewriting.account.part(DynamicTables)
    table = kept.tables.get(name)
    if table is None or kept.is_writing or not isinstance(tree, exp.Alter):
        return
    for action in tree.args.get("actions") or ():
        if isinstance(action, exp.AlterRename) and isinstance(action.this, exp.Table):
            kept.save(replace(table, name=name.sibling(dotted(action.this.this))), "RENAME")
