"""Expressions `{{ … }}` in values: evaluated when a spec is read; types are kept, unknown names become findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sfml.base.diagnostic import Diagnostic, renaming
from sfml.spec.expression_errors import MAX_RESULT, ExpressionError, known_names, undefined
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode, located, plain_word

MAX_LENGTH = 500
MAX_EXPRESSIONS = 3_000
MAX_CALCULATIONS = 500
"""The most expressions in the files of one pipeline, and the most different ones that calculate, which take up to a
millisecond each."""
MAX_FAILURES = 200

_DOTTED = re.compile(r"\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*\Z")
_STATEMENT = re.compile(r"\{%-?\s*(?:if|for|set|macro|include|import|from|block|raw|call|filter|with)\b")

Names = Mapping[str, Any]


def evaluated(node: Node, names: Names, findings: list[Diagnostic]) -> Node:
    """The node with every `{{ … }}` replaced by its value; one that cannot be evaluated becomes None and a finding."""
    match node:
        case MapNode():
            findings.extend(_in_keys(node))
            entries = {key: evaluated(value, names, findings) for key, value in node.entries.items()}
            return replace(node, entries=entries)
        case ListNode():
            return replace(node, items=tuple(evaluated(item, names, findings) for item in node.items))
        case ScalarNode(value=str() as text) if "{{" in text or "{%" in text:
            if len(findings) > MAX_FAILURES:
                return replace(node, value=None)
            try:
                value = evaluated_text(text, names)
            except ExpressionError as cause:
                fix = renaming(node.span, *cause.unknown) if cause.unknown else None
                findings.append(
                    Diagnostic.error(
                        *(cause.code, cause.message), at=node.span, path=node.path, help=cause.help, fix=fix
                    )
                )
                return replace(node, value=None)
            return replace(located(value, node.span, node.path), overrode=node)
        case _:
            return node


def _in_keys(node: MapNode) -> Iterator[Diagnostic]:
    """Warnings for keys that look like expressions: only values are evaluated."""
    for key in node.entries:
        if "{{" in key:
            message = f"`{{{{ … }}}}` in the key `{key[:60]}` is not evaluated"
            help = "write the key itself; only values are evaluated"
            yield Diagnostic.warning(
                "SF131", message, at=node.key_spans.get(key, node.span), path=node.path, help=help
            )


def calculations(text: str) -> set[str]:
    """The different expressions of a text that do more than name a value, each cut at its first `}}`."""
    heads = {part.partition("}}")[0] for part in text.split("{{")[1:]}
    return {head for head in heads if not _DOTTED.match(head)}


def evaluated_text(text: str, names: Names) -> Any:
    """The text with its expressions replaced by their values. Raises ExpressionError.

    A text that consists of one expression becomes the value itself, with its type.
    """
    if _STATEMENT.search(text):
        raise ExpressionError(
            "statements (`{% … %}`) are not evaluated",
            "use an expression in `{{ … }}`, or a patch of a target",
        )
    parts = split(text)
    if len(parts) == 1 and parts[0][0]:
        return _value(parts[0][1], names)
    whole = "".join(_as_text(_value(part, names)) if is_expression else part for is_expression, part in parts)
    if len(whole) > MAX_RESULT:
        raise ExpressionError(f"the value grows beyond {MAX_RESULT:,} characters")
    return whole


def split(text: str) -> list[tuple[bool, str]]:
    """The parts of a text, each with whether it is an expression; blanks around a single expression are dropped."""
    parts: list[tuple[bool, str]] = []
    position = 0
    while (start := text.find("{{", position)) >= 0:
        end = _end_of_expression(text, start + 2)
        if end < 0:
            raise ExpressionError("`{{` is never closed", "close it with `}}`")
        if start > position:
            parts.append((False, text[position:start]))
        parts.append((True, text[start + 2 : end]))
        position = end + 2
    if position < len(text):
        parts.append((False, text[position:]))
    if sum(is_expression for is_expression, _ in parts) == 1:
        parts = [part for part in parts if part[0] or part[1].strip()] if _only_blanks(parts) else parts
    return parts


def _only_blanks(parts: list[tuple[bool, str]]) -> bool:
    return all(is_expression or not part.strip() for is_expression, part in parts)


def _end_of_expression(text: str, position: int) -> int:
    """The index of the `}}` that closes the expression, or -1; braces and quotes inside the expression are skipped."""
    depth, quote = 0, ""
    while position < len(text):
        char = text[position]
        if quote:
            if char == "\\":
                position += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}":
            if depth == 0:
                return position if text.startswith("}}", position) else -1
            depth -= 1
        position += 1
    return -1


def _value(expression: str, names: Names) -> Any:
    if len(expression) > MAX_LENGTH:
        raise ExpressionError(f"an expression may have {MAX_LENGTH:,} characters")
    dotted = _DOTTED.match(expression)
    if dotted and dotted[1] not in ("true", "false", "none", "True", "False", "None"):
        return looked_up(dotted[1].split("."), names)
    from sfml.spec.sandbox import (
        sandboxed_value,
    )  # importing Jinja takes time, and most specs only name values

    return sandboxed_value(expression, names)


def looked_up(keys: list[str], names: Names) -> Any:
    """The value of a dotted name. Raises ExpressionError for a name that does not exist or that holds no value."""
    value: Any = names
    for index, key in enumerate(keys):
        try:
            value = value[key]
        except (KeyError, TypeError, IndexError):
            raise undefined(keys[: index + 1], value if isinstance(value, Mapping) else {}) from None
    if isinstance(value, Mapping) and not isinstance(value, dict):
        raise ExpressionError(
            f"`{'.'.join(keys)}` is not a value", f"name one of its parts: {known_names(value)}"
        )
    return value


def _as_text(value: Any) -> str:
    if isinstance(value, (list, dict)):
        raise ExpressionError(
            "a list or mapping cannot stand inside text", "let the expression be the whole value"
        )
    return plain_word(value)
