"""The page of `sfml ui`, read without its script: what it shows of a project, and whom it lets in."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from small import APPLY, Small
from ui_client import Reader, deployed_of, page_of

from sfml.base.resources import schema
from sfml.testing.local_snowflake import LocalSnowflake
from sfml.ui import fleet_view, watching

SPEC = """version: 1
pipeline: small
description: Two tasks <b>and</b> a gate
graph:
  version: 1
  config: {breaks: false}
  tasks:
    first: {step: mine.first, with: {password: "hunter2", rows: 3}}
    choose: {step: mine.choose, after: [first], outcomes: [second, third]}
    second: {step: mine.second}
    third: {sql: 'select 3'}
schedule: {version: 1, schedule: {cron: '0 0 * * 0', timezone: UTC}}
"""
STEPS = """from typing import Literal
from sfml_steps import Context, step


@step
def first(ctx: Context, password: str, rows: int) -> dict[str, object]:
    print("read <script>alert(1)</script> with password = 'hunter2'")
    return {"summary": f"{rows} rows", "api_key": "abc123"}


@step
def choose(ctx: Context) -> Literal["second", "third"]:
    return "second"


@step
def second(ctx: Context) -> int:
    if ctx.config["breaks"]:
        raise ValueError("no rows <img src=x> token=abcdef")
    return 2
"""


@pytest.fixture
def deployed(small: Small) -> Small:
    return deployed_of(small, SPEC, STEPS)


@pytest.fixture
def page(deployed: Small) -> Iterator[Reader]:
    with page_of(deployed.folder) as reader:
        yield reader


def run_of(small: Small, *words: str) -> str:
    """The id of a run that was made just now."""
    _, text = small.run("run", "specs/small.yaml", "-o", "json", *words)
    return str(json.loads(text)["run_id"])


def test_the_page_is_whole_without_its_script(deployed: Small) -> None:
    run = run_of(deployed)
    with page_of(deployed.folder) as page:
        fleet = page.get("/")
        assert fleet.status == 200
        assert "1 pipeline, none needs attention" in fleet.text
        assert re.search(r"small local ✓ succeeded .* ago, took .* Sundays 00:00 UTC", fleet.text)
        pipeline = page.get("/p/small/")
        assert "Two tasks <b>and</b> a gate" in pipeline.text
        assert pipeline.html.count('<g class="state ') == 4
        assert '<g class="state SKIPPED"' in pipeline.html
        assert "✓ succeeded" in pipeline.text
        history = page.get("/p/small/runs/")
        assert "choose → second" in history.text
        assert history.html.count('<svg class="plot"') == 2
        one = page.get(f"/p/small/runs/{run}/")
        assert "3 succeeded, 1 skipped" in one.text
        assert "3 rows" in one.text
        assert one.html.count('<td class="bar"><svg') == 3
        task = page.get(f"/p/small/runs/{run}/first/")
        assert "Inputs, as the spec has them" in task.text
        assert "read <script>alert(1)</script> with password = '****'" in task.text
        for got in (fleet, pipeline, history, one, task):
            assert "hunter2" not in got.html
            assert "abc123" not in got.html
            assert "<script>alert" not in got.html
            assert not re.search(r"\sstyle=|\son\w+=|javascript:", got.html)
            assert not re.search(r'(?:href|src)="(?:https?:)?//', got.html)


def test_a_failure_is_told_with_its_reason(deployed: Small) -> None:
    run = run_of(deployed, "--config", "breaks=true")
    with page_of(deployed.folder) as page:
        assert "1 pipeline, 1 needs attention" in page.get("/").text
        one = page.get(f"/p/small/runs/{run}/")
        assert "✗ failed : second: ValueError: no rows <img src=x> token=" in one.text
        task = page.get(f"/p/small/runs/{run}/second/")
        assert "ValueError: no rows <img src=x>" in task.text
        for got in (one, task):
            assert "abcdef" not in got.html
            assert "<img" not in got.html


def test_next_runs_deployments_and_models_have_pages(page: Reader) -> None:
    ahead = page.get("/next/")
    assert re.search(r"Sun \d+ \w+ 00:00 UTC .* small", ahead.text)
    kept = page.get("/p/small/deployments/")
    assert "the first that is kept" in kept.text
    assert "✓ deployed now" in kept.text
    assert "The first that is kept" in page.get("/p/small/deployments/1/").text
    assert "No step of this pipeline has an argument" in page.get("/p/small/models/").text


def test_next_runs_are_those_of_the_deployed_schedule(deployed: Small) -> None:
    deployed.edit("cron: '0 0 * * 0'", "cron: '30 5 * * 3'")
    with page_of(deployed.folder) as page:
        for address in ("/", "/next/", "/p/small/"):
            text = page.get(address).text
            assert re.search(r"Sun \d+ \w+ 00:00", text) and not re.search(r"Wed \d+ \w+ 05:30", text), (
                address
            )


def test_a_deployment_shows_what_it_changed(deployed: Small) -> None:
    deployed.edit("select 3", "select 33")
    deployed.edit("{breaks: false}", "{breaks: false, limit: 5}")
    assert deployed.run(*APPLY)[0] == 0
    with page_of(deployed.folder) as page:
        assert "2 altered" in page.get("/p/small/deployments/").text
        second = page.get("/p/small/deployments/2/")
        assert "What it changed of deployment 1" in second.text
        assert "definition select 3 select 33" in second.text
        assert "config.limit (unset) 5" in second.text
        assert page.get("/p/small/deployments/3/").status == 404


@pytest.mark.parametrize(
    "path",
    [
        *("/p/other/", "/p/small/runs/none/", "/p/small/runs/none/first/", "/p/small/deployments/9/"),
        *("/nothing", "/p/small/do/explode/", "/static/../page.py", "/static/none.css", "/activity/none/"),
        *("/p/%3Cscript%3E/", "/p/..%2F..%2Fetc/", "/p/%00/"),
    ],
)
def test_an_address_that_leads_nowhere_says_so(page: Reader, path: str) -> None:
    got = page.get(path)
    assert got.status == 404
    assert "<script>" not in got.html
    assert "Traceback" not in got.html


def test_a_stranger_is_shown_nothing(page: Reader) -> None:
    stranger = Reader(page.address.partition("?")[0])
    for path in ("/", "/p/small/", "/static/page.css", "/nothing"):
        got = stranger.get(path)
        assert got.status == 403, path
        assert "small" not in got.html
    old = Reader(page.address, cookie=f"sfml_ui_{page.port}=of-an-earlier-page")
    assert old.get("/p/small/").status == 403
    assert page.get("/", host="evil.example").status == 421


def test_a_pipeline_that_does_not_compile_is_shown_with_its_findings(deployed: Small) -> None:
    run = run_of(deployed)
    deployed.edit("outcomes: [second, third]", "outcomes: [secnd, third]")
    with page_of(deployed.folder) as page:
        fleet = page.get("/")
        assert "does not compile: 1 error in the spec" in fleet.text
        got = page.get("/p/small/")
        assert got.status == 200
        assert "specs/small.yaml does not compile" in got.text
        assert "error[SF304]" in got.text
        assert "✓ succeeded" in got.text  # what is deployed goes on, and is shown
        assert run[:8] in page.get("/p/small/runs/").text
        deployed.edit("[secnd, third]", "[second, third]")
        assert '<svg class="picture"' in page.until("/p/small/", "Tasks").html


def test_a_hostile_name_of_a_file_stays_text(tmp_path: Path) -> None:
    (tmp_path / "sfml.yaml").write_text("version: 1\ntargets: {local: {kind: local}}\n", encoding="utf-8")
    name = "<img src=x onerror=alert(1)>%2e\u202e"
    (tmp_path / f"{name}.yaml").write_text("pipeline: [\n", encoding="utf-8")
    with page_of(tmp_path) as page:
        fleet = page.get("/")
        assert "<img" not in fleet.html
        assert "\u202e" not in fleet.html
        (link,) = re.findall(r'href="(/p/[^"]+)"', fleet.html)
        got = page.get(link)
        assert got.status == 200
        assert "<img" not in got.html
        assert "does not compile" in got.text
        assert "cannot be read" in page.get(f"{link}runs/").text


def test_a_bug_is_told_in_words(page: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(fleet_view, "fleet_rows", broken)
    got = page.get("/")
    assert got.status == 500
    assert "internal error: KeyError" in got.text
    assert "Traceback" not in got.html


def test_a_project_without_pipelines_says_how_to_begin(tmp_path: Path) -> None:
    (tmp_path / "sfml.yaml").write_text("version: 1\ntargets: {local: {kind: local}}\n", encoding="utf-8")
    with page_of(tmp_path) as page:
        got = page.get("/")
        assert "This project has no pipeline yet." in got.text
        assert "sfml init" in got.text
        assert page.get("/next/").status == 200


def test_an_account_that_cannot_be_reached_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = '[far]\naccount = "MYORG-FAR"\nuser = "ada"\npassword = "secret"\nhost = "127.0.0.1"\nport = 1\n'
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", entry)
    target = "{connection: far, account: MYORG-FAR, database: D, schema: S, warehouse: W}"
    (tmp_path / "sfml.yaml").write_text(f"version: 1\ntargets: {{far: {target}}}\n", encoding="utf-8")
    (tmp_path / "p.yaml").write_text(
        "version: 1\npipeline: p\ngraph: {version: 1, tasks: {a: {sql: SELECT 1}}}\n", encoding="utf-8"
    )
    with page_of(tmp_path, target="far") as page:
        fleet = page.get("/")
        assert fleet.status == 200
        assert "nothing listens at `127.0.0.1:1`" in fleet.text
        got = page.get("/p/p/")
        assert "The status cannot be read" in got.text
        assert '<svg class="picture"' in got.html  # the files can be read all the same
        assert "secret" not in got.html
        for path in ("/p/p/runs/", "/p/p/models/", "/p/p/deployments/", "/next/"):
            assert "cannot be read" in page.get(path).text, path


# -- exported


def test_pages_are_exported_as_files_that_link_to_each_other(deployed: Small) -> None:
    run = run_of(deployed, "--config", "breaks=true")
    code, text = deployed.run("ui", "--export", "out", "-o", "json")
    assert code == 0, text
    value = json.loads(text)
    Draft202012Validator(schema("output/ui.schema.json")).validate(value)
    out = deployed.folder / "out"
    files = {path.relative_to(out).as_posix() for path in out.rglob("*.html")}
    assert len(files) + 1 == value["exported"]["files"]
    assert f"p/small/runs/{run}/second/index.html" in files
    for name in files:
        html = (out / name).read_text(encoding="utf-8")
        assert "<script" not in html
        assert "<form" not in html
        assert "hunter2" not in html
        for link in re.findall(r'(?:href|src)="([^"#]+)', html):
            assert link == "data:," or (out / name).parent.joinpath(link).resolve().is_file(), (name, link)
    task = (out / f"p/small/runs/{run}/second/index.html").read_text(encoding="utf-8")
    assert "ValueError: no rows &lt;img src=x&gt;" in task


def test_an_export_replaces_an_earlier_one_and_nothing_else(deployed: Small) -> None:
    out = deployed.folder / "out"
    assert deployed.run("ui", "--export", "out")[0] == 0
    stale = out / "p" / "small" / "deployments" / "1" / "index.html"
    assert stale.is_file()
    assert deployed.run("destroy", "specs/small.yaml", "--auto-approve")[0] == 0
    assert deployed.run("ui", "--export", "out")[0] == 0
    assert not stale.exists()
    (out / "sfml-export.json").unlink()
    code, text = deployed.run("ui", "--export", "out")
    assert (code, "holds something else than exported pages" in text) == (2, True)
    for listed in ('{"files": "abc"}', '{"files": []}', "[" * 100_000):
        (out / "sfml-export.json").write_text(listed, encoding="utf-8")
        code, text = deployed.run("ui", "--export", "out")
        assert (code, "holds something else than exported pages" in text) == (2, True), text
    (out / "sfml-export.json").write_text('{"files": ["kept", "../small"]}', encoding="utf-8")
    (out / "kept").mkdir()
    assert deployed.run("ui", "--export", "out")[0] == 0
    assert (out / "kept").is_dir() and (out / "index.html").is_file()
    assert (out / "index.html").is_file()


# -- what is asked of an account


ACCOUNT = """version: 1
targets:
  dev: {connection: work, account: LOCAL-LOCAL, owner_role: SYSADMIN, database: %s, schema: PUBLIC, warehouse: W}
"""
TINY = "version: 1\npipeline: %s\ngraph: {version: 1, tasks: {a: {sql: SELECT 1}}}\n"


@pytest.fixture
def account(local_snowflake: LocalSnowflake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Small:
    """A project whose target is an account."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "sfml.yaml").write_text(ACCOUNT % local_snowflake.database, encoding="utf-8")
    for name in ("one", "two", "three"):
        (tmp_path / "specs" / f"{name}.yaml").write_text(TINY % name, encoding="utf-8")
    place = local_snowflake.connect_args()
    keys = ("account", "user", "password", "host", "port", "protocol")
    entry = "\n".join(["[work]", *(f"{key} = {json.dumps(place[key])}" for key in keys)])
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", entry)
    local_snowflake.sql("CREATE WAREHOUSE IF NOT EXISTS W")
    small = Small(tmp_path, local_snowflake)
    code, text = small.run("apply", "--auto-approve")
    assert code == 0, text
    return small


def test_an_account_is_asked_twice_a_second_at_most_and_not_at_all_when_nobody_looks(
    account: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LINGERS", 1.5)
    with page_of(account.folder, target="dev") as page:
        page.until("/", "none needs attention")
        account.local.faults.forget_calls()
        began = time.monotonic()
        viewers = [Reader(page.address, page.cookie) for _ in range(4)]
        while time.monotonic() - began < 4:
            for viewer in viewers:
                for path in ("/", "/p/one/", "/p/two/runs/", "/p/three/deployments/"):
                    assert viewer.get(path, x_live="?").status in (200, 204)
            time.sleep(0.05)
        took = time.monotonic() - began
        asked = [call for call in account.local.calls if call.kind != "session"]
        assert 0 < len(asked) <= 2 * took + 1
        deadline = time.monotonic() + 30
        while (readings := page.readings.watches.count) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert readings == 0
        account.local.faults.forget_calls()
        time.sleep(1)
        assert account.local.calls == ()


def test_a_local_snowflake_that_has_ended_is_told_and_not_started_again(
    deployed: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "RETRIES_AFTER", 0.5)
    folder = deployed.folder / ".sfml" / "local"
    with page_of(deployed.folder) as page:
        assert "none needs attention" in page.get("/").text
        (folder / "server.lock").rename(folder / "elsewhere")  # as its kernel lock is gone with its process
        got = page.until("/", "has ended")
        assert "the local Snowflake of target `local` has ended" in got.text
        assert "sfml local start" in got.text
        assert got.status == 200
        shown = page.get("/p/small/do/run/")
        assert "has ended" in shown.text
        (folder / "elsewhere").rename(folder / "server.lock")
        assert "Runs the deployed graph" in page.until("/p/small/do/run/", "Run it now").text
        page.until("/", "none needs attention")
