"""The places where a task reads the result of another, and what happens there without that result."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import assert_never

from sfml.base.quoting import literal
from sfml.base.record import record
from sfml.catalog import StepCatalog
from sfml.catalog.shapes import ANYTHING, AnyOf, Anything, Shape, words
from sfml.check.fitting import misfit
from sfml.graph.draft import TaskDraft, Use
from sfml.graph.located import Place
from sfml.graph.model import (
    CallBody,
    JobBody,
    NotifyBody,
    Reference,
    SqlBody,
    StepBody,
    TaskNode,
    Template,
    Value,
)
from sfml.graph.references import written
from sfml.semantics.condition_words import arguments_of
from sfml.ways.values import is_result, needed_results

_RETURN_VALUE = "SYSTEM$GET_PREDECESSOR_RETURN_VALUE"
_STATE = "SYSTEM$TASK_COMPLETION_STATE"
_NULL_IS_MEANT = re.compile(
    r"\b(?:COALESCE|NVL2?|IFNULL|ZEROIFNULL|IFF|DECODE|EQUAL_NULL|CASE|IS\s+(?:NOT\s+)?NULL"
    r"|IS\s+(?:NOT\s+)?DISTINCT\s+FROM)\b",
    re.IGNORECASE,
)
"""Words by which a statement handles NULL."""


@record
class ResultRead:
    """A read of another task's result. `fails` says whether the reader fails without it; `effect` says what happens.

    A condition (`in_condition`) is evaluated before its task begins, so also on ways on which the task's body does not
    run.
    """

    source: str
    text: str
    place: Place
    fails: bool
    effect: str
    help: str
    in_condition: bool = False


def reads_of(
    task: TaskDraft, node: TaskNode, catalog: StepCatalog, names: Mapping[str, str]
) -> Iterator[ResultRead]:
    """The reads of a task that are not prepared for a missing value.

    `node` is the task in its graph; `names` maps names in Snowflake to names in the spec.
    """
    body = node.body
    yield from _reads_of_condition(task, node, names)
    if isinstance(body, SqlBody):
        yield from _reads_of_sql(task, node, body, names)
        return
    needed = tuple(needed_results(node))
    for use in task.uses:
        if not is_result(use.reference):
            continue
        source, text = str(use.reference.task), written(use.reference)
        after = f"read it in a task after `{source}` that has no `run_if`"
        match body:
            case StepBody():
                effect = _effect_in_step(use, body, catalog)
                ready = "read all of it, `${" + source + "}`, into a parameter that may be `None`"
                is_text = isinstance(body.arguments[use.setting.partition(".")[2]], Template)
                if not is_text and not use.reference.keys:
                    ready = "let the parameter be `None`"
                help = after if is_text else f"{after}, or {ready}"
            case NotifyBody():
                effect, help = _effect_in_message(use, use.reference in needed), after
            case CallBody():
                effect, help = (False, "the procedure would get NULL"), after
            case JobBody():
                continue  # SF327 reports it
            case _:
                assert_never(body)
        if effect is not None:
            yield ResultRead(source, text, use.place, *effect, help)


def _effect_in_step(use: Use, body: StepBody, catalog: StepCatalog) -> tuple[bool, str] | None:
    """Whether the step fails without the value, and what happens; None where its parameter may be `None`."""
    source = use.reference.task
    if use.reference.keys:
        return True, f"the step would fail: a result that is not there has no `{use.reference.keys[0]}`"
    name = use.setting.partition(".")[2]
    step = catalog.find(body.step)
    parameter = step.parameter(name) if step is not None else None
    value, shape = body.arguments[name], parameter.shape if parameter is not None else ANYTHING
    if isinstance(value, Template):
        return False, f"the text would read `null` in place of what `{source}` returns"
    reason = misfit(_without(value, use.reference), shape, lambda _: ANYTHING)
    if reason is not None:
        return True, f"`{name}` takes {words(shape)}, and would get nothing"
    if isinstance(value, Reference) and _may_be_none(shape):
        return None
    return False, "the step would get nothing, as `None`"


def _without(value: Value, reference: Reference) -> Value:
    """The value with `None` in place of the reference."""
    match value:
        case Reference():
            return None if value is reference else value
        case tuple():
            return tuple(_without(item, reference) for item in value)
        case Template() | None | bool() | int() | float() | str():
            return value
        case _:
            return {key: _without(item, reference) for key, item in value.items()}


def _may_be_none(shape: Shape) -> bool:
    """Whether the shape includes `None`; an unknown shape does not."""
    if isinstance(shape, AnyOf):
        return any(_may_be_none(option) for option in shape.options)
    return not isinstance(shape, Anything) and misfit(None, shape, lambda _: ANYTHING) is None


def _effect_in_message(use: Use, needed: bool) -> tuple[bool, str]:
    if use.setting == "notify.subject":
        return False, "with NULL in it, the whole subject is NULL, and Snowflake's own takes its place"
    if needed:
        return True, "the notification would fail: with NULL in it, the whole message is NULL"
    return False, "the message would hold `null` there"


def _reads_of_sql(
    task: TaskDraft, node: TaskNode, body: SqlBody, names: Mapping[str, str]
) -> Iterator[ResultRead]:
    """The results that a statement reads by name; nothing if the statement handles NULL."""
    if _RETURN_VALUE not in body.text.upper() or _NULL_IS_MEANT.search(body.text):
        return
    for name in dict.fromkeys(arguments_of(body.text, _RETURN_VALUE)):
        source = names.get(name) if name is not None else _only(node.after)
        if source is not None:
            text = f"{_RETURN_VALUE}({'' if name is None else literal(name)})"
            help = f"give a value for that case: `COALESCE({text}, …)`"
            yield ResultRead(source, text, task.place("sql"), False, "the statement would get NULL", help)


def _reads_of_condition(task: TaskDraft, node: TaskNode, names: Mapping[str, str]) -> Iterator[ResultRead]:
    """The results that a condition reads by name; nothing if the condition handles NULL."""
    condition = node.when or ""
    if _RETURN_VALUE not in condition.upper() or _NULL_IS_MEANT.search(condition):
        return
    effect = "the condition would compare NULL, and a comparison with NULL never holds"
    raw_names = {name: raw_name for raw_name, name in names.items()}
    asked_first = {names.get(name) for name in arguments_of(condition, _STATE) if name is not None}
    for name in dict.fromkeys(arguments_of(condition, _RETURN_VALUE)):
        source = names.get(name) if name is not None else _only(node.after)
        if source is not None and source not in asked_first:
            text = f"{_RETURN_VALUE}({'' if name is None else literal(name)})"
            state = f"{_STATE}({literal(raw_names[source])}) = 'SUCCEEDED'"
            help = f"check its state first: `{state} AND …`"
            yield ResultRead(source, text, task.place("when"), False, effect, help, in_condition=True)


def _only(names: tuple[str, ...]) -> str | None:
    return names[0] if len(names) == 1 else None
