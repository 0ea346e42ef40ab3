"""Statements that read streams, or change tables that streams follow."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from sfml_local.core import transactions
from sfml_local.core.errors import SqlError, already_exists_as, not_emulated
from sfml_local.core.expressions.dialect import parse_one
from sfml_local.core.expressions.statements import demand_now
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.core.temporaries import _DML, created_temporary, target_of
from sfml_local.grammar.tokens import Name
from sfml_local.services.streams import changes, store, view_changes
from sfml_local.services.streams.store import Stream
from sfml_local.services.variants.query_columns import STANDS_FOR

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


@dataclass(slots=True)
class _Transaction:
    """The streams that a session's open transaction has read or changed."""

    batch: str = field(default_factory=lambda: uuid.uuid4().hex)
    consumed: dict[str, Stream] = field(default_factory=dict)


class OpenTransaction:
    """The streams that a session's transaction uses, while one is open that uses any."""

    def __init__(self, session: Session) -> None:
        self.now: _Transaction | None = None

    def end(self) -> _Transaction | None:
        """The streams of the transaction; resets them for the next one."""
        ended, self.now = self.now, None
        return ended


class StreamsRead:
    """The streams that one statement reads, by id."""

    def __init__(self) -> None:
        self.by_id: dict[str, Stream] = {}


# -- reading


@looks_for(exp.Table)
def stream_tables(tree: Expr, rewriting: Rewriting) -> Expr:
    """A stream's name in place of a table's, replaced by the query for its contents."""
    account, session = rewriting.account, rewriting.session
    if not store.exist(account.store) or isinstance(tree, exp.Drop | exp.Alter | exp.Describe):
        return tree
    common = {cte.alias_or_name.upper() for cte in tree.find_all(exp.CTE)}
    target = target_of(tree)
    for table in list(tree.find_all(exp.Table)):
        name = _name(table, session)
        if table is target or name is None or (not table.args.get("db") and name.name in common):
            continue
        stream = store.find(account.store, name)
        if stream is None:
            continue
        if stream.stale:
            raise changes.stale(stream)
        if isinstance(tree, exp.Create) and tree.kind != "TABLE":
            raise not_emulated(f"CREATE {tree.kind} over the stream {stream.name.fqn()}")
        rewriting.note(StreamsRead).by_id[stream.id] = stream
        table.replace(_subquery(table, stream, rewriting, claimed=isinstance(tree, exp.Create)))
    return tree


def _subquery(table: exp.Table, stream: Stream, rewriting: Rewriting, *, claimed: bool) -> exp.Subquery:
    demand_now(table)
    session = rewriting.session
    transaction = session.part(OpenTransaction).now
    batch = transaction.batch if transaction is not None else None
    # A describe consumes nothing, because it shows only the columns.
    query = _contents(session, stream, batch, claimed and not rewriting.describe_only)
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(stream.name.name, quoted=True))
    subquery = exp.Subquery(this=query, alias=alias.copy())
    subquery.meta[STANDS_FOR] = stream.base
    if joins := table.args.get("joins"):
        subquery.set("joins", [join.copy() for join in joins])
    return subquery


def _contents(session: Session, stream: Stream, batch: str | None, claimed: bool) -> Expr:
    if not stream.legs:
        return parse_one(changes.contents(session.rows, stream, batch, claimed))
    for leg in stream.legs if claimed else ():
        changes.prepare_claim(session.rows, leg)
    # The query is in DuckDB's own dialect, which must not be translated again: DuckDB reads it from a text.
    query = exp.Literal.string(view_changes.contents(session.rows, stream, batch, claimed))
    read = exp.Anonymous(this="query", expressions=[query])
    return exp.select("*").from_(
        exp.Table(this=read, db=exp.to_identifier("main"), catalog=exp.to_identifier("system"))
    )


def _name(table: exp.Table, session: Session) -> ObjectName | None:
    if not isinstance(table.this, exp.Identifier):
        return None
    try:
        return resolve(Name(tuple(dotted(part) for part in table.parts)), session)
    except SqlError:
        return None


# -- changing


@contextlib.contextmanager
def following(tree: Expr, rewriting: Rewriting) -> Iterator[None]:
    """Around a statement: records its changes for the streams of its table, and consumes the streams that it reads.

    https://docs.snowflake.com/en/user-guide/streams-intro: a stream is consumed by a DML statement that reads it,
    when its transaction commits, in whatever way.
    """
    account, session = rewriting.account, rewriting.session
    if not store.exist(account.store):
        yield
        return
    if isinstance(tree, exp.Rollback):
        session.part(OpenTransaction).end()
        yield
    elif isinstance(tree, exp.Commit):
        consume(session)
        yield
        account.attention.set()
    elif isinstance(tree, exp.Create | exp.Drop | exp.Alter):
        _refuse_name(account, session, tree)
        consume(session)  # it commits the open transaction
        with _claimed(session, rewriting.note(StreamsRead).by_id.values()):
            yield
        _forget_tables(account, session, tree)
    elif isinstance(tree, (*_DML, exp.TruncateTable)):
        with _change(account, session, tree, rewriting):
            yield
    else:
        yield


def _refuse_name(account: Account, session: Session, tree: Expr) -> None:
    """Refuse a table or view with the name of a stream, because queries could not tell them apart."""
    is_relation = isinstance(tree, exp.Create) and tree.kind in ("TABLE", "VIEW")
    target = target_of(tree) if is_relation and created_temporary(tree) is None else None
    name = None if target is None else _name(target, session)
    if name is not None and store.find(account.store, name) is not None:
        raise already_exists_as(name, "STREAM")


def consume(session: Session) -> None:
    """Advance the offsets of streams that the open transaction has read."""
    transaction = session.part(OpenTransaction).end()
    if transaction is not None:
        for stream in transaction.consumed.values():
            for one in stream.followed:
                changes.consume(session.rows, one, transaction.batch)


@contextlib.contextmanager
def _claimed(session: Session, streams: Iterable[Stream]) -> Iterator[None]:
    """CREATE TABLE AS: DuckDB and fakesnow write a new table into two files, which no transaction can span."""
    streams = [one for stream in streams for one in stream.followed]
    for stream in streams:
        changes.claim(session.rows, stream)
    done = False
    try:
        yield
        done = True
    finally:
        for stream in streams:
            with contextlib.suppress(Exception) if not done else contextlib.nullcontext():
                changes.release(session.rows, stream, consumed=done)


@contextlib.contextmanager
def _change(account: Account, session: Session, tree: Expr, rewriting: Rewriting) -> Iterator[None]:
    table = target_of(tree)
    base = None if table is None else _name(table, session)
    followed = [] if base is None or base in session.temporaries else store.on_table(account.store, base)
    read = rewriting.note(StreamsRead).by_id
    if not followed and not read:
        yield
        return
    assert base is not None
    if any(stream.name.database != base.database for stream in read.values()):
        raise not_emulated("DML that reads a stream of one database and changes a table of another")
    with _recorded(account, session, base, read, is_update=isinstance(tree, exp.Update)):
        yield


def recorded(account: Account, session: Session, base: ObjectName) -> contextlib.AbstractContextManager[None]:
    """Around changes of a table that no statement of a client makes: records them for its streams."""
    return _recorded(account, session, base, {}, is_update=False)


@contextlib.contextmanager
def _recorded(
    account: Account, session: Session, base: ObjectName, read: Mapping[str, Stream], *, is_update: bool
) -> Iterator[None]:
    followed = [] if base in session.temporaries else store.on_table(account.store, base)
    opened = session.part(OpenTransaction)
    ends = transactions.ends_with_statement(session)
    with transactions.dml(session, rolled_back=opened.end):
        transaction = opened.now = opened.now or _Transaction()
        if followed:
            changes.note_before(session.rows, base)
        yield
        if followed:
            numbers = account.part(changes.ChangeNumbers).next
            changes.take(session.rows, base, followed, transaction.batch, numbers, is_update=is_update)
        transaction.consumed.update(read)
        if ends:
            consume(session)
    if ends:
        account.attention.set()


def _forget_tables(account: Account, session: Session, tree: Expr) -> None:
    """Mark streams on a dropped or replaced table or view as stale; streams on a renamed one follow it."""
    if isinstance(tree, exp.Drop) and tree.kind in ("TABLE", "VIEW"):
        for table in tree.find_all(exp.Table):
            _gone(account, session, table)
    elif isinstance(tree, exp.Create) and tree.kind in ("TABLE", "VIEW") and tree.args.get("replace"):
        _gone(account, session, target_of(tree))
    elif isinstance(tree, exp.Alter):
        base = target_of(tree)
        for action in tree.args.get("actions") or ():
            if isinstance(action, exp.AlterRename) and base is not None:
                old, new = _name(base, session), action.this
                if old is not None and isinstance(new, exp.Table):
                    store.base_renamed(account.store, old, dotted(new.this))


def _gone(account: Account, session: Session, table: Expr | None) -> None:
    name = _name(table, session) if isinstance(table, exp.Table) else None
    if name is not None and name not in session.temporaries:
        store.make_stale(account.store, name)
