"""The functions that a WHEN condition calls, and what follows from them; the condition is not evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

WHEN_FUNCTIONS = frozenset(
    {
        "SYSTEM$STREAM_HAS_DATA",
        "SYSTEM$GET_PREDECESSOR_RETURN_VALUE",
        "SYSTEM$PREDECESSORS_STATE",
        "SYSTEM$TASK_COMPLETION_STATE",
    }
)
"""The functions that a WHEN condition may call.

https://docs.snowflake.com/en/sql-reference/sql/create-task (the last two: their own pages)
"""

PREDECESSOR_STATES = (
    "ALL_SUCCEEDED",
    "ALL_FAILED",
    "ALL_DONE",
    "ALL_SKIPPED",
    "AT_LEAST_ONE_FAILED",
    "AT_LEAST_ONE_SUCCEEDED",
    "NONE_FAILED",
    "NONE_FAILED_MIN_ONE_SUCCEEDED",
    "NONE_SKIPPED",
)
"""The arguments that SYSTEM$PREDECESSORS_STATE takes.

https://docs.snowflake.com/en/sql-reference/functions/system_predecessors_state
"""

COMPLETION_STATES = ("SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED", "NOT_EXECUTED")
"""What SYSTEM$TASK_COMPLETION_STATE answers of a task that has ended.

https://docs.snowflake.com/en/sql-reference/functions/system_task_completion_state
"""

_PREDECESSOR_FUNCTIONS = frozenset({"SYSTEM$PREDECESSORS_STATE", "SYSTEM$TASK_COMPLETION_STATE"})
_KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "IS", "THEN", "ELSE", "WHEN", "CASE", "LIKE"})
_CASTS = frozenset({"CAST", "TRY_CAST", "TO_VARCHAR", "TO_CHAR"}) | frozenset(
    f"{prefix}{kind}"
    for prefix in ("TO_", "TRY_TO_")
    for kind in ("NUMBER", "DECIMAL", "NUMERIC", "DOUBLE", "BOOLEAN")
)
_TYPES = frozenset({"NUMBER", "DECIMAL", "NUMERIC", "VARCHAR", "CHAR", "STRING", "TEXT", "FLOAT", "DOUBLE"})


@lru_cache(maxsize=4096)
def functions_called(condition: str) -> tuple[str, ...]:
    """The names, in upper case, of the functions a condition calls; text in quotes and comments is left out.

    >>> functions_called("system$predecessors_state('ALL_DONE') and 'f(x)' = upper('y')")
    ('SYSTEM$PREDECESSORS_STATE', 'UPPER')
    """
    return tuple(_calls(condition))


def _calls(text: str) -> Iterator[str]:
    at, word = 0, ""
    while at < len(text):
        char = text[at]
        if char in "'\"":
            at = _after_quoted(text, at)
            word = ""
        elif text.startswith("--", at):
            at = _after(text, "\n", at)
        elif text.startswith("/*", at):
            at = _after(text, "*/", at + 2)
        elif char.isalnum() or char in "_$":
            end = at
            while end < len(text) and (text[end].isalnum() or text[end] in "_$."):
                end += 1
            word, at = text[at:end].upper(), end
        else:
            if char == "(" and word and word not in _KEYWORDS:
                yield word
            if not char.isspace():
                word = ""
            at += 1


def _after(text: str, mark: str, start: int) -> int:
    end = text.find(mark, start)
    return len(text) if end < 0 else end + len(mark)


def _after_quoted(text: str, start: int) -> int:
    quote, at = text[start], start + 1
    while at < len(text):
        if text[at] == "\\" and quote == "'":
            at += 2
        elif text[at] == quote:
            if text.startswith(quote, at + 1):
                at += 2
                continue
            return at + 1
        else:
            at += 1
    return at


def forbidden_functions(condition: str) -> tuple[str, ...]:
    """The functions of the condition that Snowflake does not evaluate in a WHEN, such as UDFs and PARSE_JSON."""
    allowed = WHEN_FUNCTIONS | _CASTS | _TYPES
    return tuple(name for name in functions_called(condition) if name not in allowed)


def decides_on_predecessors(condition: str | None) -> bool:
    """Whether the condition replaces the default rule, by which all predecessors must have succeeded.

    https://docs.snowflake.com/en/sql-reference/functions/system_predecessors_state; that
    SYSTEM$TASK_COMPLETION_STATE replaces it too is concluded from its page ("branch on the outcome of a specific
    task rather than on the outcome of all of the current task's predecessors").
    """
    return condition is not None and not _PREDECESSOR_FUNCTIONS.isdisjoint(functions_called(condition))


def reads_streams(condition: str | None) -> bool:
    """Whether the condition reads a stream, which makes a root without a schedule a triggered task."""
    return condition is not None and "SYSTEM$STREAM_HAS_DATA" in functions_called(condition)
