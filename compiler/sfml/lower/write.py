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
"""Files that are written when they are asked for."""


def write(
    graph: DesiredGraph, folder: Path, diagram: str, pictures: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """Write everything that the graph compiles to and return where; `diagram` is the text of `graph.mmd`.

    `pictures` are the texts of any of `PICTURES`. Each file is written whole or not at all, the manifest last: where
    it is new, so is all that it names. Archives and pictures that an earlier compile left are removed; nothing else
    in the folder is touched.
    """
    drawn = {name: text.encode() for name, text in (pictures or {}).items()}
    files = {**build_files(graph, diagram), **drawn}
    for path in sorted(files, key=lambda name: (name == "manifest.json", name)):
        write_file(folder / path, files[path])
    for stale in _stale(folder, files):
        stale.unlink(missing_ok=True)
    return tuple(folder / path for path in files)


def build_files(graph: DesiredGraph, diagram: str) -> Mapping[str, bytes]:
    """Every file by its path in the build folder."""
    return {
        "manifest.json": manifest_bytes(graph),
        "tasks.sql": tasks_sql(graph).encode(),
        "graph.mmd": diagram.encode(),
        **{f"archives/{archive.sha256}.zip": archive.content for archive in graph.archives},
    }


def write_file(path: Path, content: bytes) -> None:
    """Write the file whole, or leave what was there; one that is the same already is not touched."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.read_bytes() == content:
        return
    write_whole(path, content, mode=0o644)


def _stale(folder: Path, files: Mapping[str, bytes]) -> Iterator[Path]:
    for path in sorted((folder / "archives").glob("*.zip")):
        if _OWN_ARCHIVE.fullmatch(path.name) and f"archives/{path.name}" not in files:
            yield path
    yield from (folder / name for name in PICTURES if name not in files)
