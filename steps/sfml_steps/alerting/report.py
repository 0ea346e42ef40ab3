"""What a finalizer tells of its run: `report` is called before the user's finalizer, and after it where needed."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sfml_steps.alerting.messages import Alert
from sfml_steps.alerting.runs import RunEnd, Wrong, last_success, read_run, well_in, wrong_in
from sfml_steps.alerting.streaks import Streak, Streaks
from sfml_steps.alerting.telling import ENDING, Teller, since_text, streak_text
from sfml_steps.alerting.words import time_text
from sfml_steps.files import Files, StageFiles
from sfml_steps.logs import task_logger

DONE, AGAIN = "done", "only"
"""The answers of `report` besides a phase: that nothing is left to do afterwards, or everything."""

_VERBS = {"failure": "failed", "gate": "did not pass its gate", "slow": "was slow"}


def report(
    session: Any, call_json: str, phase: str, error: str | None = None, files: Files | None = None
) -> str:
    """Tell what is wrong in this run, and what is well again; return the phase to call it with afterwards, or `done`.

    `phase` is `before` the user's finalizer, after it has `passed` or `failed` with an `error`, or `only` where there
    is none. Only the last attempt of a run is told: as long as Snowflake retries it by itself, nothing is certain. It
    never raises.
    """
    logger = task_logger("sfml_steps.alerting")
    try:
        call = json.loads(call_json)
        return _report(session, call, phase, error or None, files or StageFiles(session), logger)
    except Exception as problem:
        logger.error("the alerts of this run were not sent: %s: %s", type(problem).__name__, problem)
        return AGAIN


def _report(
    session: Any,
    call: Mapping[str, Any],
    phase: str,
    error: str | None,
    files: Files,
    logger: logging.Logger,
) -> str:
    run = read_run(session, call["finalizer"])
    wrong = list(wrong_in(run, call, error))
    if any(one.event == "failure" for one in wrong) and run.attempt <= call["retries"]:
        logger.info("attempt %d failed, and Snowflake retries it: no alert yet", run.attempt)
        return DONE
    streaks = Streaks.load(files, f"{call['stage']}/{call['pipeline']}/state/alerts.json", logger)
    teller = Teller(session, call, streaks, logger)
    if phase != "passed":
        _tell_wrong(teller, run, wrong)
    well = [key for key in well_in(run, call, error) if key in streaks.known]
    if well and phase != "before":
        teller.recovered(sorted(well), lambda ended: recovery(teller, run, ended))
    streaks.save()
    return "passed" if well and phase == "before" else DONE


def _tell_wrong(teller: Teller, run: RunEnd, wrong: Sequence[Wrong]) -> None:
    for event in dict.fromkeys(one.event for one in wrong):
        of_event = [one for one in wrong if one.event == event]
        for one in of_event:
            if event == "failure" and one.key in teller.streaks.known:
                teller.streaks.forget_before(one.key, last_success(teller.session))
            teller.streaks.seen(Streak(event, one.subject, run.at, one.reason, run.id, run.at))
        keys = [one.key for one in of_event]
        teller.tell(event, keys, lambda new, of=of_event: alert(teller, run, new, of))  # type: ignore[misc]


def alert(teller: Teller, run: RunEnd, new: Sequence[Streak], wrong: Sequence[Wrong]) -> Alert:
    """Return the alert for the streaks of one event that a channel does not know yet."""
    keys = {streak.key for streak in new}
    told = [one for one in wrong if one.key in keys]
    event, first = told[0].event, told[0]
    reasons = [f"{one.task}: {one.reason}" if one.task else one.reason for one in told]
    tasks = [one.task for one in told if one.task]
    logs = teller.command(
        "logs", *([first.task] if first.task and first.task != teller.call["pipeline"] else [])
    )
    return Alert(
        event,
        f"{teller.where} {_VERBS[event]}: {'; '.join(reasons)}",
        (
            ("run", run_text(run)),
            *((("task", ", ".join(tasks)),) if tasks else ()),
            *(("reason", reason) for reason in ([one.reason for one in told] if len(told) == 1 else reasons)),
            *((("streak", since_text(new[0])),) if new[0].runs > 1 else ()),
            *commit_fact(teller),
        ),
        (logs, teller.command("history")),
        teller.data(
            event,
            new,
            run=run.id,
            attempt=run.attempt,
            scheduled_at=run.at,
            task=first.task or None,
            reason=first.reason,
            look=[logs],
        ),
        ENDING,
    )


def recovery(teller: Teller, run: RunEnd, ended: Sequence[Streak]) -> Alert:
    """Return the alert that these streaks have ended."""
    first = ended[0]
    look = teller.command("history")
    facts = tuple(
        ("was", f"{streak_text(streak)}, {since_text(streak)}: {streak.reason}") for streak in ended
    )
    return Alert(
        "recovered",
        f"{teller.where} recovered: {'; '.join(streak_text(streak) for streak in ended)}, {since_text(first)}",
        (("run", run_text(run)), *facts, *commit_fact(teller)),
        (look,),
        teller.data(
            "recovered",
            ended,
            run=run.id,
            attempt=run.attempt,
            scheduled_at=run.at,
            recovered_from=[streak.event for streak in ended],
            look=[look],
        ),
    )


def run_text(run: RunEnd) -> str:
    of = f" of {time_text(run.at)}" if run.at else ""
    attempt = f", attempt {run.attempt}" if run.attempt > 1 else ""
    return f"{run.id}{of}{attempt}"


def commit_fact(teller: Teller) -> tuple[tuple[str, str], ...]:
    return (("commit", teller.commit()),) if teller.commit() else ()
