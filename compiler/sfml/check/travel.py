"""SF34x: whether all that the code of steps and jobs needs travels with it."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.base.diagnostic import Diagnostic
from sfml.catalog.folders import FolderContents, folder_contents, link_problem
from sfml.check.case import Case, error, listed, warning
from sfml.graph.located import Place
from sfml.graph.model import JobBody

_LINK_HELP = "put what it leads to into the project, or remove the link"
_LINK_WHY = "what travels comes from the project alone, so that it is the same on every machine"


def bad_links(case: Case) -> Iterator[Diagnostic]:
    """SF340: a link leads out of the project, nowhere, or back to a folder that it lies in.

    What: links to files and folders, in folders of jobs, in `imports` and in step packages, are followed as long
    as they stay inside the project.
    Why: what lies elsewhere is another thing on another machine, and a cycle of links has no end.
    Instead: put what the link leads to into the project, or remove the link.
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
    """SF341: a hidden file lies in the folder of a job, and stays behind.

    What: files and folders whose names begin with a dot do not travel with a job. Those that belong to tools, such
    as `.git`, `.env` and `.venv`, are left out without a word.
    Why: what is hidden is often private, or huge; but a program that reads it fails where it runs.
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
    """The folders of the project that travel with tasks, each once, with the place that names it first."""
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
