"""Paths in a spec: relative to the file that names them, and inside the project, also when links are followed."""

from __future__ import annotations

import posixpath
from pathlib import Path

from sfml.base.diagnostic import Diagnostic
from sfml.base.source import Span
from sfml.spec.nodes import ScalarNode

MAX_LENGTH = 1_000
MAX_PART = 255
"""Limits that file systems accept: characters of a path, bytes of each part of it."""

_KEPT_INSIDE = "keep files inside the folder of `sfml.yaml`"


def inside(root: Path, node: ScalarNode) -> str | Diagnostic:
    """The path of `node` as a posix path relative to the project root, or the finding that says why it is refused."""
    written = str(node.value)
    if written.startswith(("/", "~")) or "\\" in written or (len(written) > 1 and written[1] == ":"):
        return _refused(
            node, f"`{written}` is not a relative path", "write it relative to this file, with `/`"
        )
    if "\0" in written or not written.isprintable():
        return _refused(node, "a path cannot hold control characters", None)
    if len(written) > MAX_LENGTH or any(len(part.encode()) > MAX_PART for part in written.split("/")):
        return _refused(node, "the path is too long", f"name a path of at most {MAX_LENGTH} characters")
    relative = posixpath.normpath(posixpath.join(posixpath.dirname(node.span.file), written))
    if relative == ".." or relative.startswith("../"):
        return _refused(node, f"`{written}` leads out of the project", _KEPT_INSIDE)
    try:
        real = (root / relative).resolve()
        # The path as the operating system resolves it: `..` after a link leads to the parent of the link's target.
        walked = (root / posixpath.dirname(node.span.file) / written).resolve()
    except (OSError, RuntimeError) as cause:
        return _refused(node, f"`{written}` cannot be followed: {cause}", None)
    if not all(path.is_relative_to(root.resolve()) for path in (real, walked)):
        return _refused(node, f"`{written}` is a link that leads out of the project", _KEPT_INSIDE)
    return relative


def link_outside(root: Path, file: str) -> Diagnostic | None:
    """The finding for a file that is a link out of the project; `file` is relative to its root."""
    path = root / file
    try:
        if not path.is_symlink() or path.resolve().is_relative_to(root.resolve()):
            return None
    except (OSError, RuntimeError) as cause:
        return Diagnostic.error("SF122", f"`{file}` cannot be followed: {cause}", at=Span.whole(file))
    message = f"`{file}` is a link that leads out of the project"
    return Diagnostic.error("SF122", message, at=Span.whole(file), help=_KEPT_INSIDE)


def _refused(node: ScalarNode, message: str, help: str | None) -> Diagnostic:
    return Diagnostic.error("SF122", message, at=node.span, path=node.path, help=help)
