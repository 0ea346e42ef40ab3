"""The nodes of a module, each with the function, the conditions and the exception handlers around it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sfml.base.record import record

ANY_ERROR = "*"
"""Stands for any exception, such as those that a bare `except` catches."""

LEADING_TO_IMPORTS = frozenset(
    (
        *(ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.Try),
        *(ast.With, ast.AsyncWith, ast.For, ast.AsyncFor, ast.While, ast.Match, ast.match_case),
        *(ast.ExceptHandler, getattr(ast, "TryStar", ast.Try)),
    )
)

_WITHOUT_CHILDREN = frozenset((ast.Name, ast.Constant, ast.alias, ast.Pass, ast.Global, ast.Nonlocal))
"""Nodes below which there is none but the context of a name."""

_CHANGING = frozenset(
    (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.Try, ast.With, ast.match_case)
)
"""Nodes whose children have other surroundings than they have."""


@record
class Surroundings:
    """What is around a node. `owner` is the outermost function or class, empty at the top of the module.

    `caught` are the names of exceptions that handlers around the node catch without raising. `is_conditional` is true
    inside an `if`, a `case` or an exception handler.
    """

    owner: str = ""
    caught: frozenset[str] = frozenset()
    is_conditional: bool = False

    def catches(self, *names: str) -> bool:
        """Whether an exception of one of these names is caught here."""
        return bool(self.caught & {*names, "Exception", "BaseException", ANY_ERROR})


def nodes_of(
    tree: ast.Module, *, as_main: bool = False, imports_only: bool = False
) -> Iterator[tuple[ast.AST, Surroundings]]:
    """Every node that may run but contexts of names, in the order of the source; code for type checkers is left out.

    Code under `if __name__ == "__main__"` is included only with `as_main`. With `imports_only`, only imports and the
    statements around them are visited, which are far fewer.
    """
    top = Surroundings()
    for statement in tree.body:
        if imports_only and type(statement) not in LEADING_TO_IMPORTS:
            continue
        todo: list[tuple[ast.AST, Surroundings]] = [(statement, top)]
        while todo:
            node, around = todo.pop()
            yield node, around
            if type(node) in _WITHOUT_CHILDREN:
                continue
            if type(node) in _CHANGING:
                inner = [*_inner(node, around, as_main)]
            else:
                inner = [(child, around) for child in _children(node)]
            if imports_only:
                inner = [pair for pair in inner if type(pair[0]) in LEADING_TO_IMPORTS]
            todo.extend(reversed(inner))


def _children(node: ast.AST) -> list[ast.AST]:
    """What `ast.iter_child_nodes` gives, in a third of its time."""
    found: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            found.append(value)
        elif isinstance(value, list):
            found += [one for one in value if isinstance(one, ast.AST)]
    return found


def _inner(node: ast.AST, around: Surroundings, as_main: bool) -> Iterator[tuple[ast.AST, Surroundings]]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            inner = Surroundings(around.owner or name, around.caught, around.is_conditional)
            at_definition = {*node.decorator_list}
            if not isinstance(node, ast.ClassDef):
                at_definition |= {
                    default for default in (*node.args.defaults, *node.args.kw_defaults) if default
                }
            yield from ((child, around) for child in at_definition)
            yield from ((child, inner) for child in ast.iter_child_nodes(node) if child not in at_definition)
        case ast.If(test=test, body=body, orelse=orelse):
            maybe = Surroundings(around.owner, around.caught, True)
            yield test, around
            if _is_main(test) and as_main:
                yield from ((child, around) for child in body)
            elif not (is_type_checking(test) or _is_main(test) or _is_false(test)):
                yield from ((child, maybe) for child in body)
            yield from ((child, around if is_type_checking(test) else maybe) for child in orelse)
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
            caught = around.caught.union(*(_caught(handler) for handler in handlers))
            maybe = Surroundings(around.owner, around.caught, True)
            yield from ((child, Surroundings(around.owner, caught, around.is_conditional)) for child in body)
            yield from ((handler, maybe) for handler in handlers)
            yield from ((child, around) for child in (*orelse, *finalbody))
        case ast.With(items=items, body=body):
            caught = around.caught.union(*(_suppressed(item.context_expr) for item in items))
            yield from ((item, around) for item in items)
            yield from ((child, Surroundings(around.owner, caught, around.is_conditional)) for child in body)
        case ast.match_case():
            maybe = Surroundings(around.owner, around.caught, True)
            yield from ((child, maybe) for child in ast.iter_child_nodes(node))


def is_type_checking(test: ast.expr) -> bool:
    """Whether the test is `TYPE_CHECKING`, alone or as an attribute of a module."""
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
        case _:
            return False


def _is_main(test: ast.expr) -> bool:
    match test:
        case (
            ast.Compare(
                left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]
            )
            | ast.Compare(
                left=ast.Constant(value="__main__"), ops=[ast.Eq()], comparators=[ast.Name(id="__name__")]
            )
        ):
            return True
        case _:
            return False


def _is_false(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and not test.value


def _caught(handler: ast.ExceptHandler) -> frozenset[str]:
    if handler.body and isinstance(handler.body[-1], ast.Raise):
        return frozenset()  # the handler raises another exception
    return _names(handler.type) if handler.type is not None else frozenset({ANY_ERROR})


def _suppressed(context: ast.expr) -> frozenset[str]:
    match context:
        case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress"), args=args):
            return frozenset().union(*(_names(arg) for arg in args))
        case _:
            return frozenset()


def _names(node: ast.expr) -> frozenset[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return frozenset({name})
        case ast.Tuple(elts=parts):
            return frozenset().union(*(_names(part) for part in parts))
        case _:
            return frozenset(
                {ANY_ERROR}
            )  # not readable: taken to catch every exception, so that no finding is wrong
