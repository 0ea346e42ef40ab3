"""SF3xx and SF4xx, SQL: what can be checked of statements and session parameters without an account."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from sfml.base.diagnostic import Diagnostic, did_you_mean
from sfml.check.case import Case, error, warning
from sfml.graph.draft import TaskDraft
from sfml.graph.located import Place, Scalar
from sfml.graph.model import SqlBody
from sfml.semantics.limits import MAX_RETURN_VALUE_BYTES
from sfml.semantics.session_parameters import PARAMETERS, value_problem

_RETURNED = re.compile(r"SYSTEM\$SET_RETURN_VALUE\s*\(\s*'((?:[^'\\]|''|\\.)*)'", re.IGNORECASE | re.DOTALL)

_SETTINGS: Mapping[str, str] = {
    "WAREHOUSE": "write `run_on: {warehouse: …}`",
    "SCHEDULE": "write `schedule` in the schedule config",
    "CONFIG": "write `config` beside the tasks",
    "OVERLAP_POLICY": "write `overlap` in the schedule config",
    "ALLOW_OVERLAPPING_EXECUTION": "write `overlap` in the schedule config",
    "USER_TASK_TIMEOUT_MS": "write `timeout`",
    "SUSPEND_TASK_AFTER_NUM_FAILURES": "write `suspend_after_failures` in the schedule config",
    "TASK_AUTO_RETRY_ATTEMPTS": "write `retries` in the schedule config",
    "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS": "write `every` beside `on_stream`",
    "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE": "write `run_on: {serverless: {initial: …}}`",
    "SERVERLESS_TASK_MIN_STATEMENT_SIZE": "write `run_on: {serverless: {min: …}}`",
    "SERVERLESS_TASK_MAX_STATEMENT_SIZE": "write `run_on: {serverless: {max: …}}`",
    "TARGET_COMPLETION_INTERVAL": "write `run_on: {serverless: {target_completion: …}}`",
    "ERROR_INTEGRATION": "write `alerts: {on_error: …}` in the schedule config",
    "SUCCESS_INTEGRATION": "write `alerts: {on_success: …}` in the schedule config",
    "LOG_LEVEL": "write `log_level`",
    "COMMENT": "write `comment`",
    "FINALIZE": "write the task under `finalizer`",
    "EXECUTE_AS_USER": "write `execute_as_user`",
    "TAG": "write `tags`",
    "CONTACT": "write `contacts`",
}
"""Setting of CREATE TASK that is not a session parameter → how the spec sets it."""


ONLY_SET = "the rows of a statement are no result: a task has one only if it sets one"
SETTING = "set it:  BEGIN … CALL SYSTEM$SET_RETURN_VALUE('…'); END   or return it from a step"
"""The reason and the help where a statement is read that sets no return value."""
_SETS_RESULT = re.compile(r"set_return_value|\b(?:call|execute)\b", re.IGNORECASE)


def is_without_result(body: SqlBody) -> bool:
    """Whether a statement certainly sets no return value, neither itself nor in what it calls or executes.

    https://docs.snowflake.com/en/sql-reference/functions/system_set_return_value
    """
    return bool(body.text) and _SETS_RESULT.search(body.text) is None


def several_statements(case: Case) -> Iterator[Diagnostic]:
    """SF324: an SQL task holds no statement, several, or one that never ends.

    What: a task's body is one statement, one CALL, or one Snowflake Scripting block, with closed quotes and comments.
    Why: Snowflake takes one statement; the others would be refused, or run outside the task without a message.
    Instead: split it into tasks, or put `BEGIN … END` around it.
    """
    for name, body, place in _bodies(case):
        statements = _statements(body.text)
        if _is_open(body.text):
            message = f"a quote or comment in the statement of `{name}` is not closed"
            yield error("SF324", message, place, help="close it")
        elif not statements:
            if body.text or body.file is None:  # an empty file has a finding already, from reading it
                yield error("SF324", f"the statement of `{name}` is empty", place, help="write one")
        elif len(statements) > 1 and not _is_block(statements):
            message = f"task `{name}` holds {len(statements)} statements"
            yield error(
                "SF324", message, place, help="make a task of each, or put `BEGIN … END;` around them"
            )


def _bodies(case: Case) -> Iterator[tuple[str, SqlBody, Place]]:
    """The statements of tasks, and of the root if it has one of its own."""
    for task in case.tasks:
        if isinstance(task.node.body, SqlBody):
            yield task.name, task.node.body, task.place("sql")
    if isinstance(case.draft.root_body, SqlBody):
        yield "root", case.draft.root_body, case.draft.places["root.sql"]


def transfers(case: Case) -> Iterator[Diagnostic]:
    """SF371: a statement of a task transfers files, which only a client does.

    What: neither the statement of a task, nor one in its block or in the text that it executes, is PUT or GET.
    Why: PUT and GET copy files from and to the computer of a client; no client runs the statements of a task, so
    Snowflake refuses them, and the task fails.
    Instead: copy files in a step, with `ctx.session.file.put` or `ctx.session.file.get`; for files on a stage use
    `COPY FILES INTO`.
    """
    why = "a client carries it out, and Snowflake has none in a task"
    for name, body, place in _bodies(case):
        command = _transfer(body.text)
        if command is not None:
            message = f"the statement of `{name}` transfers files by {command}"
            yield error(
                "SF371",
                message,
                place,
                why=why,
                help=f"write a step with `ctx.session.file.{command.lower()}(…)`, or `COPY FILES INTO` between stages",
            )


_TRANSFER = re.compile(
    r"(?:^|;|\b(?:BEGIN|THEN|ELSE|DO|LOOP|REPEAT)\b)\s*(?:(PUT)\s+'?file:|(GET)\s+'?@)", re.IGNORECASE
)
_EXECUTED = re.compile(r"\bEXECUTE\s+IMMEDIATE\s*$", re.IGNORECASE)


def _transfer(text: str) -> str | None:
    """PUT or GET where a statement begins, also in what EXECUTE IMMEDIATE executes; other texts are left out."""
    plain = ""
    for piece in _PIECE.finditer(text):
        if piece.lastgroup == "quoted" and _EXECUTED.search(plain):
            width = 2 if piece[0].startswith("$$") else 1
            if (found := _transfer(piece[0][width:-width].replace("''", "'"))) is not None:
                return found
        if piece.lastgroup == "quoted" and not piece[0].lower().startswith(("'file:", "'@")):
            plain += "''"
        elif piece.lastgroup != "comment":
            plain += piece[0]
    begun = _TRANSFER.search(plain)
    return None if begun is None else (begun[1] or begun[2]).upper()


def _is_block(statements: list[str]) -> bool:
    """Whether the statements are parts of one block; `BEGIN;` alone begins a transaction instead."""
    first, last = statements[0].upper().split(), statements[-1].upper().split()
    opens = first[0] == "DECLARE" or (
        first[0] == "BEGIN" and first[1:2] not in ([], ["TRANSACTION"], ["WORK"])
    )
    return opens and last[0] == "END" and len(last) <= 2


_PIECE = re.compile(
    r"(?P<comment>(?:--|(?<![:/])//)[^\n]*|/\*.*?\*/)"
    r"|(?P<quoted>'(?:[^'\\]|''|\\.)*'|\"(?:[^\"]|\"\")*\"|\$\$.*?\$\$)"
    r"|(?P<open>['\"]|\$\$|/\*)"
    r"|(?P<end>;)"
    r"|(?P<plain>[^'\"$/;-]+|.)",
    re.DOTALL,
)


def _statements(text: str) -> list[str]:
    """The statements of a text without comments, split at `;` outside of quotes and `$$`."""
    parts = [""]
    for piece in _PIECE.finditer(text):
        if piece.lastgroup == "end":
            parts.append("")
        elif piece.lastgroup != "comment":
            parts[-1] += piece[0]
    return [part.strip() for part in parts if part.strip()]


def plain_statement(text: str) -> str:
    """The text without its comments."""
    return "; ".join(_statements(text))


def _is_open(text: str) -> bool:
    """Whether a quote, `$$` or a comment is not closed."""
    return any(piece.lastgroup == "open" for piece in _PIECE.finditer(text))


def large_results(case: Case) -> Iterator[Diagnostic]:
    """SF331: a task returns more than Snowflake keeps.

    What: a return value has at most 10 kB. Checked are texts that a statement passes to SYSTEM$SET_RETURN_VALUE, and
    names of outcomes; the result of a step is checked when it runs.
    Why: Snowflake refuses a longer one, and the task fails.
    Instead: keep the value in a table or on the stage, and return its name.
    """
    why = "Snowflake keeps at most 10 kB of what a task returns"
    for task in case.tasks:
        texts: list[tuple[str, Place]] = []
        if isinstance(task.node.body, SqlBody):
            returned = _RETURNED.findall(task.node.body.text)
            texts += [(text.replace("''", "'"), task.place("sql")) for text in returned]
        texts += [(outcome, task.place("outcomes")) for outcome in task.outcomes or ()]
        for text, place in texts:
            size = len(text.encode())
            if size > MAX_RETURN_VALUE_BYTES:
                message = f"task `{task.name}` returns a text of {size:,} bytes"
                yield error("SF331", message, place, why=why, help="return the name of where it is kept")


def refused_parameters(case: Case) -> Iterator[Diagnostic]:
    """SF410: a session parameter that a task cannot have.

    What: `session_parameters` holds neither SEARCH_PATH, nor AUTOCOMMIT = FALSE, nor a setting of the task itself, nor
    one parameter in two spellings, nor a value that a parameter does not take. A parameter that is not known is a
    warning.
    Why: CREATE TASK fails, in the middle of an apply; a setting of the task would be in the statement twice.
    Instead: qualify names; put `BEGIN … COMMIT` into the statement; use the key of the spec for the setting.
    """
    settings = case.draft.settings
    places = case.draft.places

    def at_root(name: str) -> Place:
        return places.get(f"schedule_config.session_parameters.{name}", places["schedule_config"])

    yield from _refused(settings.session_parameters, at_root)
    for task in case.tasks:
        yield from _refused(task.node.session_parameters, _place_in(task))


def _place_in(task: TaskDraft) -> Callable[[str], Place]:
    return lambda name: task.place(f"session_parameters.{name}!key", "session_parameters")


def _refused(parameters: Mapping[str, Scalar], place: Callable[[str], Place]) -> Iterator[Diagnostic]:
    seen: set[str] = set()
    for name, value in parameters.items():
        upper = name.upper()
        off = value is False or str(value).upper() in ("FALSE", "0")
        if upper == "SEARCH_PATH" or (upper == "AUTOCOMMIT" and off):
            help = "qualify the names" if upper == "SEARCH_PATH" else "use BEGIN … COMMIT in the statement"
            message = f"tasks do not support the session parameter `{name}`"
            yield error("SF410", message, place(name), help=help)
        elif upper in _SETTINGS:
            message = f"`{name}` is a setting of the task, not a parameter of its session"
            yield error("SF410", message, place(name), help=_SETTINGS[upper])
        elif upper in seen:
            message = f"the session parameter `{upper}` is given twice"
            yield error("SF410", message, place(name), help="take one out; their names ignore case")
        elif upper not in PARAMETERS:
            help = did_you_mean(upper, PARAMETERS) or "take it out, if Snowflake does not know it either"
            yield warning("SF410", f"`{name}` is not a known session parameter", place(name), help=help)
        elif "${" not in str(value) and (needed := value_problem(upper, value)) is not None:
            message = f"the session parameter `{upper}` cannot be `{value}`"
            yield error("SF410", message, place(name), help=f"write {needed}")
        elif upper == "QUERY_TAG":
            message = "`QUERY_TAG` takes the place of the tag by which sfml finds costs and history"
            yield warning("SF410", message, place(name), help="take it out")
        seen.add(upper)
