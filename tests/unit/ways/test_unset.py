"""Values that some way leaves unset: what is found is just what walking every way shows."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shop import BRANCH, HEAD, PROJECT, verdicts

from sfml.base.diagnostic import Diagnostic, Severity
from sfml.frontend.reading import Reading, read
from sfml.graph.decode_task import body_values
from sfml.graph.model import TaskGraph
from sfml.graph.references import references_in
from sfml.semantics.conditions import PREDECESSOR_STATES
from sfml.semantics.states import PREDECESSOR_CONDITIONS, State
from sfml.ways.shape import Behaviour
from sfml.ways.walks import Way, walk

JOIN = """graph:
  tasks:
    gate: {call: G, outcomes: {left: left, right: right}}
    left: {call: P}
    right: {call: P}
    tell: {notify: {integration: N, message: "got ${right.v}"}, after: [left, right], run_if: none_failed}
"""


def reading_of(folder: Path, text: str) -> Reading:
    (folder / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "shop.yaml").write_text(HEAD + text, encoding="utf-8")
    return read(folder / "shop.yaml", cwd=folder)


def unset(reading: Reading) -> list[Diagnostic]:
    return [finding for finding in reading.diagnostics if finding.code == "SF333"]


def test_the_finding_tells_the_way(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, JOIN)
    (finding,) = unset(reading)
    assert finding.severity is Severity.ERROR
    assert finding.label == "where `gate` returns `left`, `right` is skipped"
    assert reading.graph is None and reading.walkable is not None


def test_the_walk_fails_where_the_value_is_not_there(tmp_path: Path) -> None:
    graph = reading_of(tmp_path, JOIN).walkable
    assert graph is not None
    left, right = walk(Behaviour(graph), failures=0).ways
    assert left.states["tell"] is State.FAILED and left.state is State.FAILED
    assert left.reasons == {"tell": "`${right.v}` is not there: `right` was skipped"}
    assert right.states["tell"] is State.SUCCEEDED and not right.reasons


def test_of_many_branches_in_a_row_the_nearest_is_told(tmp_path: Path) -> None:
    lines, before = ["graph:", "  tasks:"], ""
    for number in range(40):
        lines += [
            f"    g{number}: {{call: G, outcomes: {{good: a{number}, bad: b{number}}}{before}}}",
            f"    a{number}: {{call: P}}",
            f"    b{number}: {{call: P}}",
            f"    t{number}: {{call: {{procedure: P, args: ['${{b{number}}}', '${{g0}}']}}, "
            f"after: [a{number}, b{number}], run_if: none_failed_min_one_succeeded}}",
        ]
        before = f", after: [t{number}]"
    labels = [finding.label for finding in unset(reading_of(tmp_path, "\n".join(lines) + "\n"))]
    assert labels == [f"where `g{n}` returns `good`, `b{n}` is skipped" for n in range(40)]


def test_an_outcome_that_is_not_the_first_leads_to_the_reader(tmp_path: Path) -> None:
    text = """graph:
  tasks:
    outer: {call: G, outcomes: {no: [], yes: inner}}
    inner: {call: G, outcomes: {left: left, right: right}}
    left: {call: P}
    right: {call: P}
    tell: {notify: {integration: N, message: "${left}"}, after: [left, right], run_if: at_least_one_succeeded}
"""
    (finding,) = unset(reading_of(tmp_path, text))
    assert (finding.severity, finding.label) == (
        Severity.ERROR,
        "where `inner` returns `right`, `left` is skipped",
    )


def test_members_of_a_for_each_are_each_looked_at(tmp_path: Path) -> None:
    text = """graph:
  tasks:
    gate: {call: G, for_each: {seg: [x, y]}, outcomes: {go: "fit_{{ each.seg }}", stop: []}}
    fit: {call: P, for_each: {seg: [x, y]}}
    tell:
      notify: {integration: N, message: "${fit_{{ each.seg }}.auc}"}
      for_each: {seg: [x, y]}
      after: "fit_{{ each.seg }}"
      run_if: all_done
"""
    labels = [finding.label for finding in unset(reading_of(tmp_path, text))]
    assert labels == [f"where `gate_{one}` returns `stop`, `fit_{one}` is skipped" for one in "xy"]


def test_tests_fail_the_task_too_unless_they_say_how_it_ends(tmp_path: Path) -> None:
    text = BRANCH.replace(
        "ticket: {sql: select 1, after: [tell], run_if: all_done}",
        'ticket: {notify: {integration: N, message: "${tell}"}, after: [tell], run_if: all_done}',
    ).replace("tell: {sql: select 1}", "tell: {call: P}")
    text += """tests:
  lost: {given: {gate: bad, tell: fails}, failed: [tell, ticket]}
  given: {given: {gate: bad, tell: fails, ticket: succeeds}, succeeded: ticket}
  mended: {given: {gate: bad, tell: {fails: 1}}, succeeded: [tell, ticket]}
  wrong: {given: {gate: bad, tell: fails}, succeeded: ticket}
schedule: {schedule: manual, retries: 1}
"""
    assert unset(reading_of(tmp_path, text))
    every = verdicts(tmp_path, text)
    assert [one.result for one in every] == ["passed", "passed", "passed", "failed"]
    assert every[3].findings[0].label == "`${tell}` is not there: `tell` failed"


def test_readers_without_a_way_keep_nobody_from_being_found(tmp_path: Path) -> None:
    """Each task of a level reads two of the level above; what the first level reads is always there."""
    lines = ["graph:", "  tasks:"]
    for number in range(30):
        first = number // 10 * 10 - 10
        after = ", ".join(f"t{one}" for one in range(first, first + 10))
        reads = f"args: ['${{t{first}}}', '${{t{first + 9}}}']"
        body = f"call: {{procedure: P, {reads}}}, after: [{after}], run_if: none_failed"
        lines.append(f"    t{number}: {{{body if number >= 10 else 'call: P'}}}")
    findings = unset(reading_of(tmp_path, "\n".join(lines) + "\n"))
    assert [finding.path for finding in findings] == [
        f"graph.tasks.t{number}.call.args" for number in range(20, 30) for _ in range(2)
    ]


ANY_STATE = st.sampled_from([None, *(state.lower() for state in PREDECESSOR_STATES)])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Small graphs of procedures and notifications that read any task above them."""
    count = draw(st.integers(3, 6))
    above: list[set[int]] = []
    lines = ["graph:", "  tasks:"]
    free = set(range(count))
    for index in range(count):
        after = draw(st.sets(st.integers(0, index - 1), max_size=3)) if index else set()
        above.append(after.union(*(above[one] for one in after)))
        read = (
            sorted(draw(st.sets(st.sampled_from(sorted(above[index])), max_size=2))) if above[index] else []
        )
        values = [f"${{t{one}}}" for one in read]
        parts = [f"after: [{', '.join(f't{one}' for one in sorted(after))}]"] if after else []
        run_if = draw(ANY_STATE) if after else None
        parts += [f"run_if: {run_if}"] if run_if else []
        if run_if and index in free and draw(st.booleans()):
            asked = draw(st.sampled_from(sorted(after)))
            parts.append(f"when: \"SYSTEM$GET_PREDECESSOR_RETURN_VALUE('SHOP$T{asked}') = 'x'\"")
        later = [one for one in sorted(free) if one > index]
        if later and draw(st.booleans()):
            arms = draw(st.lists(st.sampled_from(later), min_size=1, max_size=2, unique=True))
            free -= set(arms)
            outcomes = ", ".join(f"o{one}: t{one}" for one in arms)
            parts.append(f"outcomes: {{{outcomes}{', none: []' if draw(st.booleans()) else ''}}}")
            parts.append(f"call: {{procedure: P, args: {values!r}}}")
        elif values and draw(st.booleans()):
            parts.append(f'notify: {{integration: N, message: "{" ".join(values)}"}}')
        else:
            parts.append(f"call: {{procedure: P, args: {values!r}}}")
        lines.append(f"    t{index}: {{{', '.join(parts)}}}")
    return "\n".join(lines) + "\n"


def reads(graph: TaskGraph) -> set[tuple[str, str]]:
    return {
        (node.name, str(reference.task))
        for node in graph.tasks
        for _, value in body_values(node.body)
        for reference in references_in(value)
    }


def begins(way: Way, reader: str) -> bool:
    return way.states[reader] is State.SUCCEEDED or way.states[reader].is_failure


@settings(max_examples=150, deadline=None)
@given(texts())
def test_a_value_is_found_just_where_some_way_lacks_it(text: str) -> None:
    with TemporaryDirectory() as folder:
        reading = reading_of(Path(folder), text)
    graph = reading.walkable
    assume(graph is not None and (reads(graph) or asking(graph)))
    assert graph is not None
    # The walk decides each condition by itself; that two of the same text hold together only the search knows.
    conditions = [node.when for node in graph.tasks if node.when is not None]
    assume(len(conditions) == len({*conditions}))
    walked = walk(Behaviour(graph), failures=len(graph.tasks), most=20_000)
    assume(walked.left == 0)
    lacking: dict[tuple[str, str], bool] = {}
    for reader, source in reads(graph):
        ways = [
            way for way in walked.ways if begins(way, reader) and way.states[source] is not State.SUCCEEDED
        ]
        if ways:
            names = graph.ancestors(reader)
            sure = any(not any(way.states[name].is_failure for name in names) for way in ways)
            lacking[reader, source] = sure and graph.task(reader).body.__class__.__name__ == "NotifyBody"
    found: dict[tuple[str, str], bool] = {}
    for finding in unset(reading):
        assert finding.path is not None
        if finding.path.endswith(".when"):
            continue
        reader, source = finding.path.split(".")[2], finding.message.split("{")[1].split("}")[0]
        found[reader, source] = finding.severity is Severity.ERROR
    assert found.keys() == lacking.keys()
    for reader, source in found:
        # Where a condition decides, nobody can tell beforehand whether it holds.
        if not any(graph.task(name).when for name in (reader, *graph.ancestors(reader))):
            assert found[reader, source] == lacking[reader, source]
    for reader, source in asking(graph):
        node = graph.task(reader)
        condition = PREDECESSOR_CONDITIONS[(node.run_if or "all_succeeded").upper()]
        lacks = any(
            way.states[source] is not State.SUCCEEDED and condition([way.states[name] for name in node.after])
            for way in walked.ways
        )
        findings = [one for one in unset(reading) if (one.path or "").endswith(f".{reader}.when")]
        assert [one.severity for one in findings] == [Severity.WARNING] * lacks


def asking(graph: TaskGraph) -> set[tuple[str, str]]:
    """The tasks whose conditions ask for what another returned."""
    asked = re.compile(r"SHOP\$(T\d)")
    return {(node.name, found[1].lower()) for node in graph.tasks if (found := asked.search(node.when or ""))}


ARMS = """graph:
  tasks:
    gate: {call: G, outcomes: {left: left, right: right}}
    left: {call: P}
    right: {call: P}
    tell: {sql: select 1, after: [left, right], run_if: none_failed, when: "%s"}
"""
VALUE = "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('SHOP$RIGHT')"


@pytest.mark.parametrize(
    "condition",
    [
        f"{VALUE} IS NOT NULL AND {VALUE} = 'x'",
        f"SYSTEM$TASK_COMPLETION_STATE('SHOP$RIGHT') = 'SUCCEEDED' AND {VALUE} = 'x'",
        "SYSTEM$TASK_COMPLETION_STATE('SHOP$RIGHT') = 'SUCCEEDED'",
    ],
)
def test_a_condition_may_know_that_a_value_is_not_always_there(tmp_path: Path, condition: str) -> None:
    assert not unset(reading_of(tmp_path, ARMS % condition))


def test_what_is_proposed_to_a_condition_mends_it(tmp_path: Path) -> None:
    (finding,) = unset(reading_of(tmp_path, ARMS % f"{VALUE} = 'x'"))
    assert finding.message == f"`{VALUE}` is not always there when the condition of `tell` is asked"
    assert finding.severity is Severity.WARNING and finding.path == "graph.tasks.tell.when"
    assert finding.help is not None
    before = finding.help.split("`")[1].removesuffix("…")
    assert not reading_of(tmp_path, ARMS % f"{before}{VALUE} = 'x'").diagnostics
