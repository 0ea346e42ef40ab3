"""Parts of commands for several pipelines: a failure of one does not stop the others; each target is opened once."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from sfml.base.diagnostic import has_errors
from sfml.base.errors import ConnectionFailed, InvalidSpec, LeaseHeld, LeaseLost, SfmlError
from sfml.base.record import record
from sfml.cli import output
from sfml.cli.inputs import connected, read
from sfml.cli.options import Options
from sfml.frontend.compiled_spec import CompiledSpec, desired_graph
from sfml.operations.target_account import TargetAccount
from sfml.render.printable import printable
from sfml.render.symbols import Symbols

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.frontend.reading import Reading
    from sfml.graph.model import Target, TaskGraph

T = TypeVar("T")


@record
class PipelineFailure:
    """A pipeline for which a command failed; `pipeline` is None if its spec cannot be read."""

    spec: str
    pipeline: str | None
    target: str | None
    error: SfmlError

    @property
    def name(self) -> str:
        return self.pipeline or self.spec


@record
class UnfinishedWork:
    """A pipeline whose work was stopped by a signal, during it or before it began."""

    compiled_spec: CompiledSpec
    is_begun: bool


class Targets:
    """The target accounts of one command; each is opened at its first use and closed at the end."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._stack = ExitStack()
        self._open: list[tuple[Path, Target, TargetAccount]] = []
        self._closed: dict[object, ConnectionFailed] = {}

    def __enter__(self) -> Targets:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, error, trace)

    def of(
        self, compiled_spec: CompiledSpec, on_missing: Callable[[SnowflakeConnection], None] | None = None
    ) -> TargetAccount:
        """The pipeline's target. For an account that did not answer, the same `ConnectionFailed` is raised again."""
        target = compiled_spec.desired.target
        for root, other, there in self._open:
            if (root, other) == (compiled_spec.root, target):
                return there
        account = (compiled_spec.root, target.kind, target.connection, target.account, target.owner_role)
        if account in self._closed:
            raise self._closed[account]
        try:
            there = self._stack.enter_context(connected(compiled_spec, self._options, on_missing=on_missing))
        except ConnectionFailed as error:
            self._closed[account] = error
            raise
        self._open.append((compiled_spec.root, target, there))
        return there


def compile_specs(specs: Iterable[str], options: Options) -> list[CompiledSpec | PipelineFailure]:
    """Compile every pipeline that the arguments name. Findings that several share are printed once."""
    from sfml.frontend.between_pipelines import together
    from sfml.frontend.entry_files import entry_files

    files = [str(file) for file in entry_files(specs)]
    readings = together([read(file, options) for file in files])
    _say_findings(readings, options)
    return [_compile_spec(file, reading, options) for file, reading in zip(files, readings, strict=True)]


def _compile_spec(file: str, reading: Reading, options: Options) -> CompiledSpec | PipelineFailure:
    spec = reading.loaded.spec
    try:
        if reading.graph is None or has_errors(reading.diagnostics):
            raise InvalidSpec(reading.diagnostics)
        return CompiledSpec(reading, desired_graph(reading))
    except SfmlError as error:
        failure = PipelineFailure(file, spec.name if spec else None, reading.target, error)
        say_failure(failure, options)
        return failure


def _say_findings(readings: Sequence[Reading], options: Options) -> None:
    from sfml.frontend.shared_findings import distinct_findings

    diagnostics = distinct_findings(readings)
    if options.json or not diagnostics:
        return
    from sfml.render.text import diagnostics_text

    sources = {name: text for reading in readings for name, text in reading.sources.items()}
    output.note_colored(diagnostics_text(diagnostics, sources, color=output.wants_color(options.no_color)))


def each(
    pipelines: Sequence[CompiledSpec | PipelineFailure], work: Callable[[CompiledSpec], T], options: Options
) -> list[T | PipelineFailure]:
    """Call `work` for each pipeline; returns the results. A failure is printed, and is the result of its pipeline."""
    results: list[T | PipelineFailure] = []
    for compiled_spec in pipelines:
        if isinstance(compiled_spec, PipelineFailure):
            results.append(compiled_spec)
            continue
        try:
            results.append(work(compiled_spec))
        except SfmlError as error:
            results.append(report_failure(compiled_spec, error, options))
    return results


def failure_of(compiled_spec: CompiledSpec, error: SfmlError) -> PipelineFailure:
    desired = compiled_spec.desired
    return PipelineFailure(desired.spec_path, desired.pipeline, desired.target.name, error)


def report_failure(compiled_spec: CompiledSpec, error: SfmlError, options: Options) -> PipelineFailure:
    """The failure of a pipeline, after it was printed."""
    failure = failure_of(compiled_spec, error)
    say_failure(failure, options)
    return failure


def say_failure(failure: PipelineFailure, options: Options) -> None:
    """Print a failure with its pipeline on standard error; with JSON output, it is one of the results instead."""
    if options.json:
        return
    error = failure.error
    # The text of a lease is untrusted, and must not look like a line of this program.
    message = printable(error.message) if isinstance(error, LeaseHeld | LeaseLost) else error.message
    help = f"sfml validate {shlex.quote(failure.spec)}" if isinstance(error, InvalidSpec) else error.help
    output.say_error(f"{failure.name}: {message}", help)


def graph_of(compiled_spec: CompiledSpec) -> TaskGraph:
    graph = compiled_spec.reading.graph
    assert graph is not None, "a pipeline with errors has no compiled spec"
    return graph


def say_turn(compiled_spec: CompiledSpec, options: Options) -> None:
    """Print the name of the next pipeline, as a heading for what is done to it."""
    if options.speaks:
        arrow = Symbols(output.takes_unicode())["arrow"]
        output.say(f"{compiled_spec.desired.pipeline} {arrow} {compiled_spec.desired.target.name}")


def failure_json(failure: PipelineFailure) -> Mapping[str, Any]:
    """The entry of a pipeline that failed, in `schemas/output/several.schema.json`."""
    return {
        "pipeline": failure.pipeline,
        "target": failure.target,
        "spec": failure.spec,
        **output.error_json(failure.error),
    }


def say_json_of(results: Sequence[Mapping[str, Any] | PipelineFailure]) -> None:
    """Print the JSON object of a command for several pipelines."""
    output.say_json(
        {
            "pipelines": [
                failure_json(result) if isinstance(result, PipelineFailure) else result for result in results
            ]
        }
    )


def failures(results: Iterable[object]) -> list[PipelineFailure]:
    return [result for result in results if isinstance(result, PipelineFailure)]


def failed_words(results: Sequence[object]) -> str:
    """`, 2 failed: churn, clv`; empty if none failed."""
    names = [failure.name for failure in failures(results)]
    return f", {len(names)} failed: {', '.join(names)}" if names else ""


def arguments_text(specs: Sequence[str], options: Options) -> str:
    """The arguments for a next command on the same pipelines, each with a space before it."""
    target = (f"-t {options.target}",) if options.target else ()
    return "".join(f" {word}" for word in (*map(shlex.quote, specs), *target))
