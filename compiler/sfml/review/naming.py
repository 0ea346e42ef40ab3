"""The files that the text of a spec may name, found without resolving the spec; in doubt, a file counts as named."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection

from sfml.spec.compose import compose
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode

_PATH = re.compile(r"[\w./-]+")
_NAMING = frozenset(
    {
        *("graph", "schedule", "tests", "tasks", "file", "folder", "entrypoint", "imports"),
        *("step", "job", "steps"),
    }
)
"""Keys whose values name files or step functions; the values of `seeds` name files, too."""


def is_plain(path: str) -> bool:
    """Whether YAML can write the path only as it is: none of its characters is folded, quoted or escaped."""
    return _PATH.fullmatch(path) is not None


def named_in(text: str, file: str, paths: Collection[str]) -> frozenset[str]:
    """The paths that the text of `file` may name, relative to the file."""
    folder = posixpath.dirname(file)
    return frozenset(
        path
        for word in {match.rstrip("/") for match in _PATH.findall(text)}
        # A dash before it may belong to YAML, and a dot after it to a sentence.
        for written in {word, word.lstrip("-"), word.rstrip(".")}
        if (path := posixpath.normpath(posixpath.join(folder, written))) in paths
    )


def module_pattern(modules: Collection[str]) -> re.Pattern[str] | None:
    """A pattern that finds names in the modules, such as `clv.train.fit` in `clv.train`; None without modules."""
    if not modules:
        return None
    return re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, sorted(modules)))})\.")


def is_open(text: str, file: str) -> bool:
    """Whether the text names files by expressions or escapes, so that only compiling it shows which."""
    if "\\" not in text and "{{" not in text:
        return False
    node, findings = compose(text, file)
    return bool(findings) or (node is not None and _holds_open(node, naming=False, escaped="\\" in text))


def _holds_open(node: Node, *, naming: bool, escaped: bool) -> bool:
    match node:
        case ScalarNode(value=value):
            return naming and isinstance(value, str) and ("{{" in value or escaped)
        case ListNode(items=items):
            return any(_holds_open(item, naming=naming, escaped=escaped) for item in items)
        case MapNode(entries=entries):
            return any(
                _holds_open(value, naming=_is_naming(key, value, around=naming), escaped=escaped)
                for key, value in entries.items()
            )
    return False


def _is_naming(key: str, value: Node, *, around: bool) -> bool:
    if key == "seeds" or key in _NAMING:
        # `tasks`, `graph` and `schedule` may also hold mappings, whose own keys decide.
        return key == "seeds" or isinstance(value, ScalarNode | ListNode) or key == "job"
    return around and isinstance(value, ScalarNode)
