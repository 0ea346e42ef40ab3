"""The findings of several pipelines as `sfml validate` tells them: those of each, and those of all together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.frontend.between_pipelines import together, with_unwatched
from sfml.frontend.foreign_patches import with_foreign_patches
from sfml.frontend.unused_silencings import ReadTarget, with_unused
from sfml.frontend.unused_sizes import with_unused_sizes

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading


Held = Callable[[list["Reading"]], list["Reading"]]


def read_together(
    files: Sequence[Path], each: Sequence[Sequence[Reading]], read: ReadTarget, held: Held = list
) -> list[Reading]:
    """The readings with the findings about all of them; `each` are those of each file, and `read` reads others.

    `held` adds the findings of the project's policies; by default there are none.
    """
    readings = together([reading for readings in each for reading in readings])
    read_files = tuple(file for file, readings in zip(files, each, strict=True) for _ in readings)
    readings = with_unwatched(read_files, with_foreign_patches(read_files, readings))
    readings = held(with_unused_sizes(read_files, readings))
    return with_unused(read_files, readings, lambda file, target: held([read(file, target)])[0])
