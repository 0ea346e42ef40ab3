"""Snowflake's own samples of ML Jobs, unmodified, on the local Snowflake.

They are read from a copy of github.com/Snowflake-Labs/sf-samples, whose folder is in SF_SAMPLES; nothing of them is
here.
The end-to-end sample gets made-up rows with the columns of its data. Its script for the set-up installs the Snowflake
CLI into the virtual environment that is active; it is run where SF_SAMPLES_ENVIRONMENT names one for that.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sfml_local.http.app import LocalServer

JOBS = Path(os.environ.get("SF_SAMPLES", "")) / "samples" / "ml" / "ml_jobs"
pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("SF_SAMPLES"), reason="SF_SAMPLES names no copy of Snowflake-Labs/sf-samples"
    ),
    pytest.mark.xdist_group("samples"),
]
COLUMNS = (
    "WEEK_START_DATE,WEEK,LOAN_ID,TS,LOAN_TYPE_NAME,LOAN_PURPOSE_NAME,APPLICANT_INCOME_000S,LOAN_AMOUNT_000S,"
    "COUNTY_NAME,MORTGAGERESPONSE"
)
PLACE = {
    "SNOWFLAKE_ROLE": "ENGINEER",
    "SNOWFLAKE_DATABASE": "SNOWBANK",
    "SNOWFLAKE_SCHEMA": "DAG_DEMO",
    "SNOWFLAKE_WAREHOUSE": "DEMO_WH",
    "SNOWFLAKE_COMPUTE_POOL": "DEMO_POOL",
}


def loans(count: int = 1500) -> str:
    """Loans of which those with a high income for their amount are mostly granted."""
    chance = random.Random(7)
    lines = [COLUMNS]
    for number in range(1, count + 1):
        moment = datetime(2024, 1, 1) + timedelta(minutes=chance.randrange(365 * 24 * 60))
        income, amount = max(15, chance.gauss(90, 35)), max(20, chance.gauss(210, 90))
        granted = int(income / amount + chance.gauss(0, 0.08) > 0.42)
        monday = moment - timedelta(days=moment.weekday())
        kind, purpose = (
            chance.choice(("Conventional", "FHA-insured")),
            chance.choice(("Home purchase", "Refinancing")),
        )
        lines.append(
            f"{monday:%Y-%m-%d},{moment.isocalendar().week},{number},{moment:%Y-%m-%d %H:%M:%S},{kind},{purpose},"
            f"{income:.1f},{amount:.1f},County {chance.randrange(12)},{granted}"
        )
    return "\n".join(lines) + "\n"


class Samples:
    """A copy of the samples and a server that is the default connection of their programs."""

    def __init__(self, folder: Path, server: LocalServer) -> None:
        self.folder = folder
        self.server = server
        home = folder / "home"
        home.mkdir()
        options = {**server.connect_args(), "warehouse": "DEMO_WH"}
        for key in ("database", "schema", "session_parameters"):
            options.pop(key, None)
        lines = [
            f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {str(value).lower()}"
            for key, value in options.items()
        ]
        file = home / "connections.toml"
        file.write_text("\n".join(("[default]", *lines, 'database = "SNOWBANK"', 'schema = "DAG_DEMO"', "")))
        file.chmod(0o600)
        own = {"SNOWFLAKE_HOME": str(home), "SNOWFLAKE_DEFAULT_CONNECTION_NAME": "default"}
        self.env = {**os.environ, **PLACE, **own}

    def sql(self, text: str) -> list[Any]:
        """The rows of the last of these statements."""
        import snowflake.connector

        options = {**self.server.connect_args(), "database": "SNOWBANK", "schema": "DAG_DEMO"}
        with snowflake.connector.connect(**options) as connection:
            *_, last = connection.execute_string(text)
            return last.fetchall()

    def run(self, sample: str, *arguments: str, **env: str) -> str:
        """The output of a program of a sample."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder / sample,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=1200,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def sfml(self, folder: Path, *arguments: str) -> str:
        """The output of a command in a project."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name("sfml")), *arguments],
            cwd=folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samples]:
    folder = tmp_path_factory.mktemp("samples")
    for name in ("e2e_task_graph", "xgb_classifier", "distributed_xgb_classifier"):
        shutil.copytree(JOBS / name, folder / name)
    data = folder / "e2e_task_graph" / "data" / "MORTGAGE_LENDING_DEMO_DATA.csv.zip"
    data.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("MORTGAGE_LENDING_DEMO_DATA.csv", loans())
    with LocalServer(folder / "account") as server:
        samples = Samples(folder, server)
        resources = (folder / "e2e_task_graph" / "scripts" / "create_resources.sql").read_text()
        for key, value in (
            ("database_name", "SNOWBANK"),
            ("schema_name", "DAG_DEMO"),
            ("data_schema_name", "DATA"),
        ):
            resources = resources.replace(f"<% {key} %>", value)
        samples.sql(f"USE ROLE ENGINEER; {resources}")
        yield samples


@pytest.fixture(scope="module")
def prepared(samples: Samples) -> Samples:
    """The end-to-end sample with its Feature Store."""
    output = samples.run("e2e_task_graph", "scripts/setup_feature_store.py", SNOWFLAKE_SCHEMA="DATA")
    assert "Feature View created: SNOWBANK.DATA" in output
    return samples


@pytest.mark.skipif(
    not os.environ.get("SF_SAMPLES_ENVIRONMENT"),
    reason="SF_SAMPLES_ENVIRONMENT names no virtual environment that the script may install into",
)
def test_the_script_that_sets_it_up(samples: Samples) -> None:
    """Its statements by `snow sql`, and its Feature Store."""
    environment = Path(os.environ["SF_SAMPLES_ENVIRONMENT"])
    done = subprocess.run(
        ["bash", "scripts/setup_env.sh", "-r", "ENGINEER"],
        cwd=samples.folder / "e2e_task_graph",
        env={
            **samples.env,
            "SNOWFLAKE_DATABASE": "BY_SCRIPT",
            "VIRTUAL_ENV": str(environment),
            "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "DEMO_IMAGE_REPO successfully created." in done.stdout
    assert "Feature View created: BY_SCRIPT.DATA" in done.stdout


def test_the_local_pipeline(prepared: Samples) -> None:
    output = prepared.run("e2e_task_graph", "src/pipeline_local.py")
    assert "to production" in output
    assert "disabled" in prepared.run("e2e_task_graph", "src/pipeline_local.py", "--no-register")


def test_the_task_graph_runs_twice(prepared: Samples) -> None:
    for _ in range(2):
        output = prepared.run("e2e_task_graph", "src/pipeline_dag.py", "--run-dag")
        assert "with result SUCCEEDED" in output


def test_the_task_graph_is_imported_and_adopted(prepared: Samples, tmp_path: Path) -> None:
    """The plan of the imported spec has one line, sfml's own record; once that is adopted, it is empty."""
    prepared.run("e2e_task_graph", "src/pipeline_dag.py")
    place = "{connection: default, database: SNOWBANK, schema: DAG_DEMO, warehouse: DEMO_WH, default: true}"
    (tmp_path / "sfml.yaml").write_text(f"version: 1\ntargets:\n  demo: {place}\n")
    sfml = partial(prepared.sfml, tmp_path)
    sfml("import", "SNOWBANK.DAG_DEMO.DAG", "--name", "mortgages")
    plan = json.loads(sfml("plan", "specs/mortgages.yaml", "--adopt", "-o", "json"))
    paths = [field["path"] for change in plan["changes"] for field in change["fields"]]
    assert paths == ["record"]
    sfml("apply", "specs/mortgages.yaml", "--adopt", "--auto-approve")
    sfml("plan", "specs/mortgages.yaml", "--detailed-exitcode")


def test_the_classifier(samples: Samples) -> None:
    samples.run("xgb_classifier", "src/prepare_data.py", "-n", "500")
    assert samples.run("xgb_classifier", "src/main.py").count("Saving model to disk... done!") == 2
    registered = samples.run("xgb_classifier", "src/main.py", "--save_mode", "registry")
    assert registered.count("Logging model to Model Registry...") == 2
    assert len(samples.sql("SHOW VERSIONS IN MODEL LOAN_DEFAULT_PREDICTOR")) == 2


def test_the_distributed_classifier(samples: Samples) -> None:
    """On fewer rows than it makes itself: it keeps a table that is there."""
    columns = ", ".join(f"UNIFORM(0::FLOAT, 10::FLOAT, RANDOM()) AS FEATURE_{one}" for one in range(1, 100))
    samples.sql(
        f"CREATE TABLE SNOWBANK.DAG_DEMO.MULTINODE_CPU_TRAIN_DS AS SELECT {columns}, FEATURE_1 * 2 AS TARGET_1"
        " FROM TABLE(GENERATOR(ROWCOUNT => 20000))"
    )
    submit = (
        "from snowflake.ml.jobs import submit_file\nfrom snowflake.snowpark import Session\n"
        "job = submit_file('src/train.py', 'DEMO_POOL', stage_name='multi_node_payload_stage', target_instances=2,"
        " session=Session.builder.create())\n"
        "print(job.wait(), job.get_logs())"
    )
    output = samples.run("distributed_xgb_classifier", "-c", submit)
    assert output.startswith("DONE") and "Training completed in" in output
