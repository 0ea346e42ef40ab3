"""What workers tell the process that hands out tests, and how it keeps count of them: as little as it prints.

xdist sends six messages a test, three of them reports, which both sides take apart in Python. A test that passes has
one line, or one letter, in the output: so it has one report, which is one string, and a word that it is over.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

PASSED = "sfml_passed"
"""The key of a report that a test passed, or that nothing went wrong before or after it."""

UNLISTED = 0.005
"""Seconds below which `--durations` lists nothing, unless it is told otherwise."""


class BriefReports:
    """Reports of what passed as one string, on both sides."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_to_serializable(self, report: object) -> dict[str, Any] | None:
        return {PASSED: as_text(report)} if is_plain(report) else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_from_serializable(self, data: dict[str, Any]) -> pytest.TestReport | None:
        return from_text(data[PASSED]) if PASSED in data else None


class BriefMessages:
    """In a worker: leaves out what nobody prints."""

    def __init__(self, send: Callable[..., None]) -> None:
        self._send = send

    def __call__(self, name: str, **values: Any) -> None:
        if name not in ("logstart", "logfinish") and not is_unlisted(values.get("data", {})):
            self._send(name, **values)


TOGETHER = {
    "tests/clients": "clients",  # each worker has a home of its own, with processes forked for its settings
    "tests/local/models": "models",  # each worker imports scikit-learn, XGBoost, LightGBM and the registry
    "tests/local/steps": "models",
    "tests/local/feature_store": "models",
}
"""Folders whose files are handed to one worker, because they share what takes it seconds."""


class FileScheduling(LoadFileScheduling):  # type: ignore[misc]
    """Hands out whole files, and forgets what is over: it looks through all that it knows after each test."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return TOGETHER.get(file.rpartition("/")[0], file)

    def add_node_collection(self, node: Any, collection: Any) -> None:
        super().add_node_collection(node, collection)
        if node in self.registered_collections:
            self.registered_collections[node] = Positions(collection)

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        super().mark_test_complete(node, item_index, duration)
        name = self.registered_collections[node][item_index]
        files = self.assigned_work[node]
        scope = self._split_scope(name)
        del files[scope][name]
        if not files[scope]:
            del files[scope]


class Positions(list[str]):
    """Names of tests that know where they stand: each was looked for from the first one on."""

    def __init__(self, names: Any) -> None:
        super().__init__(names)
        self._positions = {name: position for position, name in reversed(list(enumerate(self)))}

    def index(self, name: str, *_: Any) -> int:  # type: ignore[override]
        return self._positions[name]


def be_brief(config: pytest.Config) -> None:
    """Send, or read, reports of tests that passed in few words, where the output needs no more."""
    if all_is_told(config.option):
        return
    config.pluginmanager.register(BriefReports())
    for plugin in config.pluginmanager.get_plugins():
        # The module of xdist's part in a worker is sent as text, so its class cannot be imported.
        if type(plugin).__name__ == "WorkerInteractor":
            plugin.sendevent = BriefMessages(plugin.sendevent)


def all_is_told(option: Any) -> bool:
    """Whether the output has more about a test that passes than a letter."""
    return (
        option.verbose > 0 or option.durations_min is not None or getattr(option, "xmlpath", None) is not None
    )


def is_plain(report: object) -> bool:
    """Whether a report says that something passed, and nothing else."""
    return (
        type(report) is pytest.TestReport
        and report.outcome == "passed"
        and not report.sections
        and not report.user_properties
        and not hasattr(report, "wasxfail")
    )


def is_unlisted(data: dict[str, Any]) -> bool:
    """Whether a message is a report that nothing went wrong before or after a test, and quickly."""
    return data.get(PASSED) == ""


def as_text(report: pytest.TestReport) -> str:
    if report.when != "call" and report.duration < UNLISTED:
        return ""
    name, place = report.nodeid, report.location
    return json.dumps([name, place, report.when, report.duration, report.start, report.stop])


def from_text(text: str) -> pytest.TestReport:
    name, place, when, duration, start, stop = json.loads(text)
    return pytest.TestReport(name, tuple(place), {}, "passed", None, when, (), duration, start, stop)
