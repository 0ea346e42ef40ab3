"""The result of a statement: columns with Snowflake's types, and rows of Python values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, overload

if TYPE_CHECKING:
    import pyarrow as pa


# Statement types as clients read them (SFStatementType in Snowflake's JDBC driver).
SELECT = 0x1000
INSERT = 0x3100
SCL = 0x4000
USE = 0x4300
SHOW = 0x4400
DESCRIBE = 0x4500
DDL = 0x6000
CALL = 0x7000  # a stored procedure call
UNKNOWN = 0


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the protocol describes it; `type` is Snowflake's wire word in lower case.

    fixed · real · text · boolean · date · time · timestamp_ntz · timestamp_ltz · timestamp_tz · variant ·
    object · array · binary.
    """

    name: str
    type: str = "text"
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    nullable: bool = True


def columns(text: str) -> tuple[Column, ...]:
    """Columns from `NAME` or `NAME:type` words."""
    words = (word.partition(":") for word in text.split())
    return tuple(Column(name, kind or "text") for name, _, kind in words)


Rows = Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one statement. `transfer` is the reply to a PUT or GET, which the client carries out."""

    columns: tuple[Column, ...]
    rows: Rows = ()
    statement_type_id: int = SELECT
    transfer: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Session parameters that the client should adopt."""
    parts: tuple[str, ...] = ()
    """The query ids of the statements of a request with several."""

    @property
    def scalar(self) -> Any:
        """The first value of the first row; None when there is none."""
        return self.rows[0][0] if len(self.rows) and self.columns else None

    @property
    def size(self) -> int:
        """The approximate memory of the rows, in bytes."""
        arrow = getattr(self.rows, "table", None)
        return int(arrow.nbytes) if arrow is not None else 200 * len(self.rows) * max(1, len(self.columns))

    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def dicts(self) -> list[dict[str, Any]]:
        """The rows as mappings from column names."""
        return [dict(zip(self.names(), row, strict=True)) for row in self.rows]


class ArrowRows(Sequence[tuple[Any, ...]]):
    """Rows that stay in an Arrow table until they are used."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, index: int) -> tuple[Any, ...]: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[Any, ...]]: ...

    def __getitem__(self, index: int | slice) -> tuple[Any, ...] | Sequence[tuple[Any, ...]]:
        if isinstance(index, slice):
            return list(self)[index]
        return tuple(column[index].as_py() for column in self.table.columns)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        columns = [column.to_pylist() for column in self.table.columns]
        return iter(zip(*columns, strict=True)) if columns else iter(())


def status(message: str = "Statement executed successfully.", statement_type_id: int = DDL) -> Result:
    """The one-line result of a statement that changes something."""
    return Result((Column("status"),), ((message,),), statement_type_id)


def table(
    columns: Iterable[str | Column], rows: Iterable[Sequence[Any]] = (), statement_type_id: int = SHOW
) -> Result:
    """Rows under these columns; a plain name is a text column."""
    described = tuple(Column(c) if isinstance(c, str) else c for c in columns)
    return Result(described, tuple(tuple(row) for row in rows), statement_type_id)


def scalar(name: str, value: Any, type: str = "text", statement_type_id: int = SELECT) -> Result:
    """One value under one name."""
    return Result((Column(name, type),), ((value,),), statement_type_id)


class ColumnFacts(NamedTuple):
    """What is known of a column beside its type in DuckDB."""

    kind: str | None = None
    """`array`, `object` or `timestamp_ltz`, which DuckDB does not tell apart from other types."""
    length: int | None = None
    """The most characters of a text, or bytes of a binary; None is the most that there can be, 0 is always NULL."""
    is_required: bool = False
    """Whether it is known to have no NULL."""
    digits: int | None = None
    """The digits of a number that is written down."""
    places: int | None = None
    """The digits of a second that a declared time or timestamp has; answers do not tell them."""


Types = Mapping[str, ColumnFacts]
"""Name of a column → what is known of it; a column of which nothing is known is missing."""

TOLD_APART = {"array": "variant", "object": "variant", "timestamp_ltz": "timestamp_tz"}
"""A type → what an answer of DuckDB shows in its place."""
_SIZED = ("text", "binary")
_ALWAYS_NULLABLE = ("boolean", "variant", "array", "object")
"""Accounts tell that these can be NULL, whatever they are computed from."""


def told(result: Result, types: Types) -> Result:
    """The result with what DuckDB does not tell of its columns, where it is known, and their names are unique."""
    if not types:
        return result
    counts = Counter(column.name for column in result.columns)
    columns = tuple(
        _told(column, types[column.name]) if column.name in types and counts[column.name] == 1 else column
        for column in result.columns
    )
    return replace(result, columns=columns)


def _told(column: Column, facts: ColumnFacts) -> Column:
    kind, length, is_required, digits, _ = facts
    type = kind if kind is not None and column.type == TOLD_APART[kind] else column.type
    return replace(
        column,
        type=type,
        length=length if length and type in _SIZED else column.length,
        precision=digits if digits and type == "fixed" and not column.scale else column.precision,
        nullable=column.nullable and not (is_required and type not in _ALWAYS_NULLABLE),
    )
