"""Drawings as one self-contained HTML page: no network access, no fonts, a script that only reads the page.

The Content-Security-Policy in the head allows only the page's one style block and one script block, by their hashes.
The page works without its script: cards are links, and tasks open with the browser's own `<details>`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence

from sfml.plan.model import Action, FieldChange
from sfml.render.page.drawing import Card, Drawing
from sfml.render.page.places import placed_of
from sfml.render.page.shapes import KIND_WORDS, SIGNS
from sfml.render.page.style import page_script, page_style
from sfml.render.page.svg import legend_rows, next_runs_data, svg_in_page
from sfml.render.page.words import escaped, escaped_lines
from sfml.render.plan import file_words, hidden, whole
from sfml.render.review_words import VERBS, place_words
from sfml.render.statements import is_long, statement_diff
from sfml.render.units import plural

_LONGEST = 2_000
"""Number of characters of a value that the page shows; a longer statement is better read in its file."""

_FLAT = 0.3
"""Below this ratio of height to width, the tasks are listed below the graph, not beside it."""


def html(title: str, drawings: Sequence[Drawing], lead: Sequence[str] = ()) -> str:
    """The page. Of several drawings it shows one at a time; the phrases of `lead` stand above them."""
    body = (
        *((f'<p class="lead">{" · ".join(map(escaped, lead))}</p>',) if lead else ()),
        *_choice(drawings),
        "<main>",
        *(line for at, drawing in enumerate(drawings, start=1) for line in _section(drawing, f"p{at}")),
        "</main>",
    )
    return document(title, body, page_style(), page_script())


def document(title: str, body: Iterable[str], style: str, script: str | None = None) -> str:
    """An HTML document with these elements, one style sheet and at most one script, which alone are allowed."""
    script_source = f"script-src '{_hash(script)}'; " if script is not None else ""
    rules = f"style-src '{_hash(style)}'; {script_source}"
    policy = f"default-src 'none'; {rules}base-uri 'none'; form-action 'none'"
    ending = f"<script>{script}</script>\n" if script is not None else ""
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{escaped(title)}</title>",
            f"<style>{style}</style>\n</head>\n<body>",
            *body,
            f"{ending}</body>\n</html>\n",
        )
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _choice(drawings: Sequence[Drawing]) -> Iterator[str]:
    if len(drawings) > 1:
        yield '<nav aria-label="Graphs"><ul>'
        for at, drawing in enumerate(drawings, start=1):
            yield f'<li><a href="#p{at}">{escaped(drawing.title)}</a></li>'
        yield "</ul></nav>"


def _section(drawing: Drawing, prefix: str) -> Iterator[str]:
    changed = sum(card.action is not Action.UNCHANGED for card in drawing.cards)
    yield f'<section id="{prefix}" aria-labelledby="{prefix}-title">'
    yield f'<header><h1 id="{prefix}-title">{escaped(drawing.title)}</h1>'
    yield f'<p class="about">{" · ".join(escaped(text) for text in drawing.about)}</p>'
    yield f'<div class="tools"><label for="{prefix}-find">Find <input type="search" id="{prefix}-find"'
    yield ' placeholder="name, kind, warehouse…" autocomplete="off" spellcheck="false"></label>'
    if drawing.is_diff:
        yield f'<label><input type="checkbox" class="only"> only what changes ({changed})</label>'
    yield f'<output class="found" aria-live="polite">{plural(len(drawing.cards) - 1, "task")}</output>'
    yield '<span class="zoom" role="group" aria-label="Zoom">'
    for name, label, sign in (("out", "Smaller", "−"), ("in", "Larger", "+"), ("fit", "Show all", "⤢")):
        yield f'<button type="button" data-zoom="{name}" aria-label="{label}" title="{label}">{sign}</button>'
    yield "</span></div></header>"
    placed = placed_of(drawing)
    yield f'<div class="sides{" below" if placed.height < placed.width * _FLAT else ""}">'
    yield f'<div class="view" tabindex="0" role="region" aria-label="Graph of {escaped(drawing.title)}">'
    yield svg_in_page(placed, prefix)
    yield "</div>"
    yield f'<aside aria-label="Tasks of {escaped(drawing.title)}">'
    yield from _legend(drawing)
    yield from _graph_as_a_whole(drawing)
    for at, card in enumerate(drawing.cards):
        yield from _task(drawing, at, card, prefix)
    yield "</aside></div></section>"


def _legend(drawing: Drawing) -> Iterator[str]:
    yield '<details class="legend"><summary>What the signs mean</summary><ul>'
    for path, words, square in legend_rows(drawing):
        yield (
            f'<li><svg class="picture" width="20" height="20" viewBox="0 0 {square} {square}" aria-hidden="true">'
            f'<g class="card"><path class="icon" d="{path}"/></g></svg> {words}</li>'
        )
    if any(card.is_branch for card in drawing.cards):
        yield "<li>pointed ends: a branch; the outcome stands on the edge</li>"
    if any(card.is_finalizer for card in drawing.cards):
        yield "<li>dotted: the finalizer, behind the line that everything ends at</li>"
    for action, verb in VERBS.items():
        if any(card.action is action for card in drawing.cards):
            yield f'<li><span class="sign {action.value}">{SIGNS[action]}</span> {verb}</li>'
    if drawing.is_diff:
        yield "<li>thick edges are new, dashed ones are gone</li>"
    yield "</ul></details>"


def _graph_as_a_whole(drawing: Drawing) -> Iterator[str]:
    for warning in drawing.warnings:
        yield f'<p class="risk"><strong>!</strong> {escaped(warning)}</p>'
    if drawing.settings:
        yield from _changes("What changes for all of it", drawing.settings)


def _task(drawing: Drawing, at: int, card: Card, prefix: str) -> Iterator[str]:
    mark = "" if card.action is Action.UNCHANGED else f" {card.action.value}"
    words = " ".join(
        (card.name, KIND_WORDS[card.kind], *card.lines, card.note or "", VERBS.get(card.action, ""))
    )
    if card.is_branch:
        words += " branch"
    if card.is_finalizer:
        words += " finalizer"
    yield f'<details class="task{mark}" data-find="{escaped(words.lower())}"><summary>'
    if card.action is not Action.UNCHANGED:
        verb = VERBS[card.action]
        yield f'<span class="sign{mark}" role="img" aria-label="{verb}" title="{verb}">{SIGNS[card.action]}</span>'
    yield f'<span class="task-name">{escaped(card.name)}</span>'
    yield f'<span class="what">{escaped(_kind_and_place(card))}</span></summary>'
    yield f'<div id="{prefix}-t{at}" class="body" tabindex="-1">'
    for text in card.about:
        yield f"<p>{escaped(text)}</p>"
    if card.next_runs is not None:
        words = escaped(card.next_runs.words)
        yield f"<p{next_runs_data(card.next_runs, count=3)}>{words}</p>"
    yield from _outcomes(drawing, card, prefix)
    for risk in card.risks:
        yield f'<p class="risk"><strong>!</strong> {escaped(risk.message)}</p>'
    if card.changes:
        yield from _changes("What changes", card.changes)
    yield from _settings(card)
    yield from _sources(card)
    yield f'<p><a href="#{prefix}-n{at}">Show in the graph</a></p></div></details>'


def _kind_and_place(card: Card) -> str:
    kind = "branch" if card.is_branch else "finalizer" if card.is_finalizer else card.kind
    return " · ".join((kind, *card.lines, *((card.note,) if card.note else ())))


def _outcomes(drawing: Drawing, card: Card, prefix: str) -> Iterator[str]:
    if not card.outcomes:
        return
    numbers = {one.name: index for index, one in enumerate(drawing.cards) if index}
    yield "<ul>"
    for outcome, tasks in card.outcomes:
        starts = ", ".join(
            f'<a href="#{prefix}-t{numbers[task]}">{escaped(task)}</a>' if task in numbers else escaped(task)
            for task in tasks
        )
        yield f"<li><code>{escaped(outcome)}</code> starts {starts or 'nothing'}</li>"
    yield "</ul>"


def _changes(caption: str, fields: Sequence[FieldChange]) -> Iterator[str]:
    yield f"<table><caption>{caption}</caption><thead><tr>"
    yield '<th scope="col">setting</th><th scope="col">before</th><th scope="col">after</th></tr></thead><tbody>'
    for field in fields:
        name = f'<th scope="row">{escaped(_name(field))}{_where(field)}</th>'
        if is_long(field.old, field.new) and isinstance(field.old, str) and isinstance(field.new, str):
            yield f'<tr>{name}<td colspan="2">{_difference(field.path, field.old, field.new)}</td></tr>'
        else:
            files = "".join(f"<br>{escaped(file_words(file))}" for file in field.files)
            old = (
                "<td>–</td>" if field.old in (None, "") else f"<td><del>{_value(field, field.old)}</del></td>"
            )
            new = (
                "<td>–</td>"
                if field.new in (None, "")
                else f"<td><ins>{_value(field, field.new)}</ins>{files}</td>"
            )
            yield f"<tr>{name}{old}{new}</tr>"
    yield "</tbody></table>"


def _difference(path: str, old: str, new: str) -> str:
    """The statement line by line; added and removed lines have signs, so that colour is not needed to tell them."""
    lines = []
    for line in statement_diff(path, old, new):
        text = escaped(line)
        tag = {"+": "ins", "-": "del"}.get(line[:1])
        lines.append(f"<{tag}>{text}</{tag}>" if tag else text)
    return f"<pre>{chr(10).join(lines)}</pre>"


def _settings(card: Card) -> Iterator[str]:
    fields = [field for field in card.settings if field.path != "code" or not card.code]
    if not fields:
        return
    yield "<table><caption>Settings</caption><thead><tr>"
    yield '<th scope="col">setting</th><th scope="col">value</th></tr></thead><tbody>'
    for field in fields:
        value = _value(field, field.new)
        yield f'<tr><th scope="row">{escaped(_name(field))}{_where(field)}</th><td>{value}</td></tr>'
    yield "</tbody></table>"


def _name(field: FieldChange) -> str:
    return field.path.removesuffix("_ms")


def _where(field: FieldChange) -> str:
    place = place_words(field)
    return f'<span class="where">{escaped(place)}</span>' if place else ""


def _value(field: FieldChange, value: object) -> str:
    value = hidden(field.path, value)  # type: ignore[arg-type]
    if isinstance(value, str) and "\n" in value:
        rest = f"\n… and {len(value) - _LONGEST:,} more characters" if len(value) > _LONGEST else ""
        return f"<pre>{escaped_lines(value[:_LONGEST])}{rest}</pre>"
    text = whole(field.path, value)
    return f"<code>{escaped(text if len(text) <= _LONGEST else text[:_LONGEST] + '…')}</code>"


def _sources(card: Card) -> Iterator[str]:
    yield '<dl class="sources">'
    if card.written:
        yield f"<dt>written in</dt><dd>{escaped(card.written)}</dd>"
    if card.code:
        yield f'<dt>code</dt><dd title="sha256 of the archive that it runs"><code>{escaped(card.code)}</code></dd>'
    if card.fingerprint:
        yield f"<dt>fingerprint</dt><dd><code>{escaped(card.fingerprint)}</code></dd>"
    yield "</dl>"
