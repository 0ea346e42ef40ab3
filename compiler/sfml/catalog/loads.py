"""Where a module loads other modules: by import statements, and by name with `importlib` and similar functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sfml.base.record import record
from sfml.catalog.code_names import CodeNames, code_names
from sfml.catalog.imports import Import, absolute, imports_of
from sfml.catalog.reads import RESOURCES, FileNaming, reads_of
from sfml.catalog.surroundings import Surroundings, nodes_of

BY_NAME = re.compile(
    rb"import_module|__import__|run_module|resolve_name|find_spec|iter_modules|walk_packages"
)
"""Words, one of which stands in the text of every module that loads others by name."""

_LOADERS = {
    "importlib.import_module": "name",
    "importlib.__import__": "name",
    "__import__": "name",
    "builtins.__import__": "name",
    "runpy.run_module": "mod_name",
}
_LOOKING = {"importlib.util.find_spec": "name", "pkgutil.resolve_name": "name"}
"""Functions that look for a module and do not fail without it: a missing module is no error."""
_LISTING = frozenset({"pkgutil.iter_modules", "pkgutil.walk_packages"})


@record
class Load:
    """A place in the code that loads a module.

    `written` is the module's name in the source, `module` its absolute name. `module` is None for a relative import
    that leads above the top package, and for a name that is computed at run time (`is_computed`); `prefix` is the
    constant beginning of such a name. `names` are the names after `from … import`.
    """

    node: ast.stmt | ast.expr
    around: Surroundings
    written: str
    module: str | None
    names: tuple[str, ...] = ()
    is_computed: bool = False
    is_optional: bool = False
    prefix: str = ""


def loads_of(
    tree: ast.Module, module: str, is_package: bool, *, by_name: bool = True, as_main: bool = False
) -> Iterator[Load]:
    """Every place that loads another module; with `by_name=False`, import statements only."""
    names: CodeNames | None = None
    package = module if is_package else module.rpartition(".")[0]
    for node, around in nodes_of(tree, as_main=as_main, imports_only=not by_name):
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    yield Load(node, around, alias.name, alias.name)
            case ast.ImportFrom(module=name, names=aliases, level=level):
                written = f"{'.' * level}{name or ''}"
                imported = tuple(alias.name for alias in aliases)
                yield Load(node, around, written, absolute(name, level, package), imported)
            case ast.Call():
                names = names or code_names(tree, module, is_package)
                yield from _by_name(node, around, names)


@record
class ModuleUse:
    """A place that names a module through the package above it: `s.helper` after `import s`."""

    node: ast.expr
    around: Surroundings
    package: str
    name: str


def module_uses_of(tree: ast.Module, module: str, is_package: bool) -> Iterator[ModuleUse]:
    """Every attribute of an imported module, as far as names and imports show what it is."""
    names = code_names(tree, module, is_package)
    for node, around in nodes_of(tree):
        match node:
            case ast.Attribute(value=(ast.Name() | ast.Attribute()) as owner, attr=name, ctx=ast.Load()):
                root = owner
                while isinstance(root, ast.Attribute):
                    root = root.value  # type: ignore[assignment]
                if isinstance(root, ast.Name) and names.is_only_imported(root.id):
                    yield ModuleUse(node, around, names.origin(owner), name)


def every_import(tree: ast.Module, content: bytes, module: str, is_package: bool) -> tuple[Import, ...]:
    """The modules that a module may load, without duplicates.

    These are the ones in import statements, the ones that are loaded by name, the packages whose files are read, and
    the names in `__all__` of a package, which may be modules.
    """
    imports = [*imports_of(tree, module, is_package)]
    if BY_NAME.search(content):
        imports += _named_imports(tree, module, is_package)
    if RESOURCES.search(content):  # a package whose files are read must travel too
        places = (read.location for read in reads_of(tree, module, is_package))
        imports += [
            Import(place.anchor) for place in places if place.by is FileNaming.RESOURCE and place.anchor
        ]
    if is_package and b"__all__" in content:
        offered = tuple((name, name) for name in _offered(tree))
        imports += [Import(module, offered)] if offered else []
    return tuple(dict.fromkeys(imports))


def _offered(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        match statement:
            case ast.Assign(
                targets=[ast.Name(id="__all__")], value=ast.List(elts=items) | ast.Tuple(elts=items)
            ):
                for item in items:
                    if isinstance(item, ast.Constant) and isinstance(item.value, str):
                        yield item.value


def _named_imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[Import]:
    """The modules that a module loads by name, where the name stands in its text."""
    names = code_names(tree, module, is_package)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for load in _by_name(node, Surroundings(), names):
                name = load.module or load.prefix.rpartition(".")[0]
                if name:  # for a computed name: the package, which may list its modules as data files
                    yield Import(name)


def _by_name(call: ast.Call, around: Surroundings, names: CodeNames) -> Iterator[Load]:
    origin = names.origin(call.func)
    if origin in _LISTING:
        yield Load(call, around, origin, None, is_computed=True)
        return
    keyword = _LOADERS.get(origin) or _LOOKING.get(origin)
    name = _argument(call, 0, keyword or "")
    if keyword is None or name is None:
        return
    texts = names.texts(name)
    if texts is None:
        if origin in _LOADERS:
            yield Load(call, around, ast.unparse(name), None, is_computed=True, prefix=_prefix(name, names))
        return
    packages = names.texts(_argument(call, 1, "package")) if "import_module" in origin else None
    for text in texts:
        text = text.partition(":")[0]
        level = len(text) - len(text.lstrip("."))
        package = packages[0] if packages else names.package
        module = absolute(text.lstrip(".") or None, level, package)
        yield Load(call, around, text, module, is_optional=origin in _LOOKING)


def _argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    if position < len(call.args):
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _prefix(name: ast.expr, names: CodeNames) -> str:
    """The constant beginning of a module name that is composed at run time."""
    match name:
        case ast.JoinedStr(values=[first, *_]):
            texts = names.texts(first.value if isinstance(first, ast.FormattedValue) else first)
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod()):
            texts = names.texts(left)
        case ast.Call(func=ast.Attribute(value=left, attr="format")):
            texts = names.texts(left)
        case _:
            texts = None
    text = re.split(r"[%{]", texts[0])[0] if texts and len(texts) == 1 else ""
    level = len(text) - len(text.lstrip("."))
    return text if level == 0 else absolute(text.lstrip(".") or None, level, names.package) or ""
