"""A session's temporary tables, which live in DuckDB's temporary catalog under their full names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import Expr, exp

from sfml_local.core import scoped_tables
from sfml_local.core.errors import SqlError, name_is_taken, not_emulated
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.grammar.tokens import Name, SqlSyntaxError, parse_name

if TYPE_CHECKING:
    from sfml_local.core.session import Session


def temporary_tables(tree: Expr, rewriting: Rewriting) -> Expr:
    """A session's temporary tables, which live in DuckDB's temporary catalog under their full names."""
    session = rewriting.session
    target = created_temporary(tree)
    known = session.temporaries | scoped_tables.lent(session)
    if target is not None:
        name = _name_of(target, session)
        target.set("this", exp.to_identifier(name.fqn(), quoted=True))
        target.set("db", None)
        target.set("catalog", None)
    if not known:
        return tree
    common = {cte.alias_or_name.upper() for cte in tree.find_all(exp.CTE)}
    skipped = target or (_target(tree) if isinstance(tree, exp.Create) else None)
    for table in list(tree.find_all(exp.Table)):
        if table is skipped or not isinstance(table.this, exp.Identifier):
            continue
        if not table.args.get("db") and table.name.upper() in common:
            continue
        try:
            name = _name_of(table, session)
        except SqlError:
            continue
        if name in known:
            scoped_tables.borrow(session, name)
            if isinstance(table.parent, _READING) and not table.alias:
                table.set("alias", exp.TableAlias(this=table.this.copy()))
            table.set("this", exp.to_identifier(name.fqn(), quoted=True))
            table.set("db", exp.to_identifier("main", quoted=True))
            table.set("catalog", exp.to_identifier("temp", quoted=True))
    return tree


@looks_for(exp.Alter)
def renames(tree: Expr, rewriting: Rewriting) -> Expr:
    """`ALTER TABLE a.b.c RENAME TO a.b.d`: DuckDB accepts only an unqualified new name."""
    if not isinstance(tree, exp.Alter) or not isinstance(tree.this, exp.Table):
        return tree
    for action in tree.args.get("actions") or ():
        if isinstance(action, exp.AlterRename) and isinstance(action.this, exp.Table):
            old = _name_of(tree.this, rewriting.session)
            new = _name_of(action.this, rewriting.session)
            if (old.database, old.schema) != (new.database, new.schema):
                raise not_emulated("ALTER TABLE … RENAME TO a name in another schema")
            temporary = old in rewriting.session.temporaries
            if temporary and new in rewriting.session.temporaries and new != old:
                raise name_is_taken(new)
            if temporary:
                rewriting.session.temporaries.discard(old)
                rewriting.session.temporaries.add(new)
                # The table itself still has its old name.
                tree.this.set("this", exp.to_identifier(old.fqn(), quoted=True))
                tree.this.set("db", exp.to_identifier("main", quoted=True))
                tree.this.set("catalog", exp.to_identifier("temp", quoted=True))
            written = new.fqn() if temporary else new.name
            action.set("this", exp.Table(this=exp.to_identifier(written, quoted=True)))
    return tree


def _target(tree: exp.Create) -> exp.Table | None:
    this = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    return this if isinstance(this, exp.Table) else None


def created_temporary(tree: Expr) -> exp.Table | None:
    """The table that this statement creates as a temporary one."""
    if not isinstance(tree, exp.Create) or tree.kind not in {"TABLE", "VIEW"}:
        return None
    properties = tree.args.get("properties")
    if properties is None or properties.find(exp.TemporaryProperty) is None:
        return None
    return _target(tree)


def full_name(table: Expr | None, session: Session, *, temporary: bool = False) -> ObjectName | None:
    """The full name of a table in a rewritten statement; a temporary table has the full name as its name."""
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        return None
    try:
        if temporary or table.catalog == "temp":
            return ObjectName(*parse_name(table.name).parts)
        return _name_of(table, session)
    except (SqlError, SqlSyntaxError, TypeError):
        return None


def _name_of(table: exp.Table, session: Session) -> ObjectName:
    return resolve(Name(tuple(dotted(part) for part in table.parts)), session)


_READING = (exp.From, exp.Join, exp.Merge, exp.Update, exp.Delete)
"""Statements and clauses whose other parts may qualify columns with a table's name."""

_DML = (exp.Insert, exp.Update, exp.Delete, exp.Merge)


def target_of(tree: Expr) -> exp.Table | None:
    """The table that a statement fills, changes or creates."""
    if isinstance(tree, exp.TruncateTable):
        found: Any = tree.expressions[0] if tree.expressions else None
    elif isinstance(tree, (*_DML, exp.Create, exp.Alter)):
        found = tree.this
    else:
        return None
    found = found.this if isinstance(found, exp.Schema) else found
    return found if isinstance(found, exp.Table) else None
