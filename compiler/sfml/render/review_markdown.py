"""A diff as one comment for a pull request, of limited size. Equal input gives equal text.

The first line marks the comment, so that a later run finds and updates it. What exceeds the limit is left out in
steps: first statements, then pictures, then long tables, then everything but one line for each pipeline. The comment
then says that it is shortened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from shlex import quote

from sfml.base.record import record
from sfml.render import review_words as words
from sfml.render.markdown import code, fenced, html_code, prose
from sfml.render.review_mermaid import LEGEND, picture
from sfml.render.review_tables import change_table, schedule_table, statements
from sfml.render.text import diagnostics_text
from sfml.render.units import plural
from sfml.review.model import Diff, PipelineDiff, Side, Status, TargetDiff

MARKER = "<!-- sfml diff -->"
LIMIT = 65_536
"""The maximum length of a comment on GitHub. It counts characters; this counts bytes, which are never fewer."""
_UNFOLDED = 3
"""With more changed pipelines than this, each is folded under a line of its own."""
_MOST_COSTS = 10
"""How many lines on costs there are at most."""
_OPEN_ROWS = 12
"""A table with more rows than this is folded."""


@record
class Level:
    """How much of the diff is shown; `rows` is the maximum of rows in a table."""

    statements: bool = True
    pictures: bool = True
    rows: int = 1_000
    pipelines: int | None = None
    """If set: one line for each of at most this many pipelines, and nothing else."""


LEVELS = (
    Level(),
    Level(statements=False),
    Level(statements=False, pictures=False, rows=200),
    Level(statements=False, pictures=False, rows=20),
    *(Level(pipelines=count) for count in (400, 200, 100, 50, 20)),
)
"""From everything to a form that always fits."""


def diff_markdown(diff: Diff, limit: int = LIMIT) -> str:
    """The comment, at most `limit` bytes in UTF-8."""
    for level in LEVELS:
        text = _within(_lines(diff, level), limit)
        if text is not None:
            return text
    return _text(_lines(diff, LEVELS[-1]))


def _within(lines: Iterable[str], limit: int) -> str | None:
    """The text of the lines; None as soon as they are longer than `limit` bytes, without making the others."""
    taken: list[str] = []
    for line in lines:
        limit -= len(line.encode()) + 1
        if limit < 0:
            return None
        taken.append(line)
    return _text(taken)


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def _lines(diff: Diff, level: Level) -> Iterator[str]:
    changed = list(diff.changed())
    yield MARKER
    yield f"## {_heading(diff, changed)}"
    yield ""
    yield f"{_side(diff.base)} → {_side(diff.head)}"
    rest = words.rest_words(diff)
    if rest:
        yield f"<br>{_capital(rest)}."
    costs = list(words.costs(diff, "→"))
    if costs:
        yield ""
    for name, targets, change in costs[:_MOST_COSTS]:
        yield f"- cost of {code(name)} in {prose(targets)}: {prose(change)}"
    if len(costs) > _MOST_COSTS:
        yield f"- and of {len(costs) - _MOST_COSTS} more"
    if level != LEVELS[0]:
        yield ""
        yield "_Shortened to fit a comment; `sfml diff` shows everything._"
    if level.pipelines is not None:
        yield ""
        for pipeline in changed[: level.pipelines]:
            yield f"- {code(pipeline.pipeline)} {pipeline.status.value}: {_targets_line(pipeline)}"
        if len(changed) > level.pipelines:
            yield f"- and {plural(len(changed) - level.pipelines, 'more pipeline')}"
        return
    for pipeline in changed:
        yield ""
        lines = _pipeline_lines(pipeline, level)
        if len(changed) <= _UNFOLDED:
            if len(changed) > 1:
                yield f"### {code(pipeline.pipeline)}: {_sentence(pipeline)}"
                yield ""
            yield from lines
        else:
            summary = f"{html_code(pipeline.pipeline)}: {_sentence(pipeline)}{_labels(pipeline)}"
            yield from _folded(summary, list(lines))
    if diff.notes:
        yield ""
        yield from (f"- {prose(note)}" for note in diff.notes[: level.rows])
    if any(target.head is not None for one in changed for target in one.targets):
        yield ""
        yield from _fingerprints(changed)


def _side(side: Side) -> str:
    if side.is_work_tree:
        return f"the work tree on {code(side.commit[:7])}"
    return f"{code(side.name)} at {code(side.commit[:7])}"


def _targets_line(pipeline: PipelineDiff) -> str:
    return "; ".join(
        f"{code(words.group_names(group))} {words.counts(group[0]) or group[0].status.value}"
        for group in words.shown_groups(pipeline)
    )


def _pipeline_lines(pipeline: PipelineDiff, level: Level) -> Iterator[str]:
    yield f"{code(pipeline.spec)}; {_because(pipeline)}"
    for when, findings, sources in (
        ("before the change", pipeline.base_findings, pipeline.base_sources),
        ("now", pipeline.head_findings, pipeline.head_sources),
    ):
        if findings:
            errors = sum(finding.is_error for finding in findings)
            what = plural(errors, "error") if errors else plural(len(findings), "new warning")
            yield ""
            lines = _limited(diagnostics_text(findings, sources), level.rows)
            yield from _folded(f"{what} {when}", fenced(lines), is_open=bool(errors))
    if pipeline.old_findings:
        yield ""
        yield f"{words.old_findings(pipeline)}: {code(f'sfml validate {quote(pipeline.spec)}')}"
    for number, group in enumerate(words.shown_groups(pipeline)):
        yield ""
        if number == 0:
            yield f"{_group_names(group)}: {_group_answer(group)}"
            yield from _group_lines(group, level, is_first=True)
        else:
            names = ", ".join(html_code(target_diff.target) for target_diff in group)
            lines = list(_group_lines(group, level, is_first=False))
            yield from _folded(f"{names}: {_group_answer(group)}", lines)
    same = words.unchanged_targets(pipeline)
    if same:
        yield ""
        yield f"Nothing changes in {', '.join(code(name) for name in same)}."


def _group_names(group: words.Group) -> str:
    return ", ".join(f"**{prose(target_diff.target)}**" for target_diff in group)


def _group_answer(group: words.Group) -> str:
    target = group[0]
    if target.status is not Status.BROKEN:
        return words.counts(target)
    if target.base is None:
        return "cannot be compared"
    return f"cannot be compared; it had {plural(len(target.base.desired.all_tasks) - 1, 'task')}"


def _heading(diff: Diff, changed: list[PipelineDiff]) -> str:
    if len(changed) != 1:
        return _capital(words.answer(diff))
    return f"{code(changed[0].pipeline)}: {_sentence(changed[0])}"


def _sentence(pipeline: PipelineDiff) -> str:
    """The changes in the most important target, in one sentence. It contains no text of the spec."""
    groups = list(words.shown_groups(pipeline))
    if pipeline.status is Status.BROKEN:
        return "cannot be compared"
    if not groups:
        return pipeline.status.value
    target = groups[0][0]
    tasks = plural(max(len(target.changes) - 1, 0), "task")
    if pipeline.status is Status.ADDED:
        return f"a new pipeline of {tasks}"
    if pipeline.status is Status.REMOVED:
        return f"removed, with its {tasks}"
    return words.sentence(target)


def _labels(pipeline: PipelineDiff) -> str:
    """The labels of all risks, for a summary line whose details are folded."""
    labels = {
        risk.label.value
        for target in pipeline.targets
        for risk in (*target.risks, *(risk for change in target.changed for risk in change.risks))
    }
    return f" ⚠ {', '.join(sorted(labels))}" if labels else ""


def _because(pipeline: PipelineDiff) -> str:
    files = [code(file.path) for file in pipeline.files[:5]]
    more = f" and {plural(len(pipeline.files) - 5, 'more file')}" if len(pipeline.files) > 5 else ""
    return f"reached by {', '.join(files)}{more}"


def _group_lines(group: words.Group, level: Level, *, is_first: bool) -> Iterator[str]:
    target = group[0]
    image = picture(target) if level.pictures and (is_first or words.is_production(target)) else None
    if image is not None:
        yield ""
        yield from fenced(image.lines, "mermaid")
        if any("classDef" in line or "==>" in line for line in image.lines):
            yield f"<sub>{LEGEND}</sub>"
    risks = list(_risks(target))
    if risks:
        yield ""
        yield from risks[: level.rows]
        if len(risks) > level.rows:
            yield f"- and {len(risks) - level.rows:,} more"
    yield from schedule_table(target)
    table, rows = change_table(target, level.rows)
    if rows:
        yield ""
        yield from table if rows <= _OPEN_ROWS else _folded(plural(rows, "row"), table)
    if level.statements:
        for task, lines in statements(target):
            yield ""
            yield from _folded(f"{html_code(task)} line by line", fenced(lines, "diff"))


def _risks(target: TargetDiff) -> Iterator[str]:
    """The risks and notes to consider before approval; each risk once, with the tasks that have it."""
    tasks_by_risk: dict[tuple[str, str], list[str]] = {}
    for change in target.changed:
        for risk in change.risks:
            tasks_by_risk.setdefault((risk.label.value, risk.message), []).append(change.task)
    for risk in target.risks:
        yield f"- ⚠ **{risk.label.value}**: {prose(risk.message)}"
    for (label, message), tasks in tasks_by_risk.items():
        shown = ", ".join(code(task) for task in tasks[:5]) + (" …" if len(tasks) > 5 else "")
        yield f"- ⚠ **{label}**: {shown} {prose(message)}"
    for note in target.notes:
        yield f"- {prose(note)}"


def _fingerprints(changed: list[PipelineDiff]) -> Iterator[str]:
    rows = [
        f"sfml apply {quote(pipeline.spec)} -t {quote(target.target)} --require-fingerprint {target.head.fingerprint}"
        for pipeline in changed
        for target in pipeline.targets
        if target.head is not None and target.status is not Status.UNCHANGED
    ]
    if rows:
        yield from _folded("Apply just what was reviewed here", fenced(rows[:100], "console"))


def _folded(summary: str, lines: list[str], *, is_open: bool = False) -> Iterator[str]:
    yield f"<details{' open' if is_open else ''}><summary>{summary}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"


def _limited(text: str, most: int) -> list[str]:
    lines = text.splitlines()
    return lines if len(lines) <= most else [*lines[:most], f"… and {len(lines) - most:,} more lines"]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
