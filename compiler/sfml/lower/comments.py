"""The root's comment: the pipeline's description, and a last line by which a graph is known to be ours."""

from __future__ import annotations

from collections.abc import Mapping

from sfml.lower.canonical import Json, canonical_json

RECORD_PREFIX = "sfml:"


def root_comment(description: str | None, record: Mapping[str, Json]) -> str:
    """The description, then `sfml:{json}` on one line: fingerprint, spec and version.

    An apply adds `commit`, `uncommitted` and `user` to the record; they say where a graph came from and are never
    compared.
    """
    line = RECORD_PREFIX + canonical_json(record)
    return f"{description.rstrip()}\n{line}" if description and description.strip() else line
