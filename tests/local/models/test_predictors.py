"""The processes that run models: one a version, warm, kept within bounds, gone with their version."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_models import Own, Process
from snowflake.ml.model import model_signature
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

from sfml_local.http.app import LocalServer
from sfml_local.services.models import predictors


@pytest.fixture(scope="module")
def versions(asking: Session, log: Any, server: LocalServer) -> None:
    log(Process(), "PROCESS", "V1", sample_input_data=pd.DataFrame({"X": [1.0]}))
    for number in range(2, server.account.settings.models + 3):
        asking.sql(f"ALTER MODEL PROCESS ADD VERSION V{number} FROM MODEL PROCESS VERSION V1").collect()


def pid(session: Session, version: str, method: str = "PREDICT", argument: int = 1) -> int:
    (row,) = session.sql(f"SELECT MODEL(PROCESS, {version})!{method}({argument}):PID::INT").collect()
    return int(row[0])


def is_gone(process: int) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_the_methods_of_a_version_share_one_process(asking: Session, versions: None) -> None:
    first = pid(asking, "V1")
    assert pid(asking, "V1") == first
    assert pid(asking, "V1", "AGAIN") == first
    assert pid(asking, "V2") != first


@pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux alone")
def test_they_are_forked_from_a_parent_of_their_own(
    server: LocalServer, asking: Session, versions: None
) -> None:
    def parent(process: int) -> int:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])

    assert parent(pid(asking, "V1")) == predictors.parent_of(server.account).pid


def test_a_process_that_died_since_the_last_call_is_replaced(asking: Session, versions: None) -> None:
    first = pid(asking, "V1")
    os.kill(first, signal.SIGKILL)
    assert pid(asking, "V1") != first


def test_a_model_that_ends_its_process_is_an_error_and_no_more(asking: Session, versions: None) -> None:
    with pytest.raises(SnowparkSQLException, match="the model's process ended with exit code 3"):
        pid(asking, "V1", argument=-1)
    assert pid(asking, "V1") > 0


def test_the_least_used_of_too_many_ends(server: LocalServer, asking: Session, versions: None) -> None:
    first = pid(asking, "V1")
    others = [pid(asking, f"V{number}") for number in range(2, server.account.settings.models + 2)]
    assert is_gone(first)
    assert pid(asking, f"V{server.account.settings.models + 1}") == others[-1]


def test_what_nobody_asks_for_ends_with_its_parent(
    server: LocalServer, asking: Session, versions: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, parent = pid(asking, "V1"), predictors.parent_of(server.account).pid
    predictors.end_idle(server.account)
    assert pid(asking, "V1") == process
    monkeypatch.setattr(server.account, "settings", replace(server.account.settings, model_idle_seconds=-1))
    predictors.end_idle(server.account)
    assert is_gone(process)
    assert parent is None or is_gone(parent)
    assert pid(asking, "V1") != process


def test_a_dropped_version_leaves_no_process_and_its_successor_answers(
    asking: Session, versions: None, log: Callable[..., Any]
) -> None:
    asking.sql("CREATE MODEL GOING WITH VERSION V1 FROM MODEL PROCESS VERSION V1").collect()
    (row,) = asking.sql("SELECT GOING!PREDICT(1):PID::INT").collect()
    asking.sql("DROP MODEL GOING").collect()
    assert is_gone(int(row[0]))
    asking.sql("CREATE MODEL GOING WITH VERSION V1 FROM MODEL PROCESS VERSION V1").collect()
    (after,) = asking.sql("SELECT GOING!PREDICT(1):PID::INT").collect()
    assert after[0] != row[0]


def test_code_of_a_version_wins_over_a_library_in_memory(asking: Session, log: Any, tmp_path: Path) -> None:
    package = tmp_path / "lightgbm"
    package.mkdir()
    (package / "__init__.py").write_text("WORD = 'own'\n")
    frame = pd.DataFrame({"X": [1.0]})
    signature = model_signature.infer_signature(frame, pd.DataFrame({"WORD": ["own"]}))
    log(Own(), "OWN", "V1", signatures={"predict": signature}, code_paths=[str(package)])
    assert [row[0] for row in asking.sql("SELECT OWN!PREDICT(1):WORD::STRING").collect()] == ["own"]
