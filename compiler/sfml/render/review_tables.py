"""The tables of a diff's comment: old and new settings, old and new schedule, and statements line by line."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.plan.model import Action, Change, FieldChange
from sfml.render import review_words as words
from sfml.render.markdown import cell, cell_prose
from sfml.render.plan import file_words, shown_pair
from sfml.render.statements import is_long, statement_diff
from sfml.render.symbols import Symbols
from sfml.render.units import moment, plural
from sfml.review.model import TargetDiff, Times

_SYMBOLS = Symbols()


def change_table(target: TargetDiff, most: int) -> tuple[list[str], int]:
    """The table of changed settings, and their number. It has at most `most` rows and one that counts the rest."""
    rows = [*(_row("", "target", field) for field in target.settings), *_task_rows(target)]
    if not rows:
        return [], 0
    shown = rows[:most]
    if len(rows) > most:
        shown.append(f"| | | and {plural(len(rows) - most, 'more setting')} | | | |")
    return ["| | task | what | before | after | where |", "|---|---|---|---|---|---|", *shown], len(rows)


def _task_rows(target: TargetDiff) -> Iterator[str]:
    names = words.spec_names(target)
    for change in target.changed:
        sign, verb = _SYMBOLS.of(change.action), words.VERBS[change.action]
        if change.action in (Action.CREATE, Action.DROP):
            yield f"| {sign} | {cell(change.task)} | {verb}: {cell_prose(words.description(change, target))} | | | |"
        elif change.action is Action.MOVE:
            old = names.get(change.moved_from or "", change.moved_from or "")
            yield f"| {sign} | {cell(change.task)} | {verb} | {cell(old)} | {cell(change.task)} | |"
        if change.why:
            yield f"| {sign} | {cell(change.task)} | {cell_prose(change.why)} | | | |"
        for field in change.fields:
            yield _row(sign, change.task, words.in_spec_names(field, names))


def _row(sign: str, task: str, field: FieldChange) -> str:
    old, new = shown_pair(field)
    what = cell(field.path.removesuffix("_ms"))
    if field.files:
        shown = "; ".join(cell(file_words(file)) for file in field.files[:5])
        more = f" and {plural(len(field.files) - 5, 'more file')}" if len(field.files) > 5 else ""
        what = f"{what}: {shown}{more}"
    before = "" if field.old is None else cell(old)
    return f"| {sign} | {cell(task)} | {what} | {before} | {cell(new)} | {cell(words.place_words(field))} |"


def schedule_table(target: TargetDiff) -> Iterator[str]:
    """The schedule before and after, if it changes; for a new pipeline only the new one."""
    old, new = target.old_times, target.new_times
    if not target.changes_times or new is None:
        return
    yield ""
    if old is None:
        yield "| schedule | |"
        yield "|---|---|"
        yield from (f"| {name} | {text} |" for name, text in _facts(new))
        return
    yield "| schedule | before | after |"
    yield "|---|---|---|"
    before = dict(_facts(old))
    for name, text in _facts(new):
        yield f"| {name} | {before[name]} | {text} |"


def _facts(times: Times) -> Iterator[tuple[str, str]]:
    yield "runs", cell_prose(words.times_words(times))
    yield "next", "<br>".join(moment(at) for at in times.next_runs) or "–"
    yield "in 30 days", "–" if times.runs is None else f"{times.runs:,}"


def statements(target: TargetDiff) -> Iterator[tuple[str, list[str]]]:
    """(task, lines of a diff) for each changed definition or condition that is long."""
    for change in target.changed:
        yield from _statements(change)


def _statements(change: Change) -> Iterator[tuple[str, list[str]]]:
    for field in change.fields:
        if field.path in ("definition", "when") and isinstance(field.new, str):
            old = field.old if isinstance(field.old, str) else ""
            if is_long(old, field.new):
                yield change.task, statement_diff(field.path, old, field.new)
