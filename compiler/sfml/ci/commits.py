"""Finds the two commits to compare, and fetches them if the clone is too shallow to contain them."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from sfml.base.errors import SfmlError
from sfml.base.git_process import GitAnswer, run_git
from sfml.base.record import record
from sfml.ci.job_inputs import TOKENS, JobInputs
from sfml.ci.log import say
from sfml.ci.occasion import Occasion, is_commit

_FETCH = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
_DEPTH = 200
"""The depth of the first fetch, enough for most branches; the second fetches the whole history."""


@record
class Clone:
    """The repository of the job: `top` is its root folder, `prefix` the path of the working directory in it."""

    top: Path
    prefix: str

    def git(self, *arguments: str, settings: Mapping[str, str] | None = None) -> str | None:
        """The output of a git command without its final newline; None if the command fails."""
        done = _git(self.top, arguments, settings or {})
        return done.text.rstrip("\n") if done.code == 0 else None


@record
class Commits:
    """The commits to compare, as arguments of `sfml diff`."""

    base: str
    head: str


def clone_at(folder: Path) -> Clone:
    """The clone that contains the folder; raises `SfmlError` if the folder does not exist or is not in a clone."""
    if not folder.is_dir():
        raise SfmlError(f"there is no folder `{folder}`", help="check the input `working-directory`")
    toplevel = _git(folder, ("rev-parse", "--show-toplevel", "--show-prefix"), {})
    if toplevel.code != 0:
        raise SfmlError(
            f"`{folder}` is not in a git clone: {toplevel.complaint}",
            help="add a step that checks out the repository before this one",
        )
    top, _, prefix = toplevel.text.partition("\n")
    return Clone(Path(top), prefix.strip())


def commits_of(clone: Clone, inputs: JobInputs, occasion: Occasion) -> Commits | None:
    """The commits to compare; None if the job has no base. Raises `SfmlError` if a commit cannot be fetched."""
    head = clone.git("rev-parse", "--verify", "--quiet", "HEAD")
    if head is None:
        raise SfmlError("this clone has no commit checked out")
    base = _input_base(clone, inputs) or _merge_parent(clone, head, occasion) or occasion.base
    if base is None:
        return None
    if _merge_base(clone, base, head) is None:
        _fetch(clone, base, head, inputs, occasion)
    return Commits(_base_named(clone, base, head, inputs, occasion), _head_named(clone, head, occasion))


def _input_base(clone: Clone, inputs: JobInputs) -> str | None:
    """The base from the job's inputs; a branch that the clone does not have is taken from `origin`."""
    base = inputs.base
    if base is None or base.startswith("origin/") or is_commit(base):
        return base
    is_here = clone.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
    return base if is_here else f"origin/{base}"


def _merge_parent(clone: Clone, head: str, occasion: Occasion) -> str | None:
    """The first parent of the checked-out commit, if the host made it by merging the pull request into its base."""
    if head != occasion.merged:
        return None
    lines = (clone.git("cat-file", "commit", head) or "").split("\n\n", 1)[0].splitlines()
    parents = [line.removeprefix("parent ") for line in lines if line.startswith("parent ")]
    return parents[0] if len(parents) == 2 else None


def _merge_base(clone: Clone, base: str, head: str) -> str | None:
    """The merge base of two commits; None if the clone does not contain it."""
    return clone.git("merge-base", "--end-of-options", base, head) or None


def _fetch(clone: Clone, base: str, head: str, inputs: JobInputs, occasion: Occasion) -> None:
    is_shallow = clone.git("rev-parse", "--is-shallow-repository") == "true"
    branch = base.removeprefix("origin/")
    target = base if branch == base else f"+refs/heads/{branch}:refs/remotes/origin/{branch}"
    attempts: list[tuple[str, ...]] = [(target,)]
    if is_shallow:
        attempts = [(f"--depth={_DEPTH}", target, head), ("--unshallow", target), ("--unshallow",)]
        if base == _merge_parent(clone, head, occasion):
            attempts.insert(0, ("--depth=2", head))
    for attempt in attempts:
        options = tuple(word for word in attempt if word.startswith("--"))
        refs = tuple(word for word in attempt if not word.startswith("--"))
        say(f"git fetch {' '.join((*options, 'origin', *refs))}")
        for settings in _fetch_settings(clone, inputs, occasion):
            if clone.git(*_FETCH, *options, "origin", *refs, settings=settings) is not None:
                break
        if _merge_base(clone, base, head) is not None:
            return
    raise SfmlError(
        f"`{base}` could not be fetched, or has no history in common with what is checked out",
        help="let the step that checks out fetch more: fetch-depth: 0 on GitHub, GIT_DEPTH: 0 on GitLab",
    )


def _fetch_settings(clone: Clone, inputs: JobInputs, occasion: Occasion) -> Iterator[Mapping[str, str]]:
    """The git settings to try for a fetch: none; then the job's token as an HTTP header, as GitHub's checkout does."""
    yield {}
    url = clone.git("remote", "get-url", "origin") or ""
    server = os.environ.get("GITHUB_SERVER_URL", "").rstrip("/")
    if occasion.host == "github" and inputs.token and server and url.startswith(f"{server}/"):
        credentials = base64.b64encode(f"x-access-token:{inputs.token}".encode()).decode()
        yield {f"http.{server}/.extraHeader": f"AUTHORIZATION: basic {credentials}"}


def _base_named(clone: Clone, base: str, head: str, inputs: JobInputs, occasion: Occasion) -> str:
    """The base as a branch name such as `origin/main`, if that gives the same comparison; else its hash."""
    if inputs.base is not None or occasion.base_name is None:
        return base
    name = f"origin/{occasion.base_name}"
    ref = f"refs/remotes/{name}"
    if clone.git("rev-parse", "--verify", "--quiet", ref) is None:
        # Creates the ref as a fetch of the branch would. The zeros demand that it does not exist yet.
        clone.git("update-ref", ref, base, "0" * len(base))
    return name if _merge_base(clone, ref, head) == _merge_base(clone, base, head) else base


def _head_named(clone: Clone, head: str, occasion: Occasion) -> str:
    name = occasion.head_name
    if name and clone.git("rev-parse", "--verify", "--quiet", f"refs/remotes/{name}") == head:
        return name
    return "HEAD"


def _git(folder: Path, arguments: tuple[str, ...], settings: Mapping[str, str]) -> GitAnswer:
    return run_git(folder, *arguments, settings=settings, hidden=TOKENS, timeout=600)
