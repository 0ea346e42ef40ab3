"""The folder that `compile` writes: `build/<pipeline>/<target>/`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from sfml.base.atomic import write_whole
from sfml.lower.desired import DesiredGraph
from sfml.lower.manifest import manifest_bytes
from sfml.lower.sql import tasks_sql

_OWN_ARCHIVE = re.compile(r"[0-9a-f]{64}\.zip")


PICTURES = ("graph.svg", "graph.html")
"""Files of the build folder that are written only on request."""


def write(
    graph: DesiredGraph, folder: Path, diagram: str, pictures: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """Write the files that the graph compiles to, and return their paths; `diagram` is the text of `graph.mmd`.

    `pictures` are the texts of any of `PICTURES`. Each file is written whole or not at all. The manifest is written
    last, so a new manifest names only files that are new as well. Old archives and pictures are removed; other files in
    the folder are not touched.
    """
    drawn = {name: text.encode() for name, text in (pictures or {}).items()}
    files = {**build_files(graph, diagram), **drawn}
    for path in sorted(files, key=lambda name: (name == "manifest.json", name)):
        write_file(folder / path, files[path])
    for stale in _stale(folder, files):
        stale.unlink(missing_ok=True)
    return tuple(folder / path for path in files)


def build_files(graph: DesiredGraph, diagram: str) -> Mapping[str, bytes]:
    """Path in the build folder → content of every file."""
    return {
        "manifest.json": manifest_bytes(graph),
        "tasks.sql": tasks_sql(graph).encode(),
        "graph.mmd": diagram.encode(),
        **{f"archives/{archive.sha256}.zip": archive.content for archive in graph.archives},
    }


def write_file(path: Path, content: bytes) -> None:
    """Write the file whole or not at all; a file with the same content is not touched."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.read_bytes() == content:
        return
    write_whole(path, content, mode=0o644)


def _stale(folder: Path, files: Mapping[str, bytes]) -> Iterator[Path]:
    for path in sorted((folder / "archives").glob("*.zip")):
        if _OWN_ARCHIVE.fullmatch(path.name) and f"archives/{path.name}" not in files:
            yield path
    yield from (folder / name for name in PICTURES if name not in files)
