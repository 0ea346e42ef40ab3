"""What a commit says of policies: the policies themselves, and the pipelines as they were, for a baseline."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sfml.base.diagnostic import Diagnostic, has_errors
from sfml.frontend.reading import Reading, read
from sfml.frontend.team_policies import OWN, BaseReadings, PolicyChoice
from sfml.policies.model import NO_POLICIES, PolicySet, PolicySettings
from sfml.policies.policy_set import MAX_BYTES, MAX_FILES, Folder, may_hold_policies, policy_set, settings_of
from sfml.review.git_objects import LINK, Repository, commit_of, merge_base, repository, tree_of
from sfml.review.reach import project_of
from sfml.review.snapshot import Snapshot, commit_snapshot, lay_out, texts_of
from sfml.spec.compose import compose
from sfml.spec.nodes import map_of
from sfml.spec.project import PROJECT_FILE
from sfml.spec.shape import shape_findings


def choice_of(readings: Iterable[Reading], policies_of: str | None) -> PolicyChoice:
    """Whose policies hold: those of the files, or of the commit that the user names."""
    if policies_of is None:
        return OWN
    sets = policies_at((reading.root for reading in readings), policies_of)
    return PolicyChoice(sets, is_trusted=True)


def policies_at(roots: Iterable[Path], ref: str) -> dict[Path, PolicySet]:
    """Root of a project → the policies that it has in the commit `ref`, and what its project file says of them there.

    Raises `UsageError` for an unknown commit.
    """
    found: dict[Path, PolicySet] = {}
    for root in dict.fromkeys(roots):
        place = repository(root)
        snapshot = Snapshot(ref, commit := commit_of(place, ref), tree_of(place, commit))
        found[root] = policies_in(place, snapshot, _prefix(place, root))
    return found


def policies_in(place: Repository, snapshot: Snapshot, prefix: str, *, demands: bool = True) -> PolicySet:
    """The policies of the project in the folder `prefix` of a snapshot, or of the project around it.

    A change that puts a project into another one, or removes its file, so stays held to what was there. A project file
    with errors has no policies; with `demands`, a finding says so.
    """
    around = project_of(snapshot.files, f"{prefix}{PROJECT_FILE}")
    if around is None:
        return NO_POLICIES
    prefix, file = around, f"{around}{PROJECT_FILE}"
    known: dict[str, bytes] = {}
    texts = texts_of(place, snapshot, [file], known)
    text = texts.get(file, b"").decode("utf-8-sig", errors="replace")
    node, findings = compose(text, PROJECT_FILE)
    document = map_of(node)
    if document is not None and "policies" not in document.entries:
        return NO_POLICIES
    if document is None or has_errors((*findings, *shape_findings(document, "project.schema.json"))):
        message = f"the policies of {snapshot.name} are not known: its `{file}` has errors"
        unknown = Diagnostic.warning("SF533", message, help="mend it there; until then, no policy holds here")
        return PolicySet(PolicySettings(), (), (unknown,) if demands else ())
    targets = map_of(document.get("targets"))
    names = tuple(targets.entries) if targets is not None else ("local",)
    settings, _ = settings_of(document, names)
    below = f"{prefix}{settings.folder}/"
    paths = [path for path in snapshot.files if path.startswith(below) and not _is_left_out(path, below)]
    contents = texts_of(place, snapshot, paths, known)
    if len(paths) > MAX_FILES or sum(map(len, contents.values())) > MAX_BYTES:
        return policy_set(document, names, Folder({}, f"`{below}` holds too many or too large files"))
    files = {path.removeprefix(prefix): contents[path] for path in sorted(contents)}
    unread = next(_links(snapshot, below, paths), None)
    problem = f"`{unread}` is a link, which is not followed in a commit" if unread is not None else None
    return policy_set(document, names, Folder(files, problem))


def _links(snapshot: Snapshot, below: str, paths: Iterable[str]) -> Iterator[str]:
    """The links that stand for the folder, for one around it, for one below it, or for a file of policies."""
    places = (*map(str, reversed(PurePosixPath(below).parents)), below.rstrip("/"))
    # A name without a suffix may be that of a folder.
    files = (path for path in paths if not PurePosixPath(path).suffix or may_hold_policies(path))
    for path in (*places, *files):
        entry = snapshot.files.get(path)
        if entry is not None and entry.mode == LINK:
            yield path


def _is_left_out(path: str, below: str) -> bool:
    parts = path.removeprefix(below).split("/")
    return path.endswith(".pyc") or any(part.startswith(".") or part == "__pycache__" for part in parts)


@contextmanager
def base_readings(
    readings: Sequence[Reading], ref: str, variables: Mapping[str, str], user: str
) -> Iterator[BaseReadings]:
    """The same pipelines and targets as they are where the work tree left the commit `ref`."""
    with tempfile.TemporaryDirectory(prefix="sfml-baseline-") as folder:
        top = Path(folder).resolve()
        found: dict[tuple[Path, str, str | None], Reading | None] = {}
        for number, root in enumerate(dict.fromkeys(reading.root for reading in readings)):
            place = repository(root)
            snapshot = commit_snapshot(place, ref, merge_base(place, ref, "HEAD"))
            prefix = _prefix(place, root)
            own = [path for path in snapshot.files if path.startswith(prefix)]
            lay_out(place, snapshot, own, top / str(number), {})
            for reading in readings:
                if reading.root == root:
                    entry = top / str(number) / prefix / reading.entry
                    key = (root, reading.entry, reading.target)
                    found[key] = _read(entry, reading, snapshot, variables, user)
        yield found


def _read(
    entry: Path, reading: Reading, snapshot: Snapshot, variables: Mapping[str, str], user: str
) -> Reading | None:
    if not entry.is_file():
        return None
    git = {"commit": snapshot.commit, "short": snapshot.commit[:7], "branch": snapshot.name}
    return read(entry, target=reading.target, variables=variables, user=user, git=git)


def _prefix(place: Repository, root: Path) -> str:
    """The project's folder in the repository, with a slash at the end; empty for the repository's own."""
    relative = Path(os.path.relpath(root, place.top)).as_posix()
    return "" if relative == "." else f"{relative}/"
