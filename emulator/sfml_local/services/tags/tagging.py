"""Tags on objects: set, unset and queried. Tasks and models store theirs by id; all others are stored here by name.

Any tag may be set, even one that was never created; a tag with allowed values accepts no others.
https://docs.snowflake.com/en/user-guide/object-tagging/introduction
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sfml_local.core.arguments import Args
from sfml_local.core.errors import SqlError, does_not_exist, not_emulated
from sfml_local.core.names import ObjectName, resolve, resolve_schema
from sfml_local.core.result import Column, Result, status, table
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tagging import SetObjectTags, TaggedCreate, UnsetObjectTags
from sfml_local.grammar.tokens import Name, SqlSyntaxError
from sfml_local.services.compute import store as compute
from sfml_local.services.tags import store
from sfml_local.services.tags.store import Values, assigned

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_DOMAINS = {"VIEW": "TABLE", "COLUMN": "TABLE", "MODEL": "MODULE"}
_IN_SCHEMAS = frozenset(
    {"TABLE", "STAGE", "STREAM", "ALERT", "TASK", "MODULE", "MODEL", "PROCEDURE", "FUNCTION"}
)
DOMAINS = frozenset(
    {
        *(
            "ACCOUNT",
            "ALERT",
            "COLUMN",
            "COMPUTE POOL",
            "DATABASE",
            "DATABASE ROLE",
            "FUNCTION",
            "INTEGRATION",
        ),
        *("MODEL", "MODULE", "NETWORK POLICY", "PIPE", "PROCEDURE", "ROLE", "SCHEMA", "SHARE", "STAGE"),
        *("STREAM", "TABLE", "TASK", "USER", "VIEW", "WAREHOUSE"),
    }
)
"""Kinds of objects whose tags can be queried."""


def object_key(session: Session, domain: str, name: Name) -> str:
    """An object's full name as stored."""
    if domain in _IN_SCHEMAS:
        return resolve(name, session).fqn()
    if domain == "SCHEMA":
        return ".".join(quoted_if_needed(part) for part in resolve_schema(name, session))
    return quoted_if_needed(name.last)


def check_value(account: Account, name: ObjectName, value: str) -> None:
    """Refuse a value that is too long, or that a created tag does not allow."""
    if len(value) > 256:
        raise SqlError("SQL compilation error:\nTag value is longer than 256 characters.", 391801, "22023")
    row = store.find(account, name)
    allowed = json.loads(row["allowed"]) if row is not None else []
    if allowed and value not in allowed:
        raise SqlError(
            f"SQL compilation error:\nTag value '{value}' is not an allowed value of tag {name}.",
            391801,
            "22023",
        )


def one_value_each(tags: Iterable[tuple[ObjectName, str]]) -> dict[ObjectName, str]:
    """The values by tag; refuses a tag that is named twice with different ones, in the words of an account.

    The code is assumed.
    """
    found: dict[ObjectName, str] = {}
    for tag, value in tags:
        if found.setdefault(tag, value) != value:
            values = f"{found[tag]}, {value}"
            raise SqlError(
                f"Same tag {tag.name} with multiple values provided, values = {values}", 391801, "22023"
            )
    return found


def assign(
    account: Account, domain: str, key: str, values: Mapping[ObjectName, str], column: str = ""
) -> None:
    """Set tags; refuses values that a tag does not allow."""
    for tag, value in values.items():
        check_value(account, tag, value)
    store.assign(account, domain, key, values, column)


# -- statements


def set_tags(account: Account, session: Session, statement: SetObjectTags) -> Result:
    domain = _DOMAINS.get(statement.kind, statement.kind)
    key = _existing(account, session, statement)
    if key is not None:
        values = one_value_each((resolve(tag, session), value) for tag, value in statement.tags)
        assign(account, domain, key, values, statement.column or "")
    return status()


def create_tagged(account: Account, session: Session, statement: TaggedCreate) -> Result:
    """CREATE … [WITH] TAG: the object first, then its tags; one that was there keeps those that it has."""
    kind = statement.kind
    if statement.or_alter:
        raise not_emulated(f"CREATE OR ALTER {kind} … TAG", f"set tags by ALTER {kind} … SET TAG")
    values = one_value_each((resolve(tag, session), value) for tag, value in statement.tags)
    for tag, value in values.items():
        check_value(account, tag, value)
    key = object_key(session, kind, statement.name)
    keeps = statement.if_not_exists and _was_created(account, session, kind, statement.name)
    result = account.execute(session, statement.sql)
    if not keeps:
        store.assign(account, kind, key, values)
    return result


def _was_created(account: Account, session: Session, kind: str, name: Name) -> bool:
    ask = account.kinds[kind].owner_of if kind in ("ROLE", "USER") else None
    return _is_there(account, session, kind, name) if ask is None else ask(account, session, name) is not None


def unset_tags(account: Account, session: Session, statement: UnsetObjectTags) -> Result:
    domain = _DOMAINS.get(statement.kind, statement.kind)
    key = _existing(account, session, statement)
    if key is not None:
        tags = [resolve(name, session) for name in statement.tags]
        store.unassign(account, domain, key, tags, statement.column or "")
    return status()


def _existing(account: Account, session: Session, statement: SetObjectTags | UnsetObjectTags) -> str | None:
    """The key of the object, which must exist unless IF EXISTS is given."""
    kind = statement.kind
    key = object_key(session, _DOMAINS.get(kind, kind), statement.name)
    if not _is_there(account, session, kind, statement.name):
        if statement.if_exists:
            return None
        raise does_not_exist(kind.capitalize(), key)
    if statement.column is not None:
        columns = {row[0] for row in account.engine.columns(session, resolve(statement.name, session))}
        if statement.column not in columns:
            raise SqlError(
                f"SQL compilation error: error line 1 at position 0\ninvalid identifier '{statement.column}'",
                904,
                "42000",
            )
    return key


def _is_there(account: Account, session: Session, kind: str, name: Name) -> bool:
    match kind:
        case "TABLE" | "VIEW":
            full = resolve(name, session)
            return full in session.temporaries or bool(account.engine.columns(session, full))
        case "STAGE" | "STREAM" | "ALERT" | "INTEGRATION":
            ask = account.kinds[kind].owner_of
            return ask is not None and ask(account, session, name) is not None
        case "SCHEMA":
            database, schema = resolve_schema(name, session)
            return account.engine.has_database(database) and account.engine.has_schema(database, schema)
        case "DATABASE":
            return account.engine.has_database(name.last)
        case "WAREHOUSE":
            return compute.find(account, "WAREHOUSE", name.last) is not None
        case "COMPUTE POOL":
            return compute.find(account, "COMPUTE POOL", name.last) is not None
        case "FUNCTION" | "PROCEDURE":
            raise not_emulated(f"tags of a {kind}")
        case "DATABASE ROLE" | "NETWORK POLICY" | "PIPE" | "SHARE":
            return False
    return True


# -- asking


def _own(account: Account, session: Session, domain: str, name: Name) -> Values:
    """The tags set on the object itself; refuses a missing task or model."""
    own = account.kinds[domain].tags_of if domain in account.kinds else None
    if own is not None:
        return dict(own(account, session, name))
    return assigned(account, domain, object_key(session, domain, name))


def _levels(account: Account, session: Session, domain: str, name: Name) -> list[tuple[str, Values]]:
    """The object's tags and inherited ones, the nearest first, with the level on which they are set."""
    levels = [(domain, _own(account, session, domain, name))]
    if domain in _IN_SCHEMAS:
        full = resolve(name, session)
        place = f"{quoted_if_needed(full.database)}.{quoted_if_needed(full.schema)}"
        levels.append(("SCHEMA", assigned(account, "SCHEMA", place)))
        levels.append(("DATABASE", assigned(account, "DATABASE", quoted_if_needed(full.database))))
    elif domain == "SCHEMA":
        database, _ = resolve_schema(name, session)
        levels.append(("DATABASE", assigned(account, "DATABASE", quoted_if_needed(database))))
    return levels


def get_tag(account: Account, session: Session, arguments: tuple[Any, ...]) -> str | None:
    """SYSTEM$GET_TAG(tag, object, domain): the value set on the object, or inherited.

    https://docs.snowflake.com/en/sql-reference/functions/system_get_tag
    """
    tag, name, domain = (*(str(argument) for argument in arguments), "", "", "")[:3]
    wanted = resolve(tag, session)
    column = ""
    parts = _parsed(name).parts
    kind = _domain(domain)
    if kind == "COLUMN":
        parts, column = parts[:-1], parts[-1]
    kind = _DOMAINS.get(kind, kind)
    if not _is_there(account, session, kind, Name(parts)):
        raise does_not_exist(kind.capitalize(), object_key(session, kind, Name(parts)))
    levels = _levels(account, session, kind, Name(parts))
    if column:
        key = object_key(session, kind, Name(parts))
        levels.insert(0, ("COLUMN", assigned(account, kind, key, column)))
    return next((values[wanted] for _, values in levels if wanted in values), None)


def _domain(text: str) -> str:
    domain = text.upper().replace("_", " ")
    if domain not in DOMAINS:
        raise SqlError(f"SQL compilation error:\nInvalid value '{text}' for object domain.", 1008, "22023")
    return domain


def _parsed(text: str) -> Name:
    """A name of any number of parts: a column's has one more than its table's."""
    from sfml_local.grammar.tokens import Tokens

    tokens = Tokens(text.partition("(")[0])
    parts = [tokens.identifier()]
    while not tokens.at_end:
        if tokens.sql[tokens.offset] != ".":
            raise SqlSyntaxError(f"Invalid identifier {text}", tokens.offset)
        tokens.index += 1
        parts.append(tokens.identifier())
    return Name(tuple(parts))


REFERENCE_COLUMNS = tuple(
    Column(name)
    for name in (
        *("TAG_DATABASE", "TAG_SCHEMA", "TAG_NAME", "TAG_VALUE", "APPLY_METHOD", "LEVEL"),
        *("OBJECT_DATABASE", "OBJECT_SCHEMA", "OBJECT_NAME", "DOMAIN", "COLUMN_NAME"),
    )
)


def tag_references(account: Account, session: Session, args: Args) -> Result:
    """INFORMATION_SCHEMA.TAG_REFERENCES(object, domain): the object's own and inherited tags.

    https://docs.snowflake.com/en/sql-reference/functions/tag_references
    """
    given = args.by_name("TAG_REFERENCES", "OBJECT_NAME OBJECT_DOMAIN")
    text, domain = str(given.get("OBJECT_NAME", "")), str(given.get("OBJECT_DOMAIN", ""))
    kind = _domain(domain)
    parts, column = _parsed(text).parts, ""
    if kind == "COLUMN":
        parts, column = parts[:-1], parts[-1]
    kind = _DOMAINS.get(kind, kind)
    name = Name(parts)
    if not _is_there(account, session, kind, name):
        raise does_not_exist(kind.capitalize(), object_key(session, kind, name))
    levels = _levels(account, session, kind, name)
    if column:
        levels.insert(0, ("COLUMN", assigned(account, kind, object_key(session, kind, name), column)))
    place = _place(session, kind, name)
    seen: set[ObjectName] = set()
    rows = []
    own = "COLUMN" if column else kind
    for level, values in levels:
        for tag, value in values.items():
            if tag in seen:
                continue
            seen.add(tag)
            method = "MANUAL" if level == own else "INHERITED"
            shown = level.replace(" ", "_")
            rows.append((*tag.parts, value, method, shown, *place, own, column or None))
    return table(REFERENCE_COLUMNS, rows)


def _place(session: Session, domain: str, name: Name) -> tuple[str | None, str | None, str]:
    if domain in _IN_SCHEMAS:
        full = resolve(name, session)
        return full.database, full.schema, full.name
    if domain == "SCHEMA":
        database, schema = resolve_schema(name, session)
        return database, None, schema
    return None, None, name.last


SYSTEM_FUNCTIONS = {"SYSTEM$GET_TAG": get_tag}
TABLE_FUNCTIONS = {"INFORMATION_SCHEMA.TAG_REFERENCES": tag_references, "TAG_REFERENCES": tag_references}
