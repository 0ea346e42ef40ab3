"""What the workers of the suite say of a test, and how the files are handed out to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from worker_reports import TOGETHER, BriefMessages, BriefReports, FileScheduling, all_is_told
from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).parents[3]
PLACE = ("tests/test_a.py", 3, "test_one[ö]")
COUNTS = (7, 1, 4, 1, 2, 9)
TESTS = [f"tests/test_{file}.py::test_{at}" for file, count in enumerate(COUNTS) for at in range(count)]


def report(
    when: str = "call", *, outcome: str = "passed", duration: float = 0.001, **more: Any
) -> pytest.TestReport:
    longrepr = None if outcome == "passed" else "it is wrong"
    times = {"duration": duration, "start": 12.5, "stop": 12.75}
    return pytest.TestReport(
        "tests/test_a.py::test_one[ö]", PLACE, {}, outcome, longrepr, when, **times, **more
    )  # type: ignore[arg-type]


def test_a_report_of_what_passed_arrives_as_it_was() -> None:
    for sent in (report(), report("setup", duration=2.0)):
        data = BriefReports().pytest_report_to_serializable(sent)
        assert data is not None
        read = BriefReports().pytest_report_from_serializable(data)
        assert read is not None and vars(read) == vars(sent)


@pytest.mark.parametrize(
    "more",
    [
        {"outcome": "failed"},
        {"outcome": "skipped"},
        {"sections": [("Captured stdout call", "printed")]},
        {"user_properties": [("rows", 3)]},
        {"wasxfail": "known"},
    ],
    ids=str,
)
@pytest.mark.parametrize("when", ["setup", "call", "teardown"])
def test_whatever_else_a_report_says_is_left_to_pytest(when: str, more: dict[str, Any]) -> None:
    assert BriefReports().pytest_report_to_serializable(report(when, **more)) is None


@pytest.mark.parametrize(
    ("when", "duration", "sent"), [("call", 0.0, 1), ("setup", 0.001, 0), ("teardown", 0.006, 1)]
)
def test_only_what_is_printed_is_sent(when: str, duration: float, sent: int) -> None:
    told: list[str] = []
    send = BriefMessages(lambda name, **_: told.append(name))
    send("logstart", nodeid="a", location=PLACE)
    send("testreport", data=BriefReports().pytest_report_to_serializable(report(when, duration=duration)))
    send("logfinish", nodeid="a", location=PLACE)
    assert told == ["testreport"] * sent
    send("testreport", data={"$report_type": "TestReport", "outcome": "failed"})
    send("runtest_protocol_complete", item_index=0, duration=duration)
    assert told[sent:] == ["testreport", "runtest_protocol_complete"]


def test_an_output_that_tells_of_every_test_gets_all() -> None:
    usual = {"verbose": 0, "durations_min": None, "xmlpath": None}
    assert not all_is_told(SimpleNamespace(**usual))
    assert not all_is_told(SimpleNamespace(**usual | {"verbose": -1}))
    for more in ({"verbose": 1}, {"durations_min": 0.0}, {"xmlpath": "report.xml"}):
        assert all_is_told(SimpleNamespace(**usual | more))


class Node:
    """A worker that notes what it is handed out."""

    def __init__(self, name: str) -> None:
        self.handed_out: list[int] = []
        self.done = 0
        vars(self).update(
            gateway=SimpleNamespace(id=name),
            shutting_down=False,
            send_runtest_some=self.handed_out.extend,
            shutdown=lambda: vars(self).update(shutting_down=True),
        )


def ready(scheduling: Any, tests: Sequence[str] = TESTS) -> tuple[Any, list[Node]]:
    """Two workers that have collected the tests and have their first files."""
    config = SimpleNamespace(getvalue=lambda _: ["2*popen"], option=SimpleNamespace(loadscopereorder=False))
    made, nodes = scheduling(config), [Node("a"), Node("b")]
    for node in nodes:
        made.add_node(node)
        made.add_node_collection(node, list(tests))
    made.schedule()
    return made, nodes


def do_next(made: Any, node: Node) -> None:
    """Do the next test of a worker that has one."""
    if node.done < len(node.handed_out):
        node.done += 1
        made.mark_test_complete(node, node.handed_out[node.done - 1])


@pytest.mark.parametrize("steps", [(1, 1), (3, 1), (1, 5)], ids=str)
def test_each_test_is_handed_out_once_and_as_xdist_does(steps: tuple[int, int]) -> None:
    (made, nodes), (usual, others) = ready(FileScheduling), ready(LoadFileScheduling)
    for _ in TESTS:
        for scheduling, workers in ((made, nodes), (usual, others)):
            for node, count in zip(workers, steps, strict=True):
                for _ in range(count):
                    do_next(scheduling, node)
        assert [node.handed_out for node in nodes] == [node.handed_out for node in others]
        assert made.tests_finished == usual.tests_finished
        assert made.has_pending == usual.has_pending
    assert sorted(nodes[0].handed_out + nodes[1].handed_out) == list(range(len(TESTS)))


def test_a_worker_that_dies_leaves_what_it_had_not_done() -> None:
    made, (first, second) = ready(FileScheduling)
    for _ in range(3):
        do_next(made, first)
    crashed = first.handed_out[3]
    assert made.remove_node(first) == TESTS[crashed]
    while second.done < len(second.handed_out):
        do_next(made, second)
    assert sorted(first.handed_out[:3] + second.handed_out) == list(range(len(TESTS)))


def test_folders_that_share_something_dear_go_to_one_worker() -> None:
    tests = [
        *(f"tests/local/models/test_a.py::test_{at}" for at in range(3)),
        "tests/local/test_b.py::test_0",
        "tests/local/steps/test_c.py::test_0",  # otherwise for the second worker, which has less
    ]
    made, (first, second) = ready(FileScheduling, tests)
    assert [sorted(node.handed_out) for node in (first, second)] == [[0, 1, 2, 4], [3]]
    for _ in tests:
        do_next(made, first)
    do_next(made, second)
    assert made.tests_finished
    assert all((ROOT / folder).is_dir() for folder in TOGETHER)
