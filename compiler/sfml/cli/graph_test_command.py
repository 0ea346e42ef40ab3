"""`sfml test SPEC…`"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfml.base.diagnostic import Diagnostic, by_position, has_errors
from sfml.base.errors import InvalidSpec, UsageError
from sfml.base.full_disk import is_disk_full
from sfml.cli import output
from sfml.cli.finding_formats import say_in_format
from sfml.cli.inputs import read
from sfml.cli.options import Options, shared_options, specs_argument

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading
    from sfml.graph.declared_tests import GraphTest
    from sfml.graph_tests.suite import SuiteResult


@click.command()
@specs_argument()
@click.option(
    "-k", "words", multiple=True, metavar="TEXT", help="Execute only tests with this text in their names."
)
@click.option(
    "--local",
    is_flag=True,
    help="Run the real steps on a local Snowflake, except tasks whose end a test gives.",
)
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Also write JUnit XML."
)
@shared_options("github", "sarif")
def command(
    specs: tuple[str, ...], words: tuple[str, ...], local: bool, junit: Path | None, options: Options
) -> int:
    """Execute graph tests. A test gives the ends of tasks, or a clock, and states which tasks run, or when runs begin.

    Tests are written under `tests` of a pipeline. They are judged by Snowflake's rules, without an account; with
    --local they run on a temporary local Snowflake.
    """
    from sfml.frontend.entry_files import entry_files
    from sfml.graph_tests.selection import chosen_tests

    began = time.perf_counter()
    readings = [read(str(file), options) for file in entry_files(specs)]
    demand_right(readings, options)
    chosen = [
        (reading, tests)
        for reading in readings
        if reading.graph is not None and (tests := chosen_tests(reading.graph, words))
    ]
    if not chosen:
        raise _nothing(readings, words)
    every = _on_local_snowflake(chosen, options) if local else [_by_rules(*one) for one in chosen]
    sources = {name: text for reading in readings for name, text in reading.sources.items()}
    if junit is not None:
        _write_junit(junit, every, sources)
    _say(every, sources, options, "local" if local else "rules", time.perf_counter() - began)
    return 0 if all(suite.count("passed") == len(suite.verdicts) for suite in every) else 1


def _by_rules(reading: Reading, tests: tuple[GraphTest, ...]) -> SuiteResult:
    from sfml.graph_tests.selection import verdict
    from sfml.graph_tests.suite import tested
    from sfml.ways.shape import Behaviour

    assert reading.graph is not None
    return tested(reading.graph, reading.prefix, tests, partial(verdict, Behaviour(reading.graph)))


def _on_local_snowflake(
    chosen: list[tuple[Reading, tuple[GraphTest, ...]]], options: Options
) -> list[SuiteResult]:
    """Execute all tests on one server, and print a line for each on standard error, because real steps take long."""
    from sfml.graph_tests.suite import tested
    from sfml.graph_tests.verdict import Verdict
    from sfml.operations.local_server import require_local

    require_local()
    from sfml.testing.given import LocalRuns, throwaway_server

    def tell(text: str) -> None:
        if options.format == "text" and not options.quiet:
            output.note(text)

    def told(test: GraphTest, runs: LocalRuns) -> Verdict:
        tell(f"  {test.name} …")
        return runs.verdict(test)

    tell("starting a local Snowflake …")
    with throwaway_server() as server:
        return [
            tested(reading.graph, reading.prefix, tests, partial(told, runs=LocalRuns(reading, server)))
            for reading, tests in chosen
            if reading.graph is not None
        ]


def demand_right(readings: list[Reading], options: Options, *, but_for: str | None = None) -> None:
    """Print the findings of all pipelines; raises `InvalidSpec` for errors, except those with the code `but_for`."""
    from sfml.cli.inputs import say_findings

    for reading in readings:
        say_findings(reading, options)
    findings = tuple(finding for reading in readings for finding in reading.diagnostics)
    if has_errors(tuple(finding for finding in findings if finding.code != but_for)):
        raise InvalidSpec(by_position(findings))


def _nothing(readings: list[Reading], words: tuple[str, ...]) -> UsageError:
    there = sum(len(reading.graph.tests) for reading in readings if reading.graph is not None)
    if words and there:
        return UsageError(
            f"no test's name contains {' or '.join(f'`{word}`' for word in words)}",
            help="leave out -k to execute all of them",
        )
    if there:
        return UsageError("no test is for this target", help="name another one with --target")
    return UsageError(
        "there are no tests", help="write some under `tests:` of the pipeline; docs/testing.md has examples"
    )


def _write_junit(path: Path, every: list[SuiteResult], sources: dict[str, str]) -> None:
    from sfml.render.junit import tests_junit

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(tests_junit(every, sources), encoding="utf-8")
    except OSError as cause:
        if is_disk_full(cause):
            raise
        raise UsageError(f"cannot write `{path}`: {cause.strerror or cause}") from cause


def _say(
    every: list[SuiteResult], sources: dict[str, str], options: Options, how: str, seconds: float
) -> None:
    findings = [finding for suite in every for verdict in suite.verdicts for finding in verdict.findings]
    if options.json:
        from sfml.render.graph_tests import tests_json

        output.say_json(tests_json(every, how))
    elif not say_in_format(options.format, findings):
        _say_text(every, findings, sources, options, seconds)


def _say_text(
    every: list[SuiteResult],
    findings: list[Diagnostic],
    sources: dict[str, str],
    options: Options,
    seconds: float,
) -> None:
    from sfml.render.graph_tests import tests_text, totals_text
    from sfml.render.symbols import Symbols
    from sfml.render.text import diagnostics_text

    symbols = Symbols(output.takes_unicode())
    for suite in every:
        text = tests_text(suite, symbols, failures_only=options.quiet)
        if text:
            output.say(text)
            output.say()
    if findings:
        output.say_colored(diagnostics_text(findings, sources, color=output.wants_color(options.no_color)))
        output.say()
    if findings or not options.quiet:
        output.say(totals_text(every, seconds))
