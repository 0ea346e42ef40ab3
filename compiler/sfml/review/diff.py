"""Computing `sfml diff`: the pipelines that a change can reach are compiled on both sides and compared."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sfml.base.diagnostic import Diagnostic, Severity, has_errors
from sfml.base.errors import UsageError
from sfml.base.record import record
from sfml.base.source import Span, is_yaml
from sfml.cost.change import cost_change
from sfml.review.compare import compared
from sfml.review.git_objects import Repository, commit_of, committed_at, merge_base
from sfml.review.held_sides import PipelineSides, ReviewPolicies
from sfml.review.model import Diff, PipelineDiff, ReachedFile, Side, Status, TargetDiff
from sfml.review.reach import ReachPlace, needed, place_of, project_of, reached
from sfml.review.requested_specs import RequestedSpecs, entries_of, may_be_requested
from sfml.review.sides import PipelineSide, SideInputs, side_of
from sfml.review.snapshot import (
    Snapshot,
    changed_paths,
    commit_snapshot,
    lay_out,
    texts_of,
    work_tree_snapshot,
)
from sfml.spec.project import PROJECT_FILE

USER = "user"
"""The default value of `{{ user }}`, so that the diff is the same for every user."""


@record
class Request:
    """What to compare. `head` is None for the work tree; `target` limits the comparison to one target."""

    base: str
    head: str | None
    asked: RequestedSpecs
    target: str | None
    variables: Mapping[str, str]
    user: str | None
    now: datetime | None
    policies_of: str | None = None
    """The commit whose policies hold; None for those of the head."""


@record
class _View:
    """One side of the comparison with the texts of its specs and code, from which the reach of a change is found."""

    snapshot: Snapshot
    entries: frozenset[str]
    specs: Mapping[str, str]
    code: Mapping[str, bytes]
    places: Mapping[str, ReachPlace]


def make_diff(repository: Repository, request: Request) -> Diff:
    """The differences between the head and its merge base with `base`; raises `SfmlError` where git cannot tell."""
    head_name = request.head or "HEAD"
    since = merge_base(repository, request.base, head_name)
    base = commit_snapshot(repository, request.base, since)
    if request.head is None:
        head = work_tree_snapshot(repository)
    else:
        head = commit_snapshot(repository, request.head, commit_of(repository, request.head))
    now = request.now or committed_at(repository, head.commit)
    changed = changed_paths(base, head)
    known: dict[str, bytes] = {}
    views = (
        _view(repository, base, request.asked, changed, known),
        _view(repository, head, request.asked, changed, known),
    )
    _refuse_nothing(request.asked, views, known)
    every = views[0].entries | views[1].entries
    chosen = frozenset(path for view in views for path in _reached(view, changed))
    pipelines, notes = _compared(repository, request, views, chosen, changed, known, now)
    return Diff(
        Side(base.name, base.commit),
        Side(head.name, head.commit, head.is_work_tree),
        now,
        tuple(sorted(pipelines, key=lambda pipeline: (pipeline.pipeline, pipeline.spec))),
        untouched=len(every) - len(pipelines),
        notes=notes,
    )


def _view(
    repository: Repository,
    snapshot: Snapshot,
    asked: RequestedSpecs,
    changed: Collection[str],
    known: dict[str, bytes],
) -> _View:
    paths = frozenset(snapshot.files)
    written = [path for path in paths if is_yaml(path)]
    named = (path for path in written if may_be_requested(asked.paths, path))
    entries = entries_of(asked.paths, snapshot.files, texts_of(repository, snapshot, named, known))
    folders = {folder for path in entries if (folder := project_of(paths, path)) is not None}
    own = (path for path in written if path.startswith(tuple(folders)))
    specs = texts_of(repository, snapshot, own, known)
    texts = {path: content.decode("utf-8-sig", errors="replace") for path, content in specs.items()}
    places = {folder: place_of(folder, texts.get(f"{folder}{PROJECT_FILE}", ""), paths) for folder in folders}
    code: dict[str, bytes] = {}
    for place in places.values():
        if any(path.startswith(place.steps) for path in changed):
            modules = (path for path in paths if path.endswith(".py") and path.startswith(place.steps))
            code |= texts_of(repository, snapshot, modules, known)
    return _View(snapshot, entries, texts, code, places)


def _refuse_nothing(asked: RequestedSpecs, views: Iterable[_View], known: Mapping[str, bytes]) -> None:
    """Raise `UsageError` for an argument that names no pipeline on either side."""
    for argument, path in zip(asked.arguments, asked.paths, strict=True):
        contents = [
            {
                one: known[entry.oid]
                for one in view.entries
                if (entry := view.snapshot.files[one]).oid in known
            }
            for view in views
        ]
        if not any(
            entries_of((path,), view.snapshot.files, texts)
            for view, texts in zip(views, contents, strict=True)
        ):
            raise UsageError(
                f"`{argument}` names no pipeline on either side",
                help="name a spec, a folder of specs or a glob, as seen from here",
            )


def _reached(view: _View, changed: Collection[str]) -> Iterator[str]:
    yield from (path for path in view.entries if path in changed)
    for folder, place in view.places.items():
        own = frozenset(path for path in view.entries if project_of(view.snapshot.files, path) == folder)
        specs = {path: text for path, text in view.specs.items() if path.startswith(folder)}
        code = {path: text for path, text in view.code.items() if path.startswith(place.steps)}
        yield from reached(place, own, changed, view.snapshot.files, specs, code)


def _compared(
    repository: Repository,
    request: Request,
    views: tuple[_View, _View],
    chosen: Collection[str],
    changed: frozenset[str],
    known: dict[str, bytes],
    now: datetime,
) -> tuple[list[PipelineDiff], tuple[str, ...]]:
    base, head = views
    git = _git_values(head.snapshot)
    with ExitStack() as stack:
        grounds: list[SideInputs] = []
        notes: list[str] = []
        for view in views:
            top = repository.top
            if not view.snapshot.is_work_tree and chosen:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sfml-diff-"))
                laid = lay_out(repository, view.snapshot, _needed(view, chosen), Path(folder), known)
                notes += [f"{view.snapshot.name}: `{path}` {why}" for path, why in sorted(laid.notes.items())]
                top = Path(folder).resolve()
            user = request.user or USER
            grounds.append(SideInputs(top, git, request.variables, user))
        sides = {entry: _sides(entry, base, head, grounds, request.target) for entry in sorted(chosen)}
        policies = ReviewPolicies(repository, head.snapshot, request.policies_of)
        sides = policies.held(sides)
        pipelines = []
        for entry, found in sides.items():
            one = _pipeline(entry, found, (base.snapshot, head.snapshot), changed, now)
            if one is not None:
                pipelines.append(one)
                notes += _seed_notes(one)
        pipelines = policies.with_plans(pipelines, sides)
        notes += policies.notes(changed)
    return pipelines, tuple(dict.fromkeys(notes))


def _seed_notes(one: PipelineDiff) -> Iterator[str]:
    """Notes on changed files of seeds, which no apply loads."""
    sides = [side for target in one.targets for side in (target.base, target.head) if side is not None]
    seeds = {(seed.file, seed.table) for side in sides for seed in side.desired.seeds}
    for file in one.files:
        for path, table in sorted(seeds):
            if file.path == path or file.path.endswith(f"/{path}"):
                what = f"`{file.path}`, the seed of `{table}` in `{one.pipeline}`"
                yield f"{what}, is {file.status}: `sfml seed` loads it"


def _git_values(head: Snapshot) -> Mapping[str, str]:
    """The values of `git` in expressions, the same on both sides, because another commit alone is no difference."""
    return {
        "commit": head.commit,
        "short": head.commit[:7],
        "branch": "HEAD" if head.is_work_tree else head.name,
    }


def _needed(view: _View, chosen: Collection[str]) -> set[str]:
    paths: set[str] = set()
    for folder, place in view.places.items():
        own = [path for path in chosen if project_of(view.snapshot.files, path) == folder]
        if own:
            specs = {path: text for path, text in view.specs.items() if path.startswith(folder)}
            paths |= needed(place, own, view.snapshot.files, specs)
    return paths


def _sides(
    entry: str, base: _View, head: _View, grounds: list[SideInputs], target: str | None
) -> PipelineSides:
    targets = _targets(entry, (base, head), target)
    old, new = (
        _side(view, ground, entry, targets) for view, ground in zip((base, head), grounds, strict=True)
    )
    return PipelineSides(targets, old, new)


def _pipeline(
    entry: str,
    sides: PipelineSides,
    snapshots: tuple[Snapshot, Snapshot],
    changed: frozenset[str],
    now: datetime,
) -> PipelineDiff | None:
    """The differences of one pipeline; None when no changed file is part of it."""
    targets, old, new = sides.targets, sides.old, sides.new
    files = tuple(_files((old, new), snapshots, changed))
    if not files:
        return None
    diffs = tuple(
        _target_diff(target, old, new, now)
        for target in targets
        if any(
            side is not None and (target in side.compiled or has_errors(side.findings)) for side in (old, new)
        )
    )
    new_findings, kept = _since(_of_side(old), _of_side(new))
    name = (new.pipeline if new else None) or (old.pipeline if old else None) or _stem(entry)
    return PipelineDiff(
        name,
        entry,
        _status(diffs, old, new),
        files,
        diffs,
        base_findings=_mended(_of_side(old), kept),
        head_findings=new_findings,
        old_findings=kept,
        base_sources=old.sources if old else {},
        head_sources=new.sources if new else {},
    )


def _of_side(side: PipelineSide | None) -> tuple[Diagnostic, ...]:
    """The findings of a side, those of policies last."""
    return () if side is None else (*side.findings, *side.policy_findings)


def _side(view: _View, ground: SideInputs, entry: str, targets: tuple[str, ...]) -> PipelineSide | None:
    if entry not in view.snapshot.files or entry not in view.entries:
        return None
    folder = project_of(view.snapshot.files, entry)
    if folder is None:
        why = Diagnostic.error(
            "SF120", f"no `{PROJECT_FILE}` in the folder of the spec or above it", at=Span.whole(entry)
        )
        return PipelineSide(None, {}, (why,), {}, frozenset({entry}))
    place = view.places[folder]
    own = tuple(target for target in targets if target in place.targets)
    side = side_of(ground, entry, folder, own, place.steps)
    if has_errors(side.findings):
        # A spec with errors may use more files than were read until the error.
        return replace(side, files=side.files | _needed(view, (entry,)))
    return side


def _targets(entry: str, views: Iterable[_View], wanted: str | None) -> tuple[str, ...]:
    """The targets of the pipeline on both sides, those of the head first; raises `UsageError` for an unknown one."""
    targets: dict[str, None] = {}
    for view in reversed(tuple(views)):
        folder = project_of(view.snapshot.files, entry)
        if entry in view.entries and folder is not None:
            targets |= dict.fromkeys(view.places[folder].targets)
    if wanted is None:
        return tuple(targets)
    if wanted not in targets:
        names = ", ".join(f"`{name}`" for name in targets)
        raise UsageError(f"there is no target `{wanted}` on either side", help=f"targets: {names}")
    return (wanted,)


def _files(
    sides: Iterable[PipelineSide | None], snapshots: tuple[Snapshot, Snapshot], changed: frozenset[str]
) -> Iterator[ReachedFile]:
    used = {path for side in sides if side is not None for path in side.files}
    folders = tuple(path for path in used if path.endswith("/"))
    for path in sorted(changed):
        if path in used or path.startswith(folders):
            before, after = (path in snapshot.files for snapshot in snapshots)
            yield ReachedFile(path, "changed" if before and after else "added" if after else "removed")


def _target_diff(
    target: str, old: PipelineSide | None, new: PipelineSide | None, now: datetime
) -> TargetDiff:
    before = old.compiled.get(target) if old else None
    after = new.compiled.get(target) if new else None
    is_broken = any(
        side is not None and target not in side.compiled and has_errors(side.findings) for side in (old, new)
    )
    if is_broken:
        return TargetDiff(target, Status.BROKEN, before, after)
    cost = cost_change(before.graph if before else None, after.graph if after else None)
    return replace(compared(target, before, after, now), cost=cost)


def _status(diffs: tuple[TargetDiff, ...], old: PipelineSide | None, new: PipelineSide | None) -> Status:
    statuses = {diff.status for diff in diffs}
    if any(side is not None and has_errors(side.findings) for side in (old, new)):
        return Status.BROKEN
    if new is None:
        return Status.REMOVED
    if old is None:
        return Status.ADDED
    return Status.UNCHANGED if statuses <= {Status.UNCHANGED} else Status.CHANGED


def _since(
    before: Iterable[Diagnostic], now: Iterable[Diagnostic]
) -> tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]]:
    """The errors and warnings of the head: those that are new, and those that the base has too.

    A finding that occurs more often than in the base is new that many times.
    """
    known = Counter(_likeness(finding) for finding in before)
    new: list[Diagnostic] = []
    kept: list[Diagnostic] = []
    for finding in now:
        if finding.severity is Severity.NOTE:
            continue
        likeness = _likeness(finding)
        (kept if known[likeness] > 0 else new).append(finding)
        known[likeness] -= 1
    return tuple(new), tuple(kept)


def _mended(before: Iterable[Diagnostic], kept: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The errors of the base that the head does not have."""
    still = {_likeness(finding) for finding in kept}
    return tuple(finding for finding in before if finding.is_error and _likeness(finding) not in still)


def _likeness(finding: Diagnostic) -> tuple[str, str, tuple[str, ...]]:
    """A key of a finding that stays the same when lines are moved."""
    return finding.code, finding.message, finding.targets


def _stem(entry: str) -> str:
    return entry.rpartition("/")[2].rpartition(".")[0]
