"""Lines of a job's log, and marks that the host shows outside of it."""

from __future__ import annotations

import os


def say(text: str) -> None:
    """A line of the log; what it holds of others cannot become a workflow command, which starts a line."""
    print(" ".join(text.split()), flush=True)


def say_notice(text: str) -> None:
    """Something to know, of a job that goes on."""
    _mark("notice", text)


def say_error(text: str, help: str | None = None) -> None:
    """Why the job fails."""
    _mark("error", f"{text}; {help}" if help else text)


def _mark(kind: str, text: str) -> None:
    line = " ".join(text.split())
    if os.environ.get("GITHUB_ACTIONS") == "true":
        # https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
        print(f"::{kind} title=sfml::{line.replace('%', '%25')}", flush=True)
    else:
        print(f"{kind}: {line}", flush=True)
