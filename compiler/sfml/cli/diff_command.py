"""`sfml diff SPEC… --base REF`"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from sfml.cli import output
from sfml.cli.options import Options, shared_options, specs_argument
from sfml.cli.policy_options import policy_options


@click.command()
@specs_argument()
@click.option("--base", required=True, metavar="REF", help="The commit to compare with, such as origin/main.")
@click.option("--head", metavar="REF", help="The commit with the change.  [default: the work tree]")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes, 0 when none.")
@click.option(
    "--now",
    metavar="TIME",
    help="Compute next runs from this time: 2026-11-22T12:00:00Z.  [default: the head's commit time]",
)
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write an HTML page with the merged graph of both sides, such as diff.html.",
)
@policy_options
@shared_options("markdown")
def command(
    specs: tuple[str, ...],
    base: str,
    head: str | None,
    detailed_exitcode: bool,
    now: str | None,
    page: Path | None,
    policies_of: str | None,
    options: Options,
) -> int:
    """Show what a branch changes in the task graphs. It reads git only: no account, no checkout, no step code is run.

    SPEC is an entry file, a folder, a glob or a pipeline's name; by default, all pipelines of the project are taken.
    Both sides are compiled from git's objects, for every target; the base side is the merge base of base and head.
    Only pipelines that use a changed file are compared. `{{ user }}` is `user` unless --user is given.
    Both sides are held to the same policies, so that only what the change brings in is new; new errors exit with 1.
    """
    from sfml.render.review_json import diff_json
    from sfml.review.diff import Request, make_diff
    from sfml.review.git_objects import repository
    from sfml.review.requested_specs import requested_specs

    cwd = Path.cwd()
    checkout = repository(cwd)
    requested = requested_specs(paths_of(specs), checkout.top, cwd)
    when = None if now is None else moment_of(now)
    request = Request(
        base, head, requested, options.target, options.variables, options.user, when, policies_of
    )
    diff = make_diff(checkout, request)
    if page is not None:
        from sfml.lower.write import write_file
        from sfml.render.page.review import diff_page

        write_file(page, diff_page(diff).encode())
    if options.json:
        output.say_json(diff_json(diff))
    elif options.format == "markdown":
        from sfml.render.review_markdown import diff_markdown

        output.say_document(diff_markdown(diff).rstrip("\n"))
    elif not (options.quiet and diff.is_empty and not diff.is_broken):
        from sfml.render.review_text import diff_text
        from sfml.render.symbols import Symbols

        symbols = Symbols(output.takes_unicode())
        output.say(diff_text(diff, symbols, fingerprints=options.verbose))
    if diff.is_broken:
        return 1
    return 2 if detailed_exitcode and not diff.is_empty else 0


def paths_of(specs: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments as paths. A pipeline's name becomes its file in the work tree; no argument means the project."""
    from sfml.base.errors import UsageError
    from sfml.frontend.entry_files import files_of_pipeline
    from sfml.spec.project import PROJECT_FILE, project_root

    if not specs:
        root = project_root(Path.cwd())
        if root is None:
            raise UsageError(
                f"no spec is named, and there is no {PROJECT_FILE} here or above",
                help="name a spec, a folder of specs or a glob",
            )
        return (os.path.relpath(root),)
    return tuple(
        path
        for spec in specs
        for path in (map(str, (not Path(spec).exists() and files_of_pipeline(spec)) or (spec,)))
    )


def moment_of(text: str) -> datetime:
    """The text as a time, in UTC if it has no time zone; raises `click.BadParameter`."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as cause:
        raise click.BadParameter(
            f"`{text}` is not a time such as 2026-11-22T12:00:00Z", param_hint="--now"
        ) from cause
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
