"""Where pages are: paths below the root of the page, the same when it is served and when it is exported."""

from __future__ import annotations

from urllib.parse import quote


def quoted(name: str) -> str:
    """A name as one part of a path. `.` and `..` would be taken for folders."""
    return quote(name, safe="").replace(".", "%2E") if set(name) <= {"."} else quote(name, safe="")


def pipeline_place(name: str) -> str:
    return f"p/{quoted(name)}/"


def runs_place(name: str) -> str:
    return f"{pipeline_place(name)}runs/"


def run_place(name: str, run_id: str) -> str:
    return f"{runs_place(name)}{quoted(run_id)}/"


def task_place(name: str, run_id: str, task: str) -> str:
    return f"{run_place(name, run_id)}{quoted(task)}/"


def models_place(name: str) -> str:
    return f"{pipeline_place(name)}models/"


def deployments_place(name: str) -> str:
    return f"{pipeline_place(name)}deployments/"


def deployment_place(name: str, number: int) -> str:
    return f"{deployments_place(name)}{number}/"


def action_place(name: str, action: str, subject: str = "") -> str:
    """The page that shows what an action would do; `subject` is what it is about, such as a version."""
    return f"{pipeline_place(name)}do/{action}/" + (f"{quoted(subject)}/" if subject else "")
