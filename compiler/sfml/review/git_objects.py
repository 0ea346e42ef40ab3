"""Reading commits, trees and files from git's objects, without the repository's hooks, filters, drivers and remotes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from sfml.base.errors import SfmlError, UsageError
from sfml.base.git_process import run_git
from sfml.base.record import record

LINK, SUBMODULE = "120000", "160000"

# The configuration of a repository can make git run programs while it reads: a file system monitor, hooks, filters of
# files, and programs that fetch missing objects of a partial clone. These settings turn them off.
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

T = TypeVar("T")
MAX_KEPT, MAX_KEPT_TOGETHER, MAX_SIZES = 100_000, 16_000_000, 100_000
"""The most bytes of one content that is kept and of all of them, and the most sizes."""

_sizes: dict[tuple[Path, str], int] = {}
_contents: dict[tuple[Path, str], bytes] = {}
"""What git told of a repository's objects. Their names are their hashes, so that no object changes, and a command that
follows in the same process asks for the others only."""


@record
class GitEntry:
    """A file of a tree: git's mode, and the object id of its content."""

    mode: str
    oid: str


@record
class Repository:
    """A repository; `top` is the folder of its work tree, `settings` the configuration that every git command gets."""

    top: Path
    settings: Mapping[str, str]

    def git(self, *arguments: str, data: bytes | None = None) -> bytes:
        """The standard output of a git command; raises `GitRefused` if it fails."""
        return _git(self.top, arguments, self.settings, data)


class GitRefused(SfmlError):
    """A git command that failed; `message` is the sentence of git."""


def repository(folder: Path) -> Repository:
    """The repository whose work tree holds the folder; raises `SfmlError` outside a work tree."""
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
    """The commit that `ref` names; raises `UsageError` if there is none in this clone."""
    try:
        answer = repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    except GitRefused as cause:
        raise UsageError(
            f"`{ref}` is not a commit of this repository", help=_fetching(repository, ref)
        ) from cause
    return answer.decode().strip()


def merge_base(repository: Repository, base: str, head: str) -> str:
    """The merge base of two commits, which are given by names; raises `UsageError` when there is none."""
    first, second = commit_of(repository, base), commit_of(repository, head)
    answer = _git_or_nothing(repository.top, ("merge-base", first, second), repository.settings)
    commits = answer.decode().split()
    if commits:
        return commits[0]
    if _is_shallow(repository):
        raise UsageError(
            f"this clone is too shallow to tell where `{head}` leaves `{base}`",
            help="fetch the history:  git fetch --unshallow    (GitHub Actions: checkout with fetch-depth: 0)",
        )
    raise UsageError(
        f"`{base}` and `{head}` have no history in common", help="name a base that `--head` grew from"
    )


def committed_at(repository: Repository, commit: str) -> datetime:
    """When the commit was made, in the time zone of its committer."""
    for line in repository.git("cat-file", "commit", commit).split(b"\n\n", 1)[0].splitlines():
        if line.startswith(b"committer "):
            seconds, _, zone = line.decode(errors="replace").rpartition(">")[2].strip().partition(" ")
            return datetime.fromtimestamp(int(seconds), UTC).astimezone(_zone(zone))
    raise GitRefused(f"commit {commit} says nothing about when it was made")


def tree_of(repository: Repository, commit: str) -> Mapping[str, GitEntry]:
    """Path → entry of every file of the commit."""
    return _tree(repository.top, commit, tuple(repository.settings.items()))


@lru_cache(maxsize=4)
def _tree(top: Path, commit: str, settings: tuple[tuple[str, str], ...]) -> Mapping[str, GitEntry]:
    listed = _git(top, ("ls-tree", "-r", "-z", "--full-tree", commit), dict(settings))
    return MappingProxyType(dict(_entries(listed, lambda fields: (fields[0], fields[2]))))


def index_of(repository: Repository) -> dict[str, GitEntry]:
    """Path → entry of every file of the index."""
    return dict(_entries(repository.git("ls-files", "-s", "-z"), lambda fields: (fields[0], fields[1])))


def _entries(listed: bytes, parts: Callable[[list[str]], tuple[str, str]]) -> Iterator[tuple[str, GitEntry]]:
    for line in listed.split(b"\0"):
        fields, _, path = line.partition(b"\t")
        if path:
            mode, oid = parts(fields.decode().split())
            yield os.fsdecode(path), GitEntry(mode, oid)


def touched_files(repository: Repository) -> frozenset[str]:
    """The files of the index that may differ from the work tree; git compares metadata only and reads no content."""
    return _paths(
        repository.git("diff-files", "--name-only", "-z", "--no-ext-diff", "--ignore-submodules=all")
    )


def untracked_files(repository: Repository) -> frozenset[str]:
    """The files of the work tree that are neither in the index nor ignored."""
    return _paths(repository.git("ls-files", "-z", "--others", "--exclude-standard"))


def _paths(listed: bytes) -> frozenset[str]:
    return frozenset(os.fsdecode(path) for path in listed.split(b"\0") if path and not path.endswith(b"/"))


def sizes_of(repository: Repository, oids: Iterable[str]) -> dict[str, int]:
    """Object id → size in bytes; raises `SfmlError` when an object is missing, as in a partial clone."""
    wanted = tuple(dict.fromkeys(oids))
    sizes = _known(_sizes, repository, wanted)
    if asked := [oid for oid in wanted if oid not in sizes]:
        answer = repository.git("cat-file", "--batch-check", data=_lines(asked)).decode()
        for line in answer.splitlines():
            oid, kind, *more = line.split()
            if kind != "blob":
                raise _missing(oid)
            sizes[oid] = int(more[0])
        if len(_sizes) + len(asked) > MAX_SIZES:
            _sizes.clear()
        _sizes.update(((repository.top, oid), sizes[oid]) for oid in asked[:MAX_SIZES])
    return {oid: sizes[oid] for oid in wanted}


def contents_of(repository: Repository, oids: Iterable[str]) -> dict[str, bytes]:
    """Object id → content; all contents are held in memory. Raises `SfmlError` when an object is missing."""
    wanted = tuple(dict.fromkeys(oids))
    contents = _known(_contents, repository, wanted)
    if asked := [oid for oid in wanted if oid not in contents]:
        read = dict(_blobs(repository.git("cat-file", "--batch", data=_lines(asked))))
        contents |= read
        _keep(repository, read)
    return {oid: contents[oid] for oid in wanted}


def _blobs(answer: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        oid, kind, *more = answer[at:end].decode().split()
        if kind != "blob":
            raise _missing(oid)
        start, size = end + 1, int(more[0])
        yield oid, answer[start : start + size]
        at = start + size + 1


def _known(
    known: Mapping[tuple[Path, str], T], repository: Repository, wanted: Iterable[str]
) -> dict[str, T]:
    keys = ((oid, (repository.top, oid)) for oid in wanted)
    return {oid: one for oid, key in keys if (one := known.get(key)) is not None}


def _keep(repository: Repository, read: Mapping[str, bytes]) -> None:
    small = {(repository.top, oid): one for oid, one in read.items() if len(one) <= MAX_KEPT}
    size = sum(map(len, small.values()))
    if size + sum(map(len, _contents.values())) > MAX_KEPT_TOGETHER:
        _contents.clear()
    if size <= MAX_KEPT_TOGETHER:
        _contents.update(small)


def _lines(oids: Iterable[str]) -> bytes:
    return "".join(f"{oid}\n" for oid in oids).encode()


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
    """The time zone for a text such as `+0200`; UTC for any other text, which old tools wrote."""
    try:
        minutes = int(text[1:3]) * 60 + int(text[3:5])
        return timezone(timedelta(minutes=-minutes if text.startswith("-") else minutes))
    except ValueError:
        return UTC
