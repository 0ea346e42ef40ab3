"""DuckDB's refusals of the shape of a query in Snowflake's words: grouping, windows, set operations, values.

Accounts show an expression with the full names of its columns. Here a column has the name of its table where the query
reads one table; the statement is read once more for that, because the passes have changed its tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from sqlglot import Expr, exp, parse_one
from sqlglot.errors import SqlglotError

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.expressions.syntax_errors import position


def refused_query(message: str, statement: str) -> SqlError | None:
    """The account's error for a query that DuckDB refuses for its shape, or for a value; None for other messages."""
    for pattern, error in _ERRORS.items():
        if (found := re.search(pattern, message)) is not None:
            return error(found, statement)
    return None


def _error(sentence: str, errno: int, sqlstate: str = "42601") -> SqlError:
    return SqlError(f"SQL compilation error:\n{sentence}", errno, sqlstate)


def _at(offset: int, statement: str, sentence: str, errno: int) -> SqlError:
    """An error with the place in the statement that it is about."""
    return SqlError(f"SQL compilation error: error {position(offset, statement)}\n{sentence}", errno, "42601")


# -- grouping


def _ungrouped(found: re.Match[str], statement: str) -> SqlError:
    name = found[1]
    for select, column in _columns(statement, name):
        shown = named(column, select)
        if column.find_ancestor(exp.Order) is not None:
            return _error(f"[{shown}] is not a valid order by expression", 979)
        if select.args.get("group") is None or column.find_ancestor(exp.Having) is not None:
            return _error(f"[{shown}] is not a valid group by expression", 979)
        words = f"'{shown}' in select clause is neither an aggregate nor in the group by clause."
        return _at(_start(column), statement, words, 1104)
    return _error(f"[{name}] is not a valid group by expression", 979)


def _columns(statement: str, name: str) -> Iterator[tuple[exp.Select, exp.Column]]:
    """The columns of a name that are no part of an aggregate or a key, each with its query."""
    for column in _tree(statement).find_all(exp.Column, bfs=False):
        select = column.find_ancestor(exp.Select)
        if not isinstance(select, exp.Select) or _name(column.this) != name:
            continue
        around = column.find_ancestor(exp.AggFunc, exp.Group, exp.Where, exp.Join, exp.Select)
        if around is select:
            yield select, column


def _grouped_by_aggregate(found: re.Match[str], statement: str) -> SqlError:
    words = "[{}] is not a valid group by expression"
    is_written = _within(statement, exp.Group, exp.AggFunc) is not None
    return _misplaced(statement, exp.Group if is_written else exp.Select, exp.AggFunc, words, 979)


def _aggregate_in_where(found: re.Match[str], statement: str) -> SqlError:
    return _misplaced(
        statement, exp.Where, exp.AggFunc, "Invalid aggregate function in where clause [{}]", 2035
    )


def _aggregate_in_join(found: re.Match[str], statement: str) -> SqlError:
    return _misplaced(statement, exp.Join, exp.AggFunc, "Invalid aggregate function in ON clause [{}]", 2035)


def _window_outside(found: re.Match[str], statement: str) -> SqlError:
    words = "Window function [{}] appears outside of SELECT, QUALIFY, and ORDER BY clauses."
    for clause in (exp.Where, exp.Having, exp.Join, exp.Group):
        if _within(statement, clause, exp.Window) is not None:
            return _misplaced(statement, clause, exp.Window, words, 2303)
    return _misplaced(statement, exp.Select, exp.Window, words, 2303)


def _misplaced(statement: str, clause: type[Expr], kind: type[Expr], sentence: str, errno: int) -> SqlError:
    node = _within(statement, clause, kind)
    return _error(sentence.format("" if node is None else _shown(node)), errno)


def _within(statement: str, clause: type[Expr], kind: type[Expr]) -> Expr | None:
    found = (node for part in _tree(statement).find_all(clause) for node in part.find_all(kind))
    return next(found, None)


def _nested(found: re.Match[str], statement: str) -> SqlError:
    for inner in _tree(statement).find_all(exp.AggFunc):
        outer = inner.find_ancestor(exp.AggFunc, exp.Query)
        if isinstance(outer, exp.AggFunc):
            words = f"Aggregate functions cannot be nested: [{_shown(inner)}] nested in [{_shown(outer)}]"
            return SqlError(f"SQL compilation error: \n{words}", 2079, "42601")
    return _error("Aggregate functions cannot be nested", 2079)


def _ordered_otherwise(found: re.Match[str], statement: str) -> SqlError:
    """WITHIN GROUP of DISTINCT values by others."""
    for key in _tree(statement).find_all(exp.Ordered):
        aggregate = key.find_ancestor(exp.WithinGroup, exp.GroupConcat)
        values = aggregate.find(exp.Distinct) if aggregate is not None else None
        if values is not None and key.this not in values.expressions:
            return _error(f"[{_shown(key.this)}] is not a valid order by expression", 979)
    return _error("The values of a DISTINCT aggregate are not ordered by others", 979)


def _beyond(clause: type[Expr], what: str) -> Callable[[re.Match[str], str], SqlError]:
    """GROUP BY or ORDER BY of a number that no column has."""

    def error(found: re.Match[str], statement: str) -> SqlError:
        most = int(found[1])
        numbers = (
            number.name
            for part in _tree(statement).find_all(clause)
            for number in part.find_all(exp.Literal)
            if number.is_int and not 1 <= int(number.name) <= most
        )
        return _error(f"[{next(numbers, '')}] is not a valid {what} by expression", 979)

    return error


# -- other shapes


def _unlike_branches(found: re.Match[str], statement: str) -> SqlError:
    words = "invalid number of result columns for set operator"
    for operation in _tree(statement).find_all(exp.SetOperation, bfs=False):
        branches = list(_branches(operation))
        counts = [0 if branch.is_star else len(branch.selects) for branch in branches]
        for number, count in enumerate(counts, 1):
            if 0 not in counts and count != counts[0]:
                return _error(
                    f"{words} input branches, expected {counts[0]}, got {count} in branch {number}", 1789
                )
    return _error(words, 1789)


def _branches(query: Expr) -> Iterator[exp.Query]:
    while isinstance(query, exp.Subquery):
        query = query.this
    if isinstance(query, exp.SetOperation):
        yield from _branches(query.this)
        yield from _branches(query.expression)
    elif isinstance(query, exp.Query):
        yield query


def _several_columns(found: re.Match[str], statement: str) -> SqlError:
    words = "Unsupported: Scalar subquery with multi-column SELECT clause."
    for query in _tree(statement).find_all(exp.Subquery, exp.In, bfs=False):
        inner = query.args.get("query") if isinstance(query, exp.In) else query.this
        if isinstance(inner, exp.Subquery):
            inner = inner.this
        if isinstance(inner, exp.Select) and len(inner.selects) > 1:
            if isinstance(query, exp.In):
                return _error("Invalid argument types for function 'IN'", 1044, "42P13")
            if not isinstance(query.parent, exp.From | exp.Join):
                starts = [_start(column) for column in inner.find_all(exp.Column)]
                before = [one.start() for one in re.finditer(r"\bselect\b", statement, re.IGNORECASE)]
                place = max((one for one in before if starts and one < min(starts)), default=before[-1])
                return _at(place, statement, words, 2031)
    return _error(words, 2031)


def _without_window(found: re.Match[str], statement: str) -> SqlError:
    word = re.search(r"\bqualify\b", statement, re.IGNORECASE)
    offset = 0 if word is None else word.start()
    return _at(offset, statement, "found QUALIFY clause but no window function.", 2300)


def _without_over(found: re.Match[str], statement: str) -> SqlError:
    calls = (node for node in _tree(statement).find_all(*_WINDOWED) if not node.find_ancestor(exp.Window))
    shown = next((_shown(node) for node in calls), "")
    return _error(f"Window function [{shown}] requires an OVER clause.", 2303)


_WINDOWED = (
    *(exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile),
    *(exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue),
)


def _negative_limit(found: re.Match[str], statement: str) -> SqlError:
    sign = re.search(r"\b(?:limit|offset|fetch)\b[^-]*?(-)", statement, re.IGNORECASE)
    offset = 0 if sign is None else sign.start(1)
    line = statement.count("\n", 0, offset) + 1
    column = offset - (statement.rfind("\n", 0, offset) + 1)
    return _error(f"syntax error line {line} at position {column} unexpected '-'.", 1003, "42000")


def _unset_bind(found: re.Match[str], statement: str) -> SqlError:
    name = found[1].strip()
    sign = "?" if name.isdecimal() else f":{name}"
    offset = max(statement.find(sign), 0)
    return _at(offset, statement, f"Bind variable {sign} not set.", 2049)


def _unknown_in_default(found: re.Match[str], statement: str) -> SqlError:
    for default in _tree(statement).find_all(exp.DefaultColumnConstraint):
        for column in default.find_all(exp.Column):
            return _at(_start(column), statement, f"invalid identifier '{_name(*column.parts)}'", 904)
    return _error("invalid identifier in a DEFAULT", 904)


def _query_in_default(found: re.Match[str], statement: str) -> SqlError:
    queries = _tree(statement).find_all(exp.DefaultColumnConstraint)
    shown = next((one.this.sql(dialect="snowflake") for one in queries if one.find(exp.Query)), "")
    return _error(f"Invalid column default expression [{shown}]", 2263, "22000")


def _sentence(sentence: str, errno: int, sqlstate: str) -> Callable[[re.Match[str], str], SqlError]:
    """A sentence with what the message names, in capitals where it is a name."""
    return lambda found, statement: SqlError(
        sentence.format(*(part.upper() for part in found.groups())), errno, sqlstate
    )


def _value(sentence: str, errno: int, sqlstate: str) -> Callable[[re.Match[str], str], SqlError]:
    return lambda found, statement: SqlError(sentence.format(*found.groups()), errno, sqlstate)


_COMPILING = "SQL compilation error:\n"
_OUT_OF_RANGE = _value("Numeric value '{}' is out of range", 100039, "22003")
_DUPLICATE = _sentence(f"{_COMPILING}duplicate column name '{{}}'", 2025, "42S21")
_PATTERN = _value("Invalid regular expression: '{1}', {0}", 100048, "2201B")


def _twice(found: re.Match[str], statement: str) -> SqlError:
    """Accounts show the last part of the name; the code is assumed."""
    return _error(f"duplicate alias '{found[1].rsplit('.', 1)[-1]}'", 2079)


_ERRORS: Mapping[str, Callable[[re.Match[str], str], SqlError]] = {
    r'column "(.*?)" must appear in the GROUP BY clause': _ungrouped,
    r"aggregate function calls cannot be nested": _nested,
    r"In a DISTINCT aggregate, ORDER BY expressions must appear in the argument list": _ordered_otherwise,
    r"GROUP BY term out of range - should be between 1 and (\d+)": _beyond(exp.Group, "group"),
    r"ORDER term out of range - should be between 1 and (\d+)": _beyond(exp.Order, "order"),
    r"GROUP BY clause cannot contain aggregates": _grouped_by_aggregate,
    r"WHERE clause cannot contain aggregates": _aggregate_in_where,
    r"JOIN clause cannot contain aggregates|ON clause cannot contain aggregates": _aggregate_in_join,
    r"(?:WHERE|HAVING|GROUP BY|JOIN) clause cannot contain window functions": _window_outside,
    r"at least one window function must appear in the SELECT column or QUALIFY": _without_window,
    r"Binder Error: Window functions are not supported here": _without_over,
    r"Catalog Error: (\w+) is not an aggregate function": _sentence(
        f"{_COMPILING}Invalid function type [{{}}] for window function.", 2304, "42601"
    ),
    r"Set operations can only apply to expressions with the same number of result columns": _unlike_branches,
    r"Subquery returns \d+ columns - expected 1": _several_columns,
    r"LIMIT/OFFSET cannot be negative": _negative_limit,
    r"PERCENTILEs can only take parameters in the range": _value(
        f"{_COMPILING}Invalid value for function 'PERCENTILE_CONT': it is not between 0 and 1", 1015, "22023"
    ),
    r"Values were not provided for the following (?:prepared statement )?parameters: ([^,]+)": _unset_bind,
    r"Macro _fs_(\w+)\(\) does not support the supplied arguments": _sentence(
        "SQL compilation error: not enough arguments for function [{}]", 938, "22023"
    ),
    r"DECIMAL type width must be between 1 and 38": lambda found, statement: not_emulated("NUMBER(0)"),
    r"DEFAULT value cannot contain column names": _unknown_in_default,
    r"DEFAULT value cannot contain subqueries": _query_in_default,
    r'Ambiguous reference to table "(.*?)" \(duplicate alias': _twice,
    r'Duplicate column name "(.*?)" in INSERT': _DUPLICATE,
    r'Multiple assignments to same column "(.*?)"': _DUPLICATE,
    r'Column with name "?(.*?)"? already exists!': _DUPLICATE,
    r'Casting value "(.*?)" to type \w+(?:\(.*?\))? failed': _OUT_OF_RANGE,
    r"Could not cast value (\S+) to DECIMAL": _OUT_OF_RANGE,
    r"Failed to cast decimal value (\S+) to type": _OUT_OF_RANGE,
    r"Invalid Input Error: (no argument for repetition operator): (.+)": _PATTERN,
    r"Invalid Input Error: (missing \)|missing \]|unexpected \)): (.+)": _PATTERN,
    r"Date and time not in timestamp range|Date out of range|Timestamp (?:out of range|not in range)": _value(
        "Timestamp is out of range", 100035, "22007"
    ),
    r"Map keys must be unique": _value("Duplicate field key", 100103, "22000"),
    r"Invalid escape string": _value(
        f"{_COMPILING}Invalid escape sequence: it has one character", 1015, "22023"
    ),
    r"Invalid UTF8 Codepoint (-?\d+)": _value("Invalid character code {} in the CHR input", 100039, "22003"),
}
"""A part of DuckDB's message → the account's error."""


# -- expressions as accounts show them


def _tree(statement: str) -> Expr:
    try:
        return parse_one(statement, read="snowflake")
    except SqlglotError:
        return exp.Select()


def _shown(node: Expr) -> str:
    """An expression with the full names of its columns."""
    select = node.find_ancestor(exp.Select)
    shown = node.transform(partial(_renamed, select))
    return shown.sql(dialect="snowflake")


def _renamed(select: Expr | None, node: Expr) -> Expr:
    if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
        return node
    return exp.column(*reversed(named(node, select).rpartition(".")[::2])) if select else node


def named(column: exp.Column, select: Expr | None) -> str:
    """A column with its table's name, where the query reads one table."""
    if column.table or not isinstance(select, exp.Select):
        return _name(*column.parts)
    from_ = select.args.get("from_")
    if from_ is None or select.args.get("joins") or not from_.this.alias_or_name:
        return _name(*column.parts)
    return f"{from_.this.alias_or_name.upper()}.{_name(column.this)}"


def _start(column: exp.Column) -> int:
    """Where a column begins in the text of the statement."""
    return min((part.meta["start"] for part in column.parts if "start" in part.meta), default=0)


def _name(*parts: Expr) -> str:
    """A name with its parts folded."""
    return ".".join(part.name if part.args.get("quoted") else part.name.upper() for part in parts)
