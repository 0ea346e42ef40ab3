"""The tests of a spec → typed graph tests; times and durations that cannot be read become findings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from types import MappingProxyType

from sfml.base.diagnostic import Diagnostic
from sfml.base.source import Span
from sfml.graph.declared_tests import (
    EVERY,
    FAILS,
    STATES,
    ExpectedState,
    GivenEnd,
    GraphTest,
    Moment,
    RunTest,
    ScheduleTest,
)
from sfml.graph.decode_schedule import duration
from sfml.graph.located import Place, Ref, Scalar
from sfml.graph.model import CronSchedule, Schedule
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode, entries_of, map_of, plain, text_of, texts_of


def graph_tests(
    node: MapNode | None, schedule: Schedule, findings: list[Diagnostic]
) -> tuple[GraphTest, ...]:
    """The graph tests in the order written; `node` has the right shape. `schedule` gives the default time zone."""
    tests: list[GraphTest] = []
    for name, at, one in entries_of(node):
        settings = map_of(one)
        if settings is None:
            continue
        place = Place(at, one.path)
        if "from" not in settings.entries:
            tests.append(_run_test(name, place, settings))
        elif schedule_test := _schedule_test(name, place, settings, schedule, findings):
            tests.append(schedule_test)
    return tuple(tests)


def _run_test(name: str, place: Place, settings: MapNode) -> RunTest:
    state, attempts = settings.get("state"), settings.get("attempts")
    return RunTest(
        name=name,
        place=place,
        given=MappingProxyType(
            {task: _given_end(at, node) for task, at, node in entries_of(settings.get("given"))}
        ),
        expected=tuple(
            ExpectedState(ref, key)
            for key in settings.entries
            if key in STATES
            for ref in _refs(settings.get(key))
        ),
        targets=tuple(_refs(settings.get("targets"))),
        streams=MappingProxyType(
            {
                stream: (plain(node) is True, Place(at, node.path))
                for stream, at, node in entries_of(settings.get("streams"))
            }
        ),
        config=MappingProxyType(dict(_config(settings.get("config")))),
        state=(str(plain(state)), _place(state)) if state is not None else None,
        attempts=(attempts.value, _place(attempts))
        if isinstance(attempts, ScalarNode) and isinstance(attempts.value, int)
        else None,
    )


def _config(node: Node | None) -> Iterator[tuple[str, tuple[Scalar, Place]]]:
    for key, at, value in entries_of(node):
        if isinstance(value, ScalarNode) and value.value is not None:
            yield key, (value.value, Place(at, value.path))


def _given_end(at: Span, node: Node) -> GivenEnd:
    settings = map_of(node)
    if settings is None:
        word = text_of(node)
        return GivenEnd(Place(at, node.path), _place(node), word=word, fails=EVERY if word == FAILS else 0)
    outcome, fails, when = (settings.get(key) for key in ("outcome", "fails", "when"))
    count = fails.value if isinstance(fails, ScalarNode) else 0
    return GivenEnd(
        named=Place(at, node.path),
        place=Place(at, node.path),
        outcome=Ref(str(plain(outcome)), _place(outcome)) if outcome is not None else None,
        returns=plain(settings.entries["returns"]) if "returns" in settings.entries else None,
        has_result="returns" in settings.entries,
        fails=EVERY if count is True else int(count or 0),
        when=bool(plain(when)) if when is not None else None,
    )


def _schedule_test(
    name: str, place: Place, settings: MapNode, schedule: Schedule, findings: list[Diagnostic]
) -> ScheduleTest | None:
    clock = _Clock(settings.get("timezone"), schedule, findings)
    since = clock.moment(settings.get("from"))
    until = clock.moment(settings.get("until"))
    runs = settings.entries["runs"]
    assert isinstance(runs, ListNode)
    missed, data, suspended = (settings.get(key) for key in ("missed", "data", "suspended"))
    takes = (duration(item, findings) for item in texts_of(settings.get("takes")))
    failed = settings.get("failed_runs")
    if since is None:
        return None
    if settings.get("until") is None and (missed is not None or suspended is not None or not runs.items):
        message = f"test `{name}` has no `until`"
        findings.append(
            Diagnostic.error("SF704", message, at=place.span, path=place.path, help="add `until`")
        )
    if until is not None and until < since:
        message = "`until` lies before `from`"
        at = _place(settings.get("until"))
        findings.append(Diagnostic.error("SF704", message, at=at.span, path=at.path, help="exchange them"))
    return ScheduleTest(
        name=name,
        place=place,
        since=since,
        until=until,
        runs=tuple(clock.moments(runs)),
        runs_at=Place(settings.key_spans.get("runs", runs.span), runs.path),
        targets=tuple(_refs(settings.get("targets"))),
        takes=tuple(take for take in takes if take is not None),
        failed_runs=None
        if isinstance(failed, ScalarNode)
        else frozenset(int(str(item.value)) for item in texts_of(failed)),
        data=tuple(at for at, _ in clock.moments(data)),
        data_at=_place(data) if data is not None else None,
        missed=tuple(clock.moments(missed)) if missed is not None else None,
        missed_at=_place(missed) if missed is not None else None,
        suspended=(clock.moment(suspended), _place(suspended)) if suspended is not None else None,
    )


class _Clock:
    """Reads the times of one test."""

    def __init__(self, zone: Node | None, schedule: Schedule, findings: list[Diagnostic]) -> None:
        from zoneinfo import ZoneInfo

        from sfml.semantics.cron import zone_name
        from sfml.semantics.interval import ScheduleError

        self.findings = findings
        default = schedule.timezone if isinstance(schedule, CronSchedule) else "UTC"
        self.zone = ZoneInfo("UTC")
        try:
            self.zone = ZoneInfo(zone_name(text_of(zone) or default))
        except ScheduleError:
            if zone is not None:  # a bad time zone of the schedule is found by a rule of `check/`
                self._refuse(zone, "time zone", "name a region, such as `UTC` or `Europe/Berlin`")

    def moment(self, node: Node | None) -> datetime | None:
        text = text_of(node)
        if node is None or text is None or plain(node) is False:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            self._refuse(
                node, "time", "write it as `2026-11-29T00:00Z`, or without `Z` by the clock of `timezone`"
            )
            return None
        return at if at.tzinfo is not None else at.replace(tzinfo=self.zone)

    def moments(self, node: Node | None) -> Iterator[Moment]:
        for item in node.items if isinstance(node, ListNode) else ():
            at = self.moment(item)
            if at is not None:
                yield at, _place(item)

    def _refuse(self, node: Node, what: str, help: str) -> None:
        message = f"`{text_of(node)}` is not a {what}"
        self.findings.append(Diagnostic.error("SF704", message, at=node.span, path=node.path, help=help))


def _refs(node: Node | None) -> Iterator[Ref]:
    for item in texts_of(node):
        yield Ref(str(item.value), _place(item))


def _place(node: Node | None) -> Place:
    assert node is not None
    return Place(node.span, node.path)
