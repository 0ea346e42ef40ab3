"""SF3xx, SQL: statements and conditions, as far as they can be judged without an account."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.check.case import Case, error, listed, warning
from sfml.diagnostic import Diagnostic
from sfml.graph.draft import Place
from sfml.graph.model import SqlBody
from sfml.semantics.conditions import WHEN_FUNCTIONS, forbidden_functions


def _conditions(case: Case) -> Iterator[tuple[str, Place]]:
    for task in case.draft.tasks:
        if task.node.when:
            yield task.node.when, task.place("when")
    if case.draft.settings.when:
        yield case.draft.settings.when, case.draft.places["schedule_config.when"]


def forbidden_conditions(case: Case) -> Iterator[Diagnostic]:
    """SF321: a condition calls a function that Snowflake does not evaluate there.

    What: `when` may call SYSTEM$STREAM_HAS_DATA, SYSTEM$GET_PREDECESSOR_RETURN_VALUE,
    SYSTEM$PREDECESSORS_STATE, SYSTEM$TASK_COMPLETION_STATE and casts; compare, AND, OR and NOT.
    Why: conditions are evaluated without a warehouse; anything else is refused when the task is created.
    Instead: decide in a step, as a branch.
    """
    for condition, place in _conditions(case):
        names = forbidden_functions(condition)
        if names:
            message = f"a condition cannot call {listed(list(dict.fromkeys(names)))}"
            help = f"use {listed(sorted(WHEN_FUNCTIONS), 'or')}, or decide in a step with `outcomes`"
            yield error("SF321", message, place, why="Snowflake evaluates it without a warehouse", help=help)


def several_statements(case: Case) -> Iterator[Diagnostic]:
    """SF324: an SQL task holds no statement, or several.

    What: a task's body is one statement, a CALL, or one Snowflake Scripting block.
    Why: Snowflake takes one; the rest would be refused, or silently run as statements of their own.
    Instead: split it into tasks, or put `BEGIN … END` around it.
    """
    for task in case.tasks:
        body = task.node.body
        if not isinstance(body, SqlBody):
            continue
        place = task.place("sql")
        statements = _statements(body.text)
        if not statements:
            if not body.file:
                yield error("SF324", f"the statement of `{task.name}` is empty", place, help="write one")
        elif len(statements) > 1 and statements[0].split()[0].upper() not in ("BEGIN", "DECLARE", "EXECUTE"):
            message = f"task `{task.name}` holds {len(statements)} statements"
            yield error(
                "SF324", message, place, help="make a task of each, or put `BEGIN … END;` around them"
            )


def _statements(text: str) -> list[str]:
    """The statements of a text, cut at `;` outside of quotes, `$$` and comments."""
    parts: list[str] = []
    current, position = "", 0
    while position < len(text):
        for opening, closing in (("'", "'"), ('"', '"'), ("$$", "$$"), ("--", "\n"), ("/*", "*/")):
            if text.startswith(opening, position):
                end = text.find(closing, position + len(opening))
                end = len(text) if end < 0 else end + len(closing)
                if opening not in ("--", "/*"):
                    current += text[position:end]
                position = end
                break
        else:
            if text[position] == ";":
                parts.append(current)
                current = ""
            else:
                current += text[position]
            position += 1
    return [part.strip() for part in (*parts, current) if part.strip()]


def refused_parameters(case: Case) -> Iterator[Diagnostic]:
    """SF410: a session parameter that Snowflake refuses on tasks.

    What: SEARCH_PATH, and AUTOCOMMIT = FALSE.
    Why: CREATE TASK fails with them.
    Instead: qualify names; put `BEGIN … COMMIT` into the statement.
    """
    settings = case.draft.settings
    place = case.draft.places.get("schedule_config.session_parameters", case.draft.places["schedule_config"])
    sets = [(settings.session_parameters, place)]
    sets += [(task.node.session_parameters, task.place("session_parameters")) for task in case.tasks]
    for parameters, at in sets:
        for name, value in parameters.items():
            off = value is False or str(value).upper() in ("FALSE", "0")
            if name.upper() == "SEARCH_PATH" or (name.upper() == "AUTOCOMMIT" and off):
                help = (
                    "qualify the names"
                    if name.upper() == "SEARCH_PATH"
                    else "use BEGIN … COMMIT in the statement"
                )
                yield error("SF410", f"tasks do not support the session parameter `{name}`", at, help=help)
            elif name.upper() == "QUERY_TAG":
                message = "`QUERY_TAG` is set by sfml, so that cost and history can be found"
                yield warning("SF410", message, at, help="take it out; it is replaced")
