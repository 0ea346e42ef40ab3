"""A diff as an HTML page: a picture for each changed pipeline and group of targets with the same changes."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.render.page.drawing import Drawing, drawing_of_diff
from sfml.render.page.html import html
from sfml.render.review_words import answer, group_names, rest_words, shown_groups, side_words
from sfml.review.model import Diff, Status


def diff_page(diff: Diff) -> str:
    """The page. It says so when nothing changes, or when a side does not compile."""
    return html(f"sfml diff: {answer(diff)}", tuple(_drawings(diff)), tuple(_lead(diff)))


def _drawings(diff: Diff) -> Iterator[Drawing]:
    for pipeline in diff.changed():
        for group in shown_groups(pipeline):
            first, *others = group
            if first.base is not None or first.head is not None:
                yield drawing_of_diff(first, *(other.target for other in others))


def _lead(diff: Diff) -> Iterator[str]:
    yield answer(diff)
    yield f"{side_words(diff.base)} → {side_words(diff.head)}"
    if rest := rest_words(diff):
        yield rest
    for pipeline in diff.changed():
        for group in shown_groups(pipeline):
            if group[0].status is Status.BROKEN:
                yield f"{pipeline.pipeline} → {group_names(group)} cannot be compared: one side does not compile"
