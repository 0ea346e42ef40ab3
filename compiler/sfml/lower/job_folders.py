"""The files that an ML Job takes along: a `job` folder, and what `imports` name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sfml.catalog.data_files import contents
from sfml.errors import UsageError
from sfml.lower.bodies import JobFiles
from sfml.record import record


@record
class JobFile:
    """`path` is posix, relative to the job's folder."""

    path: str
    content: bytes


def job_files(project: Path) -> JobFiles:
    """What reads folders and files of a project; raises `UsageError` for one that is missing or outside."""

    def files_of(path: str) -> tuple[JobFile, ...]:
        base = (project / path).resolve()
        if not base.is_relative_to(project.resolve()) or not base.exists():
            raise UsageError(
                f"`{path}` is not a folder of this project", help="name a folder below the project's root"
            )
        if base.is_file():
            return tuple(JobFile(*one) for one in contents(((base.name, base),)))
        return tuple(JobFile(*one) for one in contents(_files_in(base)))

    return files_of


def _files_in(base: Path) -> Iterator[tuple[str, Path]]:
    """Every file below, sorted; hidden ones, bytecode and links that lead out of the folder stay behind."""
    for path in sorted(base.rglob("*"), key=lambda found: found.relative_to(base).as_posix()):
        parts = path.relative_to(base).parts
        is_private = any(part.startswith(".") or part == "__pycache__" for part in parts)
        if is_private or path.suffix == ".pyc" or not path.is_file():
            continue
        if path.resolve().is_relative_to(base):
            yield "/".join(parts), path
