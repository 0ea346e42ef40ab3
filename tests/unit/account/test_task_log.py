"""What of a log the user's code wrote, and of which instance; the exception that ended the task is told apart."""

from __future__ import annotations

from sfml.account.history import TaskRun
from sfml.account.task_log import LogLine, own_lines, task_log

RULE = "-" * 32
BEFORE = ["2026-11-30 03:00:00,123 - INFO - Waiting for 1 instance", RULE, "ML job started", RULE]
AFTER = [RULE, "ML job finished", RULE, "2026-11-30 03:00:09,123 - INFO - bye"]
TRACE = [
    "Traceback (most recent call last):",
    '  File "/mnt/job_stage/app/main.py", line 3, in <module>',
    "    fit()",
    "ValueError: no rows",
]


def log(*texts: str, instance: int = 0, logger: str | None = None) -> list[LogLine]:
    return [LogLine(text, instance, logger) for text in texts]


def texts(lines: list[LogLine]) -> list[str]:
    return [line.text for line in lines]


def test_a_job_has_its_lines_between_the_marks_of_the_launcher() -> None:
    whole = log(*BEFORE, "fitting", "2026-11-30 03:00:01,000 - INFO - mine", "done", *AFTER)
    mine = ["fitting", "2026-11-30 03:00:01,000 - INFO - mine", "done"]
    assert texts(own_lines(whole, is_job=True)) == mine
    for end in range(len(whole) + 1):
        so_far = texts(own_lines(whole[:end], is_job=True, is_over=False))
        assert so_far == mine[: len(so_far)] or so_far[: len(mine)] == mine, end
    begun = own_lines(log(*BEFORE[:2]), is_job=True, is_over=False)
    assert begun == [], "nothing is known to be the user's before the mark"
    assert texts(own_lines(log("cannot import"), is_job=True)) == ["cannot import"], (
        "never begun: all is shown"
    )
    assert texts(own_lines(log("a line"), is_job=False, is_over=False)) == ["a line"]


def test_lines_of_what_runs_the_code_are_left_out_and_counted() -> None:
    ray = "2026-11-30 03:00:00,456\tINFO worker.py:1821 -- Connecting to existing Ray cluster"
    lines = [
        *log("[local server] pip requirements: environment ab12", ray, "(raylet) spilling", "mine", ""),
        *log("Closed session", logger="snowflake.connector.connection"),
        *log("of my package", logger="shop.train"),
        *log("of something else", logger="snowflakes"),
    ]
    found = task_log(TaskRun("fit", "SUCCEEDED"), lines)
    assert texts(list(found.lines)) == ["mine", "", "of my package", "of something else"]
    assert found.left_out == 4
    every = task_log(TaskRun("fit", "SUCCEEDED"), lines, every=True)
    assert list(every.lines) == lines and every.left_out == 0
    assert task_log(TaskRun("fit", "SUCCEEDED"), lines, tail=1).text == "of something else"
    assert task_log(TaskRun("fit", "SUCCEEDED"), lines, tail=1).left_out == 4


def test_lines_of_tasks_that_ray_passes_on_are_the_users_also_after_the_script() -> None:
    passed_on = ["\x1b[36m(share pid=7)\x1b[0m one", "(Pool.fit pid=8, ip=10.0.0.2) two"]
    rays = ["(raylet) node died", "(raylet, ip=10.0.0.2) memory", "(autoscaler +3s) waiting"]
    late = log(*BEFORE, "fitting", passed_on[0], *AFTER, *passed_on, *rays)
    assert texts(own_lines(late, is_job=True)) == ["fitting", passed_on[0], *passed_on]
    early = log(passed_on[0], *BEFORE, "fitting")
    assert texts(own_lines(early, is_job=True)) == ["fitting"]
    worker = "Worker node started on address 10.0.0.2. See more logs in the head node."
    assert texts(own_lines(log(worker, "mine", instance=1), is_job=True)) == ["mine"]


def test_an_instance_without_lines_is_told_from_those_with_lines() -> None:
    lines = [*log("a"), *log("b", instance=1)]
    other = task_log(TaskRun("train", "SUCCEEDED"), lines, instance=4)
    assert (other.lines, other.instances, other.known) == ((), (), (0, 1))


def test_one_traceback_is_told_of_all_instances_that_have_it() -> None:
    failed = TaskRun("fit", "FAILED", error="ValueError: no rows")
    # The lines of two instances, as they come.
    lines = [
        line for pair in zip(log("a", *TRACE), log("b", *TRACE, instance=1), strict=True) for line in pair
    ]
    found = task_log(failed, [*lines, *log("KeyError: other", instance=2)])
    assert found.failure is not None and found.failure.exception == "ValueError: no rows"
    assert (found.failed_on, found.instances, found.error) == ((0, 1), (0, 1, 2), None)
    assert [(line.instance, line.text) for line in found.lines] == [
        (0, "a"),
        (1, "b"),
        (2, "KeyError: other"),
    ]
    one = task_log(failed, lines, instance=1)
    assert texts(list(one.lines)) == ["b"] and one.failure is not None
    handled = task_log(TaskRun("fit", "SUCCEEDED"), lines)
    assert handled.failure is None and len(handled.lines) == len(lines), (
        "a traceback that ended nothing stays"
    )


def test_a_traceback_is_known_by_an_error_in_which_its_secrets_are_hidden() -> None:
    trace = [*TRACE[:3], "ValueError: no rows, token=abcdef"]
    found = task_log(TaskRun("fit", "FAILED", error="ValueError: no rows, token='****'"), log("a", *trace))
    assert texts(list(found.lines)) == ["a"]
    assert found.failure is not None


def test_an_error_that_is_no_exception_is_kept() -> None:
    failed = TaskRun("ask", "FAILED", error="Object 'X' does not exist")
    assert task_log(failed, log("said something")).error == "Object 'X' does not exist"
    assert task_log(failed, log("error: Object 'X' does not exist")).error is None
    hidden = task_log(failed, log("[local server] Object 'X' does not exist"))
    assert hidden.error == "Object 'X' does not exist", "it was in a line that is left out"
