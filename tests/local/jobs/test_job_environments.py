"""The pip requirements of a job: an environment of its own, kept by content and made once."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from payloads import POOL, define, payload, wheel
from snowflake.ml.jobs import list_jobs, submit_directory
from snowflake.snowpark import Session

from sfml_local.http.app import LocalServer
from sfml_local.services.jobs import environment as job_environment


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("offline") / "wheels"
    wheel(folder, "sfml_tiny", "1.0", "VERSION = '1.0'\ndef main(): print('tiny speaks')\n")
    wheel(folder, "sfml_tiny", "2.0", "VERSION = '2.0'\ndef main(): print('tiny shouts')\n")
    return folder


def offline(wheels: Path) -> dict[str, str]:
    """Variables of a job with which its pip looks nowhere but in a folder."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), **ALONE}


ALONE = {"PIP_NO_WARN_CONFLICTS": "0"}
"""pip does not compare this Python's hundreds of packages, half of its time here. (The switch, off, says so.)"""


def environments(server: LocalServer) -> set[str]:
    found = {path.name for path in server.account.folder.glob("environments/*")}
    return {name for name in found if not name.startswith(job_environment.PIP)}


SAYS = """
import sys, sfml_tiny, pandas, snowflake.snowpark
print('installed' if sys.prefix in sfml_tiny.__file__ else 'elsewhere')
__return__ = [sfml_tiny.VERSION, sys.prefix in pandas.__file__]
"""


def test_each_job_has_the_version_it_asks_for(
    server: LocalServer, shared: Session, tmp_path: Path, wheels: Path
) -> None:
    source, known = payload(tmp_path / "p", SAYS), environments(server)

    def run(version: str) -> Any:
        job = define(
            shared, source, pip_requirements=[f"sfml-tiny=={version}", "pandas"], env_vars=offline(wheels)
        )()
        return job.result(60), job.get_logs(), job.get_logs(verbose=True)

    result, said, log = run("1.0")
    # pandas is this Python's own: pip leaves alone what is there already.
    assert (result, said) == (["1.0", False], "installed")
    assert "Successfully installed sfml-tiny-1.0" in log
    assert run("2.0")[0] == ["2.0", False]
    result, _, log = run("1.0")
    assert result == ["1.0", False]
    assert "Successfully installed" not in log  # kept from the first job
    assert len(environments(server) - known) == 2


def test_jobs_that_come_together_share_one_installation(
    server: LocalServer, shared: Session, tmp_path: Path, wheels: Path
) -> None:
    known = environments(server)
    definition = define(
        shared,
        payload(tmp_path / "p", SAYS),
        pip_requirements=["sfml-tiny"],
        env_vars={**offline(wheels), "PIP_PRE": "0"},
    )
    jobs = [definition() for _ in range(2)]
    assert [job.result(120)[0] for job in jobs] == ["2.0"] * 2
    assert sum("Successfully installed" in job.get_logs(verbose=True) for job in jobs) == 1
    assert len(environments(server) - known) == 1


def test_a_command_that_a_requirement_brings_is_an_entrypoint(
    shared: Session, tmp_path: Path, wheels: Path
) -> None:
    job = submit_directory(
        payload(tmp_path / "p", ""),
        POOL,
        entrypoint=["sfml_tiny_command"],
        stage_name="JOBS",
        pip_requirements=["sfml-tiny==1.0", "pandas"],
        env_vars=offline(wheels),
        session=shared,
    )
    assert job.wait(60) == "DONE"
    assert job.get_logs(as_list=True)[0] == "tiny speaks"


def test_a_wheel_in_the_payload_can_be_required(server: LocalServer, shared: Session, tmp_path: Path) -> None:
    source = Path(payload(tmp_path / "p", SAYS))
    known = environments(server)
    for code in ("VERSION = 'a'", "VERSION = 'b'"):  # the same name, another content
        file = wheel(source, "sfml_tiny", "1.0", code)
        job = define(shared, str(source), pip_requirements=[f"./{file.name}"], env_vars=ALONE)()
        assert job.result(60)[0] == code[-2]
    assert len(environments(server) - known) == 2


def test_what_pip_cannot_install_fails_the_job_in_pips_words(
    server: LocalServer, shared: Session, tmp_path: Path, wheels: Path
) -> None:
    known = environments(server)
    source = payload(tmp_path / "p", "print('never')\n")
    job = define(
        shared, source, name="NO_PIP", pip_requirements=["sfml-tiny==3.0"], env_vars=offline(wheels)
    )()
    assert job.wait(60) == "FAILED"
    assert "No matching distribution found for sfml-tiny==3.0" in job.get_logs()
    assert "never" not in job.get_logs()
    listed = list_jobs(session=shared)
    assert "sfml-tiny==3.0" in listed[listed["name"] == job.name].iloc[0]["message"]
    assert environments(server) == known  # nothing half made stays


def test_requirements_that_are_met_need_no_environment(
    server: LocalServer, shared: Session, tmp_path: Path
) -> None:
    known = environments(server)
    asked = ["pyyaml>=6", "pandas  # of whatever version", "", "pywin32; sys_platform == 'win32'"]
    shared.sql(define(shared, payload(tmp_path / "p", ""), pip_requirements=asked).to_sql()).collect()
    assert environments(server) == known


def test_where_this_python_has_no_pip_all_environments_borrow_one(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_environment, "_has_pip", lambda: False)
    monkeypatch.setattr(job_environment, "_own_packages", list)
    commands: list[list[str]] = []

    def install(words: list[str], more: Mapping[str, str]) -> int:
        commands.append(words)
        return subprocess.run(words, env={**os.environ, **more, **offline(wheels)}, check=False).returncode

    found, pips = [], []
    for version in ("1.0", "2.0"):
        requirements = tmp_path / f"{version}.txt"
        requirements.write_text(f"sfml-tiny=={version}\n", encoding="utf-8")
        made = job_environment.Environment(tmp_path / "environments" / version, requirements)
        assert job_environment.make(job_environment.EnvironmentLocks(), made, install, lambda: False) == 0
        code = "import sfml_tiny, sys; print(sfml_tiny.VERSION, sys.prefix in sfml_tiny.__file__)"
        found.append(subprocess.check_output((made.python, "-c", code), text=True))
        pips += [
            path.stat().st_mtime_ns for path in tmp_path.glob(f"environments/{job_environment.PIP}*/.ready")
        ]
    assert found == ["1.0 True\n", "2.0 True\n"]
    assert len(pips) == 2 and len(set(pips)) == 1  # unpacked once
    assert [words[2] for words in commands] == ["venv", "pip"] * 2
    assert all("--without-pip" in words for words in commands if words[2] == "venv")


def test_where_this_python_brings_no_pip_venv_is_asked_for_one_and_its_failure_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_environment, "_has_pip", lambda: False)
    monkeypatch.setattr(job_environment, "_bundled_wheels", lambda: tmp_path)
    commands: list[list[str]] = []

    def install(words: list[str], more: Mapping[str, str]) -> int:
        commands.append(words)
        return 3

    made = job_environment.Environment(tmp_path / "environments" / "a", tmp_path / "requirements.txt")
    assert job_environment.make(job_environment.EnvironmentLocks(), made, install, lambda: False) == 3
    (words,) = commands
    assert words[1:3] == ["-m", "venv"] and Path(words[-1]).name.startswith(job_environment.PIP)
    assert "--without-pip" not in words
    assert list((tmp_path / "environments").iterdir()) == []  # nothing half made stays


def test_environments_that_no_job_used_for_a_month_go_with_the_next_start(folder: Path) -> None:
    for name, days in (("old", job_environment.KEPT_DAYS + 1), ("used", job_environment.KEPT_DAYS - 1)):
        environment = folder / "environments" / name
        (environment / "bin").mkdir(parents=True)
        moment = time.time() - days * 86400
        os.utime(environment, (moment, moment))
    with LocalServer(folder) as server:
        assert environments(server) == {"used"}
