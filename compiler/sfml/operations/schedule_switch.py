"""Turns the schedule of a deployed pipeline off and on, under its lease."""

from __future__ import annotations

from sfml.account.deployed_schedule import deployed_schedule
from sfml.account.history import DeployedRoot
from sfml.base.errors import ConflictingState
from sfml.graph.model import CronSchedule, IntervalSchedule, StreamSchedule
from sfml.lower.desired import DesiredGraph
from sfml.operations.apply_plan import read_stage
from sfml.operations.runs import not_deployed
from sfml.operations.target_account import TargetAccount
from sfml.plan.settings import OFF_SINCE, split_comment, with_off_since
from sfml.plan.stage_content import StageContent
from sfml.render.schedule import schedule_text


def own_root(desired: DesiredGraph, target: TargetAccount) -> DeployedRoot:
    """The deployed root. Raises `ConflictingState` if it is not there, or was not made by sfml."""
    root = target.history.root(desired.root.name)
    if root is None:
        raise not_deployed(desired)
    if split_comment(root.comment)[1] is None:
        raise ConflictingState(
            f"{root.name} was not made by sfml; nothing was changed",
            help=f"take it over first:  sfml apply {desired.where} --adopt",
        )
    return root


def stage_without_journal(desired: DesiredGraph, target: TargetAccount) -> StageContent | None:
    """The content of the stage. Raises `ConflictingState` if an apply is unfinished, which decides on the schedule."""
    staged, journal = read_stage(desired, target)
    if journal is not None:
        raise ConflictingState(
            f"{journal.header.work} of {desired.pipeline} did not finish, so its schedule is off",
            help=f"finish it first:  sfml apply {desired.where}   with --resume or --no-resume",
        )
    return staged


def deployed_words(desired: DesiredGraph, root: DeployedRoot) -> str | None:
    """The schedule of the deployed root in words with its next run, or None for a root without one."""
    schedule = deployed_schedule(desired, root)
    if not isinstance(schedule, CronSchedule | IntervalSchedule | StreamSchedule):
        return None
    return schedule_text(schedule)


def turn_off(desired: DesiredGraph, target: TargetAccount, root: DeployedRoot) -> None:
    """Suspend the root. An executing run goes on."""
    if root.started:
        target.tasks.turn_off(desired.root.name)


def turn_on(desired: DesiredGraph, target: TargetAccount, root: DeployedRoot) -> None:
    """Resume the root and all tasks below it; the note that the schedule is off on purpose is removed."""
    if not root.started and OFF_SINCE in (split_comment(root.comment)[1] or {}):
        target.tasks.annotate(desired.root.name, with_off_since(root.comment, None))
    target.tasks.resume_graph(desired.root.name)
