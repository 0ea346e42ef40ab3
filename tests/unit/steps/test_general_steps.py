"""The general steps, as far as they can be tried without an account."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from task_session import TaskSession

from sfml_steps import Context, StepError
from sfml_steps.cleanup import failed_tasks, newest_by_run, superfluous
from sfml_steps.gate import check_metric, compare_with_champion
from sfml_steps.notification import send_notification
from sfml_steps.registry import free_name, version_name
from sfml_steps.versions import Version, aliases_in, checked_model


@pytest.mark.parametrize(
    ("value", "bounds", "outcome"),
    [
        (0.5, {"at_least": 0.5}, "passed"),
        (0.49, {"at_least": 0.5}, "failed"),
        (0.5, {"at_most": 0.5}, "passed"),
        (0.51, {"at_most": 0.5}, "failed"),
        (0.5, {"at_least": 0.4, "at_most": 0.6}, "passed"),
        (float("nan"), {"at_least": 0.4}, "failed"),
        (float("nan"), {"at_most": 0.4}, "failed"),
    ],
)
def test_check_metric(value: float, bounds: dict[str, float], outcome: str) -> None:
    assert check_metric(Context.for_test(), value, **bounds) == outcome


@pytest.mark.parametrize("value", [True, "0.9", None, [0.9]])
def test_a_metric_that_is_no_number_passes_no_gate(value: Any) -> None:
    with pytest.raises(StepError, match="which is no number"):
        check_metric(Context.for_test(), value, at_least=0.5)
    with pytest.raises(StepError, match="which is no number"):
        compare_with_champion(Context.for_test(), value, "M", "auc")


def test_check_metric_without_bounds_is_refused() -> None:
    with pytest.raises(StepError, match="needs `at_least`"):
        check_metric(Context.for_test(), 1.0)


def test_a_notification_names_its_integration_and_type() -> None:
    session: Any = TaskSession()
    send_notification(
        Context.for_test(session=session),
        "ML_ALERTS",
        "it's low",
        subject="CLV",
        recipients=["a@example.com"],
    )
    ((function, (message, target)),) = session.calls
    assert function == "SYSTEM$SEND_SNOWFLAKE_NOTIFICATION"
    assert json.loads(message) == {"text/plain": "it's low"}
    assert json.loads(target) == {"ML_ALERTS": {"subject": "CLV", "toAddress": ["a@example.com"]}}


def test_a_webhook_gets_text_for_the_quotes_of_its_template() -> None:
    session: Any = TaskSession()
    text = 'a "b"\n\\ é'
    ctx = Context.for_test(session=session)
    send_notification(ctx, "HOOK", f"{text} SNOWFLAKE_WEBHOOK_SECRET", webhook=True)
    ((_, (message, _)),) = session.calls
    assert json.loads(f'{{"text": "{json.loads(message)["text/plain"]}"}}') == {"text": f"{text} REDACTED"}


def test_a_notification_that_snowflake_would_refuse_is_refused() -> None:
    ctx = Context.for_test(session=TaskSession())  # type: ignore[arg-type]
    with pytest.raises(StepError, match="no `message`"):
        send_notification(ctx, "I", " ")
    with pytest.raises(StepError, match="257 characters"):
        send_notification(ctx, "I", "m", subject="s" * 257)


def test_a_version_is_named_after_its_run() -> None:
    assert version_name("01b2-c3d4") == "V_01B2_C3D4"
    assert version_name("x" * 300) == version_name("x" * 300)
    assert len(version_name("x" * 300)) == 128


def row(name: str, state: str, attempt: int) -> dict[str, Any]:
    return {"NAME": name, "STATE": state, "ATTEMPT_NUMBER": attempt}


@pytest.mark.parametrize(
    ("history", "failed"),
    [
        ([], []),
        ([row("A", "SUCCEEDED", 1), row("CLEANUP", "EXECUTING", 1), row("B", "SKIPPED", 1)], []),
        ([row("A", "SUCCEEDED", 1), row("B", "FAILED", 1)], ["B"]),
        ([row("B", "FAILED", 1), row("B", "SUCCEEDED", 2)], []),
        ([row("B", "SUCCEEDED", 2), row("B", "FAILED", 1)], []),
        ([row("B", "FAILED", 2), row("B", "FAILED", 1)], ["B"]),
        ([row("B", "FAILED_AND_AUTO_SUSPENDED", 1), row("A", "CANCELLED", 1)], ["A", "B"]),
    ],
)
def test_a_run_failed_if_the_latest_attempt_of_a_task_did(history: list[Any], failed: list[str]) -> None:
    assert failed_tasks(history) == failed


def test_runs_are_as_old_as_their_newest_file() -> None:
    def file(name: str, day: int) -> dict[str, str]:
        return {"name": name, "last_modified": f"Thu, {day:02} Jan 2026 10:00:00 GMT"}

    found = newest_by_run(
        [
            file("sfml/clv/runs/r1/train/model.ubj", 1),
            file("sfml/clv/runs/r1/train/sample.json", 8),
            file("sfml/clv/runs/r2/a", 15),
            file("sfml/clv/runs/stray", 15),
        ],
        "clv/runs/",
    )
    assert found == {
        "r1": datetime.datetime(2026, 1, 8, 10, tzinfo=datetime.UTC),
        "r2": datetime.datetime(2026, 1, 15, 10, tzinfo=datetime.UTC),
    }


def version(
    number: int, default: bool = False, aliases: str = "[]", own: dict[str, Any] | None = None
) -> Version:
    return Version.of(
        {
            "name": f"V{number}",
            "created_on": datetime.datetime(2026, 1, number),
            "is_default_version": str(default).lower(),
            "aliases": aliases,
            "metadata": json.dumps({"sfml": own}),
        }
    )


def replaced(*others: str | None) -> dict[str, Any]:
    return {"changes": [{"action": "promoted", "other": other} for other in others]}


@pytest.mark.parametrize(
    ("versions", "keep", "removed"),
    [
        ([], 2, []),
        ([version(1, True)], 1, []),
        ([version(1), version(2), version(3, True)], 1, ["V2", "V1"]),
        ([version(3), version(1), version(2, True)], 1, ["V1"]),
        ([version(1, True, '["DEFAULT","FIRST"]'), version(2), version(3), version(4)], 2, ["V2"]),
        ([version(1, aliases='["CHAMPION"]'), version(2), version(3, True)], 1, ["V2"]),
        ([version(n, n == 7) for n in range(1, 8)], 5, ["V2", "V1"]),
        ([version(1), version(2), version(3, True, own=replaced("V1"))], 1, ["V2"]),
        ([version(1), version(2), version(3, True, own=replaced("V2", "V1"))], 1, ["V2"]),
        ([version(1), version(2, own=replaced("V1")), version(3, True, own=replaced(None))], 1, ["V2", "V1"]),
    ],
)
def test_old_versions_go_but_not_the_default_nor_the_one_that_it_replaced(
    versions: list[Version], keep: int, removed: list[str]
) -> None:
    assert superfluous(versions, keep) == removed


@pytest.mark.parametrize(
    ("text", "aliases"),
    [
        ("", set()),
        ("[]", set()),
        ('["DEFAULT","a b"]', {"DEFAULT", "a b"}),
        ("[DEFAULT, FIRST]", {"DEFAULT", "FIRST"}),
        ("CHAMPION", {"CHAMPION"}),
    ],
)
def test_aliases_are_read_however_they_are_written(text: str, aliases: set[str]) -> None:
    assert aliases_in(text) == aliases


@pytest.mark.parametrize("own", [None, [], "x", {"changes": "x"}, {"changes": ["x", {"action": "left"}]}])
def test_what_others_wrote_into_the_metadata_hurts_nobody(own: Any) -> None:
    assert version(1, own=own).former is None
    assert Version.of({"name": "V", "created_on": datetime.datetime.now(), "metadata": "{"}).metrics == {}


@pytest.mark.parametrize("name", ["M", "a.M$1", 'DB."my schema"."a ""b"""'])
def test_names_of_models_are_taken(name: str) -> None:
    assert checked_model(name) == name


@pytest.mark.parametrize("name", ["", "a b", "M; DROP MODEL M", "a.b.c.d", '"', '"a"b', "1M"])
def test_what_is_no_name_of_a_model_is_refused(name: str) -> None:
    with pytest.raises(StepError, match="is not the name of a model"):
        checked_model(name)


def test_another_candidate_of_a_run_gets_a_name_of_its_own() -> None:
    logged = [version(1, own={"candidate": "a"}), version(2)]
    assert free_name("V1", logged, "a") == "V1", "an earlier attempt logged it"
    assert free_name("V1", logged, "b") == "V1_2"
    assert free_name("V2", logged, "a") == "V2_2", "it is not known what that one was made of"
    assert free_name("V3", logged, "a") == "V3"
    long = free_name("V" * 128, [Version("V" * 128, datetime.datetime.now(), True, frozenset(), {})], "a")
    assert long == "V" * 123 + "_2"
