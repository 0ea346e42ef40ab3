"""The files that an ML Job takes along: a `job` folder, and what `imports` name."""

from __future__ import annotations

from pathlib import Path

from sfml.base.errors import UsageError
from sfml.base.record import record
from sfml.catalog.data_files import contents
from sfml.catalog.folders import folder_contents
from sfml.lower.bodies import JobFiles


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
            return tuple(JobFile(*file) for file in contents(((base.name, base),)))
        found = folder_contents(base, project)
        for name, problem in found.refused:
            raise UsageError(
                f"the link `{path}/{name}` {problem}",
                help="put what it leads to into the project, or remove it",
            )
        return tuple(JobFile(*file) for file in contents(found.files))

    return files_of
