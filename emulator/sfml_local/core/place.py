"""A folder of files that SQL names: a stage, a version of a model or of a dataset."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from sfml_local.core.errors import SqlError
from sfml_local.core.log_format import logger


@dataclass(frozen=True, slots=True)
class Place:
    """A stage's folder, a path in it, how LIST begins the names of its files, and whether files may be put."""

    root: Path
    path: str = ""
    prefix: str = ""
    writable: bool = True
    warn: Callable[[str], None] = field(default=logger.warning, repr=False, compare=False)
    """Told of what is left out."""

    def file(self, key: str | None = None) -> Path:
        """The file or folder of a path in the stage; raises SqlError when that leaves the stage."""
        return within(self.root, self.path if key is None else key)

    def paths(self) -> Iterator[str]:
        """The paths of all files below this one's path, which is a prefix, sorted.

        A link that leads out of the stage or nowhere, a pipe or a socket is no file of it.
        """
        above = len(f"{self.root}/")
        found = (f"{folder}/{name}"[above:] for folder, _, names in os.walk(self.root) for name in names)
        keys = sorted(key for key in found if key.startswith(self.path))
        return iter([key for key in keys if self._is_file(key)])

    def _is_file(self, key: str) -> bool:
        file = self.root / key
        if file.is_file() and (not file.is_symlink() or is_within(self.root, file)):
            return True
        self.warn(f"{str(file)!r} is left out of its stage: it is no file in it")
        return False


def is_within(root: Path, target: Path) -> bool:
    """Whether a path is below a folder once all links are followed."""
    return Path(os.path.realpath(target)).is_relative_to(os.path.realpath(root))


def within(root: Path, path: str) -> Path:
    """A path below a folder; nothing that a client writes leads out of it, links included."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    target = root.joinpath(*(part for part in parts if part != "/"))
    if ".." in parts or not is_within(root, target):
        raise SqlError(f"SQL compilation error:\ninvalid path '{path}': it leaves the stage", 1011, "42601")
    return target
