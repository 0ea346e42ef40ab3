"""Which files a text of a spec may name, told without resolving it; when in doubt, it may."""

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
"""Keys whose values name files or step functions; `seeds` names them under names of tables."""


def is_plain(path: str) -> bool:
    """Whether a path can only be written as it is: nothing in it that YAML folds, quotes or escapes."""
    return _PATH.fullmatch(path) is not None


def named_in(text: str, file: str, paths: Collection[str]) -> frozenset[str]:
    """Those of the paths that the text of `file` may name, written relative to the file."""
    folder = posixpath.dirname(file)
    return frozenset(
        path
        for word in {found.rstrip("/") for found in _PATH.findall(text)}
        # A dash or dot before or after it may be YAML's or the sentence's.
        for written in {word, word.lstrip("-"), word.rstrip(".")}
        if (path := posixpath.normpath(posixpath.join(folder, written))) in paths
    )


def module_pattern(modules: Collection[str]) -> re.Pattern[str] | None:
    """What finds a name in one of the modules, such as `clv.train.fit` of `clv.train`; None for no modules."""
    if not modules:
        return None
    return re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, sorted(modules)))})\.")


def is_open(text: str, file: str) -> bool:
    """Whether it names files in a way that only compiling it tells: by an expression, or by an escape."""
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
        # `tasks`, `graph` and `schedule` hold whole mappings as well, whose keys speak for themselves.
        return key == "seeds" or isinstance(value, ScalarNode | ListNode) or key == "job"
    return around and isinstance(value, ScalarNode)
