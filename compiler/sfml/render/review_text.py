"""A diff as text: a summary in the first line, then each pipeline with its changes and their places in the files."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace

from sfml.plan.model import Action, Change
from sfml.render import review_words as words
from sfml.render.plan import field_lines
from sfml.render.printable import printable
from sfml.render.statements import is_long, statement_diff
from sfml.render.symbols import Symbols
from sfml.render.text import diagnostics_text
from sfml.render.units import moment
from sfml.review.model import Diff, PipelineDiff, Status, TargetDiff


def diff_text(diff: Diff, symbols: Symbols, *, fingerprints: bool = False) -> str:
    """The diff; with `fingerprints` also the values for `sfml apply --require-fingerprint`."""
    return "\n".join(_lines(diff, symbols, fingerprints))


def _lines(diff: Diff, symbols: Symbols, fingerprints: bool) -> Iterator[str]:
    sides = f"{words.side_words(diff.base)} {symbols['arrow']} {words.side_words(diff.head)}"
    yield f"{printable(sides)}   {words.answer(diff)}"
    for pipeline in diff.changed():
        yield ""
        yield from _pipeline_lines(pipeline, symbols, fingerprints)
    costs = list(words.costs(diff, symbols["arrow"]))
    if costs:
        yield ""
    for name, targets, change in costs:
        yield f"cost of {printable(name)} in {printable(targets)}: {printable(change)}"
    rest = words.rest_words(diff)
    if rest or diff.notes:
        yield ""
    for note in diff.notes:
        yield f"{symbols['risk']} {printable(note)}"
    if rest:
        yield rest[0].upper() + rest[1:] + "."


def _pipeline_lines(pipeline: PipelineDiff, symbols: Symbols, fingerprints: bool) -> Iterator[str]:
    yield printable(f"{pipeline.pipeline}  {pipeline.spec}   {pipeline.status.value}")
    yield f"  by {printable(', '.join(file.path for file in pipeline.files))}"
    for name, findings, sources in (
        ("before", pipeline.base_findings, pipeline.base_sources),
        ("now", pipeline.head_findings, pipeline.head_sources),
    ):
        if findings:
            yield ""
            yield f"  {name}:"
            yield diagnostics_text(findings, sources)
    if pipeline.old_findings:
        yield ""
        yield f"  {words.old_findings(pipeline)}: {printable(f'sfml validate {shlex.quote(pipeline.spec)}')}"
    for group in words.shown_groups(pipeline):
        yield ""
        yield from _target_lines(group, symbols)
        if fingerprints:
            for target_diff in group:
                if target_diff.head is not None:
                    yield f"    fingerprint of {printable(target_diff.target)}: {target_diff.head.fingerprint}"
    same = words.unchanged_targets(pipeline)
    if same:
        yield f"  {printable(', '.join(same))}: as before"


def _target_lines(group: tuple[TargetDiff, ...], symbols: Symbols) -> Iterator[str]:
    target = group[0]
    names = printable(words.group_names(group))
    if target.status is Status.BROKEN:
        side = target.base or target.head
        shown = f": it had {len(side.desired.all_tasks)} tasks" if side and side is target.base else ""
        yield f"  {names}   cannot be compared{shown}"
        return
    yield f"  {names}   {words.counts(target)}"
    task_names = words.spec_names(target)
    for field in target.settings:
        yield from field_lines(field, symbols)
    for change in target.changed:
        yield from _change_lines(change, target, task_names, symbols)
    yield from _schedule_lines(target, symbols)
    for text in (*(risk.message for risk in target.risks), *target.notes):
        yield f"  {symbols['risk']} {printable(text)}"


def _change_lines(
    change: Change, target: TargetDiff, names: Mapping[str, str], symbols: Symbols
) -> Iterator[str]:
    head = f"    {symbols.of(change.action)} {printable(change.task)}"
    if change.action in (Action.CREATE, Action.DROP):
        head += f"   {printable(words.description(change, target))}"
    if change.moved_from is not None:
        head += f"   was {printable(names.get(change.moved_from, change.moved_from))}"
    yield head
    if change.why is not None:
        yield f"        replaced because {change.why}"
    for field in change.fields:
        renamed = replace(words.in_spec_names(field, names), place=words.place_words(field) or None)
        for line in field_lines(renamed, symbols):
            yield f"  {printable(line)}"
        if isinstance(field.old, str) and isinstance(field.new, str) and is_long(field.old, field.new):
            for line in statement_diff(field.path, field.old, field.new):
                yield f"          {line}"
    for risk in change.risks:
        yield f"        {symbols['risk']} {printable(risk.message)}"


def _schedule_lines(target: TargetDiff, symbols: Symbols) -> Iterator[str]:
    old, new = target.old_times, target.new_times
    if not target.changes_times or new is None:
        return
    arrow = symbols["arrow"]
    if old is None:
        yield f"    schedule   {printable(words.times_words(new))}"
    else:
        yield f"    schedule   {printable(words.times_words(old))} {arrow} {printable(words.times_words(new))}"
        yield f"    runs in 30 days   {words.runs_words(old)} {arrow} {words.runs_words(new)}"
    for name, times in (("next before", old), ("next now", new)):
        if times is not None and times.next_runs:
            runs = f" {symbols['dot']} ".join(moment(at) for at in times.next_runs)
            yield f"    {name:<11}  {runs}"
