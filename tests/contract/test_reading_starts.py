"""What commands that only read import: the connector, and not Snowflake's client, which takes longer than all the rest.

By name and not by time, each in a process of its own, against a server that is up. What the connector needs of others
is imported before they are forked.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import chdir
from pathlib import Path
from typing import Any

import fork_server
import pytest

from sfml.cli import entry
from sfml.snowflake.connections_file import as_toml
from sfml.testing.local_snowflake import LocalSnowflake

PROJECT = "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true, database: %s}\n"
SPEC = """version: 1
pipeline: small
graph: {version: 1, tasks: {one: {sql: select 1}, two: {sql: select 2, after: [one]}}}
schedule: {version: 1, schedule: {cron: '0 0 * * 0', timezone: UTC}}
"""

COMMAND = "from sfml.cli.entry import run; code = run(sys.argv[1:])"
APPLIED = """
from sfml.cli.entry import run
code = 0
for spec in sys.argv[1:]:
    code = run(["apply", spec, "--auto-approve"]) or code
    assert "snowflake.core" in sys.modules
"""
IN_PYTHON = """
import sfml
pipeline = sfml.open(".").pipeline("small")
with pipeline.connect() as account:
    code = 0 if account.plan().is_empty and account.runs() is not None else 1
"""
PROBE = """
import json, sys
assert not any(module.startswith("snowflake.") for module in sys.modules)
{}
print("\\n" + json.dumps([code, sorted(sys.modules)]))
"""

LATER = {"snowflake.core", "snowflake.snowpark", "snowflake.ml", "pydantic"}
"""What nothing that only reads needs."""

LARGE = {"pandas", "pyarrow", "numpy", "boto3", "botocore"}
"""What the connector looks for when it is imported, and a command does without."""


@pytest.fixture
def deployed(local_snowflake: LocalSnowflake, tmp_path: Path) -> Any:
    for name, text in {
        "sfml.yaml": PROJECT % local_snowflake.database,
        "specs/small.yaml": SPEC,
        "steps/__init__.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    with local_snowflake.serving(tmp_path):
        with chdir(tmp_path):
            assert entry.run(["apply", "specs/small.yaml", "--auto-approve"]) == 0
        yield tmp_path


def modules_of(folder: Path, program: str, *words: str) -> set[str]:
    """What a process that ended well had imported at its end. It began with nothing of Snowflake's."""
    program = PROBE.format(program)
    command = (sys.executable, "-X", f"forked={fork_server.LIGHT}", "-c", program, *words)
    done = fork_server.run(command, cwd=folder, env=os.environ, timeout=300)
    assert done.returncode == 0, done.stderr
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stdout + done.stderr
    return set(modules)


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "specs/small.yaml"),
        ("drift", "specs/small.yaml"),
        ("status", "specs/small.yaml"),
        ("history", "specs/small.yaml"),
        # Without a change there is nothing to write either.
        ("apply", "specs/small.yaml", "--auto-approve"),
        ("local", "sql", "select 1"),
    ],
    ids=lambda words: words[0],
)
def test_a_command_that_reads_imports_no_client(deployed: Path, words: tuple[str, ...]) -> None:
    modules = modules_of(deployed, COMMAND, *words)
    assert "snowflake.connector" in modules, "it asked the server"
    assert not modules & (LATER | LARGE)


def test_a_comparison_with_an_account_imports_nothing_large(
    deployed: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("SNOWFLAKE_HOME", str(home))
    place = json.loads((deployed / ".sfml" / "local" / "server.json").read_text(encoding="utf-8"))
    keys = ("host", "port", "protocol", "account", "user", "password", "database", "schema")
    (home / "connections.toml").write_text(
        as_toml("here", {key: place[key] for key in keys}), encoding="utf-8"
    )
    (home / "connections.toml").chmod(0o600)
    words = (
        "--connection",
        "here",
        "--database",
        place["database"],
        "--settle",
        "0",
        "--only",
        "create_or_alter_over_rest",
    )
    modules = modules_of(deployed, COMMAND, "conformance", *words)
    assert "snowflake.core" in modules, "it wrote a task"
    assert not modules & (LARGE | {"snowflake.snowpark"})


def test_neither_does_a_plan_in_python(deployed: Path) -> None:
    modules = modules_of(deployed, IN_PYTHON)
    assert "snowflake.connector" in modules
    assert not modules & LATER


def test_what_writes_imports_it_without_snowpark(deployed: Path) -> None:
    """Else the tests above would hold nothing. One pipeline is changed, and one is new."""
    changed, new = deployed / "specs" / "small.yaml", deployed / "specs" / "other.yaml"
    changed.write_text(SPEC.replace("select 2", "select 3"), encoding="utf-8")
    new.write_text(SPEC.replace("small", "other"), encoding="utf-8")
    written = modules_of(deployed, APPLIED, str(changed), str(new))
    assert "snowflake.core" in written
    assert "snowflake.snowpark" not in written
    plan = modules_of(deployed, COMMAND, "plan", "specs/small.yaml")
    assert "snowflake.core" not in plan


COMPLETED = """
import json, os, sys
from sfml.snowflake.light_connector import complete_connector, import_lightly, without_snowpark
import_lightly()
import snowflake.connector
assert not {"pandas", "numpy", "boto3"} & set(sys.modules)
place = json.load(open(".sfml/local/server.json"))
keys = ("host", "port", "protocol", "account", "user", "password", "database", "schema")
connection = snowflake.connector.connect(**{key: place[key] for key in keys})
ask = lambda: connection.cursor().execute("select 1 as A, 1.5 as B, current_timestamp() as C, 'x' as D")
assert ask().fetchall()[0][3] == "x"
with without_snowpark():
    from snowflake.core import Root
assert "snowflake.snowpark" not in sys.modules
complete_connector()
import pandas
assert isinstance(ask().fetch_pandas_all(), pandas.DataFrame)
assert ask().fetch_arrow_all().num_rows == 1
from snowflake.connector.pandas_tools import write_pandas
from snowflake.connector import wif_util
assert wif_util.boto3 is sys.modules["boto3"]
from snowflake.snowpark import Session
session = Session.builder.configs({"connection": connection}).create()
assert session.sql("select 1 as A").to_pandas()["A"][0] == 1
assert session.create_dataframe(pandas.DataFrame({"A": [1, 2]})).count() == 2
assert Root(connection).session is not None and Root(session).connection is connection
code = 0
"""


def test_clients_that_were_imported_lightly_are_whole_once_they_are_completed(deployed: Path) -> None:
    modules_of(deployed, COMPLETED)


AT_ONCE = """
import importlib.abc, sys, threading
from sfml.snowflake.light_connector import complete_connector, import_lightly
import_lightly()
import boto3, pandas
reached, completed, errors = threading.Event(), threading.Event(), []

def complete():
    try:
        complete_connector()
    except BaseException as error:
        errors.append(repr(error))
    completed.set()

class Halting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "snowflake.snowpark" and threading.current_thread() is importing:
            reached.set()
            completed.wait(1)  # set at once if it does not wait for this import
        return None

sys.meta_path.insert(0, Halting())
importing = threading.Thread(target=importlib.import_module, args=("snowflake.core",))
completing = threading.Thread(target=complete)
importing.start()
assert reached.wait(60)
completing.start()
importing.join()
completing.join()
assert not errors, errors
code = 0
"""


def test_completing_waits_for_a_thread_that_imports_the_client(deployed: Path) -> None:
    """Several pipelines are applied at once: one writes tasks while another one registers a job."""
    assert "snowflake.core" in modules_of(deployed, AT_ONCE)
