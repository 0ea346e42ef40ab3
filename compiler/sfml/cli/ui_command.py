"""`sfml ui`"""

from __future__ import annotations

import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfml.base.errors import UsageError
from sfml.cli import output
from sfml.cli.inputs import user_name
from sfml.cli.interrupts import terminate_as_interrupt
from sfml.cli.options import Options, shared_options, specs_argument
from sfml.render.units import plural

if TYPE_CHECKING:
    from sfml.ui.rendering import Site
    from sfml.ui.specs import SpecOptions


@click.command()
@specs_argument()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    show_default=True,
    help="The port on this machine; 0 takes a free one.",
)
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
@click.option(
    "--export",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the pages as files that open from disk, and serve nothing.",
)
@click.option("--read-only", is_flag=True, help="Let nothing be changed from the page.")
@shared_options()
def command(
    specs: tuple[str, ...], port: int, no_open: bool, export: Path | None, read_only: bool, options: Options
) -> int:
    """Show pipelines in a browser: graphs with live states, runs, logs, models, deployments, next runs.

    The address with its token is printed on a line of its own. It is reached from this machine alone. An account is
    asked only while somebody looks, and at most twice a second. Ctrl-C ends it.
    """
    try:
        from sfml.ui.rendering import Site
        from sfml.ui.server import serving
        from sfml.ui.specs import SpecOptions
    except ImportError as cause:
        name = (cause.name or "").partition(".")[0]
        if name not in ("starlette", "uvicorn", "anyio", "h11", "markupsafe"):
            raise
        raise UsageError(
            f"`{name}` is not installed", help="install the extra: pip install 'sfml-snowflake[ui]'"
        ) from cause
    from sfml.spec.project import project_root

    root = project_root(Path.cwd())
    if root is None and not specs:
        raise UsageError("no `sfml.yaml` here or above", help="go to a project, or make one: `sfml init`")
    spec_options = SpecOptions(specs, options.target, options.variables, user_name(options))
    if export is not None and (port or read_only):
        raise click.UsageError("--export serves nothing; leave out --port and --read-only")
    site = Site((root or Path.cwd()).resolve().name, options.target, read_only)
    if export is not None:
        return _export(export, spec_options, site, options)
    with terminate_as_interrupt(), serving(spec_options, site, port) as served:
        if options.json:
            output.say_json({"address": served.address, "read_only": read_only})
        else:
            output.say(served.address)
        if not no_open and output.is_terminal():
            webbrowser.open(served.address)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            if options.speaks:
                output.note("the page has ended")
    return 0


def _export(folder: Path, spec_options: SpecOptions, site: Site, options: Options) -> int:
    from sfml.ui.export import export

    def tell(name: str) -> None:
        if options.speaks and output.is_terminal():
            output.note(f"reading {name} …")

    written = export(spec_options, site, folder, tell)
    if options.json:
        output.say_json({"exported": {"folder": folder.as_posix(), "files": len(written)}})
    elif not options.quiet:
        output.say(f"wrote {plural(len(written), 'file')}; open {(folder / 'index.html').as_posix()}")
    return 0
