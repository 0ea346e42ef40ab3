"""The pip requirements of ML Jobs: environments with packages that this Python lacks, cached by content.

An environment is a virtual environment on top of this Python's packages: pip installs only packages that are missing
or have another version. https://docs.python.org/3/library/venv.html
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import site
import sys
import sysconfig
import threading
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from sfml_local.processes.imports import forget_unused

if TYPE_CHECKING:
    from sfml_local.core.account import Account

REQUIREMENTS_SETTING = "MLRS_REQUIREMENTS_FILE"
"""The variable with the name of the requirements file, relative to the payload; startup.sh reads it."""

READY = ".ready"
PIP = "pip-"
"""What contains only pip, for environments to use if this Python has none."""
KEPT_DAYS = 30.0
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_OWN_NETWORK = ("HOME", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

Install = Callable[[list[str], Mapping[str, str]], int]
"""Runs a command to its end, with additional variables; returns its exit code."""


class EnvironmentLocks:
    """A lock for each environment of an account, held while it is made."""

    def __init__(self, account: Account | None = None) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Path, threading.Lock] = {}

    def of(self, folder: Path) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(folder, threading.Lock())


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment of a payload's requirements, which may not exist yet."""

    folder: Path
    requirements: Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")


def requirement_lines(payload: Path, env: Mapping[str, str]) -> list[str]:
    """The lines of the payload's requirements file without comments and blank lines."""
    file = payload / env.get(REQUIREMENTS_SETTING, "requirements.txt")
    if not file.is_file():
        return []
    lines = (
        line.split(" #")[0].strip()
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
    )
    return [line for line in lines if line and not line.startswith("#")]


def required_names(lines: list[str]) -> frozenset[str]:
    """The normalized names of the distributions in the lines."""
    return frozenset(canonicalize_name(found.name) for found in map(_requirement, lines) if found)


def environment_of(account: Account, payload: Path, env: Mapping[str, str]) -> Environment | None:
    """The environment that the payload needs; None if this Python meets its requirements."""
    lines = requirement_lines(payload, env)
    if all(_is_met(line) for line in lines):
        return None
    settings = {name: value for name, value in env.items() if name.startswith("PIP_")}
    parts = [lines, settings, sys.version, sys.prefix, _installed()]
    if not all(map(_requirement, lines)):  # a line may name files of the payload
        parts.append(_digest_of_files(payload))
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]
    folder = account.folder / "environments" / key
    return Environment(folder, payload / env.get(REQUIREMENTS_SETTING, "requirements.txt"))


def make(
    locks: EnvironmentLocks, environment: Environment, install: Install, has_to_end: Callable[[], bool]
) -> int:
    """Create the environment unless it exists; returns the exit code of a failed command, or 0."""

    def fill() -> int:
        pip = environment.folder.parent / f"{PIP}{_PYTHON}"
        if _has_pip():
            below = _own_packages()
        elif code := _make_once(locks.of(pip), pip, lambda: _add_pip(pip, install), has_to_end):
            return code
        else:
            below = [*_own_packages(), str(_packages(pip))]
        return _make(environment, below, install)

    return _make_once(locks.of(environment.folder), environment.folder, fill, has_to_end)


def _make_once(
    lock: threading.Lock, folder: Path, fill: Callable[[], int], has_to_end: Callable[[], bool]
) -> int:
    """Fill the folder unless it is complete; returns the exit code of a failed command, or 0.

    If another job is creating the environment, wait for it, and create it if the other job failed.
    """
    while not lock.acquire(timeout=0.1):
        if has_to_end():
            return -signal.SIGTERM
    try:
        if (folder / READY).is_file():
            os.utime(folder)
            return 0
        shutil.rmtree(folder, ignore_errors=True)  # the rest of a failed or killed attempt
        folder.parent.mkdir(exist_ok=True)
        code = fill()
        if code == 0:
            (folder / READY).touch()
        else:
            shutil.rmtree(folder, ignore_errors=True)
        return code
    finally:
        lock.release()


def _make(environment: Environment, below: list[str], install: Install) -> int:
    if code := install(_venv(environment.folder, "--without-pip"), {}):
        return code
    # Not --system-site-packages: if this Python is a virtual environment, that would mean the base Python's packages.
    lines = [f"import site; site.addsitedir({path!r})\n" for path in below]
    (_packages(environment.folder) / "_below.pth").write_text("".join(lines), encoding="utf-8")
    # pip reads the user's settings of index and network from the home folder.
    own = {name: value for name, value in os.environ.items() if name.upper() in _OWN_NETWORK}
    options = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")
    requirements = str(environment.requirements)
    return install([environment.python, "-m", "pip", "install", *options, "-r", requirements], own)


def _add_pip(folder: Path, install: Install) -> int:
    """Unpack the pip that this Python brings; a virtual environment with it takes seconds, to compile all of it."""
    wheels = sorted(_bundled_wheels().glob("pip-*.whl"))
    if not wheels:
        return install(_venv(folder), {})
    with zipfile.ZipFile(wheels[-1]) as archive:
        archive.extractall(_packages(folder))
    return 0


def _bundled_wheels() -> Path:
    """Where `ensurepip` takes its wheels from. https://docs.python.org/3/using/configure.html (--with-wheel-pkg-dir)"""
    bundled = importlib.util.find_spec("ensurepip")
    beside = Path(bundled.origin).parent / "_bundled" if bundled and bundled.origin else Path("_bundled")
    return Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or beside)


def _venv(folder: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "venv", *options, str(folder)]


def _packages(folder: Path) -> Path:
    return folder / "lib" / f"python{_PYTHON}" / "site-packages"


def variables(environment: Environment | None) -> dict[str, str]:
    """Variables by which a process finds the commands of its environment, or of this Python."""
    binaries = Path(sys.executable).parent
    path = [str(binaries), os.environ.get("PATH", os.defpath)]
    if environment is None:
        return {"PATH": os.pathsep.join(path)}
    path.insert(0, str(environment.folder / "bin"))
    return {"PATH": os.pathsep.join(path), "VIRTUAL_ENV": str(environment.folder)}


def forget(account: Account) -> None:
    """Remove environments that no job has used for a month."""
    forget_unused(account.folder / "environments", KEPT_DAYS)


def _own_packages() -> list[str]:
    user = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return [path for path in (*site.getsitepackages(), *user) if Path(path).is_dir()]


def _has_pip() -> bool:
    return importlib.util.find_spec("pip") is not None


def _installed() -> list[str]:
    """This Python's packages; environments build on them, so they are part of an environment's name."""
    return sorted({f"{one.metadata['Name']}=={one.version}" for one in metadata.distributions()})


def _digest_of_files(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(folder)).encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _requirement(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _is_met(line: str) -> bool:
    wanted = _requirement(line)
    if wanted is None or wanted.url or wanted.extras:  # only pip knows the requirements of extras
        return False
    if wanted.marker is not None and not wanted.marker.evaluate():
        return True
    try:
        return wanted.specifier.contains(metadata.version(wanted.name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False
