"""GET_DDL: the statement that creates a table, view or task in its current state.

https://docs.snowflake.com/en/sql-reference/functions/get_ddl
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfml_local.core import table_notes
from sfml_local.core.definitions import wrong_kind
from sfml_local.core.errors import SqlError, does_not_exist, not_emulated
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.stored_types import shown_type
from sfml_local.grammar.quoting import literal, quoted_if_needed
from sfml_local.services.objects import show
from sfml_local.services.objects import store as records
from sfml_local.services.objects.store import Key, Record
from sfml_local.services.variants import semi_structured

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


def get_ddl(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """GET_DDL(kind, name [, fully qualified])."""
    kind, text = (*(str(argument) for argument in arguments[:2]), "", "")[:2]
    qualified = len(arguments) > 2 and bool(arguments[2])
    if kind.upper() in ("TABLE", "VIEW", "DYNAMIC_TABLE"):
        return _table_or_view(account, session, resolve(text, session), kind.upper(), qualified)
    others = account.kinds.get(kind.upper())
    if others is None or others.ddl is None:
        # The name of a function has the types of its arguments.
        raise not_emulated(f"GET_DDL of a {kind}")
    return others.ddl(account, resolve(text, session), qualified)


def _shown(name: ObjectName, qualified: bool) -> str:
    return name.fqn() if qualified else quoted_if_needed(name.name)


def _table_or_view(account: Account, session: Session, name: ObjectName, kind: str, qualified: bool) -> str:
    columns = account.engine.columns(session, name)
    actual = account.engine.kind_of(session, name.parts)
    if not columns or actual is None:
        raise does_not_exist(kind.capitalize(), name.fqn())
    record = records.find(account, name) or Record(name, actual, account.clock(), session.role)
    if record.is_dynamic or kind == "DYNAMIC_TABLE":
        return _dynamic_table(record, kind, _shown(name, qualified))
    comment = table_notes.comments(account.engine).get(name, "")
    if actual == "VIEW":
        return _view(account, record, [row[0] for row in columns], comment, _shown(name, qualified))
    told = semi_structured.types_of(account, session, name)
    lines = [_column(row, told.get(row[0]), show.identity(account, row[4])) for row in columns]
    lines += [_key(key) for key in record.keys]
    transient = "TRANSIENT " if record.details.get("TRANSIENT") else ""
    cluster = record.details.get("CLUSTER_BY")
    clustered = f"cluster by ({cluster})" if cluster else ""
    body = ",\n".join(f"\t{line}" for line in lines)
    head = f"create or replace {transient}TABLE {_shown(name, qualified)} {clustered}("
    return f"{head}\n{body}\n){_comment(comment)};"


def _comment(text: str) -> str:
    return f"COMMENT={literal(text)}\n" if text else ""


def _column(row: tuple[Any, ...], told: str | None, counted: str | None) -> str:
    column, stored, length, nullable, default, comment = row
    parts = [quoted_if_needed(column), shown_type(told, stored, length)]
    parts += [] if nullable else ["NOT NULL"]
    if counted is not None:
        parts.append(counted.replace("IDENTITY", "autoincrement").lower())
    elif default:
        parts.append(f"DEFAULT {show.shown_default(default)}")
    parts += [f"COMMENT {literal(comment)}"] if comment else []
    return " ".join(parts)


def _key(key: Key) -> str:
    columns = ", ".join(map(quoted_if_needed, key.columns))
    named = f"constraint {quoted_if_needed(key.name)} " if key.name else ""
    told = f" comment {literal(key.comment)}" if key.comment else ""
    if key.kind != "FOREIGN KEY":
        return f"{named}{key.kind.lower()} ({columns}){told}"
    others = ", ".join(map(quoted_if_needed, key.other_columns))
    target = f"{key.refers_to}({others})" if others else str(key.refers_to)
    rules = (("match", key.match, "FULL"), ("on update", key.on_update, "NO ACTION"))
    for words, rule, default in (*rules, ("on delete", key.on_delete, "NO ACTION")):
        target += f" {words} {rule.lower()}" if rule != default else ""
    return f"{named}foreign key ({columns}) references {target}{told}"


def _view(account: Account, record: Record, columns: list[str], comment: str, name: str) -> str:
    secure = "secure " if record.details.get("SECURE") else ""
    listed = ",\n".join(f"\t{quoted_if_needed(column)}" for column in columns)
    query = defining_query(record.written)
    told = f" {_comment(comment).strip()}" if comment else ""
    return f"create or replace {secure}view {name}(\n{listed}\n){told} as {query};"


def defining_query(written: str) -> str:
    """The query of a CREATE VIEW as written."""
    from sfml_local.grammar.tokens import Tokens

    tokens = Tokens(written)
    tokens.text_until(("AS",))
    if not tokens.match_words("AS"):
        raise SqlError("The text of this view is not kept.", 2, "0A000")
    return tokens.rest()


def _dynamic_table(record: Record, kind: str, name: str) -> str:
    """The statement as written, with the requested form of the name."""
    from sfml_local.grammar.tokens import Tokens

    if not record.is_dynamic:
        raise wrong_kind(record.kind, kind)
    tokens = Tokens(record.written)
    tokens.text_until(("TABLE",))
    tokens.match_words("TABLE")
    tokens.if_not_exists()
    tokens.name()
    transient = "transient " if record.details.get("TRANSIENT") else ""
    return f"create or replace {transient}dynamic table {name} {tokens.rest()};"


SYSTEM_FUNCTIONS = {"GET_DDL": get_ddl}
