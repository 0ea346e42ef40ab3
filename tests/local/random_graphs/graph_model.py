"""What a graph's tasks come to, written a second time: one look at each task after its predecessors, no steps.

It shares nothing with `sfml.semantics` but the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

ASKED = (
    *("ALL_SUCCEEDED", "ALL_FAILED", "ALL_DONE", "ALL_SKIPPED", "AT_LEAST_ONE_FAILED"),
    *("AT_LEAST_ONE_SUCCEEDED", "NONE_FAILED", "NONE_FAILED_MIN_ONE_SUCCEEDED", "NONE_SKIPPED"),
)


@dataclass(frozen=True)
class Member:
    """A task: whom it runs after, what it asks (a name of ASKED, "true", "false" or nothing), how it ends."""

    name: str
    after: tuple[str, ...]
    when: str | None
    suspended: bool
    fails: tuple[bool, bool]
    """In the first attempt and in the retry."""


@dataclass(frozen=True)
class Drawn:
    """A graph; the first member is the root. `finalizer` fails or not by attempt, or is suspended, or is none."""

    members: tuple[Member, ...]
    finalizer: Member | None


@st.composite
def graphs(draw: st.DrawFn, largest: int = 9, smallest: int = 1) -> Drawn:
    count = draw(st.integers(smallest, largest))
    fails = st.tuples(st.booleans(), st.booleans())
    seldom = st.sampled_from([False] * 5 + [True])
    whens = st.sampled_from([None] * 6 + ["true", "false"] + list(ASKED))
    root_when = draw(st.sampled_from([None] * 9 + ["true", "false"]))
    root_fails = (draw(seldom), draw(seldom))
    members = [Member("T0", (), root_when, False, root_fails)]
    for number in range(1, count):
        above = [member.name for member in members]
        after = draw(st.lists(st.sampled_from(above), min_size=1, max_size=3, unique=True))
        outcome = draw(st.one_of(st.just((False, False)), fails))
        members.append(Member(f"T{number}", tuple(sorted(after)), draw(whens), draw(seldom), outcome))
    finalizer = Member("F", (), None, draw(seldom), draw(fails)) if draw(st.booleans()) else None
    return Drawn(tuple(members), finalizer)


def outcomes(graph: Drawn, attempt: int = 0, before: Mapping[str, str] | None = None) -> dict[str, str]:
    """Task → state in the history; tasks without a row are missing. `before` is what an earlier attempt left."""
    root = graph.members[0]
    came: dict[str, str] = {}
    for member in graph.members:
        kept = (before or {}).get(member.name)
        state = kept if kept in ("SUCCEEDED", "SKIPPED") else _outcome(member, graph, came, attempt)
        if state is not None:
            came[member.name] = state
    if graph.finalizer and not graph.finalizer.suspended and came[root.name] != "SKIPPED":
        came["F"] = "FAILED" if graph.finalizer.fails[attempt] else "SUCCEEDED"
    return came


def _outcome(member: Member, graph: Drawn, came: Mapping[str, str], attempt: int) -> str | None:
    root = graph.members[0]
    ended = "FAILED" if member.fails[attempt] else "SUCCEEDED"
    if member is root:
        return "SKIPPED" if member.when == "false" else ended
    if member.suspended or came[root.name] == "SKIPPED":
        return None
    suspended = {other.name for other in graph.members if other.suspended}
    counted = [came.get(name) for name in member.after if name not in suspended]
    if not counted:
        return None
    if member.when in ASKED:
        return ended if _holds(member.when, counted) else "SKIPPED"
    if set(counted) != {"SUCCEEDED"}:
        return None
    return "SKIPPED" if member.when == "false" else ended


def _holds(asked: str, counted: list[str | None]) -> bool:
    failed, skipped = counted.count("FAILED"), counted.count("SKIPPED")
    succeeded, number = counted.count("SUCCEEDED"), len(counted)
    return {
        "ALL_SUCCEEDED": succeeded == number,
        "ALL_FAILED": failed == number,
        "ALL_DONE": True,
        "ALL_SKIPPED": skipped == number,
        "AT_LEAST_ONE_FAILED": failed > 0,
        "AT_LEAST_ONE_SUCCEEDED": succeeded > 0,
        "NONE_FAILED": failed == 0,
        "NONE_FAILED_MIN_ONE_SUCCEEDED": failed == 0 and succeeded > 0,
        "NONE_SKIPPED": skipped == 0,
    }[asked]


def graph_outcome(came: Mapping[str, str]) -> str:
    if came["T0"] == "SKIPPED":
        return "SKIPPED"
    return "FAILED" if "FAILED" in came.values() else "SUCCEEDED"
