"""A plan as Markdown, for a comment on a pull request or a ticket."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.plan.model import Action, Change, FieldChange, Plan
from sfml.render.markdown import cell, cell_prose, prose
from sfml.render.plan import file_words, shown_pair
from sfml.render.units import moment, plural

_VERBS = {
    Action.CREATE: "create",
    Action.ALTER: "alter",
    Action.REPLACE: "replace",
    Action.MOVE: "move",
    Action.DROP: "drop",
}


def plan_markdown(plan: Plan, *, schedule: str | None = None, cost: str | None = None) -> str:
    """Counts in the heading, one table row for each changed field, then the risks; a long table is folded."""
    lines = [*_lines(plan, schedule), *([f"<br>{prose(cost)}"] if cost is not None else [])]
    return "\n".join(lines) + "\n"


def _lines(plan: Plan, schedule: str | None) -> Iterator[str]:
    changed = [change for change in plan.changes if change.action is not Action.UNCHANGED]
    yield f"### {prose(plan.pipeline)} → {prose(plan.target)}: {_answer(plan)}"
    yield ""
    if changed:
        many = sum(max(len(change.fields), 1) for change in changed) > 20
        if many:
            yield f"<details><summary>{plural(len(changed), 'task')}</summary>"
            yield ""
        yield "| | task | what | from | to | why | where |"
        yield "|---|---|---|---|---|---|---|"
        for change in changed:
            yield from _rows(change)
        if many:
            yield ""
            yield "</details>"
        yield ""
    for change in changed:
        for risk in change.risks:
            yield f"- **{risk.label.value}**: {cell(change.task)} {prose(risk.message)}"
    for risk in plan.risks:
        yield f"- **{risk.label.value}**: {prose(risk.message)}"
    for note in plan.notes:
        yield f"- {prose(note)}"
    yield _schedule(plan, schedule)


def _answer(plan: Plan) -> str:
    counts = [
        f"{plan.summary[action.value]} to {verb}"
        for action, verb in _VERBS.items()
        if plan.summary[action.value]
    ]
    return ", ".join(counts) if counts else "no changes"


def _rows(change: Change) -> Iterator[str]:
    verb = _VERBS[change.action]
    if not change.fields:
        was = f"was {cell(change.moved_from)}" if change.moved_from else ""
        yield f"| {verb} | {cell(change.task)} | {was} | | | | |"
    for field in change.fields:
        yield f"| {verb} | {cell(change.task)} | {' | '.join(_cells(field))} |"


def _cells(field: FieldChange) -> Iterator[str]:
    yield cell(field.path.removesuffix("_ms"))
    old, new = shown_pair(field)
    yield cell(old)
    yield cell(new)
    yield "; ".join([field.reason.value, *(cell_prose(file_words(file)) for file in field.files)])
    yield cell_prose(field.place or "")


def _schedule(plan: Plan, schedule: str | None) -> str:
    if schedule is None:
        return "\nNo schedule."
    state = "on" if plan.resume_root else "off"
    runs = ", ".join(moment(at) for at in plan.next_runs)
    return f"\nSchedule {state}: {prose(schedule)}" + (f". Next runs: {runs}" if runs else "")
