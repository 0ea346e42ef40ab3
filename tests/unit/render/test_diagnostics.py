"""Findings as text and as JSON."""

from __future__ import annotations

import jsonschema

from sfml.base.diagnostic import Diagnostic, Label
from sfml.base.resources import schema
from sfml.base.source import Span
from sfml.render.json import diagnostics_json
from sfml.render.text import diagnostic_text, diagnostics_text

SOURCES = {
    "specs/job.yaml": "version: 1\ntasks:\n" + "\n" * 24 + "    outcomes: [promote_modle, send_alert]\n",
    "steps/gate.py": "\n" * 7 + 'def check(...) -> Literal["promote_model", "send_alert"]:\n',
}
FINDING = Diagnostic.error(
    "SF304",
    "outcome `promote_modle` is not a task",
    at=Span.of("specs/job.yaml", 27, 16, 27, 29),
    path="tasks.check.outcomes[0]",
    label="no task has this name",
    labels=(Label(Span.of("steps/gate.py", 8, 27, 8, 42), "the step returns this"),),
    why="no arm would run",
    help="did you mean `promote_model`?",
)
TEXT = """\
error[SF304]: outcome `promote_modle` is not a task
  --> specs/job.yaml:27:16  (tasks.check.outcomes[0])
   |
27 |     outcomes: [promote_modle, send_alert]
   |                ^^^^^^^^^^^^^ no task has this name
   |
  ::: steps/gate.py:8
   |
 8 | def check(...) -> Literal["promote_model", "send_alert"]:
   |                           --------------- the step returns this
   |
 why: no arm would run
help: did you mean `promote_model`?"""


def test_a_finding_as_people_read_it() -> None:
    assert diagnostic_text(FINDING, SOURCES) == TEXT


def test_colour_only_when_asked() -> None:
    colored = diagnostic_text(FINDING, SOURCES, color=True)
    assert "\x1b[" in colored
    import re

    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == TEXT


def test_findings_are_set_apart() -> None:
    assert diagnostics_text((FINDING, FINDING), SOURCES) == f"{TEXT}\n\n{TEXT}"
    assert diagnostics_text((), SOURCES) == ""


def test_a_file_that_was_not_read_has_no_snippet() -> None:
    text = diagnostic_text(Diagnostic.error("SF121", "no", at=Span.whole("x.yaml")), {})
    assert text == "error[SF121]: no\n  --> x.yaml:1:1"


def test_nothing_in_a_source_can_drive_the_terminal() -> None:
    sources = {"f": "a\x1b[31m\tb\u202e: c\n"}
    finding = Diagnostic.error("SF101", "odd \x1b[0m\nmessage", at=Span.of("f", 1, 8, 1, 9))
    text = diagnostic_text(finding, sources)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(text.splitlines()) == 6


def test_wide_characters_move_the_carets() -> None:
    text = diagnostic_text(Diagnostic.error("SF1", "m", at=Span.of("f", 1, 4, 1, 6)), {"f": "日本: 語x\n"})
    assert text.splitlines()[3:5] == [" 1 | 日本: 語x", "   |      ^^^"]


def test_long_lines_show_the_part_that_matters() -> None:
    line = "x" * 500 + "HERE" + "y" * 500
    text = diagnostic_text(Diagnostic.error("SF1", "m", at=Span.of("f", 1, 501, 1, 505)), {"f": line})
    shown, carets = text.splitlines()[3:5]
    assert len(shown) < 130
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "HERE"


def test_spans_of_several_lines_mark_the_first() -> None:
    text = diagnostic_text(Diagnostic.error("SF1", "m", at=Span.of("f", 1, 3, 2, 4)), {"f": "a: {\n  b}\n"})
    assert text.splitlines()[3:5] == [" 1 | a: {", "   |   ^^"]


def test_json_fits_its_schema() -> None:
    everything = diagnostics_json((FINDING, Diagnostic.warning("SF132", "given with --var")), ("local",))
    jsonschema.validate(everything, schema("output/validate.schema.json"))
    first = everything["diagnostics"][0]
    assert (first["file"], first["line"], first["column"], first["end_column"]) == (
        "specs/job.yaml",
        27,
        16,
        29,
    )
    assert everything["diagnostics"][1]["file"] is None
