"""Declarations in CREATE of a table or view other than columns; removed, as DuckDB would refuse or enforce them.

PRIMARY KEY, UNIQUE and FOREIGN KEY of standard tables are stored, not enforced; a primary key's columns are NOT NULL.
https://docs.snowflake.com/en/sql-reference/constraints-overview
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import Expr, exp
from sqlglot.tokens import TokenType

from sfml_local.core.errors import SqlError, invalid_value, not_emulated
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.core.session import Session
from sfml_local.core.temporaries import created_temporary, full_name
from sfml_local.grammar.options import Quoted, written
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import Tokens
from sfml_local.services.objects import clustering
from sfml_local.services.objects.store import Key, Record
from sfml_local.services.tags.tagging import one_value_each

PROPERTIES = frozenset(
    {
        *("DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS", "CHANGE_TRACKING"),
        *("ENABLE_SCHEMA_EVOLUTION", "DEFAULT_DDL_COLLATION", "ROW_TIMESTAMP", "ERROR_LOGGING"),
    }
)
"""Properties that CREATE or ALTER … SET can set on a table or view."""
_KNOWN = (
    *(exp.TemporaryProperty, exp.SchemaCommentProperty, exp.LikeProperty, exp.ExternalProperty),
    *(exp.ReturnsProperty, exp.SequenceProperties),
)
"""Properties that are read elsewhere; any other would be left out of DuckDB's statement without a word."""
_FLAGS = ("CHANGE_TRACKING", "ENABLE_SCHEMA_EVOLUTION", "ROW_TIMESTAMP", "ERROR_LOGGING")


@dataclass(slots=True)
class Declared:
    """`tags` are those of the object (None) and of its columns."""

    details: dict[str, Any] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    tags: dict[str | None, dict[ObjectName, str]] = field(default_factory=dict)


class Declarations:
    """The declarations of a statement, if its kind can have some."""

    def __init__(self) -> None:
        self.found: Declared | None = None


@looks_for(exp.Alter, exp.Create)
def declarations(tree: Expr, rewriting: Rewriting) -> Expr:
    """Record keys, properties and tags of a CREATE TABLE or VIEW, or of added columns; removes them from the tree."""
    if isinstance(tree, exp.Alter) and str(tree.args.get("kind")).upper() == "TABLE":
        _declare_added(tree, rewriting)
        return tree
    if isinstance(tree, exp.Create) and str(tree.args.get("kind")).upper() == "SEQUENCE":
        _declare_sequence(tree, rewriting)
    if not isinstance(tree, exp.Create) or str(tree.args.get("kind")).upper() not in ("TABLE", "VIEW"):
        return tree
    found = rewriting.note(Declarations).found = Declared()
    _take_properties(tree, found, rewriting)
    schema = tree.this
    if isinstance(schema, exp.Schema):
        for element in list(schema.expressions):
            if isinstance(element, exp.ColumnDef):
                _take_column_keys(element, found, rewriting)
            else:
                _take_table_key(element, found)
        demand_distinct(dotted(schema.this).rpartition(".")[2], found.keys)
        _make_primary_not_null(schema.expressions, found)
    if (target := created_temporary(tree)) is not None:
        _keep_temporary(target, tree, found, rewriting)
    return tree


class TemporaryRecords:
    """What a session's temporary tables and views were declared with, and their comments; others are in the store."""

    def __init__(self, session: Session) -> None:
        self.by_name: dict[ObjectName, tuple[Record, str]] = {}


def _keep_temporary(target: exp.Table, tree: exp.Create, found: Declared, rewriting: Rewriting) -> None:
    session = rewriting.session
    name = full_name(target, session)
    if name is None or (name in session.temporaries and tree.args.get("exists")):
        return
    note = tree.find(exp.SchemaCommentProperty)
    record = Record(
        name,
        str(tree.args["kind"]).upper(),
        rewriting.account.clock(),
        session.role,
        (rewriting.written or "").strip(),
        {**found.details, "TEMPORARY": True},
        tuple(found.keys),
    )
    session.part(TemporaryRecords).by_name[name] = record, "" if note is None else str(plain(note.this))


def _declare_sequence(tree: exp.Create, rewriting: Rewriting) -> None:
    """The comment of a sequence, and ORDER, which DuckDB does not read: its values are always in order."""
    details: dict[str, Any] = {}
    _demand_single_bounds(tree, rewriting)
    for note in list(tree.find_all(exp.SchemaCommentProperty)):
        details["COMMENT"] = str(plain(note.pop().this))
    for unknown in tree.find_all(exp.Property):
        if type(unknown) is exp.Property:
            raise invalid_property(str(unknown.this.name).upper(), "SEQUENCE")
    for one in tree.find_all(exp.SequenceProperties):
        options = [str(option).upper() for option in one.args.get("options") or ()]
        if "ORDER" in options:
            details["ORDERED"] = True
        one.set(
            "options",
            [o for o in one.args.get("options") or () if str(o).upper() not in ("ORDER", "NOORDER")],
        )
    rewriting.note(Declarations).found = Declared(details)


def _demand_single_bounds(tree: exp.Create, rewriting: Rewriting) -> None:
    """Refuse START or INCREMENT written twice, of which the tree holds the last."""
    tokens = Tokens(rewriting.written or "").following()
    words = [
        one.text.upper() for one in tokens if one.token_type not in (TokenType.STRING, TokenType.IDENTIFIER)
    ]
    for word in ("START", "INCREMENT"):
        if words.count(word) - (tree.this.name.upper() == word) > 1:
            raise duplicate_property(f"SEQUENCE_{word}")


def _declare_added(tree: exp.Alter, rewriting: Rewriting) -> None:
    added = [action for action in tree.args.get("actions") or () if isinstance(action, exp.ColumnDef)]
    if added:
        found = rewriting.note(Declarations).found = Declared()
        for column in added:
            _demand_constant(column)
            _take_column_keys(column, found, rewriting)
        _make_primary_not_null(added, found)


def _demand_constant(column: exp.ColumnDef) -> None:
    """Refuse to add a column that is filled by a function: only CREATE TABLE takes that.

    https://docs.snowflake.com/en/sql-reference/sql/alter-table
    """
    for constraint in column.find_all(*_NUMBERED):
        raise not_emulated(f"ALTER TABLE … ADD COLUMN … {constraint.sql(dialect='snowflake')}")
    for constraint in column.find_all(exp.DefaultColumnConstraint):
        if not _is_constant(constraint.this):
            written = constraint.this.sql(dialect="snowflake")
            words = f"SQL compilation error:\nInvalid column default expression [{written}]"
            raise SqlError(words, 2263, "22000")


_NUMBERED = (exp.AutoIncrementColumnConstraint, exp.GeneratedAsIdentityColumnConstraint)


def _is_constant(value: Expr) -> bool:
    """Whether a default is a constant, the date or time of one, or the next value of a sequence."""
    if isinstance(value, exp.Cast) and value.is_type(*exp.DataType.TEMPORAL_TYPES):
        value = value.this
    if isinstance(value, exp.Neg | exp.Paren):
        value = value.this
    is_plain = isinstance(value, exp.Literal | exp.Null | exp.Boolean)
    return is_plain or "NEXTVAL" in value.sql(dialect="snowflake").upper()


# -- properties


def _named(tree: Expr) -> list[Expr]:
    """The columns that CREATE TABLE names, with or without their types."""
    return [one for one in tree.this.expressions if isinstance(one, exp.ColumnDef | exp.Identifier)]


def _take_properties(tree: exp.Create, found: Declared, rewriting: Rewriting) -> None:
    properties = tree.args.get("properties")
    kind = str(tree.args["kind"]).upper()
    named: set[str] = set()
    for one in list(properties.expressions) if properties is not None else ():
        match one:
            case exp.TransientProperty():
                found.details["TRANSIENT"] = True
                one.pop()
            case exp.SecureProperty():
                found.details["SECURE"] = True
                one.pop()
            case exp.ClusterProperty() | exp.Cluster():
                if isinstance(tree.this, exp.Schema):
                    known = [
                        dotted(part if isinstance(part, exp.Identifier) else part.this)
                        for part in _named(tree)
                    ]
                    clustering.demand_columns(one.expressions, known)
                found.details["CLUSTER_BY"] = clustering.written_keys(one.expressions)
                one.pop()
            case exp.CopyGrantsProperty():
                one.pop()
            case exp.Tags():
                found.tags[None] = tag_values(one, rewriting)
                one.pop()
            case exp.Property() if type(one) is exp.Property:
                name = str(one.this.name if isinstance(one.this, Expr) else one.this)
                key = name.upper()
                if key not in PROPERTIES:
                    raise invalid_property(key, kind)
                if name in named:
                    raise duplicate_property(name)
                named.add(name)
                found.details[key] = checked(key, plain(one.args.get("value")))
                one.pop()
            case _ if not isinstance(one, _KNOWN):
                raise not_emulated(f"CREATE {kind} … {one.sql(dialect='snowflake')}")
    if properties is not None and not properties.expressions:
        tree.set("properties", None)


def duplicate_property(name: str) -> SqlError:
    return SqlError(f"SQL compilation error:\nduplicate property '{name}';", 1410, "42601")


def invalid_property(key: str, kind: str) -> SqlError:
    return SqlError(f"SQL compilation error:\ninvalid property '{key}' for '{kind}'", 1420, "42601")


def checked(key: str, value: Any) -> Any:
    """The value, if it is valid for the property."""
    from sfml_local.services.databases.properties import check_days

    if key.endswith("_TIME_IN_DAYS"):
        check_days(key, value)
    elif key == "ERROR_LOGGING" and str(value).upper() == "DEFAULT" and not isinstance(value, Quoted):
        return False
    elif key in _FLAGS and not isinstance(value, bool):
        raise invalid_value(written(value), key)
    elif key == "DEFAULT_DDL_COLLATION" and value:
        raise not_emulated(f"DEFAULT_DDL_COLLATION = '{value}': COLLATE each column")
    return value


def plain(node: Any) -> Any:
    """A property's value."""
    match node:
        case exp.Boolean():
            return bool(node.this)
        case exp.Neg(this=exp.Literal() as inner) if inner.is_int:
            return -int(inner.this)
        case exp.Literal():
            return node.this if node.is_string else int(node.this) if node.is_int else float(node.this)
        case Expr():
            return node.name or node.sql(dialect="snowflake")
    return node


def tag_values(node: exp.Tags, rewriting: Rewriting) -> dict[ObjectName, str]:
    return one_value_each(
        (resolve(dotted(one.this), rewriting.session), str(plain(one.args.get("value") or one.expression)))
        for one in node.expressions
    )


# -- keys


def _take_column_keys(column: exp.ColumnDef, found: Declared, rewriting: Rewriting) -> None:
    name = dotted(column.this)
    _demand_one_default(name, column)
    for constraint in list(column.args.get("constraints") or ()):
        kind = constraint.args.get("kind") if isinstance(constraint, exp.ColumnConstraint) else constraint
        named = constraint.args.get("this") if isinstance(constraint, exp.ColumnConstraint) else None
        match kind:
            case exp.PrimaryKeyColumnConstraint():
                found.keys.append(Key("PRIMARY KEY", (name,), _text(named), **_options(kind)))
            case exp.UniqueColumnConstraint():
                found.keys.append(Key("UNIQUE", (name,), _text(named), **_options(kind)))
            case exp.Reference():
                found.keys.append(_foreign((name,), kind, _text(named)))
            case exp.ForeignKey():
                pass
            case exp.Tags():
                found.tags[name] = tag_values(kind, rewriting)
            case _:
                continue
        constraint.pop()
    if not column.args.get("constraints"):
        column.set("constraints", None)


_DEFAULTS = (
    *(exp.DefaultColumnConstraint, exp.AutoIncrementColumnConstraint),
    exp.GeneratedAsIdentityColumnConstraint,
)


def _demand_one_default(name: str, column: exp.ColumnDef) -> None:
    """Refuse a second DEFAULT, AUTOINCREMENT or IDENTITY, in the words of an account; the code is assumed."""
    kinds = [one.args.get("kind") for one in column.args.get("constraints") or ()]
    if sum(isinstance(kind, _DEFAULTS) for kind in kinds) > 1:
        raise SqlError(
            "SQL compilation error: \n"
            f"Multiple DEFAULT or AUTOINCREMENT expressions declared for column {quoted_if_needed(name)}.",
            1008,
            "22023",
        )


def demand_distinct(table: str, keys: Sequence[Key]) -> None:
    """Refuse a second primary key, and a second UNIQUE over the same columns; the latter's code is assumed."""
    if sum(key.kind == "PRIMARY KEY" for key in keys) > 1:
        raise SqlError(
            f"SQL compilation error:\nprimary key already exists for table '{table}'", 2002, "42710"
        )
    unique = [key.columns for key in keys if key.kind == "UNIQUE"]
    if len(unique) != len(set(unique)):
        raise SqlError(
            f"SQL compilation error:\nconstraint with the same signature already exists on table '{table}'",
            2002,
            "42710",
        )


def _take_table_key(element: Expr, found: Declared) -> None:
    name, parts = None, [element]
    if isinstance(element, exp.Constraint):
        name, parts = _text(element.this), list(element.expressions)
    keys = [key for part in parts if (key := _key(part, name)) is not None]
    notes = [part.this.name for part in parts if isinstance(part, exp.CommentColumnConstraint)]
    keys = [replace(key, comment=notes[0]) for key in keys] if notes else keys
    if keys:
        found.keys.extend(keys)
        element.pop()


def _key(part: Expr, name: str | None) -> Key | None:
    match part:
        case exp.PrimaryKey():
            return Key("PRIMARY KEY", tuple(_columns(part.expressions)), name, **_options(part))
        case exp.UniqueColumnConstraint() if isinstance(part.this, exp.Schema):
            return Key("UNIQUE", tuple(_columns(part.this.expressions)), name, **_options(part))
        case exp.ForeignKey():
            reference = part.args.get("reference")
            columns = tuple(_columns(part.expressions))
            return _foreign(columns, reference, name) if reference is not None else None
    return None


def _foreign(columns: tuple[str, ...], reference: Expr, name: str | None) -> Key:
    target = reference.this
    table = target.this if isinstance(target, exp.Schema) else target
    others = tuple(_columns(target.expressions)) if isinstance(target, exp.Schema) else ()
    written = (
        ".".join(dotted(part) for part in table.parts) if isinstance(table, exp.Table) else dotted(table)
    )
    return Key("FOREIGN KEY", columns, name, written, others, **_options(reference))


def _columns(nodes: Any) -> Iterator[str]:
    for node in nodes:
        yield dotted(node.this if isinstance(node, exp.Ordered) else node)


def _options(node: Expr) -> dict[str, Any]:
    """What a key says beyond its columns, in the words of `Key`."""
    given = [str(option).upper() for option in node.args.get("options") or ()]
    found: dict[str, Any] = {"rely": "RELY" in given, "deferrable": "DEFERRABLE" in given}
    for prefix, name in (("MATCH ", "match"), ("ON UPDATE ", "on_update"), ("ON DELETE ", "on_delete")):
        said = [option.removeprefix(prefix) for option in given if option.startswith(prefix)]
        found |= {name: said[0]} if said else {}
    return found


def _text(node: Any) -> str | None:
    return None if node is None else dotted(node)


def _make_primary_not_null(columns: Sequence[Expr], found: Declared) -> None:
    primary = {column for key in found.keys if key.kind == "PRIMARY KEY" for column in key.columns}
    for column in columns:
        if not isinstance(column, exp.ColumnDef) or dotted(column.this) not in primary:
            continue
        constraints = column.args.get("constraints") or []
        if not any(isinstance(one.args.get("kind"), exp.NotNullColumnConstraint) for one in constraints):
            not_null = exp.ColumnConstraint(kind=exp.NotNullColumnConstraint())
            column.set("constraints", [*constraints, not_null])
