"""Variables: declared with a default or a type, set by targets and `--var`, and checked against the declaration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sfml.base.diagnostic import Diagnostic, did_you_mean, renaming
from sfml.base.record import record
from sfml.base.source import Span
from sfml.spec.compose import compose
from sfml.spec.expression_errors import ExpressionError
from sfml.spec.expressions import Names, evaluated, split
from sfml.spec.nodes import MapNode, Node, ScalarNode, entries_of, plain, plain_word
from sfml.spec.scalars import NotAValue, core_value

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "list": (list,),
    "mapping": (dict,),
}


@record
class _Variable:
    name: str
    kind: str | None
    default: Node | None
    allowed: tuple[Any, ...] | None
    at: Span
    word: str


def variable_values(
    declarations: tuple[MapNode | None, ...],
    layers: tuple[MapNode | None, ...],
    overrides: Mapping[str, str],
    names: Names,
    findings: list[Diagnostic],
    *,
    word: str = "variable",
) -> dict[str, Any]:
    """The value of each declared variable: that of `overrides` (`--var`), else of the last layer, else the default.

    Parameters of included files are handled the same way; `word` is the noun for them in findings.
    """
    declared: dict[str, _Variable] = {}
    for block in declarations:
        for name, at, node in entries_of(block):
            declared[name] = _declared(name, at, node, declared.get(name), word)
    chosen: dict[str, Node] = {v.name: v.default for v in declared.values() if v.default is not None}
    for layer in layers:
        for name, at, node in entries_of(layer):
            if name not in declared:
                findings.append(_unknown(name, declared, at, node.path, word))
            elif isinstance(node, ScalarNode) and node.value is None:
                if declared[name].default is not None:
                    chosen[name] = declared[name].default  # type: ignore[assignment]
            else:
                chosen[name] = node
    values: dict[str, Any] = {}
    for name, variable in declared.items():
        if name in overrides:
            values[name] = _given_value(variable, overrides[name], findings)
        elif name in chosen:
            values[name] = _written_value(variable, chosen[name], names, findings)
        else:
            help = f"give it with --var {name}=…, or in the target: `variables: {{{name}: …}}`"
            if word == "parameter":
                help = f"give it in the include: `with: {{{name}: …}}`"
            message = f"{word} `{name}` has no value"
            findings.append(
                Diagnostic.error("SF133", message, at=variable.at, path=f"variables.{name}", help=help)
            )
    findings.extend(_unknown(name, declared, None, None, word) for name in overrides if name not in declared)
    return values


def _declared(name: str, at: Span, node: Node, before: _Variable | None, word: str) -> _Variable:
    if not isinstance(node, MapNode):
        kind = before.kind if before else _kind_of(plain(node))
        return _Variable(name, kind, node, before.allowed if before else None, at, word)
    default = node.get("default")
    written = node.get("type")
    kind = str(plain(written)) if written is not None else None
    if kind is None and default is not None:
        kind = _kind_of(plain(default))
    allowed = node.get("allowed")
    values = plain(allowed) if allowed is not None else None
    return _Variable(name, kind, default, tuple(values) if isinstance(values, list) else None, at, word)


def _kind_of(value: Any) -> str | None:
    """The type of a default, as the type of the variable; None for an expression."""
    if isinstance(value, str) and "{{" in value and value.strip().startswith("{{"):
        try:
            if len(split(value)) == 1:
                return None
        except ExpressionError:
            return None
    for kind in ("boolean", "string", "number", "list", "mapping"):
        if isinstance(value, _TYPES[kind]):
            return kind
    return None


def _unknown(
    name: str, declared: Mapping[str, object], at: Span | None, path: str | None, word: str
) -> Diagnostic:
    where = "" if at else " (given with --var)"
    place = "`parameters` of the file" if word == "parameter" else "`variables` of the pipeline file"
    help = did_you_mean(name, declared) or f"declare it under {place}"
    message = f"{word} `{name}`{where} is not declared"
    return Diagnostic.error("SF132", message, at=at, path=path, help=help, fix=renaming(at, name, declared))


def _written_value(variable: _Variable, node: Node, names: Names, findings: list[Diagnostic]) -> Any:
    before = len(findings)
    value = plain(evaluated(node, names, findings))
    if len(findings) == before:
        _check(variable, value, node.span, node.path, findings)
    return value


def _given_value(variable: _Variable, text: str, findings: list[Diagnostic]) -> Any:
    """The value of the text of `--var`, by the type of the variable."""
    value: Any = text
    if variable.kind in ("number", "integer", "boolean", None):
        try:
            value = core_value(text) if text else text
        except NotAValue:
            value = text
    elif variable.kind in ("list", "mapping"):
        node, problems = compose(text, f"--var {variable.name}")
        value = plain(node) if node is not None and not problems else text
    _check(variable, value, None, f"variables.{variable.name}", findings)
    return value


def _check(variable: _Variable, value: Any, at: Span | None, path: str, findings: list[Diagnostic]) -> None:
    source = "" if at else " (given with --var)"
    if variable.kind is not None:
        types = _TYPES[variable.kind]
        if not isinstance(value, types) or (isinstance(value, bool) and variable.kind != "boolean"):
            message = f"{variable.word} `{variable.name}`{source} must be of type {variable.kind}, not {_word(value)}"
            findings.append(Diagnostic.error("SF133", message, at=at, path=path))
            return
    if variable.allowed is not None and value not in variable.allowed:
        words = ", ".join(f"`{plain_word(one)}`" for one in variable.allowed)
        message = f"{variable.word} `{variable.name}`{source} may not be {_word(value)}"
        findings.append(Diagnostic.error("SF133", message, at=at, path=path, help=f"allowed: {words}"))


def _word(value: Any) -> str:
    match value:
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case str():
            return f"the text `{value[:40]}`"
        case _:
            return f"`{plain_word(value)}`"
