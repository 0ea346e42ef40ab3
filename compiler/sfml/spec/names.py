"""The names that expressions see, those that cost something worked out only when asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sfml.spec.nodes import ListNode, MapNode, entries_of, plain

_ARGUMENTS = {
    "commit": ("rev-parse", "HEAD"),
    "short": ("rev-parse", "--short", "HEAD"),
    "branch": ("rev-parse", "--abbrev-ref", "HEAD"),
}


class Git(Mapping[str, str]):
    """`git.commit`, `git.short` and `git.branch` of the project's work tree; empty outside of one."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, str] | None = None

    def _values(self) -> dict[str, str]:
        if self._known is None:
            from sfml.base.git_process import git_text  # few specs ask, and processes cost start-up

            found = {name: git_text(self._root, *arguments) for name, arguments in _ARGUMENTS.items()}
            self._known = {
                name: value.strip().encode(errors="surrogateescape").decode(errors="backslashreplace")
                for name, value in found.items()
                if value
            }
        return self._known

    def __getitem__(self, key: str) -> str:
        return self._values()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())


def login_name() -> str:
    """The name of who is logged in; `unknown` where the system has none."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def declared_environment(document: MapNode) -> Mapping[str, str]:
    """The environment variables that the project file declares, as far as they are set or have a default."""
    node = document.get("env")
    names: dict[str, Any] = {}
    if isinstance(node, ListNode):
        names = {str(plain(item)): None for item in node.items}
    else:
        names = {name: plain(value) for name, _, value in entries_of(node)}
    found = {name: os.environ.get(name, default) for name, default in names.items()}
    return MappingProxyType({name: value for name, value in found.items() if value is not None})
