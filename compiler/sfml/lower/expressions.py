"""Values as SQL expressions, for the bodies that are plain statements: `call` and `notify`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from sfml.errors import NotSupportedYet
from sfml.graph.model import Reference, Source, TaskGraph, Template, Value
from sfml.lower.arguments import has_references
from sfml.lower.canonical import canonical_json, plain
from sfml.lower.conditions import raw_outcomes, return_value
from sfml.quoting import literal

_PATH_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# https://docs.snowflake.com/en/sql-reference/functions/system_task_runtime_info
_RUN_INFO: Mapping[str, str] = {
    "id": "CURRENT_TASK_GRAPH_RUN_GROUP_ID",
    "scheduled_at": "CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP",
    "task": "CURRENT_TASK_NAME",
    "root": "CURRENT_ROOT_TASK_NAME",
}


def text_expression(graph: TaskGraph, value: Value) -> str:
    """The value as text: a literal, or literals and references joined by `||`."""
    match value:
        case str():
            return literal(value)
        case Reference():
            return reference_expression(graph, value)
        case Template(parts):
            return " || ".join(text_expression(graph, part) for part in parts)
        case _:
            return literal(_json_text(value))


def sql_value(graph: TaskGraph, value: Value) -> str:
    """The value as an argument of a procedure: a literal, or `PARSE_JSON` for lists and mappings."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return json.dumps(value, allow_nan=False)
        case str() | Reference() | Template():
            return text_expression(graph, value)
        case _:
            return f"PARSE_JSON({literal(_json_text(value))})"


def reference_expression(graph: TaskGraph, reference: Reference) -> str:
    """What a `${…}` reads, as text."""
    match reference.source:
        case Source.CONFIG:
            return f"SYSTEM$GET_TASK_GRAPH_CONFIG({literal(_path(reference.keys))})"
        case Source.RUN:
            return f"SYSTEM$TASK_RUNTIME_INFO({literal(_RUN_INFO[str(reference.keys[0])])})"
        case Source.RESULT:
            assert reference.task is not None
            return _result_expression(graph, reference.task, reference.keys)


def _result_expression(graph: TaskGraph, task: str, keys: tuple[str | int, ...]) -> str:
    value = return_value(graph, task)
    node = graph.task(task)
    if node.is_branch:
        # A branch returns its raw outcome, which is not JSON; a spec knows the outcome by its own name.
        outcomes = raw_outcomes(graph, node).items()
        cases = " ".join(f"WHEN {literal(raw)} THEN {literal(outcome)}" for outcome, raw in outcomes)
        return f"CASE {value} {cases} END"
    if not keys:
        return f"PARSE_JSON({value})::STRING"
    return f"GET_PATH(PARSE_JSON({value}), {literal(_path(keys))})::STRING"


def _path(keys: tuple[str | int, ...]) -> str:
    """A path as GET_PATH takes it: `metrics.spearman`, `parts[0]`, `["odd key"]`."""
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        elif _PATH_WORD.fullmatch(key):
            text += f".{key}" if text else key
        else:
            text += f"[{json.dumps(key, ensure_ascii=False)}]"
    return text


def _json_text(value: Value) -> str:
    if has_references(value):
        raise NotSupportedYet(
            "a `${…}` inside a list or a mapping of a `call` or `notify`",
            help="give each value as an argument of its own, or use a step",
        )
    return canonical_json(plain(value))
