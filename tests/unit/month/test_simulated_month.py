"""A simulated month beside what was worked out by hand, and beside the schedules that `sfml test` simulates."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from property_settings import examples

from sfml.base.resources import schema
from sfml.cli.entry import run
from sfml.frontend.reading import read
from sfml.graph.model import TaskGraph
from sfml.month import simulation
from sfml.month.grid import days_of, hours_in_words, quiet_of
from sfml.month.model import Month
from sfml.month.month import month_of
from sfml.month.simulation import Simulation
from sfml.month.work import RunWork, TaskWork
from sfml.render.month import month_json, month_text
from sfml.render.page.month import month_page, month_svg
from sfml.render.symbols import Symbols
from sfml.semantics.cron import parse_cron
from sfml.semantics.timeline import Course, Firing, Rules, scheduled

PROJECT = """\
version: 1
targets:
  local: {kind: local, default: true}
  prod:
    connection: prod
    account: A
    database: ML
    warehouse: WH
    compute_pool: POOL
    mode: production
    sizes: {WH: {size: XSMALL}, POOL: {family: CPU_X64_S, nodes: 1}, WIDE: {family: CPU_X64_S, nodes: 1..3}}
"""
START = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)

Write = Callable[..., TaskGraph]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "run.py").write_text("print(1)\n", encoding="utf-8")
    (tmp_path / "sfml.yaml").write_text(PROJECT, encoding="utf-8")

    def graph(name: str, schedule: str, tasks: str, more: str = "") -> TaskGraph:
        (tmp_path / f"{name}.yaml").write_text(
            f"version: 1\npipeline: {name}\nschedule: {{version: 1, schedule: {schedule}{more}}}\n"
            f"graph:\n  tasks:\n{tasks}",
            encoding="utf-8",
        )
        reading = read(tmp_path / f"{name}.yaml", target="prod", user="ada")
        assert reading.graph is not None, reading.diagnostics
        return reading.graph

    return graph


def sql(name: str, takes: str, more: str = "") -> str:
    return f"    {name}: {{sql: SELECT 1, timeout: 20h, expect: {{takes: {takes}}}{more}}}\n"


def job(name: str, takes: str, more: str = "", pool: str = "POOL", instances: int = 1) -> str:
    run_on = f'run_on: {{pool: {pool}, instances: {instances}, runtime: "2.3.0"}}'
    rest = f"timeout: 20h, expect: {{takes: {takes}}}{more}"
    return f"    {name}: {{job: {{folder: code, entrypoint: run.py}}, {run_on}, {rest}}}\n"


def simulated(*graphs: TaskGraph, start: datetime = START, days: int = 31) -> Month:
    return month_of(graphs, start, start + days * DAY)


def test_a_job_waits_for_the_pool_that_another_has(write: Write) -> None:
    """Both begin at 03:00 and take 2 hours: the second waits for them, and is at work until 07:00."""
    month = simulated(
        write("a", '{cron: "0 3 * * *"}', job("train", "2h"), ", timeout: 20h"),
        write("b", '{cron: "0 3 * * *"}', job("fit", "2h"), ", timeout: 20h"),
        days=2,
    )
    waits = [(one.pipeline, one.task, one.machine, one.at, one.seconds) for one in month.most.waits]
    assert waits == [
        ("b", "fit", "pool POOL", START + timedelta(hours=3), 7200),
        ("b", "fit", "pool POOL", START + timedelta(hours=27), 7200),
    ]
    assert month.most.delayed_runs() == 2 and month.most.delayed_runs("a") == 0
    assert month.most.sharings == ()
    assert [hour for hour in range(24) if month.most.work["pool POOL"][hour]] == [3, 4, 5, 6]


def test_instances_take_nodes(write: Write) -> None:
    month = simulated(
        write("a", '{cron: "0 3 * * *"}', job("one", "1h", pool="WIDE", instances=2), ", timeout: 20h"),
        write("b", '{cron: "0 3 * * *"}', job("two", "1h", pool="WIDE"), ", timeout: 20h"),
        write("c", '{cron: "30 3 * * *"}', job("six", "1h", pool="WIDE", instances=3), ", timeout: 20h"),
        days=1,
    )
    assert [(one.pipeline, one.seconds) for one in month.most.waits] == [("c", 1800)]
    (sharing,) = month.most.sharings
    assert (sharing.machine, sharing.pipelines, sharing.times, sharing.seconds) == (
        "pool WIDE",
        ("a", "b"),
        1,
        3600,
    )


def test_tasks_that_share_a_warehouse_are_told(write: Write) -> None:
    month = simulated(
        write("a", '{cron: "0 3 * * *"}', sql("x", "30m..60m")),
        write("b", '{cron: "45 3 * * *"}', sql("y", "10m")),
        days=3,
    )
    assert month.least.sharings == ()
    (sharing,) = month.most.sharings
    assert (sharing.machine, sharing.times, sharing.seconds) == ("warehouse WH", 3, 1800)
    assert sharing.first == START + timedelta(hours=3, minutes=45)


def test_the_ninth_statement_waits(write: Write) -> None:
    tasks = "".join(sql(f"t{number}", "10m") for number in range(9))
    month = simulated(write("a", '{cron: "0 3 * * *"}', tasks), days=1)
    assert [(one.task, one.seconds) for one in month.most.waits] == [("t8", 600)]


def test_runs_that_last_until_the_next_is_due_are_missed(write: Write) -> None:
    month = simulated(write("a", "{every: 1h}", sql("x", "30m..90m"), ", timeout: 4h"), days=1)
    assert (len(month.least.missed), len(month.most.missed)) == (0, 12)
    first = month.most.missed[0]
    assert (first.due, first.since) == (START + timedelta(hours=1), START)
    (pipeline,) = month.most.pipelines
    assert (pipeline.due, pipeline.began) == (24, 12)
    overlapping = write("b", "{every: 1h}", sql("x", "90m"), ", timeout: 4h, overlap: ALLOW_ALL_OVERLAP")
    month = simulated(overlapping, days=1)
    assert month.most.missed == () and month.most.sharings[0].pipelines == ("b", "b")


def test_a_run_is_cut_off_at_its_timeout(write: Write) -> None:
    """The graph's hour is over in the middle of the second task; the third never runs."""
    tasks = sql("x", "40m") + sql("y", "40m", ", after: [x]") + sql("z", "1m", ", after: [y]")
    month = simulated(write("a", '{cron: "0 3 * * *"}', tasks), days=1)
    assert [(one.began, one.at) for one in month.most.cut] == [
        (START + timedelta(hours=3), START + timedelta(hours=4))
    ]
    assert month.most.work[""][3:5] == (3600, 0)


def test_what_is_cut_off_makes_room(write: Write) -> None:
    month = simulated(
        write("a", '{cron: "0 3 * * *"}', job("x", "5h"), ", timeout: 2h"),
        write("b", '{cron: "0 4 * * *"}', job("y", "1h"), ", timeout: 20h"),
        days=1,
    )
    assert [(one.pipeline, one.seconds) for one in month.most.waits] == [("b", 3600)]
    assert month.most.work["pool POOL"][3:7] == (3600, 3600, 3600, 0)


def test_branches_run_at_most_and_not_at_least(write: Write, tmp_path: Path) -> None:
    (tmp_path / "steps" / "mine").mkdir(parents=True)
    (tmp_path / "steps" / "mine" / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "steps" / "mine" / "gate.py").write_text(
        "from typing import Literal\nfrom sfml_steps import Context, step\n\n\n@step\n"
        'def choose(ctx: Context) -> Literal["good", "bad"]:\n    return "good"\n',
        encoding="utf-8",
    )
    tasks = (
        "    gate: {step: mine.gate.choose, outcomes: [good, bad], expect: {takes: 10m}}\n"
        + sql("good", "30m")
        + sql("bad", "20m")
    )
    month = simulated(write("a", '{cron: "0 3 * * *"}', tasks, ", timeout: 5h"), days=1)
    assert sum(month.least.work[""]) == 600
    assert sum(month.most.work[""]) == 600 + 1800 + 1200


def test_what_nobody_said_is_unknown(write: Write) -> None:
    month = simulated(
        write("a", "{on_stream: [S]}", "    x: {sql: SELECT 1}\n"),
        write("b", "manual", sql("x", "1m")),
        write("c", "{on_stream: [T]}", sql("x", "1m"), ", expect: {runs: 24..48 a day}"),
        days=1,
    )
    assert [one.is_counted for one in month.most.pipelines] == [False, False, True]
    assert (month.least.pipelines[2].began, month.most.pipelines[2].began) == (24, 48)
    assert len(month.unknowns) == 2
    assert "? runs" in month_text(month, Symbols())


@pytest.mark.parametrize(
    ("zone", "start", "traps", "runs"),
    [
        ("UTC", datetime(2027, 3, 1, tzinfo=UTC), [], 31),
        (
            "Europe/Berlin",
            datetime(2027, 3, 1, tzinfo=UTC),
            [("28", True, True), ("31", False, False), ("26", True, False)],
            30,
        ),
        (
            "Europe/Berlin",
            datetime(2026, 10, 1, tzinfo=UTC),
            [("25", False, True), ("28", True, False), ("31", False, False)],
            32,
        ),
        (
            "Australia/Lord_Howe",
            datetime(2026, 10, 1, tzinfo=UTC),
            [("04", True, True), ("04", False, False), ("03", True, False)],
            30,
        ),
    ],
)
def test_changes_of_clocks_skip_and_repeat_runs(
    zone: str, start: datetime, traps: list[tuple[str, bool, bool]], runs: int, write: Write
) -> None:
    minute, hour = ("15", "2") if "Howe" not in zone else ("0,15", "2")
    graph = write("a", f'{{cron: "{minute} {hour} * * *", timezone: {zone}}}', sql("x", "1m"))
    month = simulated(graph, start=start)
    found = {(f"{trap.at:%d}", trap.is_skipped, trap.is_in_month): None for trap in month.traps}
    if "Howe" not in zone:
        assert list(found) == traps
        assert month.most.pipelines[0].began == runs
    else:
        assert month.traps and month.traps[0].is_skipped


def test_the_hours_are_those_of_the_time_zone(write: Write) -> None:
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(2027, 3, 1, tzinfo=zone)
    graph = write("a", '{cron: "0 3 * * *", timezone: Europe/Berlin}', sql("x", "1h"), ", timeout: 5h")
    month = month_of([graph], start, datetime(2027, 4, 1, tzinfo=zone))
    days = days_of(month, month.most)
    assert len(days) == 31 and month.hours == 31 * 24 - 1
    assert {tuple(hour for hour, cell in enumerate(day.cells) if cell and cell.seconds) for day in days} == {
        (3,)
    }
    assert [day.day.day for day in days if None in day.cells] == [28] and days[27].cells[2] is None
    quiet = quiet_of(month, days, month.most)
    assert quiet.always == tuple(hour for hour in range(24) if hour != 3)
    assert hours_in_words(quiet.always) == "00–02, 04–23"
    assert quiet.hours == month.hours - 31
    assert quiet.longest is not None and quiet.longest[1] - quiet.longest[0] == timedelta(hours=23)


def test_hours_of_runs_of_unknown_duration_are_not_called_quiet(write: Write) -> None:
    month = simulated(write("a", '{cron: "0 3 * * *", timezone: UTC}', "    x: {sql: select 1}\n"))
    days = days_of(month, month.most)
    unknown = {
        (hour, cell.is_quiet)
        for day in days
        for hour, cell in enumerate(day.cells)
        if cell and cell.is_unknown
    }
    assert unknown == {(3, False)}
    quiet = quiet_of(month, days, month.most)
    assert quiet.hours == month.hours - 31 and 3 not in quiet.always
    assert quiet.longest is not None and quiet.longest[1] - quiet.longest[0] == timedelta(hours=23)
    text = month_text(month, Symbols(unicode=True))
    assert f"quiet: at most {month.hours - 31:,} of {month.hours:,} hours" in text
    assert "· · · ? ·" in text and "? a run of unknown duration may go on" in text
    assert month_json(month)["most"]["quiet"]["is_known"] is False
    assert month_json(month)["most"]["pipelines"][0]["is_known"] is False
    assert "as far as it is known, every day 00–02, 04–23 o'clock" in text
    assert "as far as it is known, longest from" in text
    assert "a  31 runs  ? missed, delayed or cut off" in text
    assert "a run of unknown duration may go on" in month_svg(month)


def test_a_run_of_unknown_duration_may_go_on_until_its_timeout(write: Write) -> None:
    schedule = '{cron: "30 3 * * *", timezone: UTC}'
    month = simulated(write("a", schedule, "    x: {sql: select 1}\n", ", timeout: 150m"))
    always = quiet_of(month, days_of(month, month.most), month.most).always
    assert set(range(24)) - set(always) == {3, 4, 5}
    often = simulated(write("a", "{every: 1h}", "    x: {sql: select 1}\n", ", timeout: 7d"))
    assert often.most.unknown == frozenset(range(often.hours)) and often.most.quiet_hours == 0


def test_a_machine_of_tasks_of_unknown_duration_is_one_of_the_month(write: Write) -> None:
    task = '    x: {job: {folder: code, entrypoint: run.py}, timeout: 1h, run_on: {pool: POOL, runtime: "2.3.0"}}\n'
    month = simulated(write("a", '{cron: "0 3 * * *", timezone: UTC}', task))
    assert month.machines == ("pool POOL",)
    assert "at work on pool POOL:" in month_text(month, Symbols(unicode=True), "pool POOL")


def test_whether_jobs_wait_for_a_pool_without_a_size_is_unknown(write: Write) -> None:
    month = simulated(write("a", '{cron: "0 3 * * *", timezone: UTC}', job("x", "30m", pool="OTHER")))
    assert month.unknowns == (
        "whether jobs of `a` wait for pool `OTHER`:"
        " write `OTHER: {family: …, nodes: 1}` in `sizes` of target `prod` in sfml.yaml",
    )
    assert "no run delayed, no run cut off, as far as it is known" in month_text(month, Symbols(unicode=True))
    assert month_json(month)["most"]["pipelines"][0]["is_known"] is False
    sized = simulated(write("a", '{cron: "0 3 * * *", timezone: UTC}', job("x", "30m")))
    assert not sized.unknowns and month_json(sized)["most"]["pipelines"][0]["is_known"] is True


def test_too_many_runs_cut_the_month_short(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    most = simulation.MAX_TASKS // 10
    monkeypatch.setattr(simulation, "MAX_TASKS", most)
    tasks = "".join(sql(f"t{number}", "0s") for number in range(20))
    month = simulated(write("a", "{every: 10s}", tasks))
    assert not month.is_whole and month.end < START + 31 * DAY
    assert most <= month.most.pipelines[0].began * 20 <= most + 40
    assert "too many runs" in month_text(month, Symbols())
    # What was not simulated is not called quiet, and both scenarios are of the same time.
    simulated_hours = (month.end - month.start) / timedelta(hours=1)
    assert simulated_hours <= month.hours < simulated_hours + 1
    assert len(month.least.work[""]) == month.hours
    assert month.least.pipelines[0].due == month.most.pipelines[0].due


@examples(60)
@given(
    minutes=st.integers(1, 59),
    hours=st.sampled_from(["*", "*/3", "1,2", "8-17"]),
    takes=st.integers(1, 400),
    overlap=st.sampled_from(["NO_OVERLAP", "ALLOW_CHILD_OVERLAP", "ALLOW_ALL_OVERLAP"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    first=st.sampled_from(
        [datetime(2027, month, day, tzinfo=UTC) for month, day in ((3, 11), (3, 25), (10, 28), (11, 4))]
    ),
)
def test_schedules_are_those_of_the_tests_of_graphs(
    minutes: int, hours: str, takes: int, overlap: str, zone: str, first: datetime
) -> None:
    """Another simulation, with other code for the times, leaves out the same runs."""
    from sfml.graph.model import CronSchedule, GraphSettings, Target
    from sfml.month.month import _due

    span = 6 * 86_400.0
    expression = f"{minutes} {hours} * * *"
    settings = GraphSettings(CronSchedule(expression, zone))
    graph = TaskGraph("a", "a.yaml", Target("prod", "account", "D", "S", "W"), settings, ())
    due = list(_due(graph, "most", first, span))
    work = RunWork("a", overlap, 1e9, (TaskWork("x", (), takes * 60.0, None, 0),))
    log = Simulation({"a": work}, span).run({"a": due})
    cron = parse_cron(expression, zone)
    course = Course((timedelta(minutes=takes),))
    events = takewhile(
        lambda event: event.at < first + timedelta(seconds=span),
        scheduled(cron, first - timedelta(seconds=1), Rules(overlap), course),
    )
    firings = [event for event in events if isinstance(event, Firing)]
    assert [first + timedelta(seconds=at) for at in due] == [event.at.astimezone(UTC) for event in firings]
    assert len(log.missed) == sum(not event.began for event in firings)
    assert log.began["a"] == sum(event.began for event in firings)


def contended(write: Write) -> Month:
    return simulated(
        write("a", '{cron: "0 3 * * *"}', job("<train>", "2h").replace("<train>", "train"), ", timeout: 20h"),
        write("b", "{every: 1h}", sql("x", "70m"), ", timeout: 3h"),
        write("c", '{cron: "0 4 * * *"}', job("fit", "2h"), ", timeout: 2h"),
    )


def test_the_json_fits_its_schema(write: Write) -> None:
    document = {"format_version": 1, **month_json(contended(write))}
    Draft202012Validator(schema("output/month.schema.json")).validate(document)
    assert document["most"]["missed"] and document["most"]["delayed"] and document["most"]["cut_off"]
    assert len(document["most"]["work"]["all"]) == 31 * 24


def test_the_picture_is_whole_and_asks_for_nothing(write: Write) -> None:
    month = contended(write)
    for machine in ("", *month.machines):
        picture = ElementTree.fromstring(month_svg(month, machine))
        space = "{http://www.w3.org/2000/svg}"
        cells = [one for one in picture.iter(f"{space}g") if one.find(f"{space}title") is not None]
        assert len(cells) == 31 * 24
        assert all((one.find(f"{space}title").text or "").strip() for one in cells)  # type: ignore[union-attr]
    page = month_page(month)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert page.count("<svg") == 1 + len(month.machines)
    for word in ("missed", "delayed", "cut off"):
        assert f"<h2>{word}</h2>" in page


def test_ascii_where_the_terminal_has_no_more(write: Write) -> None:
    text = month_text(contended(write), Symbols(False))
    assert not set("░▒▓█·") & set(text)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--month", "-t", "prod"), 0),
        (("--month", "-t", "prod", "--from", "2026-02-31"), 2),
        (("--month", "-t", "prod", "--from", "soon"), 2),
        (("--month", "-t", "prod", "--timezone", "Mars/Olympus"), 2),
        (("--month", "-t", "prod", "--on", "wh"), 0),
        (("--month", "-t", "prod", "--on", "nope"), 2),
        (("--from", "2026-01-01"), 2),
        (("--page", "x.html"), 2),
        (("--month", "-t", "local"), 0),
        (("--month", "-t", "prod", "--from", "2027-01-31", "-o", "json"), 0),
    ],
    ids=str,
)
def test_the_command(
    arguments: tuple[str, ...],
    code: int,
    write: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("a", '{cron: "0 3 * * *"}', sql("x", "1h"))
    monkeypatch.chdir(tmp_path)
    assert run(["simulate", *arguments]) == code
    shown = capsys.readouterr()
    if "json" in arguments:
        assert json.loads(shown.out)["end"].startswith("2027-02-28")
