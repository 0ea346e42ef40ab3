"""Values as SQL expressions, for bodies that are plain statements: `call` and `notify`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from sfml.base.quoting import literal
from sfml.graph.model import Reference, Source, Template, Value
from sfml.lower.arguments import has_references
from sfml.lower.canonical import canonical_json, plain
from sfml.lower.conditions import return_value
from sfml.lower.named_graph import NamedGraph

_PATH_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# https://docs.snowflake.com/en/sql-reference/functions/system_task_runtime_info
_RUN_INFO: Mapping[str, str] = {
    "id": "CURRENT_TASK_GRAPH_RUN_GROUP_ID",
    "scheduled_at": "CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP",
    "task": "CURRENT_TASK_NAME",
    "root": "CURRENT_ROOT_TASK_NAME",
}


def text_expression(named: NamedGraph, value: Value) -> str:
    """The expression for a value as text: literals and references joined by `||`; other values as JSON."""
    match value:
        case str():
            return literal(value)
        case Reference():
            return reference_expression(named, value)
        case Template(parts):
            return " || ".join(text_expression(named, part) for part in parts)
        case _ if has_references(value):
            return f"TO_JSON({variant_expression(named, value)})"
        case _:
            return literal(canonical_json(plain(value)))


def sql_value(named: NamedGraph, value: Value) -> str:
    """The expression for an argument of a procedure; lists and mappings become ARRAY and OBJECT."""
    match value:
        case None:
            return "NULL"
        case bool() | int() | float():
            return _scalar(value)
        case str() | Reference() | Template():
            return text_expression(named, value)
        case _:
            return variant_expression(named, value)


def variant_expression(named: NamedGraph, value: Value) -> str:
    """The expression for a value as VARIANT; values of references inside lists and mappings keep their types."""
    if not has_references(value):
        return f"PARSE_JSON({literal(canonical_json(plain(value)))})"
    match value:
        case Reference():
            return _typed(named, value)
        case Template():
            return text_expression(named, value)
        case tuple() | list():
            return f"ARRAY_CONSTRUCT({', '.join(_item(named, item) for item in value)})"
        case Mapping():
            pairs = (f"{literal(key)}, {_item(named, value[key])}" for key in sorted(value))
            # OBJECT_CONSTRUCT leaves out keys whose value is NULL.
            # https://docs.snowflake.com/en/sql-reference/functions/object_construct_keep_null
            return f"OBJECT_CONSTRUCT_KEEP_NULL({', '.join(pairs)})"
        case _:
            raise AssertionError("only these hold references")


def _item(named: NamedGraph, value: Value) -> str:
    match value:
        case None:
            return "NULL"
        case bool() | int() | float():
            return _scalar(value)
        case str():
            return literal(value)
        case _:
            return variant_expression(named, value)


def _scalar(value: bool | int | float) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return json.dumps(value, allow_nan=False)


def _typed(named: NamedGraph, reference: Reference) -> str:
    match reference.source:
        case Source.CONFIG:
            # The function returns text, and the text of a number or boolean is JSON.
            text = reference_expression(named, reference)
            is_text = isinstance(named.graph.config.get(str(reference.keys[0])), str)
            return text if is_text else f"PARSE_JSON({text})"
        case Source.RUN:
            return reference_expression(named, reference)
        case Source.RESULT:
            assert reference.task is not None
            if named.graph.task(reference.task).is_branch:
                return reference_expression(named, reference)
            return _result_variant(named, reference.task, reference.keys)


def reference_expression(named: NamedGraph, reference: Reference) -> str:
    """The expression for the value of a reference, as text."""
    match reference.source:
        case Source.CONFIG:
            return f"SYSTEM$GET_TASK_GRAPH_CONFIG({literal(_path(reference.keys))})"
        case Source.RUN:
            return f"SYSTEM$TASK_RUNTIME_INFO({literal(_RUN_INFO[str(reference.keys[0])])})"
        case Source.RESULT:
            assert reference.task is not None
            return _result_expression(named, reference.task, reference.keys)


def _result_expression(named: NamedGraph, task: str, keys: tuple[str | int, ...]) -> str:
    value = return_value(named, task)
    node = named.graph.task(task)
    if node.is_branch:
        # A branch returns its raw outcome, which is not JSON, and is mapped back to the outcome in the spec.
        outcomes = named.outcomes[node.name].items()
        cases = " ".join(f"WHEN {literal(raw)} THEN {literal(outcome)}" for outcome, raw in outcomes)
        return f"CASE {value} {cases} END"
    return f"{_result_variant(named, task, keys)}::STRING"


def _result_variant(named: NamedGraph, task: str, keys: tuple[str | int, ...]) -> str:
    parsed = f"PARSE_JSON({return_value(named, task)})"
    return f"GET_PATH({parsed}, {literal(_path(keys))})" if keys else parsed


def _path(keys: tuple[str | int, ...]) -> str:
    """A path in the syntax of GET_PATH: `metrics.spearman`, `parts[0]`, `["odd key"]`."""
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        elif _PATH_WORD.fullmatch(key):
            text += f".{key}" if text else key
        else:
            text += f"[{json.dumps(key, ensure_ascii=False)}]"
    return text
