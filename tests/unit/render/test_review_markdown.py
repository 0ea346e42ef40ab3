"""The comment of a diff: whatever the specs hold, it keeps its shape and its bounds."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given
from markdown_it import MarkdownIt
from tests.unit.render.test_markdown import TEXT

from sfml.graph.model import (
    CronSchedule,
    GraphSettings,
    Mode,
    NotifyBody,
    OnWarehouse,
    SqlBody,
    Target,
    TaskGraph,
    TaskNode,
)
from sfml.lower.lower import lower
from sfml.plan.review_fingerprint import reviewed_fingerprint
from sfml.render.review_markdown import LIMIT, MARKER, diff_markdown
from sfml.render.review_mermaid import picture
from sfml.render.review_text import diff_text
from sfml.render.symbols import Symbols
from sfml.review.compare import compared
from sfml.review.model import CompiledTarget, Diff, PipelineDiff, ReachedFile, Side, Status, TargetDiff

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROD = Target("prod", "account", "ML_PROD", "CLV", "ML_WH", mode=Mode.PRODUCTION)
ON = OnWarehouse("ML_WH")
PARSER = MarkdownIt("gfm-like", {"html": True, "linkify": False})
ALLOWED = re.compile(r"</?(?:details|summary|code|sub)>|<details open>|<br>|" + re.escape(MARKER))


def compiled(graph: TaskGraph) -> CompiledTarget:
    desired = lower(graph, lambda step: (), "0.1.0")
    return CompiledTarget(graph, desired, reviewed_fingerprint(desired))


def graph(tasks: int = 3, *, text: str = "x", cron: str = "0 0 * * 0") -> TaskGraph:
    made = [TaskNode("t0", SqlBody(f"select 1 -- {text}\nfrom {text}"), ON, comment=text)]
    made += [
        TaskNode(f"t{at}", SqlBody(f"select '{text}'"), ON, after=(f"t{at - 1}",)) for at in range(1, tasks)
    ]
    made.append(
        TaskNode("alert", NotifyBody("ML_ALERTS", text), ON, after=(f"t{tasks - 1}",), tags={"note": text})
    )
    return TaskGraph(
        "clv",
        "specs/clv.yaml",
        PROD,
        GraphSettings(schedule=CronSchedule(cron, "Europe/Berlin")),
        tuple(made),
        description=text,
        config={"note": text, "other": 1},
    )


def target_diff(old: TaskGraph | None, new: TaskGraph | None) -> TargetDiff:
    sides = [compiled(side) if side is not None else None for side in (old, new)]
    return compared("prod", sides[0], sides[1], NOW)


def diff_of(*targets: TargetDiff, text: str = "x") -> Diff:
    pipelines = tuple(
        PipelineDiff(
            f"p{at}", f"specs/{text}.yaml", one.status, (ReachedFile(f"{text}/a.py", "changed"),), (one,)
        )
        for at, one in enumerate(targets)
    )
    return Diff(Side(text, "a" * 40), Side("head", "b" * 40), NOW, pipelines, notes=(f"`{text}` is a link",))


def html_of(markdown: str) -> list[str]:
    found: list[str] = []
    for token in PARSER.parse(markdown):
        if token.type == "html_block":
            found.append(token.content)
        found += [child.content for child in token.children or () if child.type == "html_inline"]
    return found


@example("`1. i")
@given(TEXT)
def test_no_value_breaks_out_of_the_comment(text: str) -> None:
    changed = target_diff(graph(text="y"), graph(text=text or "z", cron="30 2 * * 0"))
    printed = diff_markdown(diff_of(changed, text=text))
    for html in html_of(printed):
        left = ALLOWED.sub("", html)
        assert "<" not in re.sub(r"&#\d+;", "", left) and "<!" not in left, html
    kinds = {token.type for token in PARSER.parse(printed)}
    assert not kinds & {"blockquote_open", "ordered_list_open", "hr", "code_block"}
    inner = {child.type for token in PARSER.parse(printed) for child in token.children or ()}
    assert not inner & {"link_open", "image", "em_open", "s_open"}
    tags = "".join(html_of(printed))
    assert tags.count("<details") == tags.count("</details>") >= 2
    assert printed.startswith(f"{MARKER}\n## `p0`: ")
    assert len(printed.encode()) <= LIMIT
    assert diff_text(diff_of(changed, text=text), Symbols()).replace("\n", "").isprintable()


def test_the_same_change_gives_the_same_text() -> None:
    made = [diff_markdown(diff_of(target_diff(graph(), graph(text="other")))) for _ in range(2)]
    assert made[0] == made[1]


def test_everything_is_shown_where_it_fits() -> None:
    printed = diff_markdown(diff_of(target_diff(graph(), graph(text="other"))))
    assert "```mermaid" in printed and "line by line" in printed and "Shortened" not in printed


def test_a_comment_that_would_be_too_long_loses_detail_and_says_so() -> None:
    many = [target_diff(graph(40), graph(40, text=f"other {at} {'long ' * 200}")) for at in range(3)]
    lengths: list[int] = []
    for limit in (10**9, LIMIT, 20_000, 4_000):
        printed = diff_markdown(diff_of(*many), limit)
        assert len(printed.encode()) <= limit
        assert ("Shortened to fit" in printed) == (limit != 10**9)
        assert "3 pipelines changed" in printed
        lengths.append(len(printed))
    assert lengths == sorted(lengths, reverse=True) and len(set(lengths)) == 4


def test_thousands_of_pipelines_fit_as_well() -> None:
    one = target_diff(graph(), graph(text="other"))
    printed = diff_markdown(diff_of(*[one] * 2_000))
    assert len(printed.encode()) <= LIMIT
    assert "2,000 pipelines changed" in printed and "more pipelines" in printed


def test_many_pipelines_fold_each_under_its_line() -> None:
    printed = diff_markdown(diff_of(*[target_diff(graph(), graph(cron="30 2 * * 0"))] * 5))
    assert printed.count("<details><summary><code>p") == 5
    assert "⚠ schedule" in printed


def test_a_large_graph_is_drawn_around_its_changes() -> None:
    old = graph(100)
    tasks = list(old.tasks)
    tasks[50] = replace(tasks[50], timeout=60)
    drawn = picture(target_diff(old, replace(old, tasks=tuple(tasks))))
    assert drawn is not None
    shown = re.findall(r'^  t\d+\["(?:#126; )?(t\d+)', "\n".join(drawn.lines), re.MULTILINE)
    assert shown == ["t49", "t50", "t51"]
    assert drawn.left_out == 98
    assert any("98 more tasks" in line for line in drawn.lines)


def test_a_graph_that_changes_all_over_is_not_drawn() -> None:
    assert picture(target_diff(graph(100), graph(100, text="other"))) is None


def test_what_cannot_be_compared_says_what_it_was() -> None:
    broken: Any = replace(target_diff(graph(), graph()), status=Status.BROKEN, head=None, changes=())
    printed = diff_markdown(diff_of(broken))
    assert "cannot be compared; it had 4 tasks" in printed
