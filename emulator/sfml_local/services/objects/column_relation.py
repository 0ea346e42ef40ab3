"""INFORMATION_SCHEMA.COLUMNS: https://docs.snowflake.com/en/sql-reference/info-schema/columns"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sfml_local.core.places import Area
from sfml_local.core.result import columns
from sfml_local.core.stored_types import shown_type
from sfml_local.services.objects import show
from sfml_local.services.objects.show import Known
from sfml_local.services.variants import semi_structured

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

COLUMNS = columns(
    "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME COLUMN_NAME ORDINAL_POSITION:fixed COLUMN_DEFAULT IS_NULLABLE DATA_TYPE"
    " CHARACTER_MAXIMUM_LENGTH:fixed CHARACTER_OCTET_LENGTH:fixed NUMERIC_PRECISION:fixed"
    " NUMERIC_PRECISION_RADIX:fixed NUMERIC_SCALE:fixed DATETIME_PRECISION:fixed INTERVAL_TYPE"
    " INTERVAL_PRECISION:fixed CHARACTER_SET_CATALOG CHARACTER_SET_SCHEMA CHARACTER_SET_NAME COLLATION_CATALOG"
    " COLLATION_SCHEMA COLLATION_NAME DOMAIN_CATALOG DOMAIN_SCHEMA DOMAIN_NAME UDT_CATALOG UDT_SCHEMA UDT_NAME"
    " SCOPE_CATALOG SCOPE_SCHEMA SCOPE_NAME MAXIMUM_CARDINALITY:fixed DTD_IDENTIFIER IS_SELF_REFERENCING IS_IDENTITY"
    " IDENTITY_GENERATION IDENTITY_START:fixed IDENTITY_INCREMENT:fixed IDENTITY_MAXIMUM IDENTITY_MINIMUM"
    " IDENTITY_CYCLE IDENTITY_ORDERED SCHEMA_EVOLUTION_RECORD COMMENT DATA_TYPE_ALIAS"
)
_WORDS = {"FIXED": "NUMBER", "REAL": "FLOAT"}
"""Words of the protocol → those of DATA_TYPE."""
_IDENTITY = re.compile(r"IDENTITY START (-?\d+) INCREMENT (-?\d+) (\w+)")


def rows(account: Account, session: Session, database: str) -> Iterable[Mapping[str, Any]]:
    for one in show.known_objects(account, Area(database)):
        yield from _of(account, session, one)


def _of(account: Account, session: Session, one: Known) -> Iterable[Mapping[str, Any]]:
    kinds = semi_structured.kinds_of(account, session, one.name)
    known = account.engine.columns(session, one.name)
    for position, (column, stored, length, nullable, default, comment) in enumerate(known, 1):
        described = json.loads(
            show.descriptor(shown_type(kinds.get(column), stored, length), nullable=nullable)
        )
        counted = show.identity(account, default)
        yield {
            "TABLE_CATALOG": one.name.database,
            "TABLE_SCHEMA": one.name.schema,
            "TABLE_NAME": one.name.name,
            "COLUMN_NAME": column,
            "ORDINAL_POSITION": position,
            "COLUMN_DEFAULT": None if counted else show.shown_default(default),
            "IS_NULLABLE": "YES" if nullable else "NO",
            "IS_SELF_REFERENCING": "NO",
            "COMMENT": comment or None,
            **_type(described),
            **_identity(counted),
        }


def _type(described: Mapping[str, Any]) -> dict[str, Any]:
    word = described["type"]
    found: dict[str, Any] = {"DATA_TYPE": _WORDS.get(word, word)}
    if word == "FIXED":
        found["NUMERIC_PRECISION"], found["NUMERIC_SCALE"] = described["precision"], described["scale"]
        found["NUMERIC_PRECISION_RADIX"] = 10
    elif "length" in described:
        found["CHARACTER_MAXIMUM_LENGTH"] = described["length"]
        found["CHARACTER_OCTET_LENGTH"] = described["byteLength"]
    elif "scale" in described:
        found["DATETIME_PRECISION"] = described["scale"]
    return found


def _identity(counted: str | None) -> dict[str, Any]:
    if counted is None or (found := _IDENTITY.match(counted)) is None:
        return {"IS_IDENTITY": "NO"}
    return {
        "IS_IDENTITY": "YES",
        "IDENTITY_START": int(found[1]),
        "IDENTITY_INCREMENT": int(found[2]),
        "IDENTITY_CYCLE": "NO",
        "IDENTITY_ORDERED": "YES" if found[3] == "ORDER" else "NO",
    }
