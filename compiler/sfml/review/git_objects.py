"""Commits, trees and files read from git's objects; no hook, filter, driver or remote of the repository is used."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from sfml.base.errors import SfmlError, UsageError
from sfml.base.git_process import run_git
from sfml.base.record import record

LINK, SUBMODULE = "120000", "160000"

# What a repository's own configuration could make git run while it reads: a file system monitor, hooks, a filter
# of files, and whatever fetches the missing objects of a partial clone.
# https://git-scm.com/docs/git-config (core.fsmonitor, core.hooksPath, protocol.allow, filter.<driver>)
_SETTINGS = {
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.hooksPath": os.devnull,
    "core.quotePath": "false",
    "protocol.allow": "never",
    "submodule.recurse": "false",
}
_FLAGS = ("--no-pager", "--no-replace-objects", "--literal-pathspecs")
_TIMEOUT = 120


@record
class GitEntry:
    """A file of a tree: git's mode and the name of its content."""

    mode: str
    oid: str


@record
class Repository:
    """A repository; `top` is the folder of its work tree."""

    top: Path
    settings: Mapping[str, str]

    def git(self, *arguments: str, data: bytes | None = None) -> bytes:
        """What git answers; raises `GitRefused`."""
        return _git(self.top, arguments, self.settings, data)


class GitRefused(SfmlError):
    """Git answered with an error; `message` is its sentence."""


def repository(folder: Path) -> Repository:
    """The repository whose work tree holds the folder; raises `SfmlError` when none does."""
    try:
        top = _git(folder, ("rev-parse", "--show-toplevel"), _SETTINGS).decode().rstrip("\n")
    except GitRefused as cause:
        help = "run it in a clone of the project's repository"
        if "dubious ownership" in cause.message:
            help = f"the repository is somebody else's; trust it:  git config --global --add safe.directory {folder}"
        raise SfmlError(f"this folder is in no git work tree: {cause.message}", help=help) from cause
    filters = _git_or_nothing(
        Path(top), ("config", "--null", "--name-only", "--get-regexp", r"^filter\."), _SETTINGS
    )
    off = {
        name: "false" if name.endswith(".required") else "" for name in filters.decode().split("\0") if name
    }
    return Repository(Path(top), {**_SETTINGS, **off})


def commit_of(repository: Repository, ref: str) -> str:
    """The commit that a name stands for; raises `UsageError` for one that stands for none here."""
    try:
        answer = repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    except GitRefused as cause:
        raise UsageError(
            f"`{ref}` is no commit of this repository", help=_fetching(repository, ref)
        ) from cause
    return answer.decode().strip()


def merge_base(repository: Repository, base: str, head: str) -> str:
    """The commit that both come from, by the names that the user gave; raises `UsageError` when there is none."""
    first, second = commit_of(repository, base), commit_of(repository, head)
    answer = _git_or_nothing(repository.top, ("merge-base", first, second), repository.settings)
    found = answer.decode().split()
    if found:
        return found[0]
    if _is_shallow(repository):
        raise UsageError(
            f"this clone is too shallow to tell where `{head}` leaves `{base}`",
            help="fetch the history:  git fetch --unshallow    (GitHub Actions: checkout with fetch-depth: 0)",
        )
    raise UsageError(
        f"`{base}` and `{head}` have no history in common", help="name a base that `--head` grew from"
    )


def committed_at(repository: Repository, commit: str) -> datetime:
    """When the commit was made, in its committer's zone."""
    for line in repository.git("cat-file", "commit", commit).split(b"\n\n", 1)[0].splitlines():
        if line.startswith(b"committer "):
            seconds, _, zone = line.decode(errors="replace").rpartition(">")[2].strip().partition(" ")
            return datetime.fromtimestamp(int(seconds), UTC).astimezone(_zone(zone))
    raise GitRefused(f"commit {commit} says nothing about when it was made")


def tree_of(repository: Repository, commit: str) -> dict[str, GitEntry]:
    """Every file of the commit by its path."""
    listed = repository.git("ls-tree", "-r", "-z", "--full-tree", commit)
    return dict(_entries(listed, lambda fields: (fields[0], fields[2])))


def index_of(repository: Repository) -> dict[str, GitEntry]:
    """Every file of the index by its path."""
    return dict(_entries(repository.git("ls-files", "-s", "-z"), lambda fields: (fields[0], fields[1])))


def _entries(listed: bytes, parts: Callable[[list[str]], tuple[str, str]]) -> Iterator[tuple[str, GitEntry]]:
    for line in listed.split(b"\0"):
        fields, _, path = line.partition(b"\t")
        if path:
            mode, oid = parts(fields.decode().split())
            yield os.fsdecode(path), GitEntry(mode, oid)


def touched_files(repository: Repository) -> frozenset[str]:
    """Files of the index that may differ from those of the work tree; git reads none of them."""
    return _paths(
        repository.git("diff-files", "--name-only", "-z", "--no-ext-diff", "--ignore-submodules=all")
    )


def untracked_files(repository: Repository) -> frozenset[str]:
    """Files of the work tree that the index has not, but for the ignored ones."""
    return _paths(repository.git("ls-files", "-z", "--others", "--exclude-standard"))


def _paths(listed: bytes) -> frozenset[str]:
    return frozenset(os.fsdecode(path) for path in listed.split(b"\0") if path and not path.endswith(b"/"))


def sizes_of(repository: Repository, oids: Iterable[str]) -> dict[str, int]:
    """How large each content is; raises `SfmlError` when one is not here, as in a partial clone."""
    asked = "\n".join(dict.fromkeys(oids))
    if not asked:
        return {}
    answer = repository.git("cat-file", "--batch-check", data=f"{asked}\n".encode()).decode()
    found: dict[str, int] = {}
    for line in answer.splitlines():
        oid, kind, *more = line.split()
        if kind != "blob":
            raise _missing(oid)
        found[oid] = int(more[0])
    return found


def contents_of(repository: Repository, oids: Iterable[str]) -> dict[str, bytes]:
    """The content of each; all of them are held in memory."""
    asked = "\n".join(dict.fromkeys(oids))
    if not asked:
        return {}
    answer = repository.git("cat-file", "--batch", data=f"{asked}\n".encode())
    found: dict[str, bytes] = {}
    at = 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        oid, kind, *more = answer[at:end].decode().split()
        if kind != "blob":
            raise _missing(oid)
        start, size = end + 1, int(more[0])
        found[oid] = answer[start : start + size]
        at = start + size + 1
    return found


def _missing(oid: str) -> SfmlError:
    return SfmlError(
        f"the file with the content {oid[:12]} is not in this clone, which is a partial one",
        help="fetch what is missing:  git fetch --refetch",
    )


def _git_or_nothing(folder: Path, arguments: tuple[str, ...], settings: Mapping[str, str]) -> bytes:
    try:
        return _git(folder, arguments, settings)
    except GitRefused:
        return b""


def _git(
    folder: Path, arguments: tuple[str, ...], settings: Mapping[str, str], data: bytes | None = None
) -> bytes:
    answer = run_git(
        folder,
        *_FLAGS,
        *arguments,
        settings=settings,
        environment={"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"},
        data=data,
        timeout=_TIMEOUT,
    )
    if answer.code != 0:
        raise GitRefused(answer.complaint or f"git {arguments[0]} failed")
    return answer.stdout


def _is_shallow(repository: Repository) -> bool:
    return repository.git("rev-parse", "--is-shallow-repository").strip() == b"true"


def _fetching(repository: Repository, ref: str) -> str:
    remote, _, branch = ref.partition("/")
    remotes = _git_or_nothing(repository.top, ("remote",), repository.settings).decode().split()
    if branch and remote in remotes:
        return f"fetch it:  git fetch {remote} {branch}:refs/remotes/{ref}"
    more = "  (and in a shallow clone its history:  git fetch --unshallow)" if _is_shallow(repository) else ""
    return f"fetch it:  git fetch {remotes[0] if remotes else 'origin'} {ref}{more}"


def _zone(text: str) -> timezone:
    """`+0200` as a zone; UTC for what is none, which old tools wrote."""
    try:
        minutes = int(text[1:3]) * 60 + int(text[3:5])
        return timezone(timedelta(minutes=-minutes if text.startswith("-") else minutes))
    except ValueError:
        return UTC
