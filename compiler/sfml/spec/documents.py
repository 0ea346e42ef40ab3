"""The files of a project as they are read: those on disk, with the unsaved texts of an editor in their place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from sfml.base.diagnostic import Diagnostic
from sfml.base.source import Span
from sfml.spec.compose import compose
from sfml.spec.empty_values import empty_values
from sfml.spec.known_tasks import KnownTasks
from sfml.spec.nodes import Node
from sfml.spec.shape import shape_findings
from sfml.spec.text import decoded, read_text


class Documents:
    """The texts of files, and the nodes that they are read into; `given` maps paths to texts that are not saved."""

    def __init__(self, given: Mapping[Path, str] = MappingProxyType({})) -> None:
        self.given = given

    def text(self, path: Path, file: str) -> str | Diagnostic:
        """The text of `path` (shown to users as `file`), or the finding that says why it cannot be read."""
        given = self.given.get(path)
        return read_text(path, file) if given is None else decoded(given.encode(errors="surrogatepass"), file)

    def exists(self, path: Path) -> bool:
        return path in self.given or path.exists()

    def checked(self, text: str, file: str, schema: str) -> tuple[Node | None, tuple[Diagnostic, ...]]:
        """The document of a text, and the findings of its syntax and shape."""
        return _checked(text, file, schema)

    def known_tasks(self, file: str, target: str | None) -> KnownTasks | None:
        """What is known of the tasks of a pipeline from an earlier reading for a target; None if nothing is kept."""
        return None

    def place(self, span: Span) -> Span:
        """The place in the text of a span of a node."""
        return span


ON_DISK = Documents()


# All pipelines of a project read the same project file and may include the same files; a changed text is checked anew.
@lru_cache(maxsize=16)
def _checked(text: str, file: str, schema: str) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    node, findings = compose(text, file)
    shape = shape_findings(node, schema) if node is not None else ()
    return node, (*findings, *shape, *empty_values(node, shape))
