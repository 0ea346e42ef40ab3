"""Executes statements that sqlglot and fakesnow understand, rewritten by passes, with hooks of services."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import duckdb
from fakesnow.cursor import DESCRIBE_RESULT_SQL
from fakesnow.statement_type import statement_type_id
from sqlglot import Expr, exp

from sfml_local.core import definitions, fakesnow_port, joined_updates, table_notes
from sfml_local.core.arrow import as_table, columns_of
from sfml_local.core.bindings import inline_bindings, without_copies, without_recursive
from sfml_local.core.definitions import Defined
from sfml_local.core.dropped_places import drop_forgotten
from sfml_local.core.errors import SqlError
from sfml_local.core.expressions import settings
from sfml_local.core.expressions.dialect import FOREIGN, parse_one, spaced
from sfml_local.core.expressions.lowering import lowered
from sfml_local.core.foreign_functions import (
    refuse_foreign_functions,
    refuse_foreign_statement,
    refuse_foreign_types,
)
from sfml_local.core.merging import merge
from sfml_local.core.mixed_numbers import widened
from sfml_local.core.names import ObjectName
from sfml_local.core.needed_passes import rewritten
from sfml_local.core.number_types import attempts, run_typed
from sfml_local.core.overwriting import is_overwriting, overwriting
from sfml_local.core.queries import Queries
from sfml_local.core.relational import ShownNames
from sfml_local.core.result import ArrowRows, Column, Result, status, told
from sfml_local.core.rewrites import PASSES
from sfml_local.core.rewriting import Pass, Rewriting, TableCall
from sfml_local.core.temporaries import created_temporary, full_name
from sfml_local.core.transactions import (
    begin_dml,
    check_begin,
    check_end,
    check_unbroken,
    commits,
    follow_scope,
    is_open,
)
from sfml_local.core.translating import translating
from sfml_local.core.unknown_references import UntypedOperand
from sfml_local.grammar.model_calls import respelled
from sfml_local.grammar.quoting import duckdb_literal
from sfml_local.grammar.tokens import parse_name

if TYPE_CHECKING:
    import pyarrow as pa
    from fakesnow.cursor import FakeSnowflakeCursor

    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

Around = Callable[[Expr, Rewriting], AbstractContextManager[None]]
TreeHandler = Callable[["Account", "Session", Any], Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followers:
    """What services do with each statement, in their order."""

    first: Sequence[Pass] = ()
    """Passes before those of `rewrites`."""
    last: Sequence[Pass] = ()
    """Passes after them."""
    around: Sequence[Around] = ()
    """Context managers around the execution."""
    defined: Sequence[Defined] = ()
    """Hooks after a CREATE, ALTER or DROP."""
    table_calls: Sequence[TableCall] = ()
    trees: Mapping[type[Expr], TreeHandler] = field(default_factory=dict)
    """Kinds of statements that a service executes itself."""


def run(
    account: Account,
    followers: Followers,
    session: Session,
    sql: str,
    params: Sequence[Any] = (),
    describe_only: bool = False,
) -> Result:
    """The result of a statement that sqlglot and fakesnow understand; raises SqlError."""
    with translating(sql):
        written = spaced(sql)
        sql = without_recursive(without_copies(written))
        tree = parse_one(respelled(sql))
        if params and (
            describe_only
            or joined_updates.is_joined(tree)
            or _needs_values(tree)
            or _writes_sizes(account, session, tree)
        ):
            tree, params = parse_one(respelled(inline_bindings(sql, params))), ()
        try:
            return run_tree(account, followers, session, tree, params, describe_only, written=written)
        except UntypedOperand as error:
            raise _without_texts(account, followers, session, inline_bindings(sql, params), error) from error


def _without_texts(
    account: Account, followers: Followers, session: Session, sql: str, error: UntypedOperand
) -> SqlError:
    """What DuckDB says of the statement's query where nothing is compared with a text: which column is not there."""
    query = _query_of(parse_one(respelled(sql)))
    for text in list(query.find_all(exp.Literal)) if query is not None else ():
        if text.is_string and isinstance(text.parent, exp.Predicate | exp.Binary):
            text.replace(exp.null())
    try:
        if query is not None:
            run_tree(account, followers, session, query, describe_only=True)
    except SqlError as found:
        return error if isinstance(found, UntypedOperand) else found
    return error


def _query_of(tree: Expr) -> exp.Query | None:
    """What a statement reads, as far as a query says it."""
    match tree:
        case exp.Query():
            return tree
        case exp.Insert() | exp.Create() if isinstance(tree.expression, exp.Query):
            return tree.expression
        case exp.Update() | exp.Delete() if (where := tree.args.get("where")) is not None:
            source = tree.args.get("from_")
            others = [source.this] if source is not None else tree.args.get("using") or []
            query = exp.select("*").from_(tree.this.copy()).where(where.this.copy())
            for other in others:
                query = query.join(other.copy(), join_type="cross")
            return query
        case exp.Merge():
            using, on = tree.args["using"].copy(), tree.args["on"].copy()
            return exp.select("*").from_(tree.this.copy()).join(using, join_type="cross").where(on)
    return None


def run_tree(
    account: Account,
    followers: Followers,
    session: Session,
    tree: Expr,
    params: Sequence[Any] = (),
    describe_only: bool = False,
    staged: Mapping[str, pa.Table] | None = None,
    written: str | None = None,
) -> Result:
    """The result of a parsed statement, which may read the tables of `staged` by name.

    `written` is the statement as the user wrote it, for errors, because the passes change the tree.

    Functions of the account run before the session's lock is taken.
    """
    with translating(written or tree):
        if (carry_out := followers.trees.get(type(tree))) is not None and not describe_only:
            return carry_out(account, session, tree)
        type_id = statement_type_id(tree)
        rewriting = Rewriting(
            account, session, describe_only, written=written, table_calls=followers.table_calls
        )
        for name, rows in (staged or {}).items():
            rewriting.stage(tree, name, rows)
        refuse_foreign_statement(tree, written)
        if has_foreign := FOREIGN in tree.meta:
            refuse_foreign_types(tree)
        tree = rewritten(tree, rewriting, (*followers.first, *PASSES, *followers.last))
        if has_foreign:
            refuse_foreign_functions(tree)
        with session.lock, _executing(account, session), _registered(session, rewriting):
            _follow_zone(session)
            drop_forgotten(session)
            cursor = session.connection.cursor()
            fakesnow_port.bound_rows(cursor, account.engine.answer_bytes)
            if describe_only:
                tree = lowered(tree, rewriting)
                return _told(_described(cursor, session.duck, tree, type_id), rewriting)
            if isinstance(tree, exp.Transaction) and is_open(session):
                check_begin(session)
                return status(statement_type_id=type_id)  # the open one goes on
            created = created_temporary(tree)
            with contextlib.ExitStack() as around:
                for follow in followers.around:
                    around.enter_context(follow(tree, rewriting))
                # Hooks around a statement get it as it was written.
                tree = lowered(tree, rewriting)
                with _followed_transaction(session, tree):
                    result = _executed(cursor, tree, list(params), type_id, rewriting, followers.defined)
            _follow_temporaries(session, tree, created)
            return _told(result, rewriting)


def _told(result: Result, rewriting: Rewriting) -> Result:
    """The result with what accounts tell of its columns; numbers of changed rows have 19 digits and are no NULL."""
    if not 0x3000 <= result.statement_type_id < 0x4000:
        return told(_named(result, rewriting.note(ShownNames).names), rewriting.facts)
    counts = tuple(
        replace(column, precision=19, nullable=False) if column.type == "fixed" else column
        for column in result.columns
    )
    return replace(result, columns=counts)


def _named(result: Result, names: Sequence[str]) -> Result:
    """The result with these names of columns, if they are known."""
    if len(names) != len(result.columns):
        return result
    columns = tuple(replace(column, name=name) for column, name in zip(result.columns, names, strict=True))
    return replace(result, columns=columns)


def _executed(
    cursor: FakeSnowflakeCursor,
    tree: Expr,
    params: list[Any],
    type_id: int,
    rewriting: Rewriting,
    defined: Sequence[Defined],
) -> Result:
    if isinstance(tree, exp.TruncateTable):
        begin_dml(rewriting.session)
    if isinstance(tree, exp.Merge):
        return merge(rewriting, cursor, tree)
    if joined_updates.is_joined(tree):
        return joined_updates.update(rewriting.session, cursor, tree)
    if definitions.is_definition(tree):
        return definitions.define(rewriting, cursor, tree, params, type_id, defined)
    with overwriting(rewriting, tree) if is_overwriting(tree) else contextlib.nullcontext():
        _execute(cursor, rewriting.session.duck, tree, params)
        # Read the rows now, because the hooks below use the same connection.
        result = _result(cursor, type_id)
    if isinstance(tree, exp.Update):
        return joined_updates.counted(rewriting.session, int(result.rows[0][0]))
    if isinstance(tree, exp.Show):
        return table_notes.with_comments(rewriting.account.engine, result)
    return result


def _needs_values(tree: Expr) -> bool:
    """Whether a bound value is inspected or repeated by a pass, so that a placeholder is not possible."""
    if _is_view(tree) and tree.find(exp.Placeholder):
        raise SqlError(
            "SQL compilation error:\nBind variables not allowed in view and UDF definitions.", 2212, "42601"
        )
    is_asked = any(
        isinstance(node, _ASKING) or str(node.this).upper().startswith("SYSTEM$")
        for node in tree.find_all(*_ASKING, exp.Anonymous)
    )
    return is_asked or any(_is_worked_with(one) for one in tree.find_all(exp.Placeholder))


def _writes_sizes(account: Account, session: Session, tree: Expr) -> bool:
    """Whether a statement writes into a table with declared sizes, to which its values are held."""
    if not isinstance(tree, exp.Insert | exp.Update):
        return False
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    name = full_name(target, session)
    return name is not None and bool(account.engine.sizes(session, name))


def _is_view(tree: Expr) -> bool:
    return isinstance(tree, exp.Create) and str(tree.kind).upper() == "VIEW"


_ASKING = (exp.TableFromRows, exp.Dot, exp.Merge, exp.SetOperation, exp.Pivot, exp.TableSample)
"""What DuckDB is asked to describe first, or needs a plain number."""
_WORKED_WITH = (
    exp.Func,
    exp.Cast,
    exp.Binary,
    exp.Neg,
    exp.In,
    exp.Between,
    exp.Bracket,
    exp.Array,
    exp.Struct,
)


def _is_worked_with(placeholder: exp.Placeholder) -> bool:
    """Whether a placeholder is part of an expression, and not a value beside a column, in a list or in a row."""
    parent = placeholder.parent
    if isinstance(parent, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE | exp.In | exp.Between):
        parent = parent.parent
        while isinstance(parent, exp.And | exp.Or | exp.Not | exp.Paren):
            parent = parent.parent
        return isinstance(parent, _WORKED_WITH)
    return placeholder.find_ancestor(*_WORKED_WITH) is not None


def _execute(
    cursor: FakeSnowflakeCursor, duck: duckdb.DuckDBPyConnection, tree: Expr, params: list[Any]
) -> None:
    """Executes a tree as fakesnow's cursor executes a statement's text."""
    fakesnow_port.check_place(cursor, tree)
    if (seed := tree.args.pop("seed", None)) is not None:
        duck.execute(f"SELECT setseed({seed})")
    for statement in fakesnow_port.statements_of(cursor, tree):
        transformed = fakesnow_port.transform(cursor, statement, params)
        bound = params if transformed.find(exp.Placeholder) else None
        run_typed(partial(fakesnow_port.execute, cursor, params=bound), transformed, duck)


def _result(cursor: FakeSnowflakeCursor, type_id: int) -> Result:
    table = fakesnow_port.answer(cursor)
    if table is None:
        return Result((), (), type_id)
    types = [str(column[1]) for column in fakesnow_port.description(cursor)]
    if len(types) != table.num_columns:
        types = [""] * table.num_columns
    return Result(columns_of(table, types), ArrowRows(table), type_id)


def _described(
    cursor: FakeSnowflakeCursor, duck: duckdb.DuckDBPyConnection, tree: Expr, type_id: int
) -> Result:
    """The columns that a statement would answer; nothing is changed."""
    if isinstance(tree, exp.Query):
        fakesnow_port.check_place(cursor, tree)
        bare = tree.transform(lambda node: exp.Null() if isinstance(node, exp.Placeholder) else node)
        return _described_query(duck, fakesnow_port.transform(cursor, bare, []), type_id)
    if type(tree) in DESCRIBE_RESULT_SQL:
        sql = DESCRIBE_RESULT_SQL[type(tree)]
    elif isinstance(tree, exp.Show | exp.Describe):
        _execute(cursor, duck, tree, [])
        return _result(cursor, type_id)
    else:
        return Result((Column("status"),), (), type_id)
    return _empty(duck, sql, type_id)


def _described_query(duck: duckdb.DuckDBPyConnection, transformed: Expr, type_id: int) -> Result:
    refused: duckdb.BinderException | None = None
    for attempt in attempts(transformed):
        try:
            return _empty(duck, widened(attempt, duck).sql(dialect="duckdb"), type_id)
        except duckdb.BinderException as cause:
            refused = cause
    assert refused is not None
    raise refused


def _empty(duck: duckdb.DuckDBPyConnection, sql: str, type_id: int) -> Result:
    table: pa.Table = duck.execute(f"SELECT * FROM ({sql}) LIMIT 0").to_arrow_table()
    types = [str(column[1]) for column in duck.description or ()]
    if any(_REPEATED.fullmatch(name) for name in table.column_names):
        # A column of a subquery with the name of an earlier one has got a number.
        written = [str(row[0]) for row in duck.execute(f"DESCRIBE {sql}").fetchall()]
        table = table.rename_columns(written)
    return Result(columns_of(table, types), ArrowRows(table), type_id)


_REPEATED = re.compile(r".*_\d+", re.DOTALL)


@contextlib.contextmanager
def _followed_transaction(session: Session, tree: Expr) -> Iterator[None]:
    """Check a statement against the open transaction, and know afterwards, also of a failed one, whose that is."""
    _check_scope(session, tree)
    _follow_transaction(session, tree)
    try:
        yield
    finally:
        follow_scope(session)


def _check_scope(session: Session, tree: Expr) -> None:
    """A transaction begins and ends in one procedure."""
    if isinstance(tree, exp.Transaction):
        check_begin(session)
    elif isinstance(tree, exp.Commit | exp.Rollback | exp.Create | exp.Drop | exp.Alter):
        check_end(session)


def _follow_transaction(session: Session, tree: Expr) -> None:
    """DDL commits the transaction that is open. https://docs.snowflake.com/en/sql-reference/transactions#ddl"""
    if isinstance(tree, exp.Transaction):
        session.in_transaction = True
    elif isinstance(tree, exp.Commit | exp.Rollback):
        if isinstance(tree, exp.Commit):
            check_unbroken(session)
        session.in_transaction = False
    elif session.in_transaction and isinstance(tree, exp.Create | exp.Drop | exp.Alter) and commits(session):
        check_unbroken(session)
        session.duck.commit()
        session.in_transaction = False


def _follow_zone(session: Session) -> None:
    """DuckDB works in the session's time zone."""
    zone = settings.text(session, "TIMEZONE")
    if session.zone != zone:
        session.duck.execute(f"SET SESSION TimeZone = {duckdb_literal(zone)}")
        session.zone = zone


def _follow_temporaries(session: Session, tree: Expr, created: exp.Table | None) -> None:
    if created is not None:
        session.temporaries.add(ObjectName(*parse_name(created.name).parts))
    elif isinstance(tree, exp.Drop):
        for table in tree.find_all(exp.Table):
            if table.catalog == "temp":
                session.temporaries.discard(ObjectName(*parse_name(table.name).parts))


@contextlib.contextmanager
def _executing(account: Account, session: Session) -> Iterator[None]:
    """Let others know which statement has the session's lock; raises SqlError if it is cancelled already."""
    account.part(Queries).check(account.query_id)
    before, session.executing = session.executing, account.query_id
    try:
        yield
    finally:
        session.executing = before


@contextlib.contextmanager
def _registered(session: Session, rewriting: Rewriting) -> Iterator[None]:
    """The relations of one statement, registered on the session's DuckDB connection while it runs."""
    duck = session.duck
    for name, result in rewriting.relations.items():
        duck.register(name, as_table(result) if isinstance(result, Result) else result)
    try:
        yield
    finally:
        # A failed statement has ended the open transaction, and with it what was registered in it.
        with contextlib.suppress(duckdb.TransactionException):
            for name in rewriting.relations:
                duck.unregister(name)
