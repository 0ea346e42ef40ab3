"""Finds the kept deployment for a rollback, and checks that its code still exists."""

from __future__ import annotations

import hashlib

from sfml.base.errors import ConflictingState
from sfml.lower.desired import DesiredGraph
from sfml.operations.apply_plan import inspect_stage, refuse_newer
from sfml.operations.target_account import TargetAccount
from sfml.plan.artefact import Artefact
from sfml.plan.journal import KeptDeployments, deployment_number
from sfml.plan.stage_content import StageContent


def goal_of(desired: DesiredGraph, target: TargetAccount, number: int | None) -> tuple[Artefact, int]:
    """The graph to go back to, and the number of its deployment.

    Without `number`, the latest deployment that differs from the current one. An unfinished rollback continues with its
    own graph. Raises `ConflictingState` if no deployment is kept, or if its code no longer exists.
    """
    pipeline = desired.pipeline
    where = desired.where
    staged, journal, unreadable = inspect_stage(desired, target)
    refuse_newer(unreadable)
    if unreadable is not None and number is None:
        raise unreadable  # it is unknown which deployment is current
    if journal is not None and not (journal.header.work == "rollback" and journal.meant is not None):
        raise ConflictingState(
            f"an unfinished {journal.header.work} of {pipeline} comes first",
            help=f"sfml apply {where} --restore   goes back to the graph from before it",
        )
    # Read only if there are records, because a GET that matches no file is an error.
    records = target.stage.kept(pipeline) if staged and staged.deployments else KeptDeployments(())
    kept = {deployment.header.number: deployment for deployment in records.deployments}
    if journal is not None and journal.meant is not None:
        kept.pop(journal.header.number, None)
        same = [one for one, of in kept.items() if of.artefact.fingerprint == journal.meant.fingerprint]
        return journal.meant, max(same, default=journal.header.number)
    damaged = {deployment_number(error.path): error for error in records.unreadable}
    current = max(kept, default=0)
    if number is None:
        newer = [error for at, error in damaged.items() if at is not None and at > current]
        if newer:
            raise newer[0].advised(
                f"say which deployment to go back to; sfml history {where} --deployments   lists them"
            )
        others = [
            one for one, of in kept.items() if of.artefact.fingerprint != kept[current].artefact.fingerprint
        ]
        if not others:
            raise ConflictingState(
                f"no deployment of {pipeline} is kept that differs from the one that is there",
                help=f"list the kept deployments:  sfml history {where} --deployments",
            )
        number = max(others)
    if number in damaged:
        raise damaged[number].advised(
            f"the file stays; the others can be put back: sfml history {where} --deployments"
        )
    if number not in kept:
        known = ", ".join(str(one) for one in sorted(kept)) or "none"
        raise ConflictingState(
            f"deployment {number} of {pipeline} is not kept",
            help=f"kept are: {known}; apply the spec of its commit",
        )
    artefact = kept[number].artefact
    assert staged is not None, "what is kept lies on the stage"
    missing = staged.lacks(artefact.archives)
    if missing:
        raise ConflictingState(
            f"the code of deployment {number} of {pipeline} is not on the stage any more: {missing[0]}",
            help="apply the spec of the commit that it came from",
        )
    broken = broken_archives(artefact, staged, target)
    if broken:
        raise ConflictingState(
            f"the code of deployment {number} of {pipeline} is incomplete on the stage: {broken[0]}",
            help="apply the spec of the commit that it came from, which uploads it again",
        )
    return artefact, number


def broken_archives(artefact: Artefact, staged: StageContent, target: TargetAccount) -> tuple[str, ...]:
    """The paths of step archives whose content does not match the hash in their path; reads them with one call."""
    folders = {path for path in artefact.archives if path.split("/")[1] == "code"}
    paths = tuple(sorted(path for path in staged.paths if path.rpartition("/")[0] in folders))
    contents = target.stage.contents(paths) if paths else {}
    return tuple(
        path
        for path, content in sorted(contents.items())
        if hashlib.sha256(content).hexdigest() != path.split("/")[2]
    )
