"""The outlines of many pipelines as earlier commands compiled them, kept in `.sfml/outlines` of the project.

An outline is used only if compiling would give the same one: the key that is kept with it is a digest over the content
of the project's files, the options, the declared environment variables, and the installation, of which it holds
times and inodes, so that a file that came with a repository never has the right one. What is damaged, belongs to
another version, or cannot be read is compiled again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sfml.base.atomic import write_whole
from sfml.base.record import record
from sfml.base.release import VERSION
from sfml.frontend.project_files import project_files
from sfml.lower.desired import DesiredGraph
from sfml.plan.outline import outline_from, outline_value

FOLDER = Path(".sfml") / "outlines"
FORMAT = 2
MOST_FILES = 8
"""How many combinations of options are kept; the oldest is removed first."""
MOST_BYTES = 32 * 2**20


@record
class KeptOutline:
    """An outline, and what it was compiled from.

    `texts` are the files that were read as texts, relative to the root, `variables` the declared environment variables.
    With `whole`, the outline depends on any file. `checked` says whether the rules found no error.
    """

    desired: DesiredGraph
    texts: tuple[str, ...]
    variables: tuple[str, ...] = ()
    whole: bool = False
    checked: bool = False


class KeptOutlines:
    """The kept outlines of one project, compiled with the same options, by entry file relative to the root."""

    def __init__(self, root: Path, options: Iterable[str]) -> None:
        self._root = root
        self._options = (VERSION, sys.version, str(root), str(Path.cwd()), *options)
        self._path = root / FOLDER / f"{_digest(self._options)[:32]}.json"
        self._files = project_files(root)
        self._installation = _installation() if self._files is not None else ""

    def read(self) -> Mapping[str, KeptOutline]:
        """The outlines that are still true."""
        if self._files is None or self._is_led_elsewhere():
            return {}
        try:
            if self._path.stat().st_size > MOST_BYTES:
                return {}
            value = json.loads(self._path.read_bytes())
            if value["format"] != FORMAT:
                return {}
            entries: Mapping[str, Mapping[str, Any]] = value["pipelines"]
            texts = frozenset(text for entry in entries.values() for text in entry["texts"])
            shared = self._shared(self._files, texts)
            return {
                file: KeptOutline(
                    outline_from(entry["graph"]),
                    tuple(entry["texts"]),
                    tuple(entry["variables"]),
                    bool(entry["whole"]),
                    bool(entry["checked"]),
                )
                for file, entry in entries.items()
                if entry["key"] == self._key(shared, entry["texts"], entry["variables"], entry["whole"])
            }
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return {}

    def write(self, outlines: Mapping[str, KeptOutline]) -> None:
        """Keep these outlines in place of all others; nothing is kept if files have changed while they were compiled.

        Without the right to write into the project, nothing happens.
        """
        files = self._files
        if files is None or self._is_led_elsewhere() or project_files(self._root) != files:
            return
        kept = {file: one for file, one in outlines.items() if all(files.get(text) for text in one.texts)}
        shared = self._shared(files, frozenset(text for one in kept.values() for text in one.texts))
        value = {
            "format": FORMAT,
            "pipelines": {
                file: {
                    "key": self._key(shared, one.texts, one.variables, one.whole),
                    "texts": list(one.texts),
                    "variables": list(one.variables),
                    "whole": one.whole,
                    "checked": one.checked,
                    "graph": outline_value(one.desired),
                }
                for file, one in sorted(kept.items())
            },
        }
        content = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
        if len(content) <= MOST_BYTES:
            with contextlib.suppress(OSError):
                self._written(content)

    def _written(self, content: bytes) -> None:
        folder = self._path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignored = folder / ".gitignore"  # a project need not ignore `.sfml`, and its work tree stays clean
        if not ignored.exists():
            write_whole(ignored, b"*\n")
        write_whole(self._path, content)
        others = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in others[MOST_FILES:]:
            path.unlink(missing_ok=True)

    def _is_led_elsewhere(self) -> bool:
        """Whether a link leads out of the project's own folder."""
        return any(path.is_symlink() for path in (self._path, self._path.parent, self._path.parent.parent))

    def _shared(self, files: Mapping[str, str], texts: frozenset[str]) -> tuple[str, str]:
        """The digests of what all outlines depend on: all names and all other files; and of everything."""
        others = ((name, "" if name in texts else digest) for name, digest in sorted(files.items()))
        return _digest(map(str, others)), _digest(map(str, sorted(files.items())))

    def _key(
        self, shared: tuple[str, str], texts: Iterable[str], variables: Iterable[str], whole: bool
    ) -> str:
        files = self._files or {}
        return _digest(
            (
                *self._options,
                self._installation,
                shared[1 if whole else 0],
                *(f"{text}={files.get(text)}" for text in texts),
                *(f"{name}={os.environ.get(name)!r}" for name in variables),
            )
        )


def _digest(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode(errors="surrogatepass")
        digest.update(b"%d:" % len(encoded))
        digest.update(encoded)
    return digest.hexdigest()


def _installation() -> str:
    """What changes when sfml, its runtime for steps, or another installed package does."""
    package = Path(__file__).resolve().parents[1]
    runtime = find_spec("sfml_steps")
    folders = [package, package.parent.parent / "steps" / "sfml_steps"]
    folders += [Path(runtime.origin).resolve().parent] if runtime is not None and runtime.origin else []
    library = find_spec("yaml")
    places = [Path(library.origin).parents[1]] if library is not None and library.origin else []
    states = [_state(place) for place in places]
    for folder in folders:
        for place, below, files in os.walk(folder):
            below[:] = sorted(name for name in below if name != "__pycache__")
            states += [_state(Path(place, name)) for name in sorted(files)]
    return _digest(states)


def _state(path: Path) -> str:
    """When and where a file was written."""
    of = path.stat()
    return f"{path}:{of.st_size}:{of.st_mtime_ns}:{of.st_ctime_ns}:{of.st_ino}"
