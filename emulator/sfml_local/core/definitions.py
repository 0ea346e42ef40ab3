"""CREATE, ALTER and DROP of tables, views and sequences: checked first, then applied completely or not at all.

One statement of Snowflake may become several of DuckDB; they form one transaction. The data about a table that is
stored elsewhere is written once the table exists.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlglot import Expr, exp

from sfml_local.core import copied_tables, fakesnow_port, filled_tables, numbered_columns, table_notes
from sfml_local.core.errors import (
    SqlError,
    already_exists,
    does_not_exist,
    name_is_taken,
    not_emulated,
    wrong_kind,
)
from sfml_local.core.names import ObjectName
from sfml_local.core.naming_locks import NamingLocks
from sfml_local.core.number_types import run_typed
from sfml_local.core.places import demand_schema
from sfml_local.core.result import Result, status
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.core.stored_types import declared_type, snowflake_type
from sfml_local.core.temporaries import created_temporary, full_name, target_of
from sfml_local.core.transactions import commit_before_definition, transaction
from sfml_local.grammar.tokens import Name, parse_name

if TYPE_CHECKING:
    from fakesnow.cursor import FakeSnowflakeCursor

    from sfml_local.core.session import Session

_KINDS = frozenset({"TABLE", "VIEW", "SEQUENCE"})

Defined = Callable[[Rewriting, Expr, str, ObjectName], None]
"""What a service does after a CREATE, ALTER or DROP: (statement, tree, kind, name)."""


def is_definition(tree: Expr) -> bool:
    """Whether a statement creates, changes or drops a table, view or sequence."""
    return (
        isinstance(tree, exp.Create | exp.Drop | exp.Alter) and str(tree.args.get("kind")).upper() in _KINDS
    )


def define(
    rewriting: Rewriting,
    cursor: FakeSnowflakeCursor,
    tree: Expr,
    params: list[Any],
    type_id: int,
    defined: Sequence[Defined] = (),
) -> Result:
    """Execute DDL, then `defined`; raises SqlError, in which case nothing is changed.

    Sessions that define the same object do it one after the other, as on an account: DuckDB would refuse the second.
    """
    fakesnow_port.check_place(cursor, tree)
    target, name = _target(tree, rewriting.session)
    with contextlib.ExitStack() as held:
        for one in _names(tree, name):
            held.enter_context(rewriting.account.part(NamingLocks).holding(one))
        return _define(rewriting, cursor, tree, params, type_id, defined, target, name)


def _demand_table(rewriting: Rewriting, source: ObjectName | None) -> None:
    """Refuse to copy a view as a table."""
    if source is not None and source not in rewriting.session.temporaries:
        kind = rewriting.account.engine.kind_of(rewriting.session, parts_of(source))
        if kind == "VIEW":
            raise wrong_kind(kind, "TABLE")


def _names(tree: Expr, name: ObjectName | None) -> list[ObjectName | None]:
    """The name that a statement is about, and the new one that it gives; in one order for all statements."""
    if name is None:
        return [None]
    return [*sorted({name, *_new_names(tree, name)})]


def _new_names(tree: Expr, name: ObjectName) -> Iterator[ObjectName]:
    for action in (tree.args.get("actions") or ()) if isinstance(tree, exp.Alter) else ():
        if isinstance(action, exp.AlterRename) and isinstance(action.this, exp.Table):
            yield name.sibling(dotted(action.this.this))


def _define(
    rewriting: Rewriting,
    cursor: FakeSnowflakeCursor,
    tree: Expr,
    params: list[Any],
    type_id: int,
    defined: Sequence[Defined],
    target: exp.Table | None,
    name: ObjectName | None,
) -> Result:
    session = rewriting.session
    if name is not None and (isinstance(tree, exp.Create) or not is_temporary(target, tree)):
        demand_schema(rewriting.account, name)
    kind = str(tree.args["kind"]).upper()
    if (done := _checked(rewriting, tree, kind, target, name)) is not None:
        return status(done, type_id)
    commit_before_definition(session)
    _demand_table(rewriting, copied_tables.source_name(tree, session))
    copied = copied_tables.columns_of(rewriting.account.engine, session, tree)
    parts = None if name is None else parts_of(name, temporary=is_temporary(target, tree))
    numbering, unnumbered = numbered_columns.split(copied_tables.as_query(tree), parts)
    statements = fakesnow_port.statements_of(cursor, unnumbered)
    lengths = copied_tables.lengths(copied)
    # A refused statement ends DuckDB's transaction, and sums are tried twice, so open one only where it is needed.
    filled = filled_tables.declared_columns(tree)
    is_several = len(statements) > 1 or copied or numbering or filled
    with transaction(session) if is_several else contextlib.nullcontext():
        for sequence in numbering:
            session.duck.execute(sequence)
        for statement in statements:
            transformed = fakesnow_port.transform(cursor, statement, params)
            notes = {note: transformed.args.pop(note, None) for note in fakesnow_port.NOTES}
            if isinstance(tree, exp.Alter):  # for CREATE, fakesnow takes the length of any cast in a column
                lengths += notes["text_lengths"] or ()
            run_typed(partial(_execute, session, params=params), transformed, session.duck)
        lengths += rewriting.lengths.items()
        if copied and parts is not None:
            is_clone = tree.args.get("clone") is not None
            copied_tables.complete(session, copied, parts, is_clone=is_clone)
        if parts is not None:
            filled_tables.check(session, filled, parts)
    if parts is not None:
        _comment_columns(rewriting, parts)
    if name is not None and is_temporary(target, tree):
        _keep_lengths(session, tree, name, lengths)
    elif name is not None:
        if kind != "SEQUENCE":
            _note(rewriting, tree, name, lengths)
        for note in defined:
            note(rewriting, tree, kind, name)
    return status(_sentence(tree, kind, name), type_id)


def _execute(session: Session, transformed: Expr, params: list[Any]) -> None:
    sql = transformed.sql(dialect="duckdb")
    if not sql:
        raise NotImplementedError(transformed.sql(dialect="snowflake"))
    if seed := transformed.args.get("seed"):
        sql = f"SELECT setseed({seed}); {sql}"
    session.duck.execute(sql, params if params and transformed.find(exp.Placeholder) else None)


def _target(tree: Expr, session: Session) -> tuple[exp.Table | None, ObjectName | None]:
    target = next(iter(tree.find_all(exp.Table)), None) if isinstance(tree, exp.Drop) else target_of(tree)
    temporary = target is not None and is_temporary(target, tree)
    return target, full_name(target, session, temporary=temporary)


def is_temporary(target: exp.Table | None, tree: Expr) -> bool:
    """Whether a rewritten statement is about a session's temporary table."""
    return created_temporary(tree) is not None or (target is not None and target.catalog == "temp")


# -- looking before


def _checked(
    rewriting: Rewriting, tree: Expr, kind: str, target: exp.Table | None, name: ObjectName | None
) -> str | None:
    """The result of a statement that changes nothing, such as DROP … IF EXISTS; raises what an account would refuse."""
    actions = tree.args.get("actions") or () if isinstance(tree, exp.Alter) else ()
    if any(isinstance(action, exp.SwapTable) for action in actions):
        raise not_emulated(tree.sql(dialect="snowflake"))
    if name is None or target is None:
        return None
    if isinstance(tree, exp.Create) and is_temporary(target, tree):
        actual = "TABLE" if name in rewriting.session.temporaries else None
    elif kind == "SEQUENCE":
        actual = kind if rewriting.account.engine.has_sequence(rewriting.session, name) else None
    else:
        actual = rewriting.account.engine.kind_of(
            rewriting.session, parts_of(name, temporary=is_temporary(target, tree))
        )
    exists = bool(tree.args.get("exists"))
    if isinstance(tree, exp.Create):
        if actual is None or tree.args.get("replace"):
            return None
        if exists:
            return f"{name.name} already exists, statement succeeded."
        raise already_exists(_written_name(target, name))
    if actual is None:
        if not exists:
            raise does_not_exist(kind.capitalize(), name)
        is_drop = isinstance(tree, exp.Drop)
        return f"Drop statement executed successfully ({name.name} already dropped)." if is_drop else _DONE
    if actual != kind:
        raise wrong_kind(actual, kind)
    if isinstance(tree, exp.Alter):
        _check_added(rewriting, tree, name)
        _check_altered(rewriting, tree, name)
        _check_types(rewriting, tree, name)
        _check_new_names(rewriting, tree, name, temporary=is_temporary(target, tree))
    return None


def _written_name(target: exp.Table, name: ObjectName) -> Name:
    """A created object's name as it was written; a temporary table has its full name as one part of it."""
    parts = tuple(dotted(part) for part in target.parts)
    return Name(name.parts if parts == (name.fqn(),) else parts)


def _check_new_names(rewriting: Rewriting, tree: exp.Alter, name: ObjectName, *, temporary: bool) -> None:
    """Refuse RENAME TO a name that another table or view has."""
    for new in _new_names(tree, name):
        parts = parts_of(new, temporary=temporary)
        if not temporary and rewriting.account.engine.kind_of(rewriting.session, parts) is not None:
            raise name_is_taken(new)


def _check_added(rewriting: Rewriting, tree: exp.Alter, name: ObjectName) -> None:
    """Refuse ADD COLUMN for an existing column, unless IF NOT EXISTS, before any column is added."""
    added = [action for action in tree.args.get("actions") or () if isinstance(action, exp.ColumnDef)]
    if not added:
        return
    columns = {row[0] for row in rewriting.account.engine.columns(rewriting.session, name)}
    for action in added:
        column = dotted(action.this)
        if column in columns and not action.args.get("exists"):
            raise SqlError(f"SQL compilation error:\ncolumn '{column}' already exists", 1430, "42601")
        columns.add(column)


def _check_altered(rewriting: Rewriting, tree: exp.Alter, name: ObjectName) -> None:
    """Refuse ALTER COLUMN of a column that there is not."""
    altered = [action for action in tree.args.get("actions") or () if isinstance(action, exp.AlterColumn)]
    known = (
        {row[0] for row in rewriting.account.engine.columns(rewriting.session, name)} if altered else set()
    )
    for action in altered:
        if (column := dotted(action.this)) not in known:
            message = f"SQL compilation error: error line 1 at position 0\ninvalid identifier '{column}'"
            raise SqlError(message, 904, "42000")
        default = action.args.get("default")
        if isinstance(default, exp.Expr) and "NEXTVAL" not in default.sql(dialect="snowflake").upper():
            raise SqlError("Unsupported feature 'Alter Column Set Default'.", 2, "0A000")


def _check_types(rewriting: Rewriting, tree: exp.Alter, name: ObjectName) -> None:
    """Refuse SET DATA TYPE to another kind of type, to another scale, and to a shorter text, as accounts do.

    The codes and sentences are recorded: github.com/airbytehq/airbyte/issues/16668, re-data/re-data/issues/324.
    """
    changed = {
        dotted(action.this): action.args["dtype"]
        for action in tree.args.get("actions") or ()
        if isinstance(action, exp.AlterColumn) and isinstance(action.args.get("dtype"), exp.DataType)
    }
    if not changed:
        return
    for column, stored, length, *_ in rewriting.account.engine.columns(rewriting.session, name):
        if column not in changed:
            continue
        old, new = snowflake_type(stored, length), declared_type(changed[column].sql(dialect="duckdb"))
        told = f"SQL compilation error: cannot change column {column} from type {old} to {new}"
        if _kept(old) != _kept(new):
            raise SqlError(told, 2108, "22000")
        if old.startswith("VARCHAR") and _length(new) < _length(old):
            raise SqlError(
                f"{told} because reducing the byte-length of varchar is not supported.", 40050, "22000"
            )


def _kept(shown: str) -> tuple[str, str]:
    """What of a column's type cannot be changed: its kind, and the scale of a number."""
    kind, _, sizes = shown.partition("(")
    return kind, sizes.partition(",")[2] if kind == "NUMBER" else ""


def _length(shown: str) -> int:
    return int(shown.partition("(")[2].rstrip(")"))


def parts_of(name: ObjectName, *, temporary: bool = False) -> tuple[str, str, str]:
    """The place of a table in DuckDB; a temporary one is in the temporary catalog."""
    if temporary:
        return ("temp", "main", name.fqn())
    return name.parts


# -- what follows


_DONE = "Statement executed successfully."


def _sentence(tree: Expr, kind: str, name: ObjectName | None) -> str:
    last = "" if name is None else name.name
    match tree:
        case exp.Create():
            return f"{kind.capitalize()} {last} successfully created."
        case exp.Drop():
            return f"{last} successfully dropped."
        case _:
            return _DONE


def _comment_columns(rewriting: Rewriting, parts: tuple[str, ...]) -> None:
    for column, text in rewriting.comments.items():
        if column is not None:
            rewriting.session.duck.execute(table_notes.column_comment_sql(parts, column, text))


def _keep_lengths(session: Session, tree: Expr, name: ObjectName, lengths: list[tuple[str, int]]) -> None:
    """The lengths of a temporary table's text columns, which its session alone knows."""
    kept = session.lengths.pop(name, {})
    if isinstance(tree, exp.Create):
        kept = {}
    elif isinstance(tree, exp.Drop):
        return
    for new in _new_names(tree, name):
        name = ObjectName(*parse_name(new.name).parts)
    session.lengths[name] = {**kept, **dict(lengths)}


def _note(rewriting: Rewriting, tree: Expr, name: ObjectName, lengths: list[tuple[str, int]]) -> None:
    engine = rewriting.account.engine
    match tree:
        case exp.Create():
            table_notes.begin(engine, name, rewriting.comments.get(None, ""), lengths)
        case exp.Drop():
            table_notes.forget(engine, name)
        case _:
            table_notes.set_lengths(engine, name, lengths)
    for new in _new_names(tree, name):
        table_notes.move(engine, name, new)
