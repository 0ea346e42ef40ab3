"""The statements of a block of Snowflake Scripting.

https://docs.snowflake.com/en/developer-guide/snowflake-scripting/blocks
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


class Placed(str):
    """A part of a script with where it starts: its line from 1, and its position in it from 0."""

    __slots__ = ("line", "position")

    line: int
    position: int

    @classmethod
    def at(cls, text: str, script: str, offset: int) -> Placed:
        placed = cls(text)
        placed.line = script.count("\n", 0, offset) + 1
        placed.position = offset - (script.rfind("\n", 0, offset) + 1)
        return placed


@dataclass(frozen=True, slots=True)
class Assign:
    """`LET name [type] := expression`, `name := expression`, or a declaration without a value."""

    name: str
    expression: str | None
    declares: bool
    type: str = ""
    """The declared type; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Return:
    """RETURN, whose expression may be left out."""

    expression: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """A SQL statement, as written."""

    sql: str


@dataclass(frozen=True, slots=True)
class If:
    """(condition, statements) of IF and each ELSEIF; ELSE has the condition TRUE."""

    branches: tuple[tuple[str, tuple[Step, ...]], ...]


@dataclass(frozen=True, slots=True)
class While:
    """WHILE, and LOOP with the condition TRUE."""

    condition: str
    steps: tuple[Step, ...]
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """Ends once the condition is true."""

    steps: tuple[Step, ...]
    until: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """`FOR variable IN [REVERSE] first TO last`"""

    variable: str
    first: str
    last: str
    reverse: bool
    steps: tuple[Step, ...]
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Each:
    """`FOR variable IN source`: the rows of a cursor or a result set."""

    variable: str
    source: str
    steps: tuple[Step, ...]
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """BREAK or EXIT; CONTINUE or ITERATE if `goes_on`."""

    label: str | None
    goes_on: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """`name CURSOR FOR query`; the query may be the name of a result set."""

    name: str
    query: str


@dataclass(frozen=True, slots=True)
class Open:
    name: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetch:
    name: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Close:
    name: str


@dataclass(frozen=True, slots=True)
class ResultSet:
    """`name RESULTSET [:= (query)]`"""

    name: str
    query: str | None


@dataclass(frozen=True, slots=True)
class ExceptionType:
    """`name EXCEPTION [(number, 'sentence')]`"""

    name: str
    number: int = -20000
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Raise:
    """RAISE of an exception, or of the one that is being handled."""

    name: str | None


@dataclass(frozen=True, slots=True)
class ReturnTable:
    """RETURN TABLE(name): the rows of a result set, or of a cursor."""

    name: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """NULL;"""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Unsupported text, from its first word to the end of the script."""

    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """`declared` are the declarations before BEGIN; `handlers` map exceptions' names to statements."""

    steps: tuple[Step, ...]
    declared: tuple[Step, ...] = ()
    handlers: tuple[tuple[tuple[str, ...], tuple[Step, ...]], ...] = ()

    def unsupported(self) -> str | None:
        """The first unsupported part in it."""
        return next((step.text for step in _walk((self,)) if isinstance(step, Unsupported)), None)


Loop = While | Repeat | Count | Each
Declared = Assign | Cursor | ResultSet | ExceptionType | Unsupported
Step = (
    Declared | Return | ReturnTable | Run | If | Loop | Leave | Open | Fetch | Close | Raise | Nothing | Block
)


@dataclass(frozen=True, slots=True)
class ExecuteImmediate:
    """EXECUTE IMMEDIATE of a text or an `expression`, with the values for its `?`."""

    text: str | None
    written: str
    expression: str = ""
    values: tuple[str, ...] = ()


def _walk(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        match step:
            case Block(inner, declared, handlers):
                yield from _walk((*declared, *inner))
                for _, handled in handlers:
                    yield from _walk(handled)
            case If(branches):
                for _, chosen in branches:
                    yield from _walk(chosen)
            case While() | Repeat() | Count() | Each():
                yield from _walk(step.steps)


@dataclass(frozen=True, slots=True)
class ExecuteFile:
    """EXECUTE IMMEDIATE FROM a file on a stage; `values` are the texts of expressions by the template's variables."""

    location: str
    values: tuple[tuple[str, str], ...] = ()
    dry_run: bool = False
