"""Policies in YAML: a field, a condition for its value, and a message; checked against the fields that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sfml.base.diagnostic import Diagnostic, did_you_mean, has_errors, renaming
from sfml.base.record import record
from sfml.graph.durations import seconds
from sfml.policies.conditions import COUNTS, NESTED, ORDER, Condition
from sfml.policies.fields import Field, field_at, fields_of
from sfml.policies.interface import Change, Plan
from sfml.policies.model import (
    CODE,
    DEFAULT,
    MODES,
    OWN_CODE,
    About,
    FieldRule,
    Level,
    Policy,
    PolicyTest,
    Severity,
    everywhere,
)
from sfml.spec.compose import compose
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode, entries_of, map_of, plain, text_of, texts_of
from sfml.spec.shape import shape_findings

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
OWN_WORDS = ("task", "pipeline", "target", "value", "field")
"""Placeholders of messages beside the fields."""


@record
class YamlPolicies:
    """What a file of policies holds."""

    policies: tuple[Policy, ...]
    tests: tuple[PolicyTest, ...]
    findings: tuple[Diagnostic, ...]


def yaml_policies(text: str, file: str, origin: str | None = None) -> YamlPolicies:
    """The policies and tests of a file; `origin` says where they come from, if not from a file of the project."""
    node, findings = compose(text, file)
    every = [*findings, *(shape_findings(node, "policies.schema.json") if node is not None else ())]
    document = map_of(node)
    if document is None or has_errors(every):
        return YamlPolicies((), (), tuple(every))
    items = document.get("policies")
    read = [
        _policy(item, origin or file, every)
        for item in (items.items if isinstance(items, ListNode) else ())
        if isinstance(item, MapNode)
    ]
    tests = document.get("tests")
    written = [
        _test(item)
        for item in (tests.items if isinstance(tests, ListNode) else ())
        if isinstance(item, MapNode)
    ]
    return YamlPolicies(tuple(one for one in read if one is not None), tuple(written), tuple(every))


def wrong_code(code: str) -> str | None:
    """What is wrong with a policy's code; None for a right one."""
    if OWN_CODE.match(code):
        return f"`{code}` begins like the codes of sfml's own rules"
    if not CODE.fullmatch(code):
        return f"`{code}` is no code: write capital letters, digits and `_`, such as `ML101`"
    return None


def severity_of(node: Node | None) -> Severity:
    """The severity that was written: one level, or levels by target, mode and `default`."""
    if isinstance(node, MapNode):
        return MappingProxyType({key: _level(value) for key, _, value in entries_of(node)})
    return everywhere(_level(node))


def _level(node: Node | None) -> Level:
    """The level that was written; that of a wrong word does not matter, because it is an error of its own."""
    text = text_of(node)
    return Level(text) if text in set(Level) else Level.WARNING


def unknown_targets(node: Node | None, targets: tuple[str, ...]) -> Iterator[Diagnostic]:
    """The findings for keys of a severity that name neither a target nor a mode."""
    known = (*targets, *MODES, DEFAULT)
    for key, at, value in entries_of(node):
        if key not in known:
            yield Diagnostic.error(
                "SF530",
                f"`{key}` is neither a target nor a mode",
                at=at,
                path=value.path,
                help=did_you_mean(key, known) or f"write one of {', '.join(f'`{one}`' for one in known)}",
                fix=renaming(at, key, known),
            )


def _policy(item: MapNode, origin: str, findings: list[Diagnostic]) -> Policy | None:
    before = len(findings)
    code_node = item.entries["code"]
    code = text_of(code_node) or ""
    problem = wrong_code(code)
    if problem is not None:
        findings.append(Diagnostic.error("SF530", problem, at=code_node.span, path=code_node.path))
    about = _about(item)
    where = []
    for name, at, value in entries_of(item.get("where")):
        field = _field(about, name, at, value.path, findings)
        if field is not None and isinstance(value, MapNode):
            where.append((name, _condition(value, field, findings)))
    field_node = item.entries["field"]
    name = text_of(field_node) or ""
    field = _field(about, name, field_node.span, field_node.path, findings)
    condition = Condition(())
    if field is not None and isinstance(item.entries["condition"], MapNode):
        condition = _condition(item.entries["condition"], field, findings)
    message = item.entries["message"]
    findings.extend(_wrong_placeholders(message, about))
    if has_errors(findings[before:]):
        return None
    return Policy(
        code=code,
        title=text_of(item.get("title")) or "",
        rule=FieldRule(about, tuple(where), name, condition, text_of(message) or ""),
        severity=severity_of(item.get("severity")),
        origin=origin,
        span=code_node.span,
        what=text_of(item.get("what")) or "",
        why=text_of(item.get("why")) or "",
        help=text_of(item.get("help")),
    )


def _about(item: MapNode) -> About:
    match text_of(item.get("about")):
        case "pipeline":
            return "pipeline"
        case "change":
            return "change"
        case _:
            return "task"


def _field(about: About, name: str, at: Any, path: str, findings: list[Diagnostic]) -> Field | None:
    found = field_at(about, name)
    if found is None:
        known = fields_of(about)
        findings.append(
            Diagnostic.error(
                "SF530",
                f"a {about} has no field `{name}`",
                at=at,
                path=path,
                help=did_you_mean(name, known)
                or f"the fields are in docs/policies.md, such as `{next(iter(known))}`",
                fix=renaming(at, name, known),
            )
        )
    return found


def _condition(node: MapNode, field: Field, findings: list[Diagnostic]) -> Condition:
    tests = []
    for name, at, value in entries_of(node):
        problem = _misfit(name, field)
        operand: Any = None
        if problem is None and name in NESTED and isinstance(value, MapNode):
            operand = _condition(value, Field(f"{field.path}[]", field.item), findings)
        elif problem is None:
            operand = _operand(name, value, field)
            problem = _wrong_operand(name, operand, field)
        if problem is not None:
            findings.append(Diagnostic.error("SF530", problem, at=at, path=value.path))
        tests.append((name, operand))
    return Condition(tuple(tests))


_NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(ORDER, ("number",)),
        **dict.fromkeys(("like", "not_like"), ("text",)),
        **dict.fromkeys(("in", "not_in"), ("text", "number", "truth")),
        **dict.fromkeys(("equals", "not"), ("text", "number", "truth", "list")),
        **dict.fromkeys(("contains", "not_contains"), ("text", "list", "mapping")),
        **dict.fromkeys((*COUNTS, *NESTED), ("list", "mapping")),
    }
)
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "text": "a text",
        "number": "a number",
        "truth": "true or false",
        "list": "a list",
        "mapping": "a mapping",
        "part": "made of several fields",
    }
)


def _misfit(name: str, field: Field) -> str | None:
    """Why the operator does not go with the field; None where it does."""
    if field.kind == "any" or name not in _NEEDS or field.kind in _NEEDS[name]:
        return None
    what = f"`{name}` does not go with `{field.path}`, which is {_WORDS[field.kind]}"
    if field.kind in ("list", "mapping"):
        return f"{what}: write `all: {{{name}: …}}` or `any: {{{name}: …}}`"
    return what


def _operand(name: str, node: Node, field: Field) -> Any:
    value = _tuples(plain(node))
    if field.is_duration and name in (*ORDER, "equals", "not") and isinstance(value, str):
        return seconds(value)
    return value


def _wrong_operand(name: str, operand: Any, field: Field) -> str | None:
    """Why the operand does not go with the field; None where it does."""
    if name in ORDER and (isinstance(operand, str | bool) or operand is None):
        what = "a duration such as `4h`" if field.is_duration else "a number"
        return f"`{name}` of `{field.path}` takes {what}"
    if name not in ("equals", "not", "in", "not_in"):
        return None
    kinds: Mapping[str, tuple[type, ...]] = {"text": (str,), "number": (int, float), "truth": (bool,)}
    types = kinds.get(field.kind)
    for one in operand if name in ("in", "not_in") else (operand,):
        is_bool = isinstance(one, bool)
        if types is not None and (not isinstance(one, types) or (is_bool and field.kind != "truth")):
            return f"`{field.path}` is {_WORDS[field.kind]}; `{_word(one)}` never equals it"
    return None


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)[:60]


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _wrong_placeholders(node: Node, about: About) -> Iterator[Diagnostic]:
    text = text_of(node) or ""
    for match in _PLACEHOLDER.finditer(text):
        name = match[1]
        if name in OWN_WORDS or field_at(about, name) is not None:
            continue
        known = (*OWN_WORDS, *fields_of(about))
        yield Diagnostic.error(
            "SF530",
            f"the message holds `{{{name}}}`, which is no field of a {about}",
            at=node.span,
            path=node.path,
            help=did_you_mean(name, known)
            or f"write one of {', '.join(f'{{{one}}}' for one in OWN_WORDS)}, or a field",
        )


def filled(message: str, values: Mapping[str, str], field: Any) -> str:
    """The message with its placeholders replaced; `field` gives the text of any other field."""
    return _PLACEHOLDER.sub(
        lambda match: values[match[1]] if match[1] in values else field(match[1]), message
    )


def _test(item: MapNode) -> PolicyTest:
    given = item.entries["given"]
    finds = item.entries["finds"]
    count: tuple[str, ...] | int
    if isinstance(finds, ListNode):
        count = tuple(str(plain(one)) for one in finds.items)
    else:
        assert isinstance(finds, ScalarNode)
        count = int(finds.value or 0)
    document = {"version": 1, "pipeline": "given", "schedule": "manual", **_object(plain(given))}
    return PolicyTest(
        name=text_of(item.get("name")) or "",
        code=text_of(item.get("policy")) or "",
        target=text_of(item.get("target")),
        text=json.dumps(document),
        finds=count,
        span=item.key_spans.get("name", item.span),
        plan=_plan(item.get("changes")),
    )


def _plan(node: Node | None) -> Plan | None:
    if not isinstance(node, ListNode):
        return None
    return Plan(
        tuple(
            Change(
                text_of(item.get("task")) or "",
                text_of(item.get("action")) or "",
                changed=tuple(str(plain(path)) for path in texts_of(item.get("changed"))),
                labels=tuple(str(plain(label)) for label in texts_of(item.get("labels"))),
            )
            for item in node.items
            if isinstance(item, MapNode)
        )
    )


def _object(value: Any) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value
