"""`sfml simulate --month`: a month of all pipelines of a target."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from sfml.base.errors import InvalidSpec, UsageError
from sfml.base.record import record
from sfml.cli import output
from sfml.cli.cost_command import measured_graphs
from sfml.cli.options import Options

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading
    from sfml.month.model import Month


@record
class MonthOptions:
    """The options of `--month`: the first day, the time zone of days and hours, files of pictures, one machine."""

    start: str | None
    timezone: str
    svg: Path | None
    page: Path | None
    on: str | None
    durations: tuple[Path, ...] = ()

    @property
    def is_given(self) -> bool:
        pictures = self.svg or self.page
        return bool(self.start or pictures or self.on or self.durations) or self.timezone != "UTC"


def simulate_month(readings: Sequence[Reading], month_options: MonthOptions, options: Options) -> int:
    """Simulate the month, write the pictures, and print it."""
    from sfml.month.month import month_of
    from sfml.render.month import month_json, month_text
    from sfml.render.symbols import Symbols

    graphs = [reading.walkable for reading in readings if reading.walkable is not None]
    if len(graphs) < len(readings):
        raise InvalidSpec(tuple(diagnostic for reading in readings for diagnostic in reading.diagnostics))
    if len({reading.root for reading in readings}) > 1:
        raise UsageError("the specs belong to several projects", help="give those of one")
    start = _start(month_options)
    graphs, sentences = measured_graphs(graphs, month_options.durations)
    month = month_of(graphs, start, _month_later(start))
    month = replace(month, assumptions=(*sentences, *month.assumptions))
    machine = _machine(month, month_options.on)
    _write_pictures(month, machine, month_options)
    if options.json:
        output.say_json(month_json(month))
    elif not options.quiet:
        output.say(month_text(month, Symbols(output.takes_unicode()), machine))
        for path in (month_options.svg, month_options.page):
            if path is not None:
                output.say(f"wrote {path.as_posix()}")
    return 0


def _start(month_options: MonthOptions) -> datetime:
    """Midnight of the first day, today by default, in the chosen time zone."""
    from sfml.semantics.cron import is_time_zone, unknown_zone, zone_name

    if not is_time_zone(month_options.timezone):
        raise click.BadParameter(unknown_zone(month_options.timezone), param_hint="--timezone")
    zone = ZoneInfo(zone_name(month_options.timezone))
    if month_options.start is None:
        day = datetime.now(UTC).astimezone(zone).date()
    else:
        try:
            day = date.fromisoformat(month_options.start)
        except ValueError as cause:
            message = f"`{month_options.start}` is not a day such as 2026-12-01"
            raise click.BadParameter(message, param_hint="--from") from cause
    if not 1990 <= day.year <= 2100:
        raise click.BadParameter("take a year from 1990 to 2100", param_hint="--from")
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _month_later(start: datetime) -> datetime:
    """The same day of the next month, or its last day."""
    year, month = (start.year + 1, 1) if start.month == 12 else (start.year, start.month + 1)
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))


def _machine(month: Month, on: str | None) -> str:
    """The warehouse or pool that `--on` names; empty for everything."""
    from sfml.base.diagnostic import did_you_mean
    from sfml.base.quoting import raw

    if on is None:
        return ""
    for machine in month.machines:
        if machine == on or machine.partition(" ")[2] == raw(on):
            return machine
    names = [machine.partition(" ")[2] for machine in month.machines]
    help = did_you_mean(on.upper(), names) or f"those at work: {', '.join(names) or 'none'}"
    raise UsageError(f"nothing is at work on `{on}`", help=help)


def _write_pictures(month: Month, machine: str, month_options: MonthOptions) -> None:
    from sfml.lower.write import write_file
    from sfml.render.page.month import month_page, month_svg

    if month_options.svg is not None:
        write_file(month_options.svg, month_svg(month, machine).encode())
    if month_options.page is not None:
        write_file(month_options.page, month_page(month).encode())
