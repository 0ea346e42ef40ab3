"""Plans, runs and states of pipelines, to the letter."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from made_graphs import closure, graph, sql, step

from sfml.account.deployed import DeployedGraph
from sfml.account.health import GraphHealth, Off, OffReason, ScheduleOff, UnfinishedApply, UnsuccessfulRun
from sfml.account.history import Attempt, DeployedRoot, Run, TaskRow, TaskRun
from sfml.account.run_reason import TaskFailure
from sfml.graph.model import OnPool
from sfml.lower.lower import lower
from sfml.plan.model import Action, Change, Comparable, FieldChange, Plan, Reason, Risk, RiskLabel
from sfml.render.plan import plan_json, plan_text
from sfml.render.run import changes, run_json, run_text, value_text
from sfml.render.statements import statement_diff
from sfml.render.status import PipelineStatus, status_json, status_text
from sfml.render.symbols import Symbols

SCHEMAS = Path(__file__).parents[3] / "schemas" / "output"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GRAPH = lower(
    graph(step("train", run_on=OnPool("ML_POOL")), sql("report", after=("train",))), closure, "0.1.0"
)
UNCHANGED = Change("clv", "CLV", Action.UNCHANGED)
PLAN = Plan(
    "clv",
    "prod",
    "ML_PROD.CLV",
    (
        UNCHANGED,
        Change(
            "train",
            "CLV$TRAIN",
            Action.ALTER,
            (
                FieldChange("timeout_ms", 14_400_000, 21_600_000, Reason.SPEC_CHANGED),
                FieldChange("with.at_least", 0.3, 0.2, Reason.SPEC_CHANGED),
                FieldChange("comment", "", "x" * 90, Reason.SPEC_CHANGED),
            ),
        ),
        Change("report", "CLV$REPORT", Action.CREATE),
        Change(
            "old",
            "CLV$OLD",
            Action.DROP,
            risks=(Risk(RiskLabel.DESTRUCTIVE, "drops the task and its grants"),),
        ),
    ),
    resume_root=True,
    root_started=True,
)


def valid(payload: object, name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate({"format_version": 1, **payload})  # type: ignore[dict-item]


def test_a_plan_answers_in_its_first_line() -> None:
    assert plan_text(PLAN, GRAPH, Symbols(), schedule="Sundays 00:00 UTC") == (
        "clv → prod  ML_PROD.CLV   1 to alter, 1 to create, 1 to drop, 1 unchanged\n"
        "\n"
        "  ~ train\n"
        "      timeout          4 h → 6 h\n"
        "      with.at_least    0.3 → 0.2\n"
        f"      comment          (unset) → {'x' * 57}…\n"
        "  + report  after train, on warehouse ML_WH\n"
        "  - old\n"
        "      ! drops the task and its grants\n"
        "\n"
        "The schedule stays on: Sundays 00:00 UTC"
    )
    valid(plan_json(PLAN), "plan")


def test_an_empty_plan_says_so() -> None:
    empty = replace(PLAN, changes=(UNCHANGED,))
    text = plan_text(empty, GRAPH, Symbols(unicode=False), schedule=None)
    assert text.splitlines()[0] == "clv -> prod  ML_PROD.CLV   no changes, 1 task as in the spec"
    assert text.isascii()


@pytest.mark.parametrize(
    ("on_now", "on_after", "words"),
    [
        (True, True, "The schedule stays on: daily"),
        (False, True, "The schedule goes on: daily"),
        (True, False, "The schedule goes off: daily"),
        (False, False, "The schedule stays off (sfml apply --resume turns it on): daily"),
    ],
)
def test_what_becomes_of_the_schedule(on_now: bool, on_after: bool, words: str) -> None:
    plan = replace(PLAN, root_started=on_now, resume_root=on_after)
    assert plan_text(plan, GRAPH, Symbols(), schedule="daily").splitlines()[-1] == words


def task(name: str, state: str | None, *, value: object = None, error: str | None = None) -> TaskRun:
    if state is None:
        return TaskRun(name, None)
    raw = value.upper() if isinstance(value, str) else json.dumps(value)
    row = TaskRow(name, state, "q", NOON, NOON, NOON, raw, None, error, "g", 1)
    return TaskRun(name, state, NOON, 4_200, value, error, row, arm=value if isinstance(value, str) else None)


RUN = Run(
    "clv",
    "local",
    "FAILED",
    "01J",
    2,
    (
        task("prepare", "SUCCEEDED", value={"summary": "23,570 customers", "rows": 3}),
        task("check", "SUCCEEDED", value="go"),
        task("train", "FAILED", error="Traceback (most recent call last):\nValueError: no rows"),
        task("alert", "SKIPPED"),
        task("score", None),
    ),
    NOON,
    NOON + timedelta(seconds=41),
    TaskFailure("train", "Traceback (most recent call last):\nValueError: no rows"),
    (Attempt(1, "EXECUTE TASK", "FAILED"), Attempt(2, "AUTOMATIC RETRY", "FAILED")),
)


def test_a_run_lines_up() -> None:
    assert run_text(RUN, Symbols()) == (
        "clv on local · run 01J  attempt 2 (1 automatic retry)   41 s\n"
        "  ✓ prepare       4.2 s  23,570 customers\n"
        "  ✓ check         4.2 s  → go\n"
        "  ✗ train         4.2 s  ValueError: no rows\n"
        "  ⊘ alert         4.2 s  skipped: its condition was false\n"
        "  – score                never ran"
    )
    valid(run_json(RUN), "run")


def test_a_run_that_goes_on_shows_what_waits() -> None:
    going = replace(RUN, state="EXECUTING", tasks=(RUN.tasks[4],), completed_at=None)
    assert run_text(going, Symbols(), NOON + timedelta(seconds=5)).splitlines()[1] == "  ○ score"


def test_only_what_changed_is_told_again() -> None:
    before = replace(RUN, tasks=(RUN.tasks[0], TaskRun("check", None)))
    assert [one.name for one in changes(before, RUN)] == ["check", "train", "alert"]
    assert list(changes(RUN, RUN)) == []


ROOT = DeployedRoot("CLV", "id", True, "USING CRON 0 0 * * * UTC", None)
WELL = GraphHealth(
    DeployedGraph(ROOT), {"fingerprint": "f" * 64, "commit": "9f3e1c2"}, None, True, None, False, ()
)


def status(pipeline: str, health: GraphHealth | None = WELL, **beside: str) -> PipelineStatus:
    return PipelineStatus(
        pipeline, "local", f"specs/{pipeline}.yaml", "daily 00:00 UTC", health=health, **beside
    )


def off(reason: OffReason, *, since: datetime | None = NOON) -> GraphHealth:
    state = Off(reason, since)
    problems = () if state.is_intended else (ScheduleOff(state),)
    graph = DeployedGraph(replace(ROOT, started=False))
    return replace(WELL, graph=graph, off=state, problems=problems)


def test_a_status_says_what_needs_attention_and_how_to_go_on() -> None:
    failed = status("churn", replace(WELL, run=RUN, problems=(UnsuccessfulRun(RUN),)))
    cut_off = UnfinishedApply("apply", 3, "ada", "2026-01-02T03:04:05+00:00", is_held=True)
    cut = status("fit", replace(off(OffReason.UNFINISHED), problems=(cut_off,)))
    statuses = [status("clv"), failed, cut]
    text = status_text(statuses, Symbols(), NOON + timedelta(minutes=1))
    assert text.splitlines()[-1] == "3 pipelines, 2 need attention"
    assert "    train: ValueError: no rows" in text
    assert "    → sfml logs specs/churn.yaml -t local train" in text
    began = "half applied: an apply of fit by ada, begun 2026-01-02 03:04:05 UTC, did not finish"
    assert began in text and "✗ off: half applied" in text
    assert "    → sfml apply specs/fit.yaml -t local   finishes it;  --restore puts back" in text
    assert "add --force-unlock" in text
    valid(status_json(statuses), "status")


@pytest.mark.parametrize(
    ("one", "words", "verdict"),
    [
        (status("a"), "✓ daily 00:00 UTC", "1 pipeline, all well"),
        (
            status("a", off(OffReason.DEVELOPMENT)),
            "a development target leaves it off",
            "all well, 1 off as intended",
        ),
        (
            status("a", off(OffReason.NO_RESUME)),
            "by an apply with --no-resume",
            "all well, 1 off as intended",
        ),
        (
            status("a", off(OffReason.NEVER_ON, since=None)),
            "– off: never turned on",
            "all well, 1 off as intended",
        ),
        (status("a", off(OffReason.BY_HAND)), "suspended by hand", "1 needs attention"),
        (status("a", off(OffReason.FAILURES)), "after failures in a row", "1 needs attention"),
        (status("a", None, absent="no schema"), "not deployed: no schema", "1 not deployed"),
        (status("a", None, unknown="nobody answers"), "? nobody answers", "1 needs attention"),
    ],
)
def test_off_as_intended_is_well_and_unknown_is_not(one: PipelineStatus, words: str, verdict: str) -> None:
    text = status_text([one], Symbols(), NOON)
    assert words in text and verdict in text.splitlines()[-1]
    assert one.needs_attention is ("needs attention" in verdict)
    valid(status_json([one]), "status")


def test_a_config_is_shown_as_it_is_written() -> None:
    assert value_text({"day": "2026-01-01", "n": 1, "dry": False}) == "day 2026-01-01, n 1, dry false"


SECRETS = [
    ("definition", "ALTER USER u SET PASSWORD = 'first-one'", "ALTER USER u SET PASSWORD = 'other-one'"),
    ("config.api_key", "first-one", "other-one"),
    ("config.url", "https://u:first-one@h/x", "https://u:other-one@h/x"),
    ("with.settings", {"inner": {"token": "first-one"}}, {"inner": {"token": "other-one"}}),
    ("comment", "SECRET_STRING = 'first-one'\n" + "x" * 200, "SECRET_STRING = 'other-one'\n" + "x" * 200),
]


@pytest.mark.parametrize(("path", "old", "new"), SECRETS, ids=[path for path, _, _ in SECRETS])
def test_plans_hide_secrets_and_say_that_they_differ(path: str, old: Comparable, new: Comparable) -> None:
    field = FieldChange(path, old, new, Reason.SPEC_CHANGED)
    plan = replace(PLAN, changes=(Change("report", "CLV$REPORT", Action.ALTER, (field,)),))
    text = plan_text(plan, GRAPH, Symbols(True))
    assert "****" in text and "(what is hidden differs)" in text
    review = statement_diff(path, str(old), str(new)) if isinstance(old, str) else []
    everything = text + json.dumps(plan_json(plan)) + "\n".join(review)
    assert "first-one" not in everything and "other-one" not in everything


def test_a_timeout_of_nothing_is_said_to_be_the_longest() -> None:
    field = FieldChange("timeout_ms", 3_600_000, 0, Reason.SPEC_CHANGED)
    plan = replace(PLAN, changes=(Change("report", "CLV$REPORT", Action.ALTER, (field,)),))
    assert "1 h → 0 s, which is 7 d" in plan_text(plan, GRAPH, Symbols(True))


def test_names_of_secrets_in_the_account_are_no_secrets() -> None:
    field = FieldChange("secrets.API_TOKEN", "DB.S.OLD", "DB.S.NEW", Reason.SPEC_CHANGED)
    plan = replace(PLAN, changes=(Change("report", "CLV$REPORT", Action.ALTER, (field,)),))
    assert "DB.S.OLD → DB.S.NEW" in plan_text(plan, GRAPH, Symbols(True))
