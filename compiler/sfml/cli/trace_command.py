"""`sfml trace MODEL@VERSION|RUN [SPEC]`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sfml.base.errors import ConflictingState, UsageError
from sfml.cli import output
from sfml.cli.inputs import compile_spec, connected
from sfml.cli.options import Options, shared_options

if TYPE_CHECKING:
    from sfml.account.trace import Trace
    from sfml.frontend.compiled_spec import CompiledSpec


@click.command()
@click.argument("subject", metavar="MODEL@VERSION|RUN")
@click.argument("specs", nargs=-1, metavar="[SPEC]…")
@shared_options()
def command(subject: str, specs: tuple[str, ...], options: Options) -> int:
    """Trace a model version to the run that made it: task and line of the spec, deployment, commit, data, metrics.

    Of a run, given by its id, the start of it or `last`, the versions that it made and the tables that it scored are
    shown. VERSION may be an alias: CLV_MODEL@champion. Without SPEC, the pipelines of the project are searched.
    """
    from sfml.render.symbols import Symbols
    from sfml.render.trace import trace_json, trace_text

    traced = _traced(subject, specs, options)
    if options.json:
        output.say_json(trace_json(traced))
    elif not options.quiet:
        output.say(trace_text(traced, Symbols(output.takes_unicode())))
    return 0


def _traced(subject: str, specs: tuple[str, ...], options: Options) -> Trace:
    """The trace by the first pipeline that knows the subject; raises the error of the last one if none does."""
    from sfml.operations.known_runs import LAST
    from sfml.operations.trace import trace, version_asked

    candidates = _candidates(subject, specs, options)
    if subject == LAST and len(candidates) > 1:
        raise UsageError("name the pipeline whose last run is meant", help=f"sfml trace {LAST} SPEC")
    unknown: ConflictingState | None = None
    for compiled_spec in candidates:
        try:
            with connected(compiled_spec, options) as target:
                return trace(compiled_spec, target, subject)
        except ConflictingState as error:  # also where its schema does not exist
            unknown = error
    assert unknown is not None, "there is at least one pipeline"
    if len(candidates) == 1:
        raise unknown
    if version_asked(subject) is not None:
        raise ConflictingState(
            f"the schemas of {len(candidates)} pipelines have no model version `{subject}`",
            help="list the versions of a pipeline's models:  sfml models list SPEC",
        ) from unknown
    raise ConflictingState(
        f"none of {len(candidates)} pipelines knows `{subject}`: Snowflake keeps the history of runs for seven days",
        help="list the runs of a pipeline:  sfml history SPEC",
    ) from unknown


def _candidates(subject: str, specs: tuple[str, ...], options: Options) -> tuple[CompiledSpec, ...]:
    """The pipelines to search: for a model, those whose steps get it as `model_name`, if there are any."""
    from sfml.account.registered import models_of
    from sfml.account.trace import is_same_model
    from sfml.frontend.entry_files import entry_files
    from sfml.operations.trace import version_asked

    asked = version_asked(subject)
    compiled_specs = tuple(compile_spec(str(file), options) for file in entry_files(specs))
    if not compiled_specs:
        raise UsageError("there is no pipeline to search")
    if asked is None:
        return compiled_specs
    graphs = [(one, one.reading.graph) for one in compiled_specs]
    theirs = tuple(
        one
        for one, graph in graphs
        if graph is not None and any(is_same_model(name, asked[0]) for name in models_of(graph))
    )
    return theirs or compiled_specs
