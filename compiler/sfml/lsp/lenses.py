"""Lenses: what can be done with a pipeline from its file — test it, draw it, count what it costs — and doing it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path

from lsprotocol import types

from sfml.base.record import record
from sfml.cost.estimate import estimate
from sfml.frontend.compiled_spec import desired_graph
from sfml.frontend.reading import Reading
from sfml.graph_tests.selection import verdict
from sfml.graph_tests.suite import tested
from sfml.lsp.cursor import Cursor
from sfml.lsp.outline_text import Block, blocks
from sfml.render.cost import Price, cost_text
from sfml.render.graph_tests import tests_text, totals_text
from sfml.render.page.drawing import drawing_of
from sfml.render.page.html import html
from sfml.render.symbols import Symbols
from sfml.render.text import diagnostics_text
from sfml.review.model import CompiledTarget
from sfml.ways.shape import Behaviour

TEST, DRAW, COST = "sfml.test", "sfml.draw", "sfml.cost"


@cache
def _pictures() -> Path:
    """A folder for the pictures of this server."""
    return Path(tempfile.mkdtemp(prefix="sfml-"))


@record
class Outcome:
    """What a command tells: a line, the whole text, and the file that it has written."""

    line: str
    text: str
    file: Path | None = None


def lenses(cursor: Cursor) -> list[types.CodeLens]:
    """The lenses of an entry file, and of every test in a file of tests."""
    uri = cursor.session.uri_of(cursor.path)
    result: list[types.CodeLens] = []
    is_entry = cursor.file in cursor.project.pipelines
    for block in blocks(cursor.text):
        if block.keys == ("pipeline",) and is_entry:
            for title, command in (("run tests", TEST), ("draw", DRAW), ("cost", COST)):
                result.append(_lens(cursor, block, title, command, uri))
        elif block.keys[:1] == ("tests",) and len(block.keys) == 2:
            result.append(_lens(cursor, block, "run test", TEST, uri, block.keys[1]))
    return result


def _lens(cursor: Cursor, block: Block, title: str, command: str, *arguments: str) -> types.CodeLens:
    at = cursor.places.range_of(block.start, block.end)
    return types.CodeLens(at, types.Command(title, command, arguments=list(arguments)))


def run_tests(cursor: Cursor, name: str | None = None) -> Outcome:
    """Execute the tests of the pipelines that read the document, or the one of that name."""
    began = time.perf_counter()
    suites = []
    texts = []
    for reading in _readings(cursor):
        graph = reading.graph
        if graph is None:
            return _broken(reading)
        tests = tuple(
            test
            for test in graph.tests
            if (name is None or test.name == name)
            and (not test.targets or reading.target in {target.name for target in test.targets})
        )
        suite = tested(graph, reading.prefix, tests, partial(verdict, Behaviour(graph)))
        suites.append(suite)
        texts.append(tests_text(suite, Symbols(True)))
        findings = [finding for one in suite.verdicts for finding in one.findings]
        if findings:
            texts.append(diagnostics_text(findings, reading.sources, color=False))
    if not any(suite.verdicts for suite in suites):
        return Outcome("there are no tests", "there are no tests for this target")
    line = totals_text(suites, time.perf_counter() - began)
    return Outcome(line, "\n\n".join((*filter(None, texts), line)))


def draw(cursor: Cursor) -> Outcome:
    """Write the picture of the pipeline as a page."""
    [reading, *_] = _readings(cursor)
    if reading.graph is None:
        return _broken(reading)
    drawing = drawing_of(CompiledTarget(reading.graph, desired_graph(reading), ""))
    file = _pictures() / f"{reading.graph.pipeline}.html"
    file.write_text(html(drawing.title, (drawing,)), encoding="utf-8")
    return Outcome(f"drawn: {file}", str(file), file)


def cost(cursor: Cursor) -> Outcome:
    """Estimate the credits of a month."""
    readings = list(_readings(cursor))
    graphs = [reading.walkable for reading in readings if reading.walkable is not None]
    if len(graphs) < len(readings) or not graphs:
        return _broken(readings[0])
    text = cost_text(estimate(graphs), Price(None, None, None))
    return Outcome(text.partition("\n")[0], text)


def _readings(cursor: Cursor) -> Iterator[Reading]:
    for index in cursor.indexes:
        yield index.reading


def _broken(reading: Reading) -> Outcome:
    errors = [diagnostic for diagnostic in reading.diagnostics if diagnostic.is_error]
    text = diagnostics_text(errors, reading.sources, color=False)
    return Outcome(f"{reading.entry} has errors", text)


COMMANDS: Mapping[str, Callable[..., Outcome]] = {TEST: run_tests, DRAW: draw, COST: cost}
