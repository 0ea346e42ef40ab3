"""A plan made against a connected target, and the words for its schedule."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sfml.cli.opening import Connected, Opened
from sfml.graph.model import CronSchedule, IntervalSchedule, StreamSchedule
from sfml.lower.desired import Archive, DesiredGraph
from sfml.plan.diff import make_plan
from sfml.plan.model import Plan
from sfml.plan.stages import Stage, stages_for
from sfml.snowflake.objects import has_stage

LOCAL_SCHEDULES = "schedules fire while `sfml local start` keeps the server up"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and the stages that carry it out."""

    plan: Plan
    stages: tuple[Stage, ...]
    missing: tuple[Archive, ...]


def planned(found: Opened, target: Connected, *, resume: bool | None = None) -> Planned:
    """What an apply would do now; reads, changes nothing."""
    desired = found.desired
    staged = has_stage(target.connection, desired.target)
    journal = target.stage.journal(desired.pipeline) if staged else None
    observed = target.tasks.observed(desired.root.name)
    missing = target.stage.missing_archives(desired.archives) if staged else desired.archives
    plan = make_plan(desired, observed, unfinished=journal, resume=resume)
    if desired.target.is_local and plan.resume_root:
        plan = dataclasses.replace(plan, notes=(*plan.notes, LOCAL_SCHEDULES))
    stages = stages_for(plan, desired, missing, unfinished=journal is not None)
    return Planned(plan, stages, missing)


def schedule_words(desired: DesiredGraph) -> str | None:
    """The schedule in words with its next run, or None for a pipeline without one."""
    from sfml.render.schedule import schedule_text

    schedule = desired.root.schedule
    if not isinstance(schedule, CronSchedule | IntervalSchedule | StreamSchedule):
        return None
    return schedule_text(schedule)
