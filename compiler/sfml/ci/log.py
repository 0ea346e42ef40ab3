"""Writes lines into the log of a job, and notices and errors that the host also shows outside the log."""

from __future__ import annotations

import os


def say(text: str) -> None:
    """Write one line. Line ends in the text become blanks, so that none of it can start a workflow command."""
    print(" ".join(text.split()), flush=True)


def say_notice(text: str) -> None:
    """Write a notice; the job continues."""
    _mark("notice", text)


def say_error(text: str, help: str | None = None) -> None:
    """Write the error that makes the job fail."""
    _mark("error", f"{text}; {help}" if help else text)


def _mark(kind: str, text: str) -> None:
    line = " ".join(text.split())
    if os.environ.get("GITHUB_ACTIONS") == "true":
        # https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
        print(f"::{kind} title=sfml::{line.replace('%', '%25')}", flush=True)
    else:
        print(f"{kind}: {line}", flush=True)
