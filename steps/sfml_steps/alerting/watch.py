"""The step of a watching pipeline: it looks for pipelines that are late or suspended, which no run can tell.

It finds the pipelines by the records in the comments of their root tasks, in which an apply writes what is expected of
them and who is told. So one small pipeline watches all others that its role sees.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from sfml_steps.alerting.messages import Alert
from sfml_steps.alerting.report import commit_fact
from sfml_steps.alerting.streaks import Streak, Streaks
from sfml_steps.alerting.telling import ENDING, RECORD, Teller, commit_in, since_text, streak_text
from sfml_steps.alerting.words import duration_text, moment_of, row_value, time_text
from sfml_steps.cleanup import HISTORY_LIMIT
from sfml_steps.context import Context
from sfml_steps.errors import StepError
from sfml_steps.files import StageFiles
from sfml_steps.registration import step
from sfml_steps.sql import quoted, rows_of

SLACK = datetime.timedelta(minutes=1)
REASONS = {
    "SUSPENDED_DUE_TO_ERRORS": "after failures in a row",
    "GRANT_OWNERSHIP": "because its owner changed",
    "MATCHING_OWNER_NOT_FOUND": "because its owner is gone",
    "SCHEMA_OR_DATABASE_DELETED": "because its schema or database was dropped",
    "CHILD_BECAME_ROOT": "because it was cut off its root",
    "FINALIZER_BECAME_ROOT": "because it was cut off its root",
}
"""https://docs.snowflake.com/en/sql-reference/sql/show-tasks (last_suspended_reason); not when a user suspends it."""

_PLACE = re.compile(r'("(?:[^"]|"")+"|[A-Za-z_][A-Za-z0-9_$]*)(\.("(?:[^"]|"")+"|[A-Za-z_][A-Za-z0-9_$]*))?')
_PART = re.compile(r"part-[0-9a-z]+\.json")
_CHANNEL = re.compile(r'(email|slack|teams|pagerduty|webhook|queue) ("(?:[^"]|"")+"|\S+)(.*)')


class Watched(TypedDict):
    """How many pipelines are watched, and the root tasks of those that are late, suspended, or could not be read."""

    pipelines: int
    late: list[str]
    suspended: list[str]
    unread: list[str]


@dataclass(frozen=True)
class WatchedRoot:
    """The root task of a pipeline that is watched, from a row of SHOW TASKS; `watch` is from its record."""

    name: str
    database: str
    schema: str
    id: str
    started: bool
    reason: str
    suspended_on: datetime.datetime | None
    record: Mapping[str, Any]
    watch: Mapping[str, Any]

    @property
    def subject(self) -> str:
        return f"{self.database}.{self.schema}.{self.name}"


@step
def watch_pipelines(ctx: Context, schemas: list[str] | None = None) -> Watched:
    """Look for pipelines that are late or that Snowflake suspended, and tell their channels, once a streak.

    A pipeline is watched if its `alerts` name the event `late` or `suspended`. It is late if no run has succeeded
    within its `expect: {within: …}` of a scheduled time. Who is told, and of what, is in the spec of each pipeline.

    - `schemas`: where to look, as `DB` or `DB.SCHEMA`; by default in the whole database of the watching pipeline.

    In a spec: `tasks: {look: {step: sfml_steps.alerting.watch.watch_pipelines}}`, with `schedule: {every: 15m}`.
    """
    # What is late is judged as of the time for which the run was scheduled, which a retry keeps.
    now = moment_of(ctx.run.scheduled_at) or datetime.datetime.now(datetime.timezone.utc)
    roots = list(watched_roots(ctx, schemas))
    streaks = Streaks.load(
        StageFiles(ctx.session), f"{ctx.stage}/{ctx.run.pipeline}/state/alerts-watch.json", ctx.logger
    )
    found = Watched(pipelines=len(roots), late=[], suspended=[], unread=[])
    for root in roots:
        try:
            events = _look(ctx, root, streaks, now)
        except Exception as error:  # one pipeline that cannot be read does not hide the others
            ctx.logger.error("%s cannot be watched: %s: %s", root.subject, type(error).__name__, error)
            found["unread"].append(root.subject)
            continue
        if "late" in events:
            found["late"].append(root.subject)
        if "suspended" in events:
            found["suspended"].append(root.subject)
    there = {root.subject for root in roots}
    for key in [key for key, streak in streaks.known.items() if streak.subject not in there]:
        streaks.close(key, ())  # its pipeline is gone, or is watched no longer
    streaks.save()
    return found


def watched_roots(ctx: Context, schemas: Sequence[str] | None) -> Iterator[WatchedRoot]:
    """Yield the roots of pipelines that are to be watched. Raises StepError for a place that is none."""
    for place in schemas or [database_of(ctx.stage)]:
        match = _PLACE.fullmatch(place.strip())
        if match is None:
            raise StepError(f"`{place}` in `schemas` is not the name of a database or a schema")
        kind = "SCHEMA" if match[2] else "DATABASE"
        for row in rows_of(ctx.session, f"SHOW TASKS IN {kind} {place.strip()}"):
            if (root := watched_root(row)) is not None:
                yield root


def database_of(stage: str) -> str:
    """Return the database of a stage as `@DB.SCHEMA.STAGE`; its name may be in quotes and hold dots."""
    match = _PLACE.match(stage.lstrip("@"))
    return match[1] if match else stage


def watched_root(row: Mapping[str, Any]) -> WatchedRoot | None:
    """Return the root of a row of SHOW TASKS; None for a task whose record asks for no watching."""
    record = record_in(row_value(row, "COMMENT"))
    watch = watch_in(record)
    if not watch:
        return None
    return WatchedRoot(
        str(row_value(row, "NAME")),
        str(row_value(row, "DATABASE_NAME")),
        str(row_value(row, "SCHEMA_NAME")),
        str(row_value(row, "ID")),
        str(row_value(row, "STATE")) == "started",
        str(row_value(row, "LAST_SUSPENDED_REASON") or ""),
        moment_of(row_value(row, "LAST_SUSPENDED_ON")),
        record,
        watch,
    )


def record_in(comment: object) -> Mapping[str, Any]:
    """Return the record in the last line of a root's comment; empty for other comments."""
    last = str(comment or "").rpartition("\n")[2]
    try:
        found = json.loads(last[len(RECORD) :]) if last.startswith(RECORD) else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def watch_in(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the record says of watching; empty if it says nothing. Anybody can edit a comment."""
    entries = record.get("beyond")
    for entry in entries if isinstance(entries, list) else ():
        settings = entry.get("set") if isinstance(entry, dict) else None
        watch = settings.get("watch") if isinstance(settings, dict) else None
        if isinstance(watch, dict):
            return watch
    return {}


def channels_in(watch: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the channels as a call names them, from entries such as `slack ML_SLACK` → `late, recovered`."""
    found = []
    for key, events in watch.items():
        if match := _CHANNEL.fullmatch(key):
            channel = {"kind": match[1], "integration": match[2], "to": match[3].split()}
            found.append({**channel, "events": str(events).split(", ")})
    return found


def _look(ctx: Context, root: WatchedRoot, streaks: Streaks, now: datetime.datetime) -> set[str]:
    """Tell what is wrong with one pipeline, or well again; return the events that go on."""
    call = {
        "pipeline": root.watch.get("pipeline", root.name),
        "target": root.watch.get("target", ""),
        "spec": root.record.get("spec", ""),
        "channels": channels_in(root.watch),
    }
    teller = Teller(ctx.session, call, streaks, ctx.logger, commit_in(root.record))
    wrong = dict(_wrong(ctx, root, now))
    for event, streak in wrong.items():
        known = streaks.seen(streak)
        teller.tell(event, [known.key], lambda new: _alert(teller, new[0]))
    ended = [Streak(event, root.subject, "", "", "", "").key for event in ("late", "suspended")]
    # A root that is off is not judged late; what was told of it stays as it is until it is on again.
    keys = [
        key for key in ended if key in streaks.known and key.partition(" ")[0] not in wrong and root.started
    ]
    if keys:
        teller.recovered(keys, lambda old: _recovery(teller, old))
    return set(wrong)


def _wrong(ctx: Context, root: WatchedRoot, now: datetime.datetime) -> Iterator[tuple[str, Streak]]:
    if not root.started:
        if root.reason in REASONS:
            since = root.suspended_on.isoformat() if root.suspended_on else ""
            yield "suspended", Streak("suspended", root.subject, since, REASONS[root.reason], since, since)
        return
    within = root.watch.get("within")
    if not isinstance(within, int) or within <= 0:
        return
    rows = rows_of(
        ctx.session,
        "SELECT NAME, STATE, ATTEMPT_NUMBER, SCHEDULED_TIME, QUERY_START_TIME, GRAPH_RUN_GROUP_ID, SCHEDULED_FROM"
        f" FROM TABLE({_name(root.database)}.INFORMATION_SCHEMA.TASK_HISTORY("
        f"ROOT_TASK_ID => {quoted(root.id)}, RESULT_LIMIT => {HISTORY_LIMIT}))",
    )
    due = overdue(rows, root.name, datetime.timedelta(seconds=within), now)
    if due is not None and (mended := mended_runs(ctx, root)):
        due = overdue(rows, root.name, datetime.timedelta(seconds=within), now, mended)
    if due is not None:
        at = due.isoformat()
        expected = f"no run has succeeded for {time_text(due)}, expected within {duration_text(within)}"
        yield "late", Streak("late", root.subject, at, expected, at, at)


def overdue(
    rows: Iterable[Mapping[str, Any]],
    root: str,
    within: datetime.timedelta,
    now: datetime.datetime,
    mended: frozenset[str] = frozenset(),
) -> datetime.datetime | None:
    """Return the last scheduled time that no run has met in time; None if it was met.

    A scheduled time counts if the schedule began a run then, or was to begin one by now. It is met by any run from that
    time on that succeeded, or whose root was skipped, or that a part has recovered (`mended`).
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(str(row_value(row, "GRAPH_RUN_GROUP_ID")), []).append(row)
    begins = {name: _begin(group) for name, group in groups.items()}
    times = [
        at
        for name, at in begins.items()
        if at is not None and at + within <= now and _is_scheduled(groups[name])
    ]
    due = max(times, default=None)
    if due is None:
        return None
    later = [name for name, at in begins.items() if at is not None and at >= due - SLACK]
    return None if any(name in mended or _succeeded(groups[name], root) for name in later) else due


def mended_runs(ctx: Context, root: WatchedRoot) -> frozenset[str]:
    """Return the runs that parts have recovered, from the records of parts on the stage of the pipeline."""
    folder = f"{root.watch.get('stage')}/{root.watch.get('pipeline')}/state/"
    try:
        files = [
            str(row_value(row, "NAME")).rpartition("/")[2] for row in rows_of(ctx.session, f"LIST {folder}")
        ]
        names = [name for name in files if _PART.fullmatch(name)]
        records = [json.loads(StageFiles(ctx.session).read(folder + name)) for name in names]
        return recovered_by(records)
    except Exception as error:
        ctx.logger.warning("the parts of %s cannot be read: %s", root.subject, error)
        return frozenset()


def recovered_by(records: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the ids of runs that were recovered whole by parts that succeeded, also over another part."""
    recovering, succeeded = {}, []
    for record in records:
        outcome = record.get("outcome") or {}
        if record.get("recovers") and not record.get("selectors"):
            recovering[outcome.get("run_id")] = record["recovers"]
            succeeded += [outcome.get("run_id")] if outcome.get("state") == "SUCCEEDED" else []
    mended: set[str] = set()
    for run in succeeded:
        origin = recovering.get(run)
        while origin is not None and origin not in mended:
            mended.add(origin)
            origin = recovering.get(origin)
    return frozenset(mended)


def _begin(group: Iterable[Mapping[str, Any]]) -> datetime.datetime | None:
    times = [
        moment_of(row_value(row, "SCHEDULED_TIME") or row_value(row, "QUERY_START_TIME")) for row in group
    ]
    return min((at for at in times if at is not None), default=None)


def _is_scheduled(group: Iterable[Mapping[str, Any]]) -> bool:
    return any(str(row_value(row, "SCHEDULED_FROM")) == "SCHEDULE" for row in group)


def _succeeded(group: Iterable[Mapping[str, Any]], root: str) -> bool:
    latest: dict[str, tuple[int, str]] = {}
    for row in group:
        name, attempt = str(row_value(row, "NAME")), int(row_value(row, "ATTEMPT_NUMBER") or 1)
        if attempt >= latest.get(name, (0, ""))[0]:
            latest[name] = (attempt, str(row_value(row, "STATE")))
    states = {state for _, state in latest.values()}
    if set(latest) == {root} and states == {"SKIPPED"}:
        return True
    return "SUCCEEDED" in states and states <= {"SUCCEEDED", "SKIPPED"}


def _alert(teller: Teller, streak: Streak) -> Alert:
    reason = streak.reason
    head = (
        f"{teller.where} is late: {reason}"
        if streak.event == "late"
        else f"{teller.where} is suspended {reason}"
    )
    commands = [teller.command("status"), teller.command("history" if streak.event == "late" else "resume")]
    return Alert(
        streak.event,
        head,
        (("reason", reason), ("since", time_text(streak.since)), *commit_fact(teller)),
        tuple(commands),
        teller.data(streak.event, [streak], tasks=[], root=streak.subject, reason=reason, look=commands),
        ENDING,
    )


def _recovery(teller: Teller, ended: Sequence[Streak]) -> Alert:
    look = teller.command("history")
    was = "; ".join(streak_text(streak) for streak in ended)
    return Alert(
        "recovered",
        f"{teller.where} recovered: {was}, {since_text(ended[0])}",
        (*(("was", f"{streak_text(one)}, {since_text(one)}") for one in ended), *commit_fact(teller)),
        (look,),
        teller.data(
            "recovered",
            ended,
            tasks=[],
            root=ended[0].subject,
            recovered_from=[streak.event for streak in ended],
            look=[look],
        ),
    )


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
