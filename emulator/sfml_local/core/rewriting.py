"""The state of one statement while passes rewrite it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlglot import Expr, exp

from sfml_local.core.result import Result, Types

if TYPE_CHECKING:
    import pyarrow as pa

    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


Note = TypeVar("Note")


@dataclass(slots=True)
class Rewriting:
    """The state of one statement while passes rewrite it; `relations` are the tables that it will read by name.

    `facts` are what is known of the columns of its answer; `lengths` are those of the texts that it inserts or creates
    columns of; `comments` are those of the table that it creates (None) and of its columns; `written` is the statement
    in its user's words. What a service notes of the statement is a `note`, by its class.
    """

    account: Account
    session: Session
    describe_only: bool = False
    relations: dict[str, Result | pa.Table] = field(default_factory=dict)
    facts: Types = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)
    comments: dict[str | None, str] = field(default_factory=dict)
    written: str | None = None
    table_calls: Sequence[TableCall] = ()
    """Services' relations for table functions that are not built in."""
    _notes: dict[type, Any] = field(default_factory=dict)

    def note(self, kind: type[Note]) -> Note:
        """A service's note about this statement, initially empty."""
        if kind not in self._notes:
            self._notes[kind] = kind()
        return cast(Note, self._notes[kind])

    def stage(self, tree: Expr, name: str, rows: pa.Table) -> None:
        """Let the tree's table of this name read these rows."""
        for node in list(tree.find_all(exp.Table)):
            if node.name == name and not node.args.get("db"):
                node.replace(self.relation(rows))

    def relation(self, result: Result | pa.Table, alias: exp.Expression | None = None) -> exp.Table:
        """A table expression that reads this result."""
        name = f"_sfml_relation_{self.session.next_relation()}"
        self.relations[name] = result
        table = exp.Table(
            this=exp.to_identifier(name, quoted=True),
            db=exp.to_identifier("main", quoted=True),
            catalog=exp.to_identifier("temp", quoted=True),
        )
        if alias is not None:
            table.set("alias", alias.copy())
        return table


Pass = Callable[[Expr, Rewriting], Expr]
TableCall = Callable[[exp.TableFromRows, Rewriting], Expr | None]


def substitute(tree: Expr, node: Expr, new: Expr) -> Expr:
    """The tree with `node` replaced; a column of a query keeps the name that Snowflake gives it."""
    if node.arg_key == "expressions" and isinstance(node.parent, exp.Select):
        new = exp.alias_(new, node.sql(dialect="snowflake"), quoted=True)
    if node is tree:
        return new
    node.replace(new)
    return tree


def literal(value: Any) -> Expr:
    """A Python value as a SQL expression; anything structured as its JSON text."""
    import json

    if value is None:
        return exp.cast(exp.null(), "VARCHAR")
    if isinstance(value, bool | int | float | str):
        return exp.convert(value)
    if isinstance(value, datetime):
        return exp.cast(exp.Literal.string(value.isoformat(sep=" ")), exp.DataType.Type.TIMESTAMPLTZ)
    return exp.Literal.string(json.dumps(value, ensure_ascii=False, default=str))


def value_of(node: Expr, rewriting: Rewriting) -> Any:
    """The value of an argument; anything but a plain literal is evaluated by the engine."""
    match node:
        case exp.Literal():
            if node.is_string:
                return node.this
            return int(node.this) if node.is_int else float(node.this)
        case exp.Boolean():
            return bool(node.this)
        case exp.Null():
            return None
        case exp.RawString():
            return node.this
    query = exp.select(node.copy())
    return rewriting.account.run_tree(rewriting.session, query).scalar


def qualified(node: exp.Anonymous) -> tuple[Expr, str]:
    """A function call with the dots before it, and its full name in upper case."""
    top: Expr = node
    name = str(node.this).upper()
    if isinstance(node.parent, exp.Dot) and node.parent.expression is node:
        top = node.parent
        name = f"{dotted(top.this)}.{name}"
    return top, name


def dotted(node: Any) -> str:
    """`a."b".c` as one text, folded."""
    if isinstance(node, exp.Dot):
        return f"{dotted(node.this)}.{dotted(node.expression)}"
    if isinstance(node, exp.Identifier):
        return node.name if node.quoted else node.name.upper()
    if isinstance(node, exp.Column):
        return ".".join(dotted(part) for part in node.parts)
    return str(node.name).upper()
