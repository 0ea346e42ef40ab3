"""File formats: named options for reading and writing staged files.

https://docs.snowflake.com/en/sql-reference/sql/create-file-format
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import (
    SqlError,
    already_exists,
    does_not_exist,
    invalid_parameter,
    invalid_value,
    name_is_taken,
)
from sfml_local.core.kinds import ddl_name
from sfml_local.core.likeness import like
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.places import area_of, cannot_be_performed, demand_schema
from sfml_local.core.result import DESCRIBE, Column, Result, status, table
from sfml_local.grammar.copying import (
    AlterFileFormat,
    CreateFileFormat,
    DescribeFileFormat,
    DropFileFormat,
    ShowFileFormats,
)
from sfml_local.grammar.options import written
from sfml_local.grammar.quoting import ddl_literal
from sfml_local.services.databases.sql import missing
from sfml_local.services.stages import store

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.place import Place
    from sfml_local.core.session import Session

_TEXTS = {"DATE_FORMAT": "AUTO", "TIME_FORMAT": "AUTO", "TIMESTAMP_FORMAT": "AUTO", "BINARY_FORMAT": "HEX"}
_LATER: dict[str, Any] = {"NULL_IF": [], "TRIM_SPACE": False, "REPLACE_INVALID_CHARACTERS": False}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "CSV": {
        "RECORD_DELIMITER": "\n",
        "FIELD_DELIMITER": ",",
        "FILE_EXTENSION": "",
        "SKIP_HEADER": 0,
        "PARSE_HEADER": False,
        **_TEXTS,
        "ESCAPE": "NONE",
        "ESCAPE_UNENCLOSED_FIELD": "\\",
        "TRIM_SPACE": False,
        "FIELD_OPTIONALLY_ENCLOSED_BY": "NONE",
        "NULL_IF": ["\\N"],
        "COMPRESSION": "AUTO",
        "ERROR_ON_COLUMN_COUNT_MISMATCH": True,
        "VALIDATE_UTF8": True,
        "SKIP_BLANK_LINES": False,
        "REPLACE_INVALID_CHARACTERS": False,
        "EMPTY_FIELD_AS_NULL": True,
        "SKIP_BYTE_ORDER_MARK": True,
        "ENCODING": "UTF8",
        "MULTI_LINE": True,
    },
    "JSON": {
        "FILE_EXTENSION": "",
        **_TEXTS,
        "TRIM_SPACE": False,
        "NULL_IF": [],
        "COMPRESSION": "AUTO",
        "ENABLE_OCTAL": False,
        "ALLOW_DUPLICATE": False,
        "STRIP_OUTER_ARRAY": False,
        "STRIP_NULL_VALUES": False,
        "IGNORE_UTF8_ERRORS": False,
        "REPLACE_INVALID_CHARACTERS": False,
        "SKIP_BYTE_ORDER_MARK": True,
        "MULTI_LINE": True,
    },
    "PARQUET": {
        "COMPRESSION": "AUTO",
        "SNAPPY_COMPRESSION": True,
        "BINARY_AS_TEXT": True,
        "USE_LOGICAL_TYPE": False,
        "USE_VECTORIZED_SCANNER": False,
        **_LATER,
    },
    "AVRO": {"COMPRESSION": "AUTO", **_LATER},
    "ORC": _LATER,
    "XML": {
        "COMPRESSION": "AUTO",
        "IGNORE_UTF8_ERRORS": False,
        "PRESERVE_SPACE": False,
        "STRIP_OUTER_ELEMENT": False,
        "DISABLE_SNOWFLAKE_DATA": False,
        "DISABLE_AUTO_CONVERT": False,
        "REPLACE_INVALID_CHARACTERS": False,
        "SKIP_BYTE_ORDER_MARK": True,
    },
}
"""The options of each type of file, with their defaults."""

_NOTES = ("_created_on", "_owner", "COMMENT")
"""Stored values besides the options."""


def create_format(account: Account, session: Session, statement: CreateFileFormat) -> Result:
    name = resolve(statement.name, session)
    if store.find_format(account, name) is not None and not statement.or_replace:
        if statement.if_not_exists:
            return status(f"{name.name} already exists, statement succeeded.")
        raise already_exists(statement.name)
    kept = {**checked(statement.options), "_created_on": account.clock().isoformat(), "_owner": session.role}
    store.save_format(account, name, kept, session.id if statement.temporary else None)
    return status(f"File format {name.name} successfully created.")


def checked(given: Mapping[str, Any], *, noted: bool = True) -> dict[str, Any]:
    """The options, if each is one of its type of file; `noted` ones may have a comment."""
    kind = str(given.get("TYPE", "CSV")).upper()
    if kind not in DEFAULTS:
        raise invalid_value(written(given["TYPE"]), "TYPE")
    for key, value in given.items():
        if key == "TYPE" or (noted and key == "COMMENT"):
            continue
        default = DEFAULTS[kind].get(key)
        if default is None:
            raise _unknown(key, kind)
        if not _fits(key, value, default):
            raise invalid_value(written(value), key)
    return dict(given)


def _unknown(option: str, kind: str) -> SqlError:
    if any(option in options for options in DEFAULTS.values()):
        message = f"Option {option} is not valid for file format type {kind}."
        return SqlError(f"SQL compilation error:\n{message}", 1420, "42601")
    return invalid_parameter(option)


def _fits(option: str, value: Any, default: Any) -> bool:
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, int):
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return option != "COMPRESSION" or str(value).upper() in _COMPRESSIONS


_COMPRESSIONS = frozenset(
    {"AUTO", "GZIP", "BZ2", "BROTLI", "ZSTD", "DEFLATE", "RAW_DEFLATE", "LZO", "SNAPPY", "NONE"}
)


def alter_format(account: Account, session: Session, statement: AlterFileFormat) -> Result:
    """RENAME TO and SET; the type of a format stays. https://docs.snowflake.com/en/sql-reference/sql/alter-file-format"""
    name = resolve(statement.name, session)
    found = store.find_format(account, name)
    if found is None:
        if statement.if_exists:
            return status()
        raise does_not_exist("File format", name.fqn())
    if statement.new_name is None:
        kind = found.get("TYPE", "CSV")
        if str(statement.options.get("TYPE", kind)).upper() != str(kind).upper():
            message = "SQL compilation error:\nFile format type cannot be changed."
            raise SqlError(message, 2019, "42601")
        checked({"TYPE": kind, **statement.options})
        store.save_format(
            account, name, {**found, **statement.options}, store.session_of_format(account, name)
        )
        return status()
    new = resolve(statement.new_name, session)
    demand_schema(account, new)
    if store.find_format(account, new) is not None:
        raise name_is_taken(new)
    store.save_format(account, new, found, store.session_of_format(account, name))
    store.remove_format(account, name)
    return status()


def drop_format(account: Account, session: Session, statement: DropFileFormat) -> Result:
    name = resolve(statement.name, session)
    demand_schema(account, name)
    if store.find_format(account, name) is None:
        return missing("File format", name.fqn(), statement.if_exists)
    store.remove_format(account, name)
    return status(f"{name.name} successfully dropped.")


def format_options(
    account: Account, session: Session, given: Any, place: Place | None = None
) -> dict[str, Any]:
    """The options of a FILE_FORMAT (a name, a list with FORMAT_NAME, or a list), else those of the stage."""
    if given is None and place is not None:
        given = store.format_of_stage(account, place.root.name)
    name = given if isinstance(given, str) else (given or {}).get("FORMAT_NAME")
    if name is None:
        return {"TYPE": "CSV", **(given or {})}
    full = resolve(str(name), session)
    found = store.find_format(account, full)
    if found is None:
        raise does_not_exist("File format", full.fqn())
    own = (
        {option: value for option, value in (given or {}).items() if option != "FORMAT_NAME"}
        if isinstance(given, dict)
        else {}
    )
    return {"TYPE": "CSV", **{name: found[name] for name in found if name not in _NOTES}, **own}


def set_of_stage(account: Account, session: Session, folder: str, given: Any) -> None:
    """Set a stage's FILE_FORMAT, which must exist; None removes it."""
    format_options(account, session, given)
    if given is None:
        store.set_format_of_stage(account, folder, None)
        return
    named = {"FORMAT_NAME": given} if isinstance(given, str) else dict(given)
    if "FORMAT_NAME" not in named:
        checked(named, noted=False)
    if "FORMAT_NAME" in named:
        named["FORMAT_NAME"] = resolve(str(named["FORMAT_NAME"]), session).fqn()
    store.set_format_of_stage(account, folder, named)


def show(account: Account, session: Session, statement: ShowFileFormats) -> Result:
    """STARTS WITH and LIMIT have no effect, as on an account."""
    columns = (
        Column("created_on", "timestamp_ltz"),
        *map(Column, ("name", "database_name", "schema_name", "type", "owner", "comment", "format_options")),
        Column("owner_role_type"),
    )
    area = area_of(account, session, statement.listing, missing=cannot_be_performed)
    rows = []
    for name, found in store.every_format(account):
        if area.has(name.database, name.schema) and like(statement.listing.like, name.name):
            created = found.get("_created_on", "1970-01-01T00:00:00+00:00")
            shown = _all_options(found)
            rows.append(
                (
                    *(datetime.datetime.fromisoformat(created), name.name, name.database, name.schema),
                    *(
                        str(found.get("TYPE", "CSV")).upper(),
                        found.get("_owner", ""),
                        found.get("COMMENT", ""),
                    ),
                    *(json.dumps(shown, separators=(",", ":")), "ROLE"),
                )
            )
    return table(columns, rows)


def _all_options(found: Mapping[str, Any]) -> dict[str, Any]:
    """The options that SHOW tells: all of the type, with a null where there is no extension."""
    kind = str(found.get("TYPE", "CSV")).upper()
    every = {"TYPE": kind, **DEFAULTS[kind]}
    told = {option: found.get(option, default) for option, default in every.items()}
    if told.get("FILE_EXTENSION") == "":
        told["FILE_EXTENSION"] = None
    return {**told, "TYPE": kind}


def describe(account: Account, session: Session, statement: DescribeFileFormat) -> Result:
    name = resolve(statement.name, session)
    found = store.find_format(account, name)
    if found is None:
        raise does_not_exist("File format", name.fqn())
    rows = described({option: value for option, value in found.items() if option not in _NOTES})
    return table(("property", "property_type", "property_value", "property_default"), rows, DESCRIBE)


def described(given: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """The options of a format or a stage: (property, type, value, default); all of its type of file."""
    if "FORMAT_NAME" in given:
        return [(option, _kind(value), _text(value), "") for option, value in given.items()]
    kind = str(given.get("TYPE", "CSV")).upper()
    told = {"TYPE": "CSV", **DEFAULTS[kind]}
    return [
        (option, _kind(default), _text(given.get(option, default)), _text(default))
        for option, default in told.items()
    ]


def _kind(value: Any) -> str:
    kinds: tuple[tuple[type, str], ...] = ((bool, "Boolean"), (int, "Integer"), (list, "List"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "String")


def _text(value: Any) -> str:
    """A value as DESCRIBE shows it: with escapes, lists in brackets."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    return str(value).translate(_ESCAPES)


_ESCAPES = {ord("\\"): "\\\\", ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t", ord('"'): '\\"'}


# -- GET_DDL


def names(account: Account, database: str, schema: str) -> list[ObjectName]:
    """The file formats of a schema, by name."""
    return [
        name for name, _ in store.every_format(account) if (name.database, name.schema) == (database, schema)
    ]


def ddl(account: Account, name: ObjectName, qualified: bool) -> str | None:
    """CREATE FILE FORMAT with the options that differ from the defaults of a CSV file."""
    found = store.find_format(account, name)
    if found is None:
        return None
    kind = str(found.get("TYPE", "CSV")).upper()
    own = {option: found.get(option, default) for option, default in DEFAULTS[kind].items()}
    usual = {**DEFAULTS[kind], "NULL_IF": ["\\N"]}
    lines = [] if kind == "CSV" else [f"\tTYPE = {kind}"]
    for option in sorted(own, key=_ORDER.index):
        if str(own[option]).upper() != str(usual[option]).upper():
            lines.append(f"\t{option} = {_ddl_value(option, own[option])}")
    lines += [f"COMMENT={ddl_literal(found['COMMENT'])}"] if found.get("COMMENT") else []
    return "\n".join((f"CREATE OR REPLACE FILE FORMAT {ddl_name(name, qualified)}", *lines, ";"))


_ORDER = tuple(dict.fromkeys(option for kind in ("CSV", *DEFAULTS) for option in DEFAULTS[kind]))
"""The order in which options are told: those of a CSV file first."""


def _ddl_value(option: str, value: Any) -> str:
    if isinstance(value, list):
        return f"({', '.join(map(ddl_literal, value))})"
    if isinstance(value, bool | int) or option == "COMPRESSION":
        return str(value).upper()
    return ddl_literal(str(value))
