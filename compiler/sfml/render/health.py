"""Problems of a deployed graph with the commands that solve them, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, assert_never

from sfml.account.freshness import Overdue
from sfml.account.health import (
    BackfillStopped,
    ChangedTasks,
    CodeGone,
    ForeignTask,
    FormerGraphs,
    GraphHealth,
    LateRun,
    LeaseLeft,
    LooseTasks,
    MissingTasks,
    Off,
    OffReason,
    PartLeftOver,
    Problem,
    ScheduleOff,
    StageGone,
    StreamFault,
    SuspendedChildren,
    UnfinishedApply,
    UnsuccessfulRun,
    UnusableStreams,
)
from sfml.account.history import Run
from sfml.account.run_reason import TaskFailure
from sfml.base.quoting import dotted
from sfml.graph.durations import in_words
from sfml.render.printable import printable
from sfml.render.reason import is_are, names_text, outcome_text, reason_text
from sfml.render.units import moment

SNOWFLAKE_REASONS: Mapping[str, str] = {
    "GRANT_OWNERSHIP": "suspended because its owner changed",
    "MATCHING_OWNER_NOT_FOUND": "suspended because the role that owned it is gone",
    "SCHEMA_OR_DATABASE_DELETED": "suspended because its schema or database was dropped",
    "CHILD_BECAME_ROOT": "suspended because it was taken out of another graph",
    "FINALIZER_BECAME_ROOT": "suspended because it was taken out of another graph",
}
"""Values of `last_suspended_reason` → words. Source: https://docs.snowflake.com/en/sql-reference/sql/show-tasks"""


def since_text(since: datetime | None) -> str:
    return f" since {moment(since)}" if since else ""


def off_text(off: Off) -> str:
    """Why a schedule is off: `suspended by Snowflake after failures in a row`."""
    match off.reason:
        case OffReason.DEVELOPMENT:
            return "a development target leaves it off"
        case OffReason.NO_RESUME:
            return "left off by an apply with --no-resume"
        case OffReason.NEVER_ON:
            return "never turned on"
        case OffReason.BY_HAND:
            return "suspended by hand"
        case OffReason.FAILURES:
            return "suspended by Snowflake after failures in a row"
        case OffReason.SNOWFLAKE:
            word = off.word or "?"
            return SNOWFLAKE_REASONS.get(word, f"suspended by Snowflake: {word}")
        case OffReason.UNFINISHED:
            return "an apply did not finish"
        case _:
            assert_never(off.reason)


def schedule_state_text(off: Off) -> str:
    """`off since Sun 22 Nov 03:12 UTC: suspended by hand`."""
    return f"off{since_text(off.since)}: {off_text(off)}"


def work_text(work: str, pipeline: str, owner: str, began_at: str) -> str:
    """`an apply of clv by ada, begun 2026-01-02 03:04:05 UTC,`: a phrase for the middle of a sentence."""
    article = "an" if work[0] in "aeiou" else "a"
    return printable(f"{article} {work} of {pipeline} by {owner}, begun {time_text(began_at)},")


def time_text(iso: str) -> str:
    """`2026-01-02 03:04:05 UTC`, from an ISO 8601 time in UTC as journals hold it, with or without milliseconds."""
    return f"{iso.replace('T', ' ').removesuffix('+00:00').partition('.')[0]} UTC"


def problem_text(problem: Problem, pipeline: str) -> str:
    """The problem in one line."""
    return printable(_problem_text(problem, pipeline))


def _problem_text(problem: Problem, pipeline: str) -> str:
    match problem:
        case UnfinishedApply(work, _, owner, began_at):
            return f"half applied: {work_text(work, pipeline, owner, began_at)} did not finish"
        case ScheduleOff(off):
            return f"the schedule is {schedule_state_text(off)}"
        case SuspendedChildren(tasks, since):
            return f"{names_text(tasks)} {is_are(tasks)} suspended{since_text(since)}: runs pass over {_it(tasks)}"
        case LooseTasks(tasks):
            return (
                f"{names_text(tasks)} {is_are(tasks)} cut loose from the graph: no run reaches {_it(tasks)}"
            )
        case MissingTasks(tasks):
            return f"{names_text(tasks)} {is_are(tasks)} gone from the account"
        case ChangedTasks(of_root, settings):
            changed = (*((("the root", of_root),) if of_root else ()), *settings)
            each = (f"{name} ({', '.join(paths)})" for name, paths in changed)
            return f"changed in the account since the last apply: {', '.join(each)}"
        case UnsuccessfulRun(run):
            return reason_text(run.reason) if run.reason else f"the last run {outcome_text(run)}"
        case LateRun(due):
            return f"late: a run was due {moment(due)} and did not begin"
        case Overdue(due, within):
            return f"late: no run has succeeded for {moment(due)}, expected within {in_words(within)}"
        case ForeignTask(name):
            return f"task {name} was not made by sfml"
        case PartLeftOver(names):
            return f"left over from a part of a run: {names_text(names)}"
        case BackfillStopped(names):
            return f"a backfill was stopped before its end; left over: {names_text(names)}"
        case LeaseLeft(owner, since, reason):
            why = f', "{reason}"' if reason else ""
            return f"a command of {owner} was cut off and left its lease{since_text(since)}{why}: others wait for it"
        case FormerGraphs(graphs):
            names = tuple(graph.name for graph in graphs)
            return (
                f"{names_text(names)} {is_are(names)} still on, from before the pipeline was renamed or moved"
            )
        case StageGone(stage):
            return f"stage {stage} cannot be found, or the role may not see it: the code of steps lies on it"
        case CodeGone(stage):
            return f"the code of {_root_and_tasks(problem)} is missing on stage {stage}: runs fail there"
        case UnusableStreams():
            return _streams_text(problem)
        case _:
            assert_never(problem)


def _streams_text(problem: UnusableStreams) -> str:
    streams = f"stream{'s' if len(problem.streams) > 1 else ''} {names_text(problem.streams)}"
    it = _it(problem.streams)
    of = _root_and_tasks(problem)
    match problem.fault:
        case StreamFault.GONE:
            what = f"{streams} cannot be found, or the role may not see {it}"
        case StreamFault.STALE:
            what = f"{streams} {is_are(problem.streams)} stale, and cannot be read any more"
        case StreamFault.UNKNOWN:
            return f"? {streams}: not known whether the condition of {of} can read {it}: {problem.reason}"
        case _:
            assert_never(problem.fault)
    no_run = ", so no run begins" if problem.of_root else ""
    return f"{what}: the condition of {of} cannot be evaluated{no_run}"


def _root_and_tasks(problem: UnusableStreams | CodeGone) -> str:
    return names_text((*(("the root",) if problem.of_root else ()), *problem.tasks))


def _it(names: tuple[str, ...]) -> str:
    return "it" if len(names) == 1 else "them"


def remedies(problem: Problem, where: str, run: Run | None = None) -> Iterator[str]:
    """The commands that solve the problem, the recommended one first; `where` is `SPEC -t TARGET`."""
    match problem:
        case UnfinishedApply(work, is_held=is_held):
            finishing = f"sfml {work} {where}   finishes it;"
            if work == "apply":
                yield f"{finishing}  --restore puts back what was there before"
            else:
                yield f"{finishing}   sfml apply {where} --restore   puts back what was there before"
            if is_held:
                yield "its lease is held: it may still be running. If it certainly is not, add --force-unlock"
        case ScheduleOff(Off(OffReason.BY_HAND)):
            yield f"sfml resume {where}   turns it on;   sfml apply {where} --no-resume   notes that it is to be off"
        case ScheduleOff(Off(OffReason.FAILURES)):
            yield f"sfml run {where}   and once that went well   sfml resume {where}"
        case ScheduleOff():
            yield f"sfml resume {where}"
        case SuspendedChildren():
            yield f"sfml apply {where}   turns them on again"
        case LooseTasks() | MissingTasks():
            yield f"sfml plan {where}   shows what an apply puts back"
        case ChangedTasks():
            yield f"sfml drift {where}   shows what was changed;   sfml apply {where}   puts it back"
        case UnsuccessfulRun(failed):
            task = failed.reason.task if isinstance(failed.reason, TaskFailure) else None
            yield f"sfml logs {where}" + (f" {task}" if task else "")
        case LateRun() | Overdue():
            yield f"sfml history {where}   shows what ran;   sfml run {where}   makes up for it"
        case ForeignTask():
            yield f"sfml apply {where} --adopt   takes the graph over"
        case PartLeftOver():
            yield f"sfml apply {where}   removes it, as does the next run"
        case BackfillStopped():
            yield f"sfml backfill {where} --status   shows its values;   the command that began it goes on with them"
        case LeaseLeft():
            yield f"sfml apply {where} --force-unlock   takes the lease, and does what is left to do"
        case FormerGraphs(removals=removals):
            yield from (f"{removal}   removes it" for removal in removals)
        case StageGone():
            yield f"sfml apply {where}   uploads the code again; records of earlier deployments are lost"
        case CodeGone():
            yield f"sfml apply {where}   uploads the code again"
        case UnusableStreams():
            yield from _stream_remedies(problem, where)
        case _:
            assert_never(problem)


def _stream_remedies(problem: UnusableStreams, where: str) -> Iterator[str]:
    """The statements that make the streams again, and the fields of the spec that name them."""
    if problem.fault is StreamFault.UNKNOWN:
        yield f"sfml grants {where}   shows the privileges that the role needs"
        return
    create = "CREATE" if problem.fault is StreamFault.GONE else "CREATE OR REPLACE"
    yield "   ".join(f"{create} STREAM {dotted(stream)} ON TABLE …;" for stream in problem.streams)
    fields = [
        *(("schedule.schedule.on_stream", "schedule.when") if problem.of_root else ()),
        *(f"graph.tasks.{task}.when" for task in problem.tasks),
    ]
    yield f"or name another one in {' or '.join(fields)} of the spec, then   sfml apply {where}"


def health_lines(health: GraphHealth, pipeline: str, where: str, arrow: str) -> Iterator[str]:
    """Each problem, followed by the commands that solve it."""
    for problem in health.problems:
        yield problem_text(problem, pipeline)
        for index, remedy in enumerate(remedies(problem, where)):
            yield f"{'  ' if index else f'{arrow} '}{remedy}"


KINDS: Mapping[type, str] = {
    UnfinishedApply: "half_applied",
    ScheduleOff: "schedule_off",
    SuspendedChildren: "tasks_suspended",
    LooseTasks: "cut_loose",
    MissingTasks: "tasks_gone",
    ChangedTasks: "tasks_changed",
    UnsuccessfulRun: "last_run",
    LateRun: "late",
    Overdue: "late",
    ForeignTask: "not_ours",
    PartLeftOver: "part_left_over",
    BackfillStopped: "backfill_stopped",
    LeaseLeft: "lease_left",
    FormerGraphs: "former_graphs",
    StageGone: "stage_gone",
    CodeGone: "code_gone",
}
"""Type of problem → the value of `kind` in JSON; streams have one for each fault."""


def _kind(problem: Problem) -> str:
    return f"streams_{problem.fault}" if isinstance(problem, UnusableStreams) else KINDS[type(problem)]


def problem_json(problem: Problem, pipeline: str, where: str) -> dict[str, Any]:
    since: datetime | None = None
    tasks: tuple[str, ...] = ()
    match problem:
        case ScheduleOff(off):
            since = off.since
        case SuspendedChildren(tasks, since):
            pass
        case LooseTasks(tasks) | MissingTasks(tasks) | UnusableStreams(tasks=tasks) | CodeGone(tasks=tasks):
            pass
        case ChangedTasks():
            tasks = problem.tasks
        case LateRun(since) | Overdue(since) | LeaseLeft(since=since):
            pass
        case UnsuccessfulRun(run):
            since = run.completed_at
            if isinstance(run.reason, TaskFailure) and run.reason.task:
                tasks = (run.reason.task,)
        case UnfinishedApply(began_at=began_at):
            since = datetime.fromisoformat(began_at)
        case ForeignTask() | PartLeftOver() | BackfillStopped() | FormerGraphs() | StageGone():
            pass
        case _:
            assert_never(problem)
    return {
        "kind": _kind(problem),
        "message": problem_text(problem, pipeline),
        "since": iso(since),
        "tasks": list(tasks),
        "help": next(remedies(problem, where), None),
    }


def off_json(off: Off | None) -> dict[str, Any] | None:
    """Why a schedule is off, as JSON; null when it is on, or when the graph has no schedule."""
    if off is None:
        return None
    return {
        "reason": off.reason.value,
        "intended": off.is_intended,
        "since": iso(off.since),
        "message": off_text(off),
    }


def iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
