"""SF340, SF341: links and hidden files in folders that travel with steps and jobs."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.base.diagnostic import Diagnostic
from sfml.catalog.folders import FolderContents, folder_contents, link_problem
from sfml.check.case import Case, error, listed, warning
from sfml.graph.located import Place
from sfml.graph.model import JobBody

_LINK_HELP = "put what it leads to into the project, or remove the link"
_LINK_WHY = "a file outside the project may be another one on another machine"


def bad_links(case: Case) -> Iterator[Diagnostic]:
    """SF340: a link leads out of the project, nowhere, or back to a folder that it lies in.

    What: links to files and folders, in folders of jobs, in `imports` and in step packages, lead to a place inside the
    project. Such links are followed.
    Why: a file outside the project may differ on another machine, and a cycle of links has no end.
    Instead: move the file or folder into the project, or remove the link.
    """
    for place, folder, contents in _folders(case):
        for name, problem in contents.refused:
            message = f"the link `{folder}/{name}` {problem}"
            yield error("SF340", message, place, why=_LINK_WHY, help=_LINK_HELP)
    for task in case.tasks:
        for index, path in enumerate(task.node.imports):
            reason = link_problem(case.catalog.root / path, case.catalog.root)
            if reason is not None and (case.catalog.root / path).is_symlink():
                place = task.place(f"imports[{index}]", "imports")
                message = f"the link `{path}` {reason}"
                yield error("SF340", message, place, why=_LINK_WHY, help=_LINK_HELP)
    for _, body in case.steps():
        for module in case.catalog.modules_of(body.step):
            if module.error is not None and module.error.code == "SF340":
                yield module.error


def hidden_files(case: Case) -> Iterator[Diagnostic]:
    """SF341: a hidden file in the folder of a job does not travel.

    What: files and folders whose names begin with a dot do not travel with a job. Those of tools, such as `.git`,
    `.env` and `.venv`, are left out without a finding.
    Why: hidden files are often private or large, so they are left out; a program that reads one fails in the container.
    Instead: give the file a name without a dot, or silence the warning where nothing reads it.
    """
    for place, folder, contents in _folders(case):
        if contents.hidden:
            names = [f"{folder}/{name}" for name in contents.hidden[:3]]
            more = len(contents.hidden) - len(names)
            tail = f" and {more} more" if more else ""
            are = "stay" if len(contents.hidden) > 1 else "stays"
            message = f"{listed(names)}{tail} {are} behind: hidden files do not travel with a job"
            help = "give it a name without a dot at its beginning, if the job reads it"
            yield warning("SF341", message, place, help=help)


def _folders(case: Case) -> Iterator[tuple[Place, str, FolderContents]]:
    """The folders that travel with tasks, without duplicates: the place that names it first, path and contents."""
    root = case.catalog.root
    named: dict[str, Place] = {}
    for task in case.tasks:
        if isinstance(task.node.body, JobBody) and task.node.body.folder:
            named.setdefault(task.node.body.folder, task.place("job.folder", "job"))
        for index, path in enumerate(task.node.imports):
            named.setdefault(path, task.place(f"imports[{index}]", "imports"))
    for path, place in named.items():
        folder = root / path
        if folder.is_dir() and link_problem(folder, root) is None:
            yield place, path, folder_contents(folder, root)
