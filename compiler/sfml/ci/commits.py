"""The two commits to compare, fetched where the clone is too shallow to hold them."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from sfml.base.errors import SfmlError
from sfml.base.git_process import GitAnswer, run_git
from sfml.base.record import record
from sfml.ci.asked import TOKENS, JobInputs
from sfml.ci.log import say
from sfml.ci.occasion import Occasion, is_commit

_FETCH = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
_DEPTH = 200
"""Deep enough for most branches; then comes the whole history."""


@record
class Clone:
    """The repository that the job works on; `prefix` is the place of the working directory in it."""

    top: Path
    prefix: str

    def git(self, *arguments: str, settings: Mapping[str, str] | None = None) -> str | None:
        """What git answers without its last line end, or None when it refuses."""
        done = _git(self.top, arguments, settings or {})
        return done.text.rstrip("\n") if done.code == 0 else None


@record
class Commits:
    """What to compare, by the names that `sfml diff` is given."""

    base: str
    head: str


def clone_at(folder: Path) -> Clone:
    """The clone that holds the folder; raises `SfmlError` when none does."""
    if not folder.is_dir():
        raise SfmlError(f"there is no folder `{folder}`", help="check the input `working-directory`")
    found = _git(folder, ("rev-parse", "--show-toplevel", "--show-prefix"), {})
    if found.code != 0:
        raise SfmlError(
            f"`{folder}` is no clone to work on: {found.complaint}",
            help="let a step check the repository out before",
        )
    top, _, prefix = found.text.partition("\n")
    return Clone(Path(top), prefix.strip())


def commits_of(clone: Clone, asked: JobInputs, occasion: Occasion) -> Commits | None:
    """What to compare; None where there is nothing to compare with. Raises `SfmlError` for what cannot be had."""
    head = clone.git("rev-parse", "--verify", "--quiet", "HEAD")
    if head is None:
        raise SfmlError("this clone has no commit checked out")
    base = _asked_base(clone, asked) or _merged_with(clone, head, occasion) or occasion.base
    if base is None:
        return None
    if _meeting(clone, base, head) is None:
        _fetch(clone, base, head, asked, occasion)
    return Commits(_base_named(clone, base, head, asked, occasion), _head_named(clone, head, occasion))


def _asked_base(clone: Clone, asked: JobInputs) -> str | None:
    """The base that the job names; a branch that is not here is one of the host's."""
    base = asked.base
    if base is None or base.startswith("origin/") or is_commit(base):
        return base
    is_here = clone.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
    return base if is_here else f"origin/{base}"


def _merged_with(clone: Clone, head: str, occasion: Occasion) -> str | None:
    """What the host merged the pull request into to make the commit that is checked out: its first parent."""
    if head != occasion.merged:
        return None
    lines = (clone.git("cat-file", "commit", head) or "").split("\n\n", 1)[0].splitlines()
    parents = [line.removeprefix("parent ") for line in lines if line.startswith("parent ")]
    return parents[0] if len(parents) == 2 else None


def _meeting(clone: Clone, base: str, head: str) -> str | None:
    """The commit that both come from, if the clone can tell."""
    return clone.git("merge-base", "--end-of-options", base, head) or None


def _fetch(clone: Clone, base: str, head: str, asked: JobInputs, occasion: Occasion) -> None:
    is_shallow = clone.git("rev-parse", "--is-shallow-repository") == "true"
    branch = base.removeprefix("origin/")
    target = base if branch == base else f"+refs/heads/{branch}:refs/remotes/origin/{branch}"
    ways: list[tuple[str, ...]] = [(target,)]
    if is_shallow:
        ways = [(f"--depth={_DEPTH}", target, head), ("--unshallow", target), ("--unshallow",)]
        if base == _merged_with(clone, head, occasion):
            ways.insert(0, ("--depth=2", head))
    for way in ways:
        options = tuple(word for word in way if word.startswith("--"))
        refs = tuple(word for word in way if not word.startswith("--"))
        say(f"git fetch {' '.join((*options, 'origin', *refs))}")
        for settings in _ways_in(clone, asked, occasion):
            if clone.git(*_FETCH, *options, "origin", *refs, settings=settings) is not None:
                break
        if _meeting(clone, base, head) is not None:
            return
    raise SfmlError(
        f"`{base}` could not be fetched, or has no history in common with what is checked out",
        help="let the step that checks out fetch more: fetch-depth: 0 on GitHub, GIT_DEPTH: 0 on GitLab",
    )


def _ways_in(clone: Clone, asked: JobInputs, occasion: Occasion) -> Iterator[Mapping[str, str]]:
    """As the clone is set up; else with the job's token, in the way that GitHub's own checkout gives it."""
    yield {}
    url = clone.git("remote", "get-url", "origin") or ""
    server = os.environ.get("GITHUB_SERVER_URL", "").rstrip("/")
    if occasion.host == "github" and asked.token and server and url.startswith(f"{server}/"):
        said = base64.b64encode(f"x-access-token:{asked.token}".encode()).decode()
        yield {f"http.{server}/.extraHeader": f"AUTHORIZATION: basic {said}"}


def _base_named(clone: Clone, base: str, head: str, asked: JobInputs, occasion: Occasion) -> str:
    """The base under the name that people know it by, where that name leads to the same comparison."""
    if asked.base is not None or occasion.base_name is None:
        return base
    name = f"origin/{occasion.base_name}"
    ref = f"refs/remotes/{name}"
    if clone.git("rev-parse", "--verify", "--quiet", ref) is None:
        # As a fetch of the branch would; the zeros say that it must not be there.
        clone.git("update-ref", ref, base, "0" * len(base))
    return name if _meeting(clone, ref, head) == _meeting(clone, base, head) else base


def _head_named(clone: Clone, head: str, occasion: Occasion) -> str:
    name = occasion.head_name
    if name and clone.git("rev-parse", "--verify", "--quiet", f"refs/remotes/{name}") == head:
        return name
    return "HEAD"


def _git(folder: Path, arguments: tuple[str, ...], settings: Mapping[str, str]) -> GitAnswer:
    return run_git(folder, *arguments, settings=settings, hidden=TOKENS, timeout=600)
