"""SF7xx, graph tests: tasks, outcomes, streams and config keys that they name exist, and expectations are possible."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.base.diagnostic import Diagnostic, Label, did_you_mean, renaming
from sfml.check.case import Case, error, warning
from sfml.graph.declared_tests import FAILS, SUCCEEDS, GivenEnd, GraphTest, RunTest, ScheduleTest
from sfml.graph.draft import TaskDraft
from sfml.graph.located import Ref
from sfml.graph.model import CronSchedule, IntervalSchedule, NotifyBody, StreamSchedule
from sfml.semantics.condition_words import arguments_of

_WORDS = (SUCCEEDS, FAILS)


def _run_tests(case: Case) -> Iterator[RunTest]:
    for test in case.draft.tests:
        # A test for other targets may name tasks that only those have.
        if isinstance(test, RunTest) and _is_meant(case, test):
            yield test


def _is_meant(case: Case, test: GraphTest) -> bool:
    return not test.targets or any(ref.name == case.draft.target.name for ref in test.targets)


def unknown_tasks_in_tests(case: Case) -> Iterator[Diagnostic]:
    """SF701: a test names a task that does not exist.

    What: `given`, and the lists of expected tasks, hold names of tasks of the graph or of its finalizer.
    Why: an expectation for a misspelt task would never be checked.
    Instead: correct the name; for tasks that not every target has, add `targets` to the test.
    """
    for test in _run_tests(case):
        names = (Ref(name, one.named) for name, one in test.given.items())
        for ref in (*names, *(expectation.task for expectation in test.expected)):
            if case.task(ref.name) is not None:
                continue
            label = "no task has this name"
            if ref.name in case.draft.removed:
                label = "`enabled: false` in this target"
            help = (
                did_you_mean(ref.name, case.by_name)
                or "name a task, or say which `targets` the test holds for"
            )
            yield error(
                "SF701",
                f"test `{test.name}` names unknown task `{ref.name}`",
                ref.place,
                label=label,
                help=help,
                fix=renaming(ref.place.span, ref.name, case.by_name),
            )


def impossible_ends(case: Case) -> Iterator[Diagnostic]:
    """SF702: a test gives a task an end that it cannot have.

    What: a task is given as `succeeds`, `fails`, an outcome that it declares, or a mapping of `outcome`, `returns`,
    `fails` and `when`.
    Why: the test would describe the behaviour of another graph.
    Instead: name one of the outcomes that the spec declares for the task; an outcome named `succeeds` or `fails` is
    written `{outcome: fails}`.
    """
    for test in _run_tests(case):
        for name, end in test.given.items():
            task = case.task(name)
            if task is not None:
                yield from _impossible(task, end)


def _impossible(task: TaskDraft, end: GivenEnd) -> Iterator[Diagnostic]:
    outcomes = tuple(task.outcomes or ())
    ref = end.outcome
    if end.word is not None and end.word not in _WORDS:
        ref = Ref(end.word, end.place)
    elif end.word in outcomes:
        message = f"`{end.word}` is an outcome of `{task.name}`, and says how a task ends"
        help = f"write `{{outcome: {end.word}}}`, or `{{fails: true}}` for a failure"
        yield error("SF702", message, end.place, help=help)
    if ref is not None and task.outcomes is None:
        message = f"task `{task.name}` is not a branch: it has no outcome `{ref.name}`"
        help = did_you_mean(ref.name, _WORDS) or "write `succeeds`, `fails` or `{returns: …}`"
        yield error("SF702", message, ref.place, help=help, fix=renaming(ref.place.span, ref.name, _WORDS))
    elif ref is not None and ref.name not in outcomes:
        known = (*outcomes, *_WORDS) if end.word is not None else outcomes
        message = f"`{ref.name}` is not an outcome of `{task.name}`"
        help = did_you_mean(ref.name, known) or f"it has {', '.join(f'`{outcome}`' for outcome in outcomes)}"
        labels = (Label(task.place("outcomes").span, "the outcomes"),)
        fix = renaming(ref.place.span, ref.name, known)
        yield error("SF702", message, ref.place, labels=labels, help=help, fix=fix)
    if end.has_result and (task.outcomes is not None or isinstance(task.node.body, NotifyBody)):
        what = (
            "a branch returns its outcome" if task.outcomes is not None else "a notification returns nothing"
        )
        message = f"task `{task.name}` cannot return a value: {what}"
        yield error("SF702", message, end.place, help="take `returns` out")


def contradicting_expectations(case: Case) -> Iterator[Diagnostic]:
    """SF703: a test can never pass, or expects nothing.

    What: a test expects each task in one state only. It expects at least one task, the `state` of the run, or its
    `attempts`.
    Why: a test without an expectation never fails, and a test that contradicts itself always does.
    Instead: keep the state that is meant; add an expectation.
    """
    for test in _run_tests(case):
        if not test.expected and test.state is None and test.attempts is None:
            message = f"test `{test.name}` expects nothing"
            help = "add `succeeded`, `failed`, `skipped` or `never_ran` with names of tasks, or `state`"
            yield error("SF703", message, test.place, help=help)
        first: dict[str, tuple[str, Ref]] = {}
        for expectation in test.expected:
            key, ref = first.setdefault(expectation.task.name, (expectation.key, expectation.task))
            if key != expectation.key:
                message = f"test `{test.name}` expects `{expectation.task.name}` in two states"
                labels = (Label(ref.place.span, f"`{key}` here"),)
                yield error("SF703", message, expectation.task.place, labels=labels, help="keep one of them")


def unread_facts(case: Case) -> Iterator[Diagnostic]:
    """SF705: a test gives a value that the graph does not read.

    What: keys of `config` are keys of the graph's config; `streams` are read by a condition or start the graph; `when`
    is given for tasks that have a condition; `data` is given where streams start the graph.
    Why: a misspelt name would have no effect, and the test would not test what it says.
    Instead: correct the name, or remove it.
    """
    streams = _streams(case)
    for test in _run_tests(case):
        for key, (_, place) in test.config.items():
            if key not in case.draft.config:
                message = f"the graph's config has no key `{key}`"
                help = did_you_mean(key, case.draft.config) or "add it to `config`, or take it out"
                fix = renaming(place.span, key, case.draft.config)
                yield error("SF705", message, place, help=help, fix=fix)
        for stream, (_, place) in test.streams.items():
            if stream.upper() not in streams:
                message = f"no condition reads the stream `{stream}`"
                help = did_you_mean(stream.upper(), streams) or "take it out"
                yield error("SF705", message, place, help=help)
        for name, end in test.given.items():
            task = case.task(name)
            if end.when is not None and task is not None and task.node.when is None:
                message = f"task `{name}` has no `when`"
                yield error("SF705", message, end.place, help="take `when` out of the test")
    if not isinstance(case.draft.settings.schedule, CronSchedule | IntervalSchedule):
        return
    for timed in case.draft.tests:
        if isinstance(timed, ScheduleTest) and timed.data_at is not None and _is_meant(case, timed):
            message = f"no stream starts the graph, so `data` of test `{timed.name}` has no effect"
            help = "take it out, or say which `targets` the test holds for"
            yield warning("SF705", message, timed.data_at, help=help)


def _streams(case: Case) -> frozenset[str]:
    """The streams that conditions of the graph read, or that start it, in upper case."""
    schedule = case.draft.settings.schedule
    conditions = [case.draft.settings.when, *(task.node.when for task in case.tasks)]
    streams = [
        name
        for condition in conditions
        if condition is not None
        for name in arguments_of(condition, "SYSTEM$STREAM_HAS_DATA")
    ]
    streams += schedule.streams if isinstance(schedule, StreamSchedule) else ()
    return frozenset(name.upper() for name in streams if name is not None)
