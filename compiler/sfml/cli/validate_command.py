"""`sfml validate SPEC…`"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfml.base.diagnostic import Diagnostic, Severity, has_errors
from sfml.cli import output
from sfml.cli.finding_formats import say_in_format
from sfml.cli.inputs import read, user_name
from sfml.cli.options import Options, shared_options, specs_argument
from sfml.cli.policy_options import explanations_of, held_to_policies, policy_options

if TYPE_CHECKING:
    from sfml.cli.fixes import AppliedFix
    from sfml.frontend.reading import Reading


@click.command()
@specs_argument()
@click.option("--fix", is_flag=True, help="Make all safe fixes in the files; other text does not change.")
@policy_options
@click.option(
    "--baseline",
    metavar="REF",
    help="Of policies, report only what is new since the work tree left this commit, such as origin/main.",
)
@shared_options("github", "gitlab", "sarif", "junit", "markdown")
def command(
    specs: tuple[str, ...],
    fix: bool,
    policies_of: str | None,
    baseline: str | None,
    options: Options,
) -> int:
    """Check specs: every finding, with file, line, column, code and help.

    SPEC is an entry file, a folder, a glob or a pipeline's name; by default, all pipelines of the project are taken.
    Every target of the project is checked, or only --target.
    Needs no account and no Snowflake packages, and runs no step code. To silence a warning, write a comment with a
    reason on its line: `# sfml: ignore SF326 -- reason`; for the whole project, use `ignore` in sfml.yaml.
    The project's policies are applied as well, if sfml.yaml has the key `policies`.
    """
    from sfml.frontend.entry_files import entry_files

    began = time.perf_counter()
    files = entry_files(specs)

    def read_all() -> list[Reading]:
        from sfml.frontend.whole_project import read_together

        each = [_read_targets(file, options) for file in files]

        def held(readings: list[Reading]) -> list[Reading]:
            return held_to_policies(readings, options, policies_of, baseline)

        return read_together(files, each, lambda file, target: _read_for(file, target, options), held)

    done: tuple[AppliedFix, ...] = ()
    if fix:
        from sfml.cli.fixes import fix_all

        readings, done = fix_all(read_all)
    else:
        readings = read_all()
    from sfml.frontend.shared_findings import distinct_findings

    diagnostics = distinct_findings(readings)
    _say(diagnostics, readings, done, options, (len(files), time.perf_counter() - began))
    return 1 if has_errors(diagnostics) else 0


def _read_targets(file: Path, options: Options) -> tuple[Reading, ...]:
    from sfml.frontend.reading import read_targets

    return read_targets(file, target=options.target, variables=options.variables, user=user_name(options))


def _read_for(file: Path, target: str, options: Options) -> Reading:
    return read(str(file), replace(options, target=target))


def _say(
    diagnostics: tuple[Diagnostic, ...],
    readings: list[Reading],
    done: tuple[AppliedFix, ...],
    options: Options,
    figures: tuple[int, float],
) -> None:
    if options.json:
        from sfml.render.json import diagnostics_json, fix_json

        more = (
            {"fixed": [{"code": applied_fix.code, **fix_json(applied_fix.fix)} for applied_fix in done]}
            if done
            else {}
        )
        output.say_json({**diagnostics_json(diagnostics, _targets(readings)), **more})
    elif options.format in ("junit", "markdown"):
        _say_report(diagnostics, readings, options)
    elif not say_in_format(options.format, diagnostics, explanations_of(readings)):
        _say_text(diagnostics, readings, done, options, figures)


def _say_report(diagnostics: tuple[Diagnostic, ...], readings: list[Reading], options: Options) -> None:
    from sfml.render.finding_reports import PipelineReport, findings_junit, findings_markdown

    sources = {name: text for reading in readings for name, text in reading.sources.items()}
    if options.format == "markdown":
        output.say_document(findings_markdown(diagnostics, sources, _targets(readings)).rstrip("\n"))
        return
    from sfml.cli.policy_options import applied_codes

    reports = [
        PipelineReport(
            reading.loaded.spec.name if reading.loaded.spec else reading.entry,
            f"{reading.prefix}{reading.entry}",
            reading.target or "",
            reading.diagnostics,
            applied_codes(reading),
        )
        for reading in readings
    ]
    output.say_document(findings_junit(reports, sources).rstrip("\n"))


def _say_text(
    diagnostics: tuple[Diagnostic, ...],
    readings: list[Reading],
    done: tuple[AppliedFix, ...],
    options: Options,
    figures: tuple[int, float],
) -> None:
    from sfml.render.text import diagnostics_text
    from sfml.render.units import plural

    if done and not options.quiet:
        from sfml.cli.fixes import shown

        output.say(f"Fixed {plural(len(done), 'finding')}:")
        for change in done:
            output.say(f"  {shown(change)}  ({change.code})")
        output.say()
    sources = {name: text for reading in readings for name, text in reading.sources.items()}
    if diagnostics:
        output.say_colored(diagnostics_text(diagnostics, sources, color=output.wants_color(options.no_color)))
        output.say()
    count, seconds = figures
    errors = sum(d.is_error for d in diagnostics)
    if options.quiet and not errors:
        return
    warnings = sum(d.severity is Severity.WARNING for d in diagnostics)
    accepted = len({finding for reading in readings for finding in reading.accepted})
    silenced = f" ({accepted} silenced)" if accepted else ""
    totals = f"{plural(errors, 'error')}, {plural(warnings, 'warning')}{silenced}"
    output.say(f"{totals} in {plural(count, 'pipeline')}{_of_targets(readings)} ({seconds:.2f} s)")


def _targets(readings: list[Reading]) -> tuple[str, ...]:
    """The targets that were checked, in the order of the project file."""
    return tuple(dict.fromkeys(reading.target for reading in readings if reading.target))


def _of_targets(readings: list[Reading]) -> str:
    targets = _targets(readings)
    return f", target{'' if len(targets) == 1 else 's'} {', '.join(targets)}" if targets else ""
