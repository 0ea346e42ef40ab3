"""SPEC arguments → entry files of one side; the same as `sfml.frontend.entry_files`, for files in git objects."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path

from sfml.base.errors import UsageError
from sfml.base.record import record
from sfml.frontend.entry_files import is_left_out
from sfml.frontend.entry_text import is_entry_text


@record
class RequestedSpecs:
    """The SPEC arguments as typed, and as paths relative to the repository."""

    arguments: tuple[str, ...]
    paths: tuple[str, ...]


def requested_specs(arguments: Iterable[str], top: Path, cwd: Path) -> RequestedSpecs:
    """The arguments as paths in the repository; raises `UsageError` for one that leads out of it."""
    typed = tuple(arguments)
    here = cwd.resolve().relative_to(top.resolve()).as_posix()
    paths = tuple(_relative(argument, top.resolve(), "" if here == "." else here) for argument in typed)
    return RequestedSpecs(typed, paths)


def entries_of(paths: Iterable[str], files: Collection[str], specs: Mapping[str, bytes]) -> frozenset[str]:
    """The entry files that the paths name; `specs` maps YAML files to their contents."""
    entries: set[str] = set()
    for path in paths:
        if path in files:
            entries.add(path)
        elif has_magic(path):
            pattern = tuple(path.split("/"))
            entries |= {
                one
                for one, text in specs.items()
                if _matches(tuple(one.split("/")), pattern) and is_entry_text(text)
            }
        else:
            inside = "" if path == "." else f"{path}/"
            entries |= {
                one
                for one, text in specs.items()
                if one.startswith(inside)
                and not any(map(is_left_out, one[len(inside) :].split("/")))
                and is_entry_text(text)
            }
    return frozenset(entries)


def may_be_requested(paths: Iterable[str], file: str) -> bool:
    """Whether the paths may name the file; its content is not needed for the answer."""
    return any(path in (".", file) or file.startswith(f"{path}/") or has_magic(path) for path in paths)


def _relative(argument: str, top: Path, here: str) -> str:
    path = Path(argument)
    if path.is_absolute():
        try:
            return path.parent.resolve().joinpath(path.name).relative_to(top).as_posix()
        except ValueError:
            pass
    else:
        joined = posixpath.normpath(posixpath.join(here, path.as_posix()))
        if joined != ".." and not joined.startswith("../"):
            return joined
    raise UsageError(f"`{argument}` is not in this repository", help=f"the repository is {top}")


def _matches(names: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether a path matches a glob as in `glob.glob(…, recursive=True)`: `**` is any folders, `*` no hidden name."""
    if not pattern or not names:
        return names == pattern
    if pattern[0] == "**":
        here = not names[0].startswith(".") and len(names) > 1
        return _matches(names, pattern[1:]) or (here and _matches(names[1:], pattern))
    is_hidden = names[0].startswith(".") and not pattern[0].startswith(".")
    return not is_hidden and fnmatchcase(names[0], pattern[0]) and _matches(names[1:], pattern[1:])
