"""GET_DDL: the statement that creates a table, view or task in its current state.

https://docs.snowflake.com/en/sql-reference/functions/get_ddl
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sfml_local.core import table_notes
from sfml_local.core.account import Kind
from sfml_local.core.definitions import parts_of
from sfml_local.core.errors import SqlError, does_not_exist, not_emulated, wrong_kind
from sfml_local.core.kinds import ddl_missing, ddl_name, described
from sfml_local.core.names import ObjectName, resolve, resolve_schema
from sfml_local.core.places import Area
from sfml_local.core.stored_types import shown_type
from sfml_local.grammar.quoting import ddl_literal, literal, quoted_if_needed
from sfml_local.grammar.shows import Listing
from sfml_local.grammar.tokens import parse_name
from sfml_local.services.databases import store as containers
from sfml_local.services.objects import show
from sfml_local.services.objects import store as records
from sfml_local.services.objects.store import Key, Record
from sfml_local.services.variants import semi_structured

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


_RELATIONS = ("TABLE", "VIEW", "DYNAMIC_TABLE")
_ABSENT = frozenset(
    {"AGENT", "ALERT", "CONTACT", "CORTEX_AGENT", "CORTEX_SEARCH_SERVICE", "DBT_PROJECT", "EVENT_TABLE"}
    | {
        "EXTERNAL_TABLE",
        "FAILOVER_GROUP",
        "HYBRID_TABLE",
        "ICEBERG_TABLE",
        "INTEGRATION",
        "MATERIALIZED_VIEW",
    }
    | {
        "MCP_SERVER",
        "NOTEBOOK",
        "ONLINE_FEATURE_TABLE",
        "PIPE",
        "POLICY",
        "REPLICATION_GROUP",
        "SEMANTIC_VIEW",
    }
    | {"STORAGE_INTEGRATION", "STREAMLIT", "TYPE", "WAREHOUSE", "WORKSPACE"}
)
"""Kinds that accounts describe, and this server does not."""


def get_ddl(account: Account, session: Session, arguments: tuple[Any, ...]) -> str | None:
    """GET_DDL(kind, name [, fully qualified]); NULL for a NULL."""
    if None in arguments:
        return None
    kind, text = (*(str(argument) for argument in arguments[:2]), "", "")[:2]
    kind = kind.upper().replace(" ", "_")
    qualified = len(arguments) > 2 and bool(arguments[2])
    if kind in _RELATIONS:
        return _table_or_view(account, session, text, kind, qualified)
    if kind in ("SCHEMA", "DATABASE"):
        return _container(account, session, kind, text, qualified)
    others = account.kinds.get(kind)
    if others is not None and others.ddl is not None:
        return others.ddl(account, session, text, qualified)
    if kind in _ABSENT:
        raise not_emulated(f"GET_DDL of a {kind}")
    raise SqlError(f"SQL compilation error:\nInvalid object type: '{kind}'", 1003, "42000")


def _table_or_view(account: Account, session: Session, text: str, kind: str, qualified: bool) -> str:
    name = resolve(text, session)
    found = relation(account, session, name, kind, qualified)
    if found is None:
        raise ddl_missing(kind.capitalize().replace("_", " "), text, name)
    return found


def relation(account: Account, session: Session, name: ObjectName, kind: str, qualified: bool) -> str | None:
    """The statement that makes a table or view; None if it is not there."""
    columns = account.engine.columns(session, name)
    is_temporary = name in session.temporaries
    actual = account.engine.kind_of(session, parts_of(name, temporary=True) if is_temporary else name.parts)
    if not columns or actual is None:
        return None
    record = records.find(account, name) or Record(name, actual, account.clock(), session.role)
    if record.is_dynamic or kind == "DYNAMIC_TABLE":
        return _dynamic_table(record, kind, ddl_name(name, qualified))
    comment = table_notes.comments(account.engine).get(name, "")
    if actual == "VIEW":
        return _view(account, record, [row[0] for row in columns], comment, ddl_name(name, qualified))
    told = semi_structured.kinds_of(account, session, name)
    lines = [_column(row, told.get(row[0]), show.identity(account, row[4])) for row in columns]
    lines += [_key(key) for key in record.keys]
    transient = "TEMPORARY " if is_temporary else "TRANSIENT " if record.details.get("TRANSIENT") else ""
    cluster = record.details.get("CLUSTER_BY")
    clustered = f"cluster by ({cluster})" if cluster else ""
    body = ",\n".join(f"\t{line}" for line in lines)
    head = f"create or replace {transient}TABLE {ddl_name(name, qualified)} {clustered}("
    return f"{head}\n{body}\n){_comment(comment)};"


def _comment(text: str) -> str:
    return f"COMMENT={ddl_literal(text)}\n" if text else ""


def _column(row: tuple[Any, ...], told: str | None, counted: str | None) -> str:
    column, stored, length, nullable, default, comment = row
    parts = [quoted_if_needed(column), shown_type(told, stored, length)]
    parts += [] if nullable else ["NOT NULL"]
    if counted is not None:
        parts.append(counted.replace("IDENTITY", "autoincrement").lower())
    elif default:
        parts.append(f"DEFAULT {show.shown_default(default)}")
    parts += [f"COMMENT {ddl_literal(comment)}"] if comment else []
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
    told = f" {_comment(comment)}" if comment else ""
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


# -- schemas and databases


def _container(account: Account, session: Session, kind: str, text: str, qualified: bool) -> str:
    """A schema or database with all that is in it."""
    written = parse_name(text)
    if len(written.parts) > (2 if kind == "SCHEMA" else 1):
        raise SqlError(
            "SQL compilation error:\nObject does not exist, or operation cannot be performed.", 2043, "02000"
        )
    database, schema = (written.last, "") if kind == "DATABASE" else resolve_schema(written, session)
    if not account.engine.has_database(database):
        raise does_not_exist("Database", quoted_if_needed(database))
    if kind == "DATABASE":
        head = f"create or replace {_traits(account, database)};\n"
        schemas = sorted(account.engine.schemas(database))
        return "\n".join((head, *(_schema(account, session, (database, one), qualified) for one in schemas)))
    if schema not in account.engine.schemas(database):
        raise does_not_exist("Schema", f"{quoted_if_needed(database)}.{quoted_if_needed(schema)}")
    return _schema(account, session, (database, schema), qualified)


def _traits(account: Account, database: str, schema: str = "", *, qualified: bool = False) -> str:
    """The kind of a database or schema, its name and its properties."""
    given = containers.properties(account, database, schema)
    _, _, comment = containers.noted(account, database, schema)
    names = (database, schema) if schema and qualified else (schema or database,)
    kind = "schema" if schema else "database"
    words = ["transient"] if containers.effective(account, database, schema).get("TRANSIENT") else []
    words += [kind, ".".join(map(quoted_if_needed, names))]
    words += ["with managed access"] if given.get("MANAGED ACCESS") else []
    words += [f"COMMENT={ddl_literal(comment)}"] if comment else []
    return " ".join(words)


def _schema(account: Account, session: Session, place: tuple[str, str], qualified: bool) -> str:
    head = f"create or replace {_traits(account, *place, qualified=qualified)};\n"
    members = [
        *_members(account, session, ("TAG",), place, qualified),
        *_sequences(account, place, qualified),
        *_relations(account, session, place, qualified),
        *_members(account, session, ("FILE_FORMAT", "FUNCTION", "STREAM", "TASK"), place, qualified),
    ]
    return "\n".join((head, *members))


def _members(
    account: Account, session: Session, kinds: Sequence[str], place: tuple[str, str], qualified: bool
) -> list[str]:
    found = (account.kinds[kind].ddl_of_schema for kind in kinds if kind in account.kinds)
    return [
        one
        for describe in found
        if describe is not None
        for one in describe(account, session, place, qualified)
    ]


def _relations(account: Account, session: Session, place: tuple[str, str], qualified: bool) -> list[str]:
    """The temporary tables of the session, the other tables and the views, each by name."""
    temporary = sorted(name for name in session.temporaries if (name.database, name.schema) == place)
    known = show.known_objects(account, Area(*place))
    names = [
        one.name for kind in ("TABLE", "VIEW") for one in known if (one.kind == "VIEW") is (kind == "VIEW")
    ]
    every = (*temporary, *(name for name in names if name not in session.temporaries))
    found = (relation(account, session, name, "TABLE", qualified) for name in every)
    return [one for one in found if one is not None]


# -- sequences


def _sequences(account: Account, place: tuple[str, str], qualified: bool) -> list[str]:
    found = (_sequence(account, name, qualified) for name in _sequence_names(account, *place))
    return [one for one in found if one is not None]


def _sequence_names(account: Account, database: str, schema: str) -> list[ObjectName]:
    rows = show.sequences(account, Area(database, schema), Listing()).dicts()
    return sorted(ObjectName(database, schema, row["name"]) for row in rows)


def _sequence(account: Account, name: ObjectName, qualified: bool) -> str | None:
    """CREATE SEQUENCE; an account leaves the comment out."""
    rows = account.engine.rows(
        "SELECT start_value, increment_by FROM duckdb_sequences() "
        "WHERE database_name = ? AND schema_name = ? AND sequence_name = ? AND NOT temporary",
        name.parts,
    )
    if not rows:
        return None
    record = records.find(account, name)
    order = "order" if record is not None and record.details.get("ORDERED") else "noorder"
    [(start, step)] = rows
    head = f"create or replace sequence {ddl_name(name, qualified)}"
    return f"{head} start with {start} increment by {step} {order};"


SEQUENCE = described(Kind(), "Sequence", _sequence, _sequence_names)
SYSTEM_FUNCTIONS = {"GET_DDL": get_ddl}
