"""Where the cursor is: the document, its project and the offset; and places of the project as locations."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from lsprotocol import types

from sfml.base.source import Span
from sfml.lsp.index import Index, Place, indexes_of
from sfml.lsp.names import Name
from sfml.lsp.positions import TextMap
from sfml.lsp.project import ProjectState
from sfml.lsp.session import Session, path_of


class Cursor:
    """A place in an open document of a project. `file` is its path in the project."""

    def __init__(
        self, session: Session, path: Path, project: ProjectState, position: types.Position | None
    ) -> None:
        self.session = session
        self.path = path
        self.project = project
        self.file = project.file(path)
        self.text = session.texts[path]
        places = session.text_map(path)
        assert places is not None, "the document is open"
        self.places: TextMap = places
        self.offset = places.offset(position) if position is not None else 0

    @cached_property
    def indexes(self) -> list[Index]:
        return indexes_of(self.project, self.file)

    @cached_property
    def named(self) -> tuple[Index, Name] | None:
        """The name under the cursor, in the first pipeline that has it."""
        return next(
            ((index, name) for index in self.indexes if (name := index.at(self.file, self.offset))), None
        )

    def location(self, place: Place) -> types.Location | None:
        text = self.session.text_map(place.path)
        if text is None:
            return None
        return types.Location(self.session.uri_of(place.path), text.range_of(place.start, place.end))

    def location_of(self, span: Span, index: Index | None = None) -> types.Location | None:
        """The location of a span, which may lie in the code of an installed package."""
        span = self.project.documents.place(span)
        path = self.project.root / span.file
        if span.file.endswith(".py") and index is not None:
            modules = index.good.catalog.modules()
            path = next((module.path for module in modules if module.file == span.file), path)
        text = self.session.text_map(path)
        if text is None:
            return None
        return types.Location(self.session.uri_of(path), text.range(span))


def cursor_at(session: Session, uri: str, position: types.Position | None = None) -> Cursor | None:
    """The place of a request; None in a document that is not open or belongs to no project."""
    path = path_of(uri)
    if path is None or path not in session.texts:
        return None
    project = session.project_of(path)
    return None if project is None else Cursor(session, path, project, position)
