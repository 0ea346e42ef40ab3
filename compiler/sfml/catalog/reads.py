"""The files beside step code that a module reads: as resources, which also works from an archive, or by path."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from functools import lru_cache
from itertools import islice
from posixpath import normpath

from sfml.base.record import record
from sfml.catalog.code_names import CodeNames, code_names
from sfml.catalog.surroundings import Surroundings, nodes_of

READS = re.compile(rb"__file__|resources|get_data|open|Path|read_|load|listdir|scandir|glob")
"""Words, one of which stands in the text of every module that reads files."""

RESOURCES = re.compile(rb"resources|get_data")
"""Words, one of which stands in the text of every module that reads resources of packages."""


class FileNaming(Enum):
    """How code names a file: as a resource of a package, relative to `__file__`, or relative to the working folder."""

    RESOURCE = "resource"
    FILE = "file"
    WORKING = "working folder"


@record
class Location:
    """A file or folder that an expression names.

    `anchor` is the package, or the module whose `__file__` the path starts from. `path` is relative to the folder of
    the anchor, `.` for that folder itself. `is_exact` is false where parts of the path are computed at run time.
    `needs_package` is false for `pkgutil.get_data`, which takes any module as its anchor.
    """

    by: FileNaming
    anchor: str
    path: str = "."
    is_exact: bool = True
    needs_package: bool = True


@record
class Read:
    """A place in the code that names a file or folder; `lists` is true where the code lists a folder."""

    node: ast.expr
    around: Surroundings
    location: Location
    lists: bool = False


_FILES = frozenset({"importlib.resources.files", "importlib_resources.files"})
_IN_PACKAGE = frozenset(
    f"{module}.{name}"
    for module in ("importlib.resources", "importlib_resources")
    for name in ("read_text", "read_binary", "open_text", "open_binary", "path", "is_resource", "contents")
) | {"pkgutil.get_data"}
_PATHS = frozenset({"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath"})
_SAME = frozenset(
    {"os.path.abspath", "os.path.realpath", "os.path.normpath", "os.fspath", "str", "os.path.expanduser"}
)
_SAME_METHODS = frozenset({"resolve", "absolute", "as_posix", "expanduser"})
_OPENERS = frozenset(
    (
        *("open", "read_csv", "read_table", "read_parquet", "read_json", "read_excel", "read_pickle"),
        *("read_feather", "read_fwf", "loadtxt", "genfromtxt", "load", "run_path"),
    )
)
_LISTING_METHODS = frozenset({"iterdir", "glob", "rglob", "walk"})
_LISTING = frozenset({"os.listdir", "os.scandir", "os.walk", "glob.glob", "glob.iglob"})
_MAX_DEPTH = 20
MAX_READS = 1_000


@lru_cache(maxsize=32)
def reads_of(tree: ast.Module, module: str, is_package: bool) -> tuple[Read, ...]:
    """The first `MAX_READS` places that name a file beside step code; parts of a longer path are left out."""
    return tuple(islice(_Reader(code_names(tree, module, is_package)).reads(tree), MAX_READS))


class _Reader:
    def __init__(self, names: CodeNames) -> None:
        self.names = names

    def reads(self, tree: ast.Module) -> Iterator[Read]:
        inside: set[int] = set()
        for node, around in nodes_of(tree):
            if id(node) in inside:  # a part of a longer path, or a value that is read where its name is used
                inside.update(id(child) for child in ast.iter_child_nodes(node))
                continue
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
                self._skip_named(node, inside)
            if not isinstance(node, ast.expr):
                continue
            listed = self._listed(node)
            location = listed or self.location(node)
            if location is None or (isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)):
                continue
            yield Read(node, around, location, listed is not None)
            inside.update(id(child) for child in ast.iter_child_nodes(node))

    def _skip_named(self, node: ast.Assign | ast.AnnAssign | ast.NamedExpr, inside: set[int]) -> None:
        """Skip a value that is assigned to a name: it is read where the name is used."""
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and self.names.value(target.id) is node.value:
                inside.add(id(node.value))

    def _listed(self, node: ast.expr) -> Location | None:
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in _LISTING_METHODS:
                return self.location(value)
            case ast.Call(func=function, args=[first, *_]) if self.names.origin(function) in _LISTING:
                return self.location(first)
            case _:
                return None

    def location(self, node: ast.expr, depth: int = 0) -> Location | None:
        """The file or folder that an expression names; None for an expression that is not a path."""
        if depth > _MAX_DEPTH:
            return None
        match node:
            case ast.Name(id="__file__"):
                return Location(FileNaming.FILE, self.names.module, self._own_file())
            case ast.Name(id=name):
                value = self.names.value(name)
                return self.location(value, depth + 1) if value is not None else None
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._below(self.location(left, depth + 1), [right])
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._added(self.location(left, depth + 1), right)
            case ast.JoinedStr(values=[ast.FormattedValue(value=first), *rest]):
                return self._added(self.location(first, depth + 1), ast.JoinedStr(rest))
            case ast.Attribute(value=value, attr="parent"):
                return _parent(self.location(value, depth + 1))
            case ast.Subscript(
                value=ast.Attribute(value=value, attr="parents"), slice=ast.Constant(value=int() as count)
            ):
                place = self.location(value, depth + 1)
                for _ in range(min(count + 1, _MAX_DEPTH)):
                    place = _parent(place)
                return place
            case ast.Call(func=function, args=args):
                return self._called(function, args, depth)
            case _:
                return None

    def _called(self, function: ast.expr, args: list[ast.expr], depth: int) -> Location | None:
        origin = self.names.origin(function)
        name = origin.rpartition(".")[2]
        if origin in _FILES:
            return self._anchored(args[0] if args else None)
        if origin in _IN_PACKAGE and args:
            place = self._below(self._anchored(args[0]), args[1:])
            return replace(place, needs_package=origin != "pkgutil.get_data") if place is not None else None
        if origin in _PATHS and args:
            place = self.location(args[0], depth + 1) or self._working(args[0])
            return self._below(place, args[1:])
        if origin in _SAME and args:
            return self.location(args[0], depth + 1)
        if origin == "os.path.dirname" and args:
            return _parent(self.location(args[0], depth + 1))
        if origin == "os.path.join" and args:
            return self._below(self.location(args[0], depth + 1), args[1:])
        if isinstance(function, ast.Attribute):
            method, value = function.attr, self.location(function.value, depth + 1)
            if value is not None and method == "joinpath":
                return self._below(value, args)
            if value is not None and method == "with_name" and args:
                return self._below(_parent(value), args)
            if value is not None and method in _SAME_METHODS:
                return value
            name = method
        return self._working(args[0]) if name in _OPENERS and args else None

    def _own_file(self) -> str:
        return "__init__.py" if self.names.is_package else f"{self.names.module.rpartition('.')[2]}.py"

    def _anchored(self, node: ast.expr | None) -> Location | None:
        """The package that `resources.files` and similar functions get as their argument; an empty name for none."""
        if node is None:
            return Location(FileNaming.RESOURCE, "")
        match node:
            case ast.Subscript(value=modules, slice=key) if self.names.origin(modules) == "sys.modules":
                node = key
            case _:
                pass
        texts = self.names.texts(node)
        if texts is None:
            origin = self.names.origin(node)
            first = origin.partition(".")[0]
            texts = (origin,) if origin and (self.names.is_imported(first) or "." in origin) else None
        return Location(FileNaming.RESOURCE, texts[0]) if texts and len(texts) == 1 else None

    def _working(self, node: ast.expr) -> Location | None:
        texts = self.names.texts(node) if isinstance(node, (ast.Constant, ast.Name)) else None
        return (
            Location(FileNaming.WORKING, "", normpath(texts[0]))
            if texts and len(texts) == 1 and texts[0]
            else None
        )

    def _below(self, place: Location | None, parts: list[ast.expr]) -> Location | None:
        for part in parts:
            if place is None or not place.is_exact:
                return place
            texts = self.names.texts(part)
            if texts is not None and len(texts) == 1:
                place = replace(place, path=normpath(f"{place.path}/{texts[0]}"))
            else:
                place = replace(place, is_exact=False)
        return place

    def _added(self, place: Location | None, part: ast.expr) -> Location | None:
        """The location of a path with a text appended: `folder + "/name"`."""
        if place is None or not place.is_exact:
            return place
        texts = self.names.texts(part)
        if texts is None or len(texts) != 1 or not texts[0].startswith(("/", "\\")):
            return replace(place, is_exact=False)
        return replace(place, path=normpath(f"{place.path}/{texts[0]}"))


def _parent(place: Location | None) -> Location | None:
    return replace(place, path=normpath(f"{place.path}/..")) if place is not None else None
