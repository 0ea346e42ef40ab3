"""Running git; no other module starts it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

from sfml.base.errors import SfmlError
from sfml.base.record import record


@record
class GitAnswer:
    """What git printed, and its exit code."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text; bytes that are not UTF-8 become surrogates."""
        return self.stdout.decode(errors="surrogateescape")

    @property
    def complaint(self) -> str | None:
        """The first line of standard error, without `fatal:`; None when it is empty."""
        lines = self.stderr.decode(errors="replace").strip().splitlines()
        return lines[0].removeprefix("fatal: ") if lines else None


def run_git(
    folder: Path,
    *arguments: str,
    settings: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    hidden: Collection[str] = (),
    data: bytes | None = None,
    timeout: float = 30,
) -> GitAnswer:
    """Run git in a folder, without prompts; `timeout` is in seconds.

    `settings` are configuration of git. They are passed in environment variables, because every process of the machine
    can read arguments. `hidden` names environment variables that git does not get; `data` is its standard input. Raises
    `SfmlError` where git is not installed or does not end in time.
    """
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    count = variables.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdigit() else 0
    for at, (name, value) in enumerate((settings or {}).items(), first):
        variables |= {f"GIT_CONFIG_KEY_{at}": name, f"GIT_CONFIG_VALUE_{at}": value}
    if settings:
        variables["GIT_CONFIG_COUNT"] = str(first + len(settings))
    variables |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(environment or {})}
    try:
        process = subprocess.run(
            ("git", *arguments),
            cwd=folder,
            env=variables,
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as cause:
        raise SfmlError(
            "there is no `git` on the path", help="install git, or use an image that has it"
        ) from cause
    except (OSError, subprocess.TimeoutExpired) as cause:
        raise SfmlError(f"git did not answer: {type(cause).__name__}") from cause
    return GitAnswer(process.returncode, process.stdout, process.stderr)


def may_have_repository(folder: Path) -> bool:
    """Whether git could find a repository for this folder; false only if no folder above it, nor itself, has one.

    A work tree has `.git`, a file or a folder; a repository without a work tree has `HEAD` in its own folder.
    """
    if "GIT_DIR" in os.environ:
        return True
    real = Path(os.path.realpath(folder))
    return any(os.path.lexists(place / name) for place in (real, *real.parents) for name in (".git", "HEAD"))


def git_text(folder: Path, *arguments: str, data: bytes | None = None) -> str | None:
    """What git prints, or None outside a repository and where it fails, is not installed, or does not end in time."""
    if not may_have_repository(folder):
        return None
    try:
        answer = run_git(folder, *arguments, data=data)
    except SfmlError:
        return None
    return answer.text if answer.code == 0 else None
