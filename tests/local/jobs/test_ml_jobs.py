"""ML Jobs through `snowflake.ml.jobs`, unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from payloads import POOL, define, payload
from snowflake.ml.jobs import delete_job, get_job, list_jobs, remote, submit_directory
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

from sfml_local.http.app import LocalServer

AWKWARD = {"quote": "it's \"", "slash": "a\\b\\n", "dollar": "$$ $1", "lines": "a\nb", "unicode": "→ é"}


def test_a_definition_runs_as_a_statement(shared: Session, tmp_path: Path) -> None:
    main = """
import json, sys
from package import VALUE
from snowflake.snowpark import Session
session = Session.builder.getOrCreate()
rows = [[VALUE, json.loads(sys.argv[1]), session.get_current_role()]]
from pathlib import Path
text = json.dumps(rows).replace("'", "''").replace("\\\\", "\\\\\\\\")
session.sql(f"CREATE OR REPLACE TABLE ARGV AS SELECT '{text}' AS T").collect()
print("job says", VALUE)
"""
    shared.sql("CREATE STAGE IF NOT EXISTS SFML").collect()
    definition = define(
        shared,
        payload(tmp_path / "p", main),
        stage="@SFML.PUBLIC.SFML/clv/jobs/abc123",
        name="CLV_TRAIN_MODEL_ABC123",
    )
    sql = definition.to_sql(job_args=[json.dumps(AWKWARD, ensure_ascii=False)])
    (row,) = shared.sql(sql).collect()
    assert row[0].startswith("SFML.PUBLIC.CLV_TRAIN_MODEL_ABC123_")
    assert json.loads(shared.table("ARGV").collect()[0][0]) == [[7, AWKWARD, '"SYSADMIN"']]
    job = get_job(row[0], session=shared)
    assert (job.status, job.get_logs()) == ("DONE", "job says 7")


def test_a_failing_job_fails_its_statement_with_its_last_words(shared: Session, tmp_path: Path) -> None:
    source = payload(tmp_path / "p", "print('before')\nraise ValueError('bad thing')\n")
    with pytest.raises(SnowparkSQLException, match="ValueError: bad thing") as failed:
        shared.sql(define(shared, source, name="FAILS").to_sql()).collect()
    assert failed.value.sql_error_code == 395018
    assert "before" in str(failed.value)
    assert 'main.py", line 2, in <module>' in str(failed.value)
    assert "mljob_launcher" not in str(failed.value), (
        "frames of the launcher leave no room for the job's words"
    )


def test_a_job_in_the_background(shared: Session, tmp_path: Path) -> None:
    source = payload(tmp_path / "p", "import sys\nprint('working')\n__return__ = {'argv': sys.argv[1:]}\n")
    job = submit_directory(
        source, POOL, entrypoint="main.py", stage_name="JOBS", args=["--a", "1"], session=shared
    )
    assert job.wait(60) == "DONE"
    assert job.result() == {"argv": ["--a", "1"]}
    assert job.get_logs(as_list=True) == ["working"]
    assert "ML job started" in job.get_logs(verbose=True)
    listed = list_jobs(session=shared)
    assert listed[listed["name"] == job.name].iloc[0]["status"] == "DONE"
    delete_job(job)
    listed = list_jobs(session=shared)
    assert job.name not in set(listed["name"])


def test_an_exception_is_raised_again_at_the_caller(shared: Session, tmp_path: Path) -> None:
    source = payload(tmp_path / "p", "raise KeyError('gone')\n")
    job = submit_directory(source, POOL, entrypoint="main.py", stage_name="JOBS", session=shared)
    with pytest.raises(RuntimeError, match="gone") as failed:
        job.result()
    assert isinstance(failed.value.__cause__, KeyError)
    assert job.status == "FAILED"


def test_a_running_job_can_be_cancelled(server: LocalServer, shared: Session, tmp_path: Path) -> None:
    source = payload(tmp_path / "p", "import time\nprint('waiting', flush=True)\ntime.sleep(600)\n")
    job = submit_directory(source, POOL, entrypoint="main.py", stage_name="JOBS", session=shared)
    assert job.status == "RUNNING"
    job.cancel()
    assert job.wait(10) == "CANCELLED"


def test_a_remote_function_takes_and_returns_a_frame(shared: Session) -> None:
    @remote(POOL, stage_name="JOBS", session=shared)
    def doubled(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(z=frame.x * 2)

    job = doubled(pd.DataFrame({"x": [1, 2, 3]}))
    assert list(job.result().z) == [2, 4, 6]


def test_a_job_ends_with_its_server(folder: Path, tmp_path: Path) -> None:
    source = payload(tmp_path / "p", "import time\ntime.sleep(600)\n")
    with LocalServer(folder) as server, Session.builder.configs(server.connect_args()).create() as session:
        running = submit_directory(source, POOL, entrypoint="main.py", stage_name="JOBS", session=session)
        assert running.status == "RUNNING"
    with LocalServer(folder) as server, Session.builder.configs(server.connect_args()).create() as session:
        assert get_job(running.id, session=session).status == "INTERNAL_ERROR"


def test_a_job_that_is_not_there(shared: Session) -> None:
    with pytest.raises(SnowparkSQLException, match="does not exist"):
        get_job("SFML.PUBLIC.NO_SUCH_JOB", session=shared)


def test_jobs_survive_a_restart(folder: Path, tmp_path: Path) -> None:
    source = payload(tmp_path / "p", "print('kept')\n")
    with LocalServer(folder) as server, Session.builder.configs(server.connect_args()).create() as session:
        (row,) = session.sql(define(session, source).to_sql()).collect()
    with LocalServer(folder) as server, Session.builder.configs(server.connect_args()).create() as session:
        job = get_job(row[0], session=session)
        assert (job.status, job.get_logs()) == ("DONE", "kept")


def test_its_spans_and_events_are_in_the_event_table(session: Session) -> None:
    @remote("LOCAL_POOL", stage_name="PAYLOADS", session=session)
    def traced() -> int:
        from snowflake import telemetry

        telemetry.set_span_attribute("model", "clv")
        telemetry.add_event("fitted", {"rows": 3})
        return 4

    assert traced().result() == 4
    rows = session.sql(
        "SELECT RECORD_TYPE, RECORD['name']::VARCHAR, RECORD_ATTRIBUTES FROM SNOWFLAKE.TELEMETRY.EVENTS"
        " WHERE RECORD_TYPE <> 'LOG' ORDER BY TIMESTAMP"
    ).collect()
    assert [(row[0], row[1], json.loads(row[2])) for row in rows] == [
        ("SPAN_EVENT", "fitted", {"rows": 3}),
        ("SPAN", "snow.auto_instrumented", {"model": "clv"}),
    ]
