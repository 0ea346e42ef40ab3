"""The names that expressions may use; values that take time are worked out only when an expression reads them."""

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
            from sfml.base.git_process import git_text  # imported here because few specs use `git`

            values = {name: git_text(self._root, *arguments) for name, arguments in _ARGUMENTS.items()}
            self._known = {
                name: value.strip().encode(errors="surrogateescape").decode(errors="backslashreplace")
                for name, value in values.items()
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
    """The login name of the user; `unknown` where the system has none."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def declared_environment(document: MapNode) -> Mapping[str, str]:
    """The environment variables that the project file declares and that are set or have a default."""
    values = {name: os.environ.get(name, default) for name, default in environment_defaults(document).items()}
    return MappingProxyType({name: value for name, value in values.items() if value is not None})


def environment_defaults(document: MapNode) -> Mapping[str, Any]:
    """The environment variables that the project file declares, with their defaults; None where there is none."""
    node = document.get("env")
    if isinstance(node, ListNode):
        return {str(plain(item)): None for item in node.items}
    return {name: plain(value) for name, _, value in entries_of(node)}
