"""Jinja expressions in a sandbox: no statements, no Python attributes, no loops, and results of limited size.

Without loops, each node of an expression is evaluated once. Operations that can enlarge a value (`*`, `replace`,
`join`) are measured before they run. So time and memory are limited.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.runtime import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sfml.spec.expression_errors import MAX_RESULT, ExpressionError, undefined

_NODES: tuple[type[nodes.Node], ...] = (
    *(
        nodes.Name,
        nodes.Const,
        nodes.Getattr,
        nodes.Getitem,
        nodes.Slice,
        nodes.List,
        nodes.Tuple,
        nodes.Dict,
    ),
    *(nodes.Pair, nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not),
    *(nodes.CondExpr, nodes.Concat, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod),
    *(nodes.Neg, nodes.Pos, nodes.Call, nodes.Keyword),
)
_FILTERS = frozenset(
    (
        *("abs", "bool", "capitalize", "default", "d", "first", "float", "int", "join", "last"),
        *("length", "count", "list", "lower", "max", "min", "replace", "round", "sort", "string"),
        *("sum", "title", "trim", "unique", "upper"),
    )
)
_METHODS = frozenset(
    (
        *("capitalize", "endswith", "get", "items", "keys", "lower", "lstrip", "removeprefix"),
        *("removesuffix", "replace", "rstrip", "split", "startswith", "strip", "title", "upper"),
        "values",
    )
)


MAX_PARTS = 60
"""The most names, values and operators in an expression; the time that Jinja takes grows faster than their number."""

_UNPRINTABLE = re.compile("[\x00\ud800-\udfff]")


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, which also checks the size of a result before it is computed."""

    intercepted_binops = frozenset(["*", "%", "+"])

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Prefer an entry of a mapping to its methods: a variable may be named `values`."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
        if operator == "*" and not numbers:
            raise ExpressionError("`*` works on numbers only")
        if operator == "%" and not numbers:
            raise ExpressionError("`%` works on numbers only", "put text together with `~`")
        if operator == "+" and not numbers:
            _measure(_size(left) + _size(right))
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(obj, "__name__", "") == "replace":
            return _replace(obj.__self__, *args, **kwargs)
        return super().call(context, obj, *args, **kwargs)


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(_size(key) + _size(item) + 1 for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return sum(_size(item) + 1 for item in value)
    return 8


def _measure(size: int) -> None:
    if size > MAX_RESULT:
        raise ExpressionError(f"the value grows beyond {MAX_RESULT:,} characters")


def _replace(text: Any, old: Any = "", new: Any = "", count: int = -1) -> str:
    whole, part, other = str(text), str(old), str(new)
    times = len(whole) + 1 if not part else whole.count(part)
    _measure(len(whole) + times * len(other))
    return whole.replace(part, other, count)


def _join(values: Any, separator: str = "") -> str:
    items = [str(value) for value in values]
    _measure(sum(map(len, items)) + len(items) * len(str(separator)))
    return str(separator).join(items)


_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}


def _bool(value: Any) -> bool:
    known = value if isinstance(value, bool) else _BOOLEANS.get(str(value).lower())
    if known is None:
        raise ExpressionError(f"`bool` cannot read `{_short(str(value))}`", "give it `true` or `false`")
    return known


def _int(value: Any, default: Any = None, base: int = 10) -> Any:
    try:
        return _whole(value, base) if isinstance(value, str) else int(value)
    except (TypeError, ValueError, OverflowError):
        return _unread("int", value, default)


def _whole(text: str, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        return int(float(text))


def _float(value: Any, default: Any = None) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return _unread("float", value, default)


def _unread(filter_name: str, value: Any, default: Any) -> Any:
    """The default of a filter for a value that it cannot read; Jinja's own filters would answer 0 without one."""
    if default is None:
        shown = "none" if value is None else f"`{_short(str(value))}`"
        message = f"`{filter_name}` cannot read {shown} as a number"
        raise ExpressionError(message, f"correct the value, or give another one for it: `| {filter_name}(0)`")
    return default


@cache
def _environment() -> _Environment:
    # Constants are not folded (`optimized=False`): folding evaluates expressions once more and takes most of the time.
    environment = _Environment(undefined=StrictUndefined, autoescape=False, optimized=False)
    filters: dict[str, Callable[..., Any]] = {
        name: function for name, function in environment.filters.items() if name in _FILTERS
    }
    environment.filters = {
        **filters,
        "bool": _bool,
        "int": _int,
        "float": _float,
        "replace": _replace,
        "join": _join,
    }
    environment.globals = {}
    return environment


def sandboxed_value(expression: str, names: Mapping[str, Any]) -> Any:
    """The value of a Jinja expression over `names`. Raises ExpressionError."""
    try:
        tree, evaluate = _compiled(expression)
        _refuse_undefined(tree, names)
        value = evaluate(**names)
        if isinstance(value, StrictUndefined):
            str(value)
        value = _json(value)
        _measure(_size(value))
    except ExpressionError:
        raise
    except UndefinedError as cause:
        raise ExpressionError(_tidy(cause), code="SF130") from cause
    except TemplateSyntaxError as cause:
        raise ExpressionError(f"`{{{{{_short(expression)}}}}}` cannot be read: {_tidy(cause)}") from cause
    except SecurityError as cause:
        raise ExpressionError(f"not allowed in an expression: {_tidy(cause)}") from cause
    except (RecursionError, MemoryError, SyntaxError) as cause:
        raise ExpressionError("the expression is nested too deeply") from cause
    except NameError as cause:  # Jinja compiles an infinite constant to the name `inf`
        raise ExpressionError("the result is not a number that JSON can hold") from cause
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as cause:
        raise ExpressionError(f"`{{{{{_short(expression)}}}}}` fails: {_tidy(cause)}") from cause
    return value


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> tuple[nodes.Template, Callable[..., Any]]:
    """The expression as a tree, checked by `_refuse_unsafe`, and as a function of names."""
    environment = _environment()
    tree = environment.parse("{{" + expression + "}}")
    _refuse_unsafe(tree)
    return tree, environment.compile_expression(expression, undefined_to_none=False)


def _short(expression: str) -> str:
    return expression if len(expression) <= 60 else expression[:59] + "…"


def _tidy(cause: BaseException) -> str:
    return re.sub(r"\s+", " ", str(cause)).rstrip(".")[:200]


def _refuse_unsafe(tree: nodes.Template) -> None:
    """Raise ExpressionError for anything but names, values, operators, a few filters and methods of text."""
    for output in tree.body:
        if not isinstance(output, nodes.Output):
            raise ExpressionError("only one expression is allowed between `{{` and `}}`")
        for count, node in enumerate(_below(output)):
            if count >= MAX_PARTS:
                raise ExpressionError(
                    f"an expression may have {MAX_PARTS} parts", "name what it works out: `variables`"
                )
            if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
                known = ", ".join(sorted(_FILTERS))
                raise ExpressionError(f"there is no filter `{node.name}`", f"known filters: {known}")
            if isinstance(node, nodes.Call) and not (
                isinstance(node.node, nodes.Getattr) and node.node.attr in _METHODS
            ):
                raise ExpressionError(
                    "calls are not allowed in expressions", "use a filter: `{{ user | lower }}`"
                )
            if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
                raise ExpressionError(f"`{node.attr}` is not allowed in an expression")
            if not isinstance(node, _NODES):
                kind = type(node).__name__.lower()
                raise ExpressionError(f"`{kind}` is not allowed in an expression")


def _below(output: nodes.Output) -> Any:
    todo: list[nodes.Node] = list(output.nodes)
    while todo:
        node = todo.pop()
        if not isinstance(node, nodes.TemplateData):
            yield node
        todo.extend(node.iter_child_nodes())


def _refuse_undefined(tree: nodes.Template, names: Mapping[str, Any]) -> None:
    """Raise ExpressionError for a name that does not exist, unless `default` or `is defined` is applied to it."""
    optional = {id(node.node) for node in tree.find_all(nodes.Test) if node.name in ("defined", "undefined")}
    optional |= {id(node.node) for node in tree.find_all(nodes.Filter) if node.name in ("default", "d")}
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and id(node) not in optional:
            known = names.get(node.node.name)
            if isinstance(known, Mapping) and node.attr not in known and node.attr not in _METHODS:
                raise undefined([node.node.name, node.attr], known)
    for name in tree.find_all(nodes.Name):
        if name.name not in names and id(name) not in optional:
            raise undefined([name.name], names)


def _json(value: Any) -> Any:
    """The value as JSON holds it. Raises ExpressionError for what JSON cannot hold."""
    if isinstance(value, str) and _UNPRINTABLE.search(value):
        raise ExpressionError("the result holds a character that text cannot hold")
    if value is None or isinstance(value, (bool, int, str)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ExpressionError("the result is not a number that JSON can hold")
        return value
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)) or type(value).__name__ in ("dict_keys", "dict_values", "generator"):
        return [_json(item) for item in value]
    raise ExpressionError(
        f"the result is {type(value).__name__}, not a value", "write out the name of a value"
    )
