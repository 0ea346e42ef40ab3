"""Remembers what DuckDB does not of the columns of tables and views: ARRAY and OBJECT beside VARIANT, and more.

All three are JSON in DuckDB, but clients expect the declared type; so they do the lengths of texts, and which columns
have no NULL. What is declared is stored in the metadata, and what a query's columns are follows from it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from sfml_local.core.names import ObjectName
from sfml_local.core.result import ColumnFacts, Types
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.core.temporaries import created_temporary, full_name
from sfml_local.services.variants import query_columns, store
from sfml_local.services.variants.query_columns import Columns, Scope

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


class TemporaryTypes:
    """What is known of the columns of a session's temporary tables."""

    def __init__(self, session: Session) -> None:
        self.by_table: dict[ObjectName, Types] = {}
        self.views: set[ObjectName] = set()


# -- what is remembered


def types_of(account: Account, session: Session, name: ObjectName) -> Types:
    """What is known of the columns of a table or view."""
    if name in session.temporaries:
        return session.part(TemporaryTypes).by_table.get(name, {})
    return store.types_of(account, name)


def _held_types(account: Account, session: Session, name: ObjectName) -> Types:
    """What is known of a table; nothing of a view, whose tables may have other columns since it was created."""
    if name in session.temporaries:
        return {} if name in session.part(TemporaryTypes).views else types_of(account, session, name)
    return store.types_of(account, name, of_table=True)


def kinds_of(account: Account, session: Session, name: ObjectName) -> dict[str, str]:
    """The columns of a table or view whose types DuckDB does not tell apart, with their types."""
    types = types_of(account, session, name)
    return {column: facts.kind for column, facts in types.items() if facts.kind is not None}


def _remember(
    account: Account,
    session: Session,
    name: ObjectName,
    types: Types,
    *,
    temporary: bool = False,
    is_view: bool = False,
) -> None:
    if temporary or name in session.temporaries:
        own = session.part(TemporaryTypes)
        own.by_table[name] = types
        own.views.discard(name)
        own.views.update([name] if is_view else [])
        return
    store.save(account, name, types, is_view=is_view)


@contextlib.contextmanager
def remembering(tree: Expr, rewriting: Rewriting) -> Iterator[None]:
    """Around DDL: records columns that it declares, adds, renames, drops or copies from a query or another table."""
    account, session = rewriting.account, rewriting.session
    if isinstance(tree, exp.Create) and tree.kind in ("TABLE", "VIEW"):
        target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        temporary = created_temporary(tree) is not None
        name, types = full_name(target, session, temporary=temporary), _created(tree, rewriting)
        kept = tree.args.get("exists") and name is not None and account.engine.columns(session, name)
        yield
        if name is not None and not kept:
            _remember(account, session, name, types, temporary=temporary, is_view=tree.kind == "VIEW")
    elif isinstance(tree, exp.Alter) and isinstance(tree.this, exp.Table):
        name, temporary = full_name(tree.this, session), tree.this.catalog == "temp"
        actions = [action.copy() for action in tree.args.get("actions") or ()]
        added = (action for action in actions if isinstance(action, exp.ColumnDef))
        rewriting.lengths = _lengths({dotted(column.this): _of_definition(column) for column in added})
        yield
        for action in actions:
            if name is not None:
                _altered(account, session, name, action, temporary=temporary)
    elif isinstance(tree, exp.Drop) and tree.kind in ("TABLE", "VIEW") and isinstance(tree.this, exp.Table):
        name, temporary = full_name(tree.this, session), tree.this.catalog == "temp"
        yield
        if name is not None:
            _remember(account, session, name, {}, temporary=temporary)
    else:
        yield


def _altered(account: Account, session: Session, name: ObjectName, action: Expr, *, temporary: bool) -> None:
    own = session.part(TemporaryTypes).by_table
    types = dict(own.get(name, {}) if temporary else types_of(account, session, name))
    if isinstance(action, exp.AlterRename) and isinstance(action.this, exp.Table):
        other = full_name(action.this, session, temporary=temporary) or name
        if not action.this.db and not temporary:
            other = name.sibling(other.name)
        _remember(account, session, other, types)
        return _remember(account, session, name, {})
    if isinstance(action, exp.ColumnDef):
        types[dotted(action.this)] = _of_definition(action)
    elif isinstance(action, exp.AlterColumn):
        column = dotted(action.this)
        types[column] = _of_alteration(action, types.get(column, ColumnFacts()))
    else:
        return None
    return _remember(account, session, name, types)


def _of_definition(column: exp.ColumnDef) -> ColumnFacts:
    kinds = (one.args.get("kind") for one in column.args.get("constraints") or ())
    is_required = any(
        isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null") for kind in kinds
    )
    return query_columns.declared(column.args.get("kind"))._replace(is_required=is_required)


def _of_alteration(action: exp.AlterColumn, facts: ColumnFacts) -> ColumnFacts:
    if (can_be_null := action.args.get("allow_null")) is not None:
        facts = facts._replace(is_required=not can_be_null)
    if (dtype := action.args.get("dtype")) is not None:
        facts = facts._replace(length=query_columns.declared(dtype).length)
    return facts


def drop_column(account: Account, session: Session, table: ObjectName, column: str) -> None:
    """Remove the type of a dropped column."""
    types = {name: type_ for name, type_ in types_of(account, session, table).items() if name != column}
    _remember(account, session, table, types)


def rename_column(account: Account, session: Session, table: ObjectName, column: str, new: str) -> None:
    """Move the type of a column to its new name."""
    types = types_of(account, session, table)
    _remember(
        account, session, table, {new if name == column else name: type_ for name, type_ in types.items()}
    )


# -- what follows from it


def result_types(tree: Expr, rewriting: Rewriting) -> Expr:
    """Determine what DuckDB will not tell of the columns of a query, before other rewrites."""
    if isinstance(tree, exp.Query):
        rewriting.facts = _of_query(tree, rewriting, is_folded=True).types
    elif isinstance(tree, exp.Insert) and isinstance(tree.expression, exp.Query):
        lookup = partial(_held_types, rewriting.account, rewriting.session)
        held = query_columns.of_query(tree.expression, Scope(rewriting, lookup, False, {}))
        rewriting.lengths = _lengths(held.types)
    return tree


def _of_query(query: Expr, rewriting: Rewriting, *, is_folded: bool) -> Columns:
    account, session = rewriting.account, rewriting.session
    lookup = partial(types_of, account, session)
    return query_columns.of_query(query, Scope(rewriting, lookup, is_folded, rewriting.relations))


def _created(tree: exp.Create, rewriting: Rewriting) -> Types:
    account, session = rewriting.account, rewriting.session
    source = tree.args.get("clone")
    if source is None and (properties := tree.args.get("properties")) is not None:
        source = properties.find(exp.LikeProperty)
    if source is not None:
        name = full_name(source.this, session)
        return {} if name is None else types_of(account, session, name)
    types = _of_source(tree, rewriting)
    if isinstance(tree.this, exp.Schema):
        for column in tree.this.expressions:
            if isinstance(column, exp.ColumnDef) and column.args.get("kind") is not None:
                types[dotted(column.this)] = _of_definition(column)
    rewriting.lengths = _lengths(types)
    return types


def _lengths(types: Types) -> dict[str, int]:
    """The lengths of texts and bytes, and the places of times."""
    sizes = {name: facts.length or facts.places for name, facts in types.items()}
    return {name: size for name, size in sizes.items() if size is not None}


def _of_source(tree: exp.Create, rewriting: Rewriting) -> dict[str, ColumnFacts]:
    """What a query tells of the columns that are created of it; that they may have NULLs is the safe reading."""
    if not isinstance(tree.expression, exp.Query):
        return {}
    types, names = _of_query(tree.expression, rewriting, is_folded=False)
    if isinstance(tree.this, exp.Schema) and tree.this.expressions:
        given = [dotted(one.this if isinstance(one, exp.ColumnDef) else one) for one in tree.this.expressions]
        pairs = zip(given, names or (), strict=False)
        types = {new: types[old] for new, old in pairs if old in types}
    return {name: ColumnFacts(facts.kind, facts.length) for name, facts in types.items()}
