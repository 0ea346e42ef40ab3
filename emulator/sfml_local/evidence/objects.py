"""Behaviours of tables, views, stages, tags, databases and schemas as objects."""

from __future__ import annotations

from sfml_local.evidence.behaviour import Behaviour, Evidence

_D, _C, _A, _X = Evidence.DOCUMENTED, Evidence.CHECKED, Evidence.ASSUMED, Evidence.DIFFERENT
RECORDED = "recorded on accounts: tests/local/facts/objects.yaml"

OBJECTS: tuple[Behaviour, ...] = (
    Behaviour(
        "objects",
        "Columns and order of SHOW TABLES, VIEWS, OBJECTS, COLUMNS, SCHEMAS, DATABASES",
        _C,
        RECORDED,
    ),
    Behaviour(
        "objects", "Columns and order of SHOW STAGES, STREAMS, SEQUENCES, FILE FORMATS; TERSE", _C, RECORDED
    ),
    Behaviour(
        "objects", "PRIMARY KEY, UNIQUE and FOREIGN KEY are kept and not enforced; NOT NULL is", _C, RECORDED
    ),
    Behaviour(
        "objects", "SHOW PRIMARY, UNIQUE, IMPORTED KEYS; INFORMATION_SCHEMA of constraints", _C, RECORDED
    ),
    Behaviour("objects", "The text of a view as it was written, in SHOW VIEWS and GET_DDL", _C, RECORDED),
    Behaviour(
        "objects",
        "Missing objects, and objects in missing databases or schemas, are refused with their codes",
        _C,
        RECORDED,
    ),
    Behaviour("objects", "Unknown properties are refused: 001420", _A, "recorded for tasks"),
    Behaviour(
        "objects",
        "CLUSTER BY, retention and logging levels are stored, without an effect",
        _X,
        "nothing to do",
    ),
    Behaviour(
        "objects",
        "Parameters of tasks set on a schema or database are refused",
        _X,
        "not emulated, and said so",
    ),
    Behaviour(
        "objects",
        "Renaming a schema or database, CLONE of one, UNDROP, SWAP",
        _X,
        "not emulated, and said so",
    ),
    Behaviour("objects", "Codes of duplicate properties and of retention that is too long", _A, "not seen"),
    Behaviour(
        "objects",
        "A FILE_FORMAT of a stage is that of what reads and writes it",
        _D,
        "sql-reference/sql/create-stage",
    ),
    Behaviour("objects", "SYSTEM$GET_TAG, TAG_REFERENCES, levels, inheritance, allowed values", _C, RECORDED),
    Behaviour(
        "objects",
        "SHOW of objects that no one can make here is refused, not empty",
        _X,
        "not emulated, and said so",
    ),
)
