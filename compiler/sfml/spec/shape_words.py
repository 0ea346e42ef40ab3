"""The wording of findings about shapes: the keys and values of the user, what was expected, what was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

from sfml.base.diagnostic import Diagnostic, Fix, did_you_mean, hints_wanted, renaming
from sfml.base.resources import schema as load_schema
from sfml.base.source import Span
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode, plain_word

Schema = dict[str, Any]

_TYPE_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


def kind_of(node: Node) -> str:
    """The type of a node by its name in JSON Schema."""
    match node:
        case MapNode():
            return "object"
        case ListNode():
            return "array"
        case ScalarNode(value=None):
            return "null"
        case ScalarNode(value=bool()):
            return "boolean"
        case ScalarNode(value=int()):
            return "integer"
        case ScalarNode(value=float()):
            return "number"
        case _:
            return "string"


def said(node: Node) -> str:
    """The user's value as a noun phrase: `3`, "the text `abc`", "a list"."""
    kind = kind_of(node)
    if isinstance(node, ScalarNode) and kind in ("integer", "number", "boolean"):
        return f"`{plain_word(node.value)}`"
    if isinstance(node, ScalarNode) and kind == "string":
        return f"the text `{str(node.value)[:40]}`"
    return _TYPE_WORDS[kind]


def types_of(schema: Schema) -> tuple[str, ...]:
    """The types that a schema allows; empty if it names none."""
    types = schema.get("type", ())
    return (types,) if isinstance(types, str) else tuple(types)


def both_given(node: MapNode, first: str, second: str, key: str | None) -> Diagnostic:
    later = max(first, second, key=lambda name: node.key_spans.get(name, node.span))
    return Diagnostic.error(
        "SF114",
        f"{subject_of(key)} has both `{first}` and `{second}`",
        at=node.key_spans.get(later, node.span),
        path=node.entries[later].path,
        help="keep one of them; they exclude each other",
    )


def shape_error(code: str, message: str, node: Node, help: str | None = None) -> Diagnostic:
    return Diagnostic.error(code, message, at=node.span, path=node.path, help=help)


def subject_of(key: str | None) -> str:
    return f"`{key}`" if key else "the file"


def unknown_key(name: str, at: Span, path: str, known: Schema, node: MapNode, schema: Schema) -> Diagnostic:
    free = [key for key in known if key not in node.entries]
    help = close_to(name, free, 0.7) or _belongs_elsewhere(name) or close_to(name, free, 0.6)
    if help is None:
        title = schema.get("title")
        of = f"{title} has " if title else "known here: "
        help = of + listed_words([f"`{key}`" for key in known], "and")
    return Diagnostic.error(
        "SF110",
        f"unknown key `{name}`",
        at=at,
        path=path,
        label="not known here",
        help=help,
        fix=renaming(at, name, free) if help and help.startswith("did you mean") else None,
    )


def close_to(name: str, known: Iterable[str], cutoff: float) -> str | None:
    """A help line with the closest of `known`; None if none is as close as `cutoff` (0 to 1)."""
    if not hints_wanted():
        return None
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=cutoff)
    return f"did you mean `{close[0]}`?" if close else None


_HOMES = (
    ("a task", "job_config.schema.json", ("$defs", "task_settings", "properties")),
    ("the schedule config", "schedule_config.schema.json", ("properties",)),
    ("the job config", "job_config.schema.json", ("properties",)),
    ("the pipeline file", "pipeline.schema.json", ("properties",)),
    ("`run_on: {pool: …}`", "job_config.schema.json", ("$defs", "run_on", "oneOf", 0, "properties")),
    ("`run_on: {serverless: {…}}`", "job_config.schema.json", ("$defs", "run_on", "oneOf", 1, "properties")),
    ("`alerts`", "schedule_config.schema.json", ("properties", "alerts", "properties")),
    ("a test of one run", "tests.schema.json", ("$defs", "run", "properties")),
    ("a test of the schedule", "tests.schema.json", ("$defs", "schedule", "properties")),
    ("the project file, sfml.yaml", "project.schema.json", ("properties",)),
)


def _belongs_elsewhere(name: str) -> str | None:
    """A help line for a key that belongs to another part of the spec; None if there is no such part."""
    for home, file, keys in _HOMES if hints_wanted() else ():
        known: Any = load_schema(file)
        for key in keys:
            known = known[key]
        close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.76)
        if close:
            return f"`{close[0]}` belongs in {home}"
    return None


def missing_key(name: str, node: MapNode, schema: Schema, key: str | None) -> Diagnostic:
    subject = f"`{key}`" if key else schema.get("title", "the file")
    described = schema.get("properties", {}).get(name, {}).get("description")
    help = (
        f"add `{name}: 1`"
        if name == "version"
        else (f"add `{name}`: {lower_first(described)}" if described else None)
    )
    start = node.span.start
    at = Span(node.span.file, start, start) if node.path == "" else node.span
    return Diagnostic.error("SF111", f"{subject} lacks the key `{name}`", at=at, path=node.path, help=help)


def lower_first(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def wrong_type(
    node: Node, schema: Schema, types: tuple[str, ...], key: str | None, branches: list[Schema] | None = None
) -> Diagnostic:
    title = schema.get("title")
    if types and not (title and types == ("string",)):
        wanted = title if title and title[:2] == "a " else None
        wanted = wanted or listed_words([_TYPE_WORDS[t] for t in types if t != "null"], "or")
        if "object" in types or "array" in types:
            wanted = listed_words([_TYPE_WORDS[t] for t in types if t != "null"], "or")
    else:
        wanted = title or listed_words(
            list(dict.fromkeys(_TYPE_WORDS[t] for b in branches or () for t in types_of(b) if t != "null")),
            "or",
        )
    help = None
    if not node.path:
        help = "write keys and their values, the first of them `version: 1`"
    elif isinstance(node, ScalarNode) and kind_of(node) == "string":
        word = str(node.value)
        number = any(t in ("integer", "number") for t in types) or "number" in (title or "")
        if number and re.fullmatch(r"[-+]?[0-9][0-9_]*(\.[0-9]+)?", word):
            help = f"write {word.replace('_', '')} without quotes or underscores"
        elif word.lower() in ("yes", "no", "on", "off", "true", "false") and "true or false" in wanted:
            meant = "true" if word.lower() in ("yes", "on", "true") else "false"
            help = f"write `{meant}`; YAML 1.2 reads `{word}` as text"
    elif isinstance(node, ScalarNode) and "text" in wanted and node.value is not None:
        help = f'quote it: "{plain_word(node.value)}"'
    elif isinstance(node, ScalarNode) and "duration" in wanted and isinstance(node.value, (int, float)):
        help = f"give it a unit, such as `{plain_word(node.value)}s`"
    message = f"{subject_of(key)} must be {wanted}, not {said(node)}"
    return Diagnostic.error("SF112", message, at=node.span, path=node.path, help=help)


def not_allowed(node: Node, key: str | None, allowed: list[Any]) -> Diagnostic:
    words = [plain_word(value) for value in allowed if value is not None]
    help = fix = None
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        for word in words:
            if word.lower() == node.value.lower():
                help, fix = f"did you mean `{word}`?", Fix(node.span, node.value, word)
        help = help or did_you_mean(node.value, words) or did_you_mean(node.value.upper(), words)
        fix = fix or renaming(node.span, node.value, words)
    if len(words) == 1:
        message = f"{subject_of(key)} must be `{words[0]}`, not {said(node)}"
    else:
        message = f"{subject_of(key)} cannot be {said(node)}"
        help = help or "use " + listed_words([f"`{word}`" for word in words], "or")
    return Diagnostic.error("SF113", message, at=node.span, path=node.path, help=help, fix=fix)


def listed_words(words: list[str], last: str) -> str:
    if len(words) < 2:
        return "".join(words) or "something else"
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
