"""What an earlier version deployed: recorded as it was left, opened and carried on by this one.

`tests/data/deployed_by/README.md` says what was recorded, and how a later version adds its own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from small import Printed

import sfml_steps
from sfml import __version__
from sfml.cli import entry
from sfml_local.control import ServerInfo, lock, write_info
from sfml_local.http.app import LocalServer

RECORDED = Path(__file__).parents[1] / "data" / "deployed_by"
VERSIONS = sorted(path.parent.name for path in RECORDED.glob("*/account.tar.xz"))
ORDERS, RETURNS = "specs/orders.yaml", "specs/returns.yaml"


@dataclass(frozen=True)
class Shop:
    """The project of a fixture, with its account served from this process."""

    version: str
    folder: Path
    server: LocalServer

    def sfml(self, *arguments: str, code: int = 0) -> str:
        with chdir(self.folder), redirect_stdout(Printed()) as text, redirect_stderr(text):
            ended = entry.run(list(arguments))
        assert ended == code, text.getvalue()
        return text.getvalue()

    def plan(self, spec: str) -> Mapping[str, Any]:
        value: Mapping[str, Any] = json.loads(self.sfml("plan", spec, "-o", "json"))
        return value

    def rows(self, statement: str) -> list[dict[str, Any]]:
        account = self.server.account
        session = account.sessions.open(database="SHOP", schema="ORDERS")
        try:
            return account.execute(session, statement).dicts()
        finally:
            account.sessions.close(session)

    def body(self, task: str) -> str:
        schema = f"SHOP.{task.partition('$')[0]}"
        (row,) = self.rows(f"SHOW TASKS LIKE '{task}' IN SCHEMA {schema}")
        return str(row["definition"])


@contextmanager
def reopened(version: str, folder: Path) -> Iterator[Shop]:
    """A copy of the recorded project and account at another place than the one it was made at."""
    project = folder / "shop"
    shutil.copytree(RECORDED / version / "project", project)
    local = project / ".sfml" / "local"
    with tarfile.open(RECORDED / version / "account.tar.xz") as archive:
        # Python 3.11 has filters since 3.11.4, and Debian's is older.
        archive.extractall(local, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    with ExitStack() as closing:
        descriptor = lock(local)
        assert descriptor is not None
        closing.callback(os.close, descriptor)
        # A schedule that fires since the recording would add runs to it.
        server = closing.enter_context(LocalServer(local, schedules=False))
        connection = server.connect_args()
        keys = ("account", "host", "port", "protocol", "user", "password", "database", "schema")
        write_info(local, ServerInfo(True, **{key: connection[key] for key in keys}))
        yield Shop(version, project, server)


@pytest.fixture(scope="module", params=VERSIONS)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The account as it was left; tests of this one change nothing."""
    with reopened(request.param, tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture(params=VERSIONS)
def own_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """The account as it was left, for one test that carries it on."""
    with reopened(request.param, tmp_path) as shop:
        yield shop


def unexplained(plan: Mapping[str, Any], before: str, now: str = __version__) -> list[str]:
    """The changes of a plan for which nothing says that another version of sfml is the reason."""
    changes = [change for change in plan["changes"] if change["action"] != "unchanged"]
    if not changes:
        return []
    if not any(f"deployed by sfml {before}, and this is sfml {now}" in note for note in plan["notes"]):
        return ["no note names both versions"]
    return [
        f"{change['task']}: {change['action']} {field['path']}: {field['reason']}"
        for change in changes
        for field in change["fields"] or [{"path": "", "reason": ""}]
        if (change["action"], field["reason"]) != ("alter", "runtime of sfml changed")
    ]


def test_some_version_is_recorded() -> None:
    assert "0.1.0" in VERSIONS


def test_the_plan_is_unchanged_or_says_that_the_runtime_is_another(shop: Shop) -> None:
    plan = shop.plan(ORDERS)
    assert not unexplained(plan, shop.version)
    assert len(plan["changes"]) == 8
    assert plan["schedule"] == {"on_now": True, "on_after": True}


def test_the_plan_of_an_unfinished_apply_holds_what_it_did_not_reach(shop: Shop) -> None:
    plan = shop.plan(RETURNS)
    assert "an earlier apply did not finish; this one completes it" in plan["notes"]
    assert plan["schedule"] == {"on_now": False, "on_after": True}


def test_changed_code_of_the_runtime_is_told_from_an_edit(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project's own copy of the runtime stands before the installed one, as a later version's would."""
    monkeypatch.setattr("sfml.frontend.compiled_spec.VERSION", "9.9.9")
    runtime = shop.folder / "steps" / "sfml_steps"
    shutil.copytree(Path(sfml_steps.__file__).parent, runtime)
    try:
        with (runtime / "results.py").open("a", encoding="utf-8") as file:
            file.write("\n\nLATER = 1\n")
        plan, text = shop.plan(ORDERS), shop.sfml("plan", ORDERS)
    finally:
        shutil.rmtree(runtime)
    changed = [change["task"] for change in plan["changes"] if change["action"] != "unchanged"]
    assert changed == ["total", "decide", "publish"]
    assert not unexplained(plan, shop.version, "9.9.9")
    assert "(runtime of sfml changed)" in text
    assert re.search(r"sfml_steps/results\.py: (\w+, )*\(module\) changed", text)
    assert f"deployed by sfml {shop.version}, and this is sfml 9.9.9" in text


def test_an_edit_beside_another_runtime_is_still_an_edit(shop: Shop) -> None:
    steps = shop.folder / "steps" / "orders" / "steps.py"
    text = steps.read_text(encoding="utf-8")
    try:
        steps.write_text(text.replace("count >= least", "count > least"), encoding="utf-8")
        plan = shop.plan(ORDERS)
    finally:
        steps.write_text(text, encoding="utf-8")
    reasons = {field["reason"] for change in plan["changes"] for field in change["fields"]}
    assert reasons == {"code changed"}


def test_status_knows_what_was_deployed(shop: Shop) -> None:
    text = shop.sfml("status", ORDERS)
    assert "✓ Mondays 06:00 Europe/Berlin" in text
    text = shop.sfml("status", RETURNS, code=1)
    assert "an apply of returns by ada, begun " in text and "did not finish" in text


def test_history_knows_every_deployment(shop: Shop) -> None:
    history = json.loads(shop.sfml("history", ORDERS, "--deployments", "-o", "json"))
    assert [entry["number"] for entry in history["deployments"]] == [3, 2, 1]


def test_tables_and_runs_read_back(shop: Shop) -> None:
    customers = [row["CUSTOMER"] for row in shop.rows("SELECT CUSTOMER FROM PURCHASES ORDER BY 1")]
    assert customers == [1, 2, 3]
    assert [float(row["TOTAL"]) for row in shop.rows("SELECT TOTAL FROM PUBLISHED")] == [60.75]
    assert shop.rows("SELECT DONE FROM TIDIED") == [{"DONE": 1}]
    # An account shows a week of its history; what is kept does not get less.
    assert len(shop.server.account.store.rows("SELECT name FROM task_runs")) == 8


@pytest.mark.usefixtures("settles_at_once")
def test_an_unfinished_apply_is_finished(own_shop: Shop) -> None:
    apply = ("apply", RETURNS, "--auto-approve", "--user", "ada")
    refused = own_shop.sfml(*apply, "--lock-timeout", "0", code=1)
    assert "--force-unlock" in refused
    own_shop.sfml(*apply, "--force-unlock")
    assert own_shop.body("RETURNS$SECOND") == "select 22"
    assert own_shop.plan(RETURNS)["summary"]["unchanged"] == 4
    assert "✓ Sundays 00:00 UTC" in own_shop.sfml("status", RETURNS)


@pytest.mark.usefixtures("settles_at_once")
def test_an_unfinished_apply_is_restored(own_shop: Shop) -> None:
    own_shop.sfml("apply", RETURNS, "--restore", "--auto-approve", "--user", "ada", "--force-unlock")
    assert own_shop.body("RETURNS$SECOND") == "select 2"
    fields = [field["path"] for change in own_shop.plan(RETURNS)["changes"] for field in change["fields"]]
    assert "definition" in fields


def test_a_deployment_of_then_is_rolled_back_to_and_carried_on(own_shop: Shop) -> None:
    assert "(3, 30)" in own_shop.body("ORDERS$LOAD")
    own_shop.sfml("rollback", ORDERS, "--to", "1", "--auto-approve", "--user", "ada")
    assert "(3, 30)" not in own_shop.body("ORDERS$LOAD")
    own_shop.sfml("apply", ORDERS, "--auto-approve", "--user", "ada")
    assert own_shop.plan(ORDERS)["summary"]["unchanged"] == 8
    assert "(3, 30)" in own_shop.body("ORDERS$LOAD")
