"""Paths in a spec: relative to the file that names them, and inside the project, also when links are followed."""

from __future__ import annotations

import posixpath
from pathlib import Path

from sfml.base.diagnostic import Diagnostic
from sfml.spec.nodes import ScalarNode

MAX_LENGTH = 1_000
MAX_PART = 255
"""Limits that file systems accept: characters of a path, bytes of each part of it."""


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
    outside = "keep files inside the folder of `sfml.yaml`"
    if relative == ".." or relative.startswith("../"):
        return _refused(node, f"`{written}` leads out of the project", outside)
    try:
        real = (root / relative).resolve()
        # The path as the operating system resolves it: `..` after a link leads to the parent of the link's target.
        walked = (root / posixpath.dirname(node.span.file) / written).resolve()
    except (OSError, RuntimeError) as cause:
        return _refused(node, f"`{written}` cannot be followed: {cause}", None)
    if not all(path.is_relative_to(root.resolve()) for path in (real, walked)):
        return _refused(node, f"`{written}` is a link that leads out of the project", outside)
    return relative


def _refused(node: ScalarNode, message: str, help: str | None) -> Diagnostic:
    return Diagnostic.error("SF122", message, at=node.span, path=node.path, help=help)
