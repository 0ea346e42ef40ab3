"""The root's comment: the pipeline's description, and the record by which sfml recognises its graphs."""

from __future__ import annotations

from collections.abc import Mapping

from sfml.lower.canonical import Json, canonical_json

RECORD_PREFIX = "sfml:"


def root_comment(description: str | None, record: Mapping[str, Json]) -> str:
    """The description, then the record on one line: `sfml:{json}` with fingerprint, spec and version.

    An apply adds `commit`, `uncommitted` and `user` to the record. They say where the graph came from, and are not
    compared.
    """
    line = RECORD_PREFIX + canonical_json(record)
    return f"{description.rstrip()}\n{line}" if description and description.strip() else line
