"""Located nodes against a JSON Schema, told in the user's words: keys, values and the best-matching shape.

This reads the subset of draft 2020-12 that `schemas/` is written in; the tests hold it against a complete
implementation, and that no schema uses a keyword which is not read here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Any

from sfml.diagnostic import Diagnostic, did_you_mean
from sfml.resources import schema as load_schema
from sfml.source import Span
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode, plain, plain_word

Schema = dict[str, Any]

KEYWORDS = frozenset(
    (
        *("$schema", "$defs", "$ref", "$comment", "title", "description", "type", "const", "enum", "not"),
        *("pattern", "minLength", "maxLength", "minimum", "maximum", "items", "minItems", "uniqueItems"),
        *(
            "properties",
            "additionalProperties",
            "required",
            "propertyNames",
            "minProperties",
            "maxProperties",
        ),
        *("anyOf", "oneOf"),
    )
)

MAX_FINDINGS = 200

_TYPE_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


def shape_findings(node: Node, schema_file: str) -> tuple[Diagnostic, ...]:
    """What does not fit the schema of that file name; of very many findings the first."""
    return tuple(islice(_check(node, load_schema(schema_file), schema_file, None), MAX_FINDINGS))


# -- schemas ----------------------------------------------------------------------------------------


@cache
def _resolved(file: str, pointer: str) -> tuple[Schema, str]:
    schema: Any = load_schema(file)
    for part in pointer.split("/")[1:]:
        schema = schema[int(part)] if isinstance(schema, list) else schema[part]
    return schema, file


def _follow(schema: Schema, file: str) -> tuple[Schema, str]:
    """The schema that a `$ref` leads to, with what stands beside the reference."""
    while "$ref" in schema:
        target, _, pointer = schema["$ref"].partition("#")
        found, file = _resolved(target or file, pointer)
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**found, **beside}
    return schema, file


# -- nodes ------------------------------------------------------------------------------------------


def _kind(node: Node) -> str:
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


def _word(node: Node) -> str:
    """What the user wrote, as a noun: `text`, `the number 3`."""
    kind = _kind(node)
    if isinstance(node, ScalarNode) and kind in ("integer", "number", "boolean"):
        return f"`{plain_word(node.value)}`"
    if isinstance(node, ScalarNode) and kind == "string":
        return f"the text `{str(node.value)[:40]}`"
    return _TYPE_WORDS[kind]


def _types(schema: Schema) -> tuple[str, ...]:
    types = schema.get("type", ())
    return (types,) if isinstance(types, str) else tuple(types)


def _fits_type(node: Node, types: tuple[str, ...]) -> bool:
    if not types:
        return True
    kind = _kind(node)
    if kind == "number" and "integer" in types and isinstance(node, ScalarNode):
        return isinstance(node.value, float) and node.value.is_integer()
    return kind in types or (kind == "integer" and "number" in types)


# -- checks -----------------------------------------------------------------------------------------


def _check(node: Node, schema: Schema, file: str, key: str | None) -> Iterator[Diagnostic]:
    schema, file = _follow(schema, file)
    if "not" in schema:  # `{"not": {}}`: a key that is known, and refused for a reason
        help = _lower(schema["description"].partition(": ")[2])
        why = schema["description"].partition(": ")[0]
        message = f"`{key}` is not possible here"
        if schema.get("$comment") == "SF207":
            message = f"the finalizer cannot have `{key}`"
        yield Diagnostic.error(
            schema.get("$comment", "SF115"), message, at=node.span, path=node.path, why=_lower(why), help=help
        )
        return
    types = _types(schema)
    if not _fits_type(node, types):
        yield _wrong_type(node, schema, types, key)
        return
    if "const" in schema and not _is_one_of(node, [schema["const"]]):
        yield _not_allowed(node, key, [schema["const"]])
    if "enum" in schema and not _is_one_of(node, schema["enum"]):
        yield _not_allowed(node, key, schema["enum"])
    match node:
        case MapNode():
            yield from _check_map(node, schema, file, key)
        case ListNode():
            yield from _check_list(node, schema, file, key)
        case ScalarNode():
            yield from _check_scalar(node, schema, key)
    if "anyOf" in schema:
        yield from _check_alternatives(node, schema, schema["anyOf"], file, key)
    if "oneOf" in schema:
        if all(set(branch) == {"required"} for branch in schema["oneOf"]):
            yield from _check_exactly_one(node, schema, key)
        else:
            yield from _check_alternatives(node, schema, schema["oneOf"], file, key)


def _is_one_of(node: Node, allowed: list[Any]) -> bool:
    value = plain(node)
    # JSON has one kind of number, and Python takes True for 1.
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in allowed)


def _check_map(node: MapNode, schema: Schema, file: str, key: str | None) -> Iterator[Diagnostic]:
    properties: Schema = schema.get("properties", {})
    rest = schema.get("additionalProperties", True)
    names = schema.get("propertyNames", {}).get("pattern")
    for name, value in node.entries.items():
        at = node.key_spans.get(name, value.span)
        if name in properties:
            yield from _check(value, properties[name], file, name)
        elif rest is False:
            yield _unknown_key(name, at, value.path, properties, node, schema)
        else:
            if names and not re.search(names, name):
                help = "begin with a letter or `_`; use letters, digits and `_`"
                yield Diagnostic.error(
                    "SF113", f"`{name}` is not a valid name", at=at, path=value.path, help=help
                )
            if isinstance(rest, dict):
                yield from _check(value, rest, file, name)
    for name in schema.get("required", ()):
        if name not in node.entries:
            yield _missing_key(name, node, schema, key)
    if len(node.entries) < schema.get("minProperties", 0):
        yield _error("SF113", f"{_subject(key)} must not be empty", node)
    if len(node.entries) > schema.get("maxProperties", len(node.entries)):
        second = list(node.entries)[schema["maxProperties"]]
        at = node.key_spans.get(second, node.span)
        message = f"{_subject(key)} takes one entry; `{second}` is another"
        yield Diagnostic.error("SF113", message, at=at, path=node.entries[second].path)


def _check_list(node: ListNode, schema: Schema, file: str, key: str | None) -> Iterator[Diagnostic]:
    if "items" in schema:
        for item in node.items:
            yield from _check(item, schema["items"], file, key)
    if len(node.items) < schema.get("minItems", 0):
        yield _error("SF113", f"{_subject(key)} must not be empty", node)
    if schema.get("uniqueItems"):
        seen: set[str] = set()
        for item in node.items:
            value = _canonical(plain(item))
            if value in seen:
                yield _error("SF113", f"{_subject(key)} names {_word(item)} twice", item)
            seen.add(value)


def _canonical(value: Any) -> str:
    """The same text for values that JSON takes for equal: keys in any order, `1` and `1.0`."""
    match value:
        case dict():
            return "{" + ",".join(f"{key!r}:{_canonical(value[key])}" for key in sorted(value)) + "}"
        case list():
            return "[" + ",".join(map(_canonical, value)) + "]"
        case float() if value.is_integer():
            return repr(int(value))
        case _:
            return repr(value)


def _check_scalar(node: ScalarNode, schema: Schema, key: str | None) -> Iterator[Diagnostic]:
    value = node.value
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            yield _error("SF113", f"{_subject(key)} must not be empty", node)
        elif "pattern" in schema and not re.search(schema["pattern"], value):
            title = schema.get("title")
            message = f"{_subject(key)} must be {title}" if title else f"`{value[:60]}` is not allowed here"
            yield _error("SF113", message, node)
        if len(value) > schema.get("maxLength", len(value)):
            yield _error("SF113", f"{_subject(key)} is longer than {schema['maxLength']} characters", node)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        low, high = schema.get("minimum"), schema.get("maximum")
        if low is not None and value < low:
            yield _error("SF113", f"{_subject(key)} must be at least {low}, not {plain_word(value)}", node)
        elif high is not None and value > high:
            yield _error("SF113", f"{_subject(key)} must be at most {high}, not {plain_word(value)}", node)


def _check_alternatives(
    node: Node, schema: Schema, branches: list[Schema], file: str, key: str | None
) -> Iterator[Diagnostic]:
    """Nothing when one of the branches fits, else the findings of the branch that was meant."""
    followed = [_follow(branch, file) for branch in branches]
    if any(_fits(node, branch, where, key) for branch, where in followed):
        return
    results = [tuple(islice(_check(node, branch, where, key), MAX_FINDINGS)) for branch, where in followed]
    enums = [branch["enum"] for branch, _ in followed if "enum" in branch]
    if len(enums) == 1 and len(followed) <= 2:
        yield _not_allowed(node, key, enums[0])
        return
    fitting = [
        (branch, found)
        for (branch, _), found in zip(followed, results, strict=True)
        if _types(branch) and _fits_type(node, _types(branch)) and branch.get("title") != "an expression"
    ]
    if isinstance(node, MapNode) and fitting:
        clash = _exclusive(node, [branch for branch, _ in fitting])
        if clash is not None:
            yield _both(node, *clash, key)
            return
        # The shape that was meant is the one whose required keys are there, then the one that knows most keys.
        meant = [pair for pair in fitting if all(k in node.entries for k in pair[0].get("required", ()))]
        if meant or len(fitting) == 1:
            yield from max(meant or fitting, key=lambda pair: _known_keys(node, pair[0]))[1]
            return
        best = max(fitting, key=lambda pair: _known_keys(node, pair[0]))
        if _known_keys(node, best[0]):
            yield from best[1]
            return
        every: Schema = {name: one for branch, _ in fitting for name, one in branch["properties"].items()}
        if any(_close(name, every, 0.7) for name in node.entries):
            for name, value in node.entries.items():
                at = node.key_spans.get(name, value.span)
                yield _unknown_key(name, at, value.path, every, node, schema)
            return
    elif len(fitting) == 1:
        yield from fitting[0][1]
        return
    yield _wrong_type(node, schema, (), key, [branch for branch, _ in followed])


def _fits(node: Node, branch: Schema, file: str, key: str | None) -> bool:
    """Whether nothing is wrong with the branch; what can be told cheaply is asked first."""
    if not _fits_type(node, _types(branch)):
        return False
    if isinstance(node, MapNode) and any(name not in node.entries for name in branch.get("required", ())):
        return False
    return next(_check(node, branch, file, key), None) is None


def _exclusive(node: MapNode, branches: list[Schema]) -> tuple[str, str] | None:
    """Two keys of the mapping that each ask for a shape of their own."""
    heads = [(name, branch) for branch in branches for name in branch.get("required", ())]
    present = [(name, branch) for name, branch in heads if name in node.entries]
    for first, one in present:
        for second, other in present:
            if second not in one.get("properties", {}) and first not in other.get("properties", {}):
                return first, second
    return None


def _both(node: MapNode, first: str, second: str, key: str | None) -> Diagnostic:
    later = max(first, second, key=lambda name: node.key_spans.get(name, node.span))
    return Diagnostic.error(
        "SF114",
        f"{_subject(key)} has both `{first}` and `{second}`",
        at=node.key_spans.get(later, node.span),
        path=node.entries[later].path,
        help="keep one of them; they exclude each other",
    )


def _known_keys(node: MapNode, schema: Schema) -> int:
    return len(node.entries.keys() & schema.get("properties", {}).keys())


def _check_exactly_one(node: Node, schema: Schema, key: str | None) -> Iterator[Diagnostic]:
    wanted = [name for branch in schema["oneOf"] for name in branch["required"]]
    there = [name for name in wanted if isinstance(node, MapNode) and name in node.entries]
    listed = _listed([f"`{name}`" for name in wanted], "or")
    if not there:
        at = node.span
        if isinstance(node, MapNode) and node.entries:
            first = next(iter(node.entries))
            at = node.key_spans.get(first, at)
        yield Diagnostic.error(
            "SF114", f"{_subject(key)} says nothing to do", at=at, path=node.path, help=f"give it {listed}"
        )
    elif len(there) > 1 and isinstance(node, MapNode):
        second = there[1]
        yield Diagnostic.error(
            "SF114",
            f"{_subject(key)} has both `{there[0]}` and `{second}`",
            at=node.key_spans.get(second, node.span),
            path=node.entries[second].path,
            help=f"keep one of {listed}; a task does one thing",
        )


# -- words ------------------------------------------------------------------------------------------


def _error(code: str, message: str, node: Node, help: str | None = None) -> Diagnostic:
    return Diagnostic.error(code, message, at=node.span, path=node.path, help=help)


def _subject(key: str | None) -> str:
    return f"`{key}`" if key else "the file"


def _unknown_key(name: str, at: Span, path: str, known: Schema, node: MapNode, schema: Schema) -> Diagnostic:
    free = known.keys() - node.entries.keys()
    help = _close(name, free, 0.7) or _belongs_elsewhere(name) or _close(name, free, 0.6)
    if help is None:
        title = schema.get("title")
        of = f"{title} has " if title else "known here: "
        help = of + _listed([f"`{key}`" for key in known], "and")
    return Diagnostic.error(
        "SF110", f"unknown key `{name}`", at=at, path=path, label="not known here", help=help
    )


def _close(name: str, known: Iterable[str], cutoff: float) -> str | None:
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
    ("the project file, sfml.yaml", "project.schema.json", ("properties",)),
)


def _belongs_elsewhere(name: str) -> str | None:
    """A help line for a key that stands in the wrong place."""
    for home, file, keys in _HOMES:
        known: Any = load_schema(file)
        for key in keys:
            known = known[key]
        close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
        if close:
            return f"`{close[0]}` belongs in {home}"
    return None


def _missing_key(name: str, node: MapNode, schema: Schema, key: str | None) -> Diagnostic:
    subject = f"`{key}`" if key else schema.get("title", "the file")
    described = schema.get("properties", {}).get(name, {}).get("description")
    help = (
        f"add `{name}: 1`"
        if name == "version"
        else (f"add `{name}`: {_lower(described)}" if described else None)
    )
    start = node.span.start
    at = Span(node.span.file, start, start) if node.path == "" else node.span
    return Diagnostic.error("SF111", f"{subject} lacks the key `{name}`", at=at, path=node.path, help=help)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _wrong_type(
    node: Node, schema: Schema, types: tuple[str, ...], key: str | None, branches: list[Schema] | None = None
) -> Diagnostic:
    title = schema.get("title")
    if types and not (title and types == ("string",)):
        wanted = title if title and title[:2] == "a " else None
        wanted = wanted or _listed([_TYPE_WORDS[t] for t in types if t != "null"], "or")
        if "object" in types or "array" in types:
            wanted = _listed([_TYPE_WORDS[t] for t in types if t != "null"], "or")
    else:
        wanted = title or _listed(
            list(dict.fromkeys(_TYPE_WORDS[t] for b in branches or () for t in _types(b) if t != "null")),
            "or",
        )
    help = None
    if isinstance(node, ScalarNode) and _kind(node) == "string":
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
    message = f"{_subject(key)} must be {wanted}, not {_word(node)}"
    return Diagnostic.error("SF112", message, at=node.span, path=node.path, help=help)


def _not_allowed(node: Node, key: str | None, allowed: list[Any]) -> Diagnostic:
    words = [plain_word(value) for value in allowed if value is not None]
    help = None
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        for word in words:
            if word.lower() == node.value.lower():
                help = f"did you mean `{word}`?"
        help = help or did_you_mean(node.value, words) or did_you_mean(node.value.upper(), words)
    if len(words) == 1:
        message = f"{_subject(key)} must be `{words[0]}`, not {_word(node)}"
    else:
        message = f"{_subject(key)} cannot be {_word(node)}"
        help = help or "use " + _listed([f"`{word}`" for word in words], "or")
    return Diagnostic.error("SF113", message, at=node.span, path=node.path, help=help)


def _listed(words: list[str], last: str) -> str:
    if len(words) < 2:
        return "".join(words) or "something else"
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
