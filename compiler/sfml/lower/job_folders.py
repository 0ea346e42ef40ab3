"""Reading the files of an ML Job: those of a `job` folder and of `imports`."""

from __future__ import annotations

from pathlib import Path

from sfml.base.errors import UsageError
from sfml.base.record import record
from sfml.catalog.data_files import contents
from sfml.catalog.folders import folder_contents
from sfml.lower.bodies import JobFiles


@record
class JobFile:
    """A file of an ML Job; `path` is a posix path relative to the job's folder."""

    path: str
    content: bytes


def job_files(project: Path) -> JobFiles:
    """A function that reads files and folders of a project.

    It raises `UsageError` for a path that does not exist or leads out of the project, and for files that are too large.
    """

    def files_of(path: str) -> tuple[JobFile, ...]:
        base = (project / path).resolve()
        if not base.is_relative_to(project.resolve()) or not base.exists():
            raise UsageError(
                f"`{path}` is not a folder of this project", help="name a folder below the project's root"
            )
        if base.is_file():
            return tuple(JobFile(*file) for file in contents(((base.name, base),)))
        folder = folder_contents(base, project)
        for name, problem in folder.refused:
            raise UsageError(
                f"the link `{path}/{name}` {problem}",
                help="put what it leads to into the project, or remove it",
            )
        return tuple(JobFile(*file) for file in contents(folder.files))

    return files_of
