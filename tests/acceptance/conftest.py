"""The installed command, run in folders of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import fork_server
import pytest
from kept_bytecode import link_compiled

ROOT = Path(__file__).parents[2]
SFML = Path(sys.executable).parent / "sfml"


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Project:
    """A project folder; `sfml(…)` runs the command in it.

    It is forked from a process that has imported Snowflake's clients already, or, `from_nothing`, started as users do.
    """

    folder: Path
    from_nothing: bool = False
    home: Path | None = None
    """The user's home; by default the project's folder."""

    def sfml(self, *arguments: str, ok: bool | None = True, timeout: float = 300) -> Done:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["HOME"] = str(self.home or self.folder)
        run = _run_from_nothing if self.from_nothing else fork_server.run
        done = run((str(SFML), *arguments), cwd=self.folder, env=environment, timeout=timeout)
        result = Done(done.returncode, done.stdout, done.stderr)
        assert "Traceback (most recent call last)" not in result.err, result.text
        if ok is not None:
            assert (result.code == 0) is ok, f"sfml {' '.join(arguments)} → {result.code}\n{result.text}"
        return result

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r}"
        self.write(path, text.replace(old, new))


def _run_from_nothing(
    words: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
    )


MakeProject = Callable[[], Project]


@pytest.fixture(scope="module")
def clv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A copy of this repository's own pipeline, with its data; its local Snowflake is stopped at the end."""
    folder = tmp_path_factory.mktemp("clv")
    for name in ("specs", "steps/clv"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "sfml.yaml", folder)
    (folder / "data").mkdir()
    source = ROOT / "data" / "cdnow.csv"
    if not source.exists():
        pytest.fail("data/cdnow.csv is not there: run `make data`")
    shutil.copy(source, folder / "data")
    project = Project(folder)
    try:
        yield project
    finally:
        project.sfml("local", "stop", ok=None)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A small project of two SQL tasks that needs no data."""
    made = Project(tmp_path)
    made.write("sfml.yaml", "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true}\n")
    made.write("steps/mine/__init__.py", "")
    made.write(
        "specs/small.yaml",
        "version: 1\npipeline: small\ngraph:\n  version: 1\n  tasks:\n"
        "    first: {sql: 'select 1'}\n    second: {sql: 'select 2', after: [first]}\n"
        "schedule: {version: 1, schedule: manual}\n",
    )
    try:
        yield made
    finally:
        if (tmp_path / ".sfml").exists():
            made.sfml("local", "stop", ok=None)


# -- fresh environments


def environment(home: Path) -> dict[str, str]:
    """What a process sees that has nothing to do with this environment."""
    left_out = {"PYTHONPATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS"}
    return {key: value for key, value in os.environ.items() if key not in left_out} | {"HOME": str(home)}


def finished(*words: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """The output of a command that must succeed."""
    command = [str(word) for word in words]
    ended = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=600, check=False
    )
    assert ended.returncode == 0, f"{' '.join(command)}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


UV = Path(sys.executable).parent / "uv"


@pytest.fixture(scope="session")
def pip(tmp_path_factory: pytest.TempPathFactory) -> tuple[str | Path, ...]:
    """A pip of Python's own, where there is no `uv`, which takes a fraction of its time."""
    folder = tmp_path_factory.mktemp("pip")
    finished(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    return (folder / "venv" / "bin" / "python", "-m", "pip", "--quiet")


@pytest.fixture(scope="session")
def wheel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout, built as it is published: by its backend in an environment of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    if UV.is_file():
        finished(
            UV,
            "build",
            "--quiet",
            "--wheel",
            "--python",
            sys.executable,
            "--out-dir",
            folder,
            ROOT,
            cwd=folder,
        )
    else:
        pip = request.getfixturevalue("pip")
        finished(*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("sfml_snowflake-*.whl")
    return built


@pytest.fixture(scope="session")
def new_environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Makes an environment with the given requirements and nothing else, not even pip; answers its `bin` folder.

    It takes `uv` where the environment of the tests has it, which is several times as fast.

    Versions are those of the environment that the tests run in: a new release is found by `make latest`, not by chance.
    """
    constraints = tmp_path_factory.mktemp("constraints") / "constraints.txt"
    pins = {f"{one.metadata['Name']}=={one.version}" for one in metadata.distributions()}
    others = (pin for pin in sorted(pins) if not pin.startswith("sfml"))
    constraints.write_text("\n".join(others), encoding="utf-8")

    def made(*requirements: str | Path) -> Path:
        folder = tmp_path_factory.mktemp("environment")
        finished(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
        python = folder / "venv" / "bin" / "python"
        if UV.is_file():
            install: tuple[str | Path, ...] = (UV, "pip", "install", "--quiet", "--python", python)
        else:
            # What is imported is compiled then, in a fraction of the time that compiling all takes.
            pip = request.getfixturevalue("pip")
            install = (*pip, "--python", python, "install", "--no-compile")
        finished(*install, "--constraint", constraints, *requirements, cwd=folder)
        (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
        link_compiled(packages)
        return python.parent

    return made
