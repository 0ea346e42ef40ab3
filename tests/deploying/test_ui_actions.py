"""What is done from the page: shown first, confirmed by the page's own form, done as the commands do it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from small import APPLY, Small
from test_models import copied
from ui_client import Got, Reader, deployed_of, page_of

from sfml.frontend.compiled_spec import desired_graph
from sfml.frontend.reading import read
from sfml.operations.held_lease import new_lease
from sfml.snowflake.leases import Leases

SPEC = """version: 1
pipeline: small
graph:
  version: 1
  config: {breaks: false, limit: 5}
  tasks:
    first: {step: mine.first}
    second: {step: mine.second, with: {model_name: SCORER}, after: [first]}
schedule: {version: 1, schedule: {cron: '0 0 * * 0', timezone: UTC}}
"""
STEPS = """from sfml_steps import Context, step


@step
def first(ctx: Context) -> int:
    return 1


@step
def second(ctx: Context, model_name: str) -> int:
    if ctx.config["breaks"] and not ctx.session.sql("SHOW TABLES LIKE 'BROKEN'").collect():
        ctx.session.sql("CREATE TABLE BROKEN (A INT)").collect()
        raise ValueError("no rows")
    return 2
"""


@pytest.fixture
def deployed(small: Small) -> Small:
    return deployed_of(small, SPEC, STEPS)


@pytest.fixture
def page(deployed: Small) -> Iterator[Reader]:
    with page_of(deployed.folder) as reader:
        yield reader


def confirmed(page: Reader, path: str, **fields: str) -> Got:
    """The page of an action that was shown and confirmed, once it is done."""
    shown = page.get(path)
    assert shown.status == 200, shown.text
    sent = page.post(path, {**shown.fields(), **fields})
    assert sent.status == 303, sent.text
    return page.until(sent.headers["location"], "Look at it")


def link_of(got: Got) -> str:
    found = re.search(r'<a href="([^"]+)">Look at it', got.html)
    assert found is not None
    return found[1]


def test_a_run_is_shown_started_and_followed(page: Reader) -> None:
    shown = page.get("/p/small/do/run/")
    assert "Runs the deployed graph of small once, now, in local: 2 tasks" in shown.text
    assert "The schedule does not change." in shown.text
    assert 'name="config.limit"' in shown.html
    done = confirmed(page, "/p/small/do/run/", **{"config.limit": "7", "config.breaks": ""})
    assert re.search(r"✓ Run \S+ was started", done.text)
    run = link_of(done)
    assert "✓ succeeded" in page.until(run, "2 succeeded").text
    assert "state ✓ succeeded" in page.get("/p/small/").text.replace("last run", "state")


def test_a_failure_is_retried_from_the_page(page: Reader) -> None:
    run = link_of(confirmed(page, "/p/small/do/run/", **{"config.breaks": "true"}))
    failed = page.until(run, "✗ failed")
    assert "Retry …" in failed.text
    shown = page.get("/p/small/do/retry/")
    assert "Runs again: second." in shown.text
    assert "Reuses the results of 1 task that succeeded." in shown.text
    done = confirmed(page, "/p/small/do/retry/")
    assert link_of(done) == run
    again = page.until(run, "state ✓ succeeded")
    assert "retried by hand" in again.text
    assert "nothing to do" in page.get("/p/small/do/retry/").text


def test_an_override_that_does_not_fit_is_refused_in_words(page: Reader) -> None:
    shown = page.get("/p/small/do/run/")
    sent = page.post("/p/small/do/run/", {**shown.fields(), "config.limit": "many"})
    got = page.until(sent.headers["location"], "Back")
    assert "the config's `limit` is a number" in got.text


def test_the_schedule_is_turned_off_and_on(deployed: Small, page: Reader) -> None:
    assert deployed.is_on()
    assert "An executing run goes on." in page.get("/p/small/do/suspend/").text
    confirmed(page, "/p/small/do/suspend/")
    assert not deployed.is_on()
    assert "It is off already." in page.get("/p/small/do/suspend/").text
    assert "suspended by hand" in page.until("/p/small/", "Resume …").text
    confirmed(page, "/p/small/do/resume/")
    assert deployed.is_on()


def test_what_executes_is_cancelled(deployed: Small) -> None:
    deployed.edit("step: mine.first", "sql: 'call system$wait(60)'")
    assert deployed.run(*APPLY)[0] == 0
    with page_of(deployed.folder) as page:
        run = link_of(confirmed(page, "/p/small/do/run/"))
        page.until(run, "1 running")
        assert "Cancels 1 run of small" in page.get("/p/small/do/cancel/").text
        confirmed(page, "/p/small/do/cancel/")
        assert "cancelled" in page.until(run, "✗ cancelled").text


def test_a_deployment_is_rolled_back_to(deployed: Small) -> None:
    before = deployed.bodies()
    deployed.edit("step: mine.first", "sql: 'select 1'")
    assert deployed.run(*APPLY)[0] == 0
    with page_of(deployed.folder) as page:
        assert "Go back to it …" in page.get("/p/small/deployments/").text
        shown = page.get("/p/small/do/rollback/1/")
        assert "Back to deployment 1 of small" in shown.text
        assert "1 to alter" in shown.text
        done = confirmed(page, "/p/small/do/rollback/1/")
        assert "Deployment 1 of small is deployed again." in done.text
        assert deployed.bodies() == before
        assert "✓ deployed now" in page.until("/p/small/deployments/", "rollback").text


def test_a_model_is_promoted_and_rolled_back(deployed: Small, page: Reader) -> None:
    copied(deployed, "V1", "V2")
    models = page.until("/p/small/models/", "V2")
    assert "Promote …" in models.text
    assert '<svg class="plot"' in models.html
    shown = page.get("/p/small/do/promote/SCORER@V2/")
    assert "Makes V2 the default version of SCORER in local, in place of V1." in shown.text
    assert "spearman: 0.4 → 0.5 (+0.1)" in shown.text
    done = confirmed(page, "/p/small/do/promote/SCORER@V2/", reason="better <b>")
    assert "V2 is the default version of SCORER." in done.text
    assert "promoted by ada, after V1: better <b>" in page.until("/p/small/models/", "promoted by").text
    back = page.get("/p/small/do/rollback-model/SCORER/")
    assert "Makes V1 the default version of SCORER in local again, in place of V2." in back.text
    confirmed(page, "/p/small/do/rollback-model/SCORER/")
    rows = deployed.local.sql(f"SHOW VERSIONS IN MODEL {deployed.local.database}.SMALL.SCORER")
    assert [row["name"] for row in rows if str(row["is_default_version"]).lower() == "true"] == ["V1"]


def test_nothing_is_done_without_the_form_of_the_page(page: Reader) -> None:
    path = "/p/small/do/run/"
    fields = page.get(path).fields()
    for form in ({}, {**fields, "form": "x"}, {"mark": fields["mark"]}):
        assert page.post(path, form).status == 403
    assert page.post(path, fields, origin="http://evil.example").status == 403
    stranger = Reader(page.address)
    assert stranger.post(f"{path}?{urlsplit(page.address).query}", fields).status == 403
    assert "There was no run" in page.get("/p/small/runs/").text


def test_nothing_is_done_that_was_not_shown(deployed: Small, page: Reader) -> None:
    fields = page.get("/p/small/do/suspend/").fields()
    assert deployed.run("suspend", "specs/small.yaml")[0] == 0
    sent = page.post("/p/small/do/suspend/", fields)
    got = page.until(sent.headers["location"], "Back")
    assert "what this would do has changed since it was shown; nothing was done" in got.text


def test_read_only_draws_no_button_and_takes_no_form(deployed: Small) -> None:
    with page_of(deployed.folder) as page:
        fields = page.get("/p/small/do/suspend/").fields()
    with page_of(deployed.folder, read_only=True) as page:
        for path in ("/", "/p/small/", "/p/small/models/", "/p/small/deployments/"):
            got = page.get(path)
            assert "…" not in got.text.replace("being read …", ""), path
            assert "<form" not in got.html
        assert "read only" in page.get("/").text
        assert page.get("/p/small/do/suspend/").status == 403
        assert page.post("/p/small/do/suspend/", fields).status == 403
    assert deployed.is_on()


def test_somebody_elses_lease_is_waited_for_and_told(
    deployed: Small, page: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sfml.ui.proposals.LEASE_WAIT", 0.0)
    connection = deployed.local.connection(schema="SMALL")
    fields = page.get("/p/small/do/suspend/").fields()
    target = desired_graph(read(Path("specs/small.yaml"))).target
    leases = Leases(connection, target)
    leases.take("SMALL", new_lease("grace", "a big change"))
    try:
        sent = page.post("/p/small/do/suspend/", fields)
        got = page.until(sent.headers["location"], "Back")
        assert "grace on" in got.text
        assert '"a big change"' in got.text
    finally:
        leases.drop("SMALL")
    assert deployed.is_on()
