"""The tool that fetches the CDNOW purchases, as it is run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CDNOW = ROOT / "data" / "cdnow.csv"


def fetch(target: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "fetch_cdnow.py"), str(target)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def test_offline_it_says_what_to_do_and_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "cdnow.csv"
    # Neither pip nor uv asks an index, and no cache helps out.
    done = fetch(
        target,
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS="",
        UV_OFFLINE="1",
        UV_NO_CACHE="1",
        PIP_CONFIG_FILE=os.devnull,
    )
    assert done.returncode == 1
    assert "could not fetch lifetimes==0.11.3" in done.stderr
    assert "Traceback" not in done.stderr
    assert not target.exists()


@pytest.mark.skipif(not CDNOW.is_file(), reason="the CDNOW purchases are not here: make data")
def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "cdnow.csv"
    shutil.copy(CDNOW, target)
    before = target.stat().st_mtime_ns
    done = fetch(target, PIP_NO_INDEX="1", UV_OFFLINE="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "is there already (69,659 purchases of 23,570 customers)" in done.stdout
    assert target.stat().st_mtime_ns == before


def test_a_spoilt_file_is_not_taken_for_the_data(tmp_path: Path) -> None:
    target = tmp_path / "cdnow.csv"
    target.write_text("CUSTOMER_ID,PURCHASED_ON,UNITS,AMOUNT\n1,1997-01-01,1,11.77\n")
    done = fetch(target, PIP_NO_INDEX="1", PIP_FIND_LINKS="", UV_OFFLINE="1", UV_NO_CACHE="1")
    assert "is there already" not in done.stdout
    assert done.returncode == 1


def test_lines_become_rows_with_iso_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import fetch_cdnow

    text = " customer_id  date number_of_cds  dollar_value\r\n 00002 19970112  5   77.00\r\n\r\n"
    assert fetch_cdnow.as_csv(text) == b"CUSTOMER_ID,PURCHASED_ON,UNITS,AMOUNT\n2,1997-01-12,5,77.00\n"
