"""Imports of code: PACKAGES are compared with this Python's packages, IMPORTS become a directory of staged files."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from sfml_local.core.errors import SqlError

SNOWPARK = "snowflake-snowpark-python"

# Packages of Snowflake's conda channel that have another name on the Python package index.
_DISTRIBUTIONS = {"py-xgboost": "xgboost", "pytorch": "torch", "python-dateutil": "python-dateutil"}


BROUGHT = {"snowflake-telemetry-python": "0.8.0"}
"""Packages that `tracing` brings where they are not installed, with the version that it stands in for."""


def check_packages(packages: Iterable[str]) -> list[str]:
    """Refuse packages that this Python lacks; returns a note for each that it has in another version."""
    missing: list[str] = []
    notes: list[str] = []
    for text in packages:
        wanted = _requirement(text)
        if wanted.name.lower() == "python":
            continue
        installed = _version(wanted.name)
        if installed is None:
            missing.append(text)
            continue
        if not wanted.specifier.contains(installed, prereleases=True):
            notes.append(f"package {text} was asked for; this Python has {wanted.name} {installed}")
    if missing:
        named = ", ".join(missing)
        raise SqlError(
            "SQL compilation error:\nCannot create a Python function with the specified packages. "
            f"Please check your packages specification and try again. Not found: {named} "
            f"(the local server runs code with its own Python, {sys.executable}; install them there).",
            391546,
            "42601",
        )
    return notes


def installed_packages() -> Mapping[str, str]:
    """This Python's packages, by their names in small letters, with their versions."""
    return _packages_in(_folders())


def _folders() -> tuple[tuple[str, int], ...]:
    """Where packages are, with the time of the last change of each."""
    folders = ((folder, Path(folder)) for folder in sys.path)
    return tuple((name, path.stat().st_mtime_ns) for name, path in folders if path.exists())


@lru_cache(maxsize=1)
def _packages_in(folders: tuple[tuple[str, int], ...]) -> Mapping[str, str]:
    """The packages of folders as they were at a time; what is installed or removed changes its folder."""
    found = metadata.distributions(path=[name for name, _ in folders])
    return {
        data["Name"].lower(): data["Version"] for one in found if (data := one.metadata)["Name"] is not None
    }


def _version(name: str) -> str | None:
    installed = _version_in(_folders(), _DISTRIBUTIONS.get(name.lower(), name))
    return BROUGHT.get(name.lower()) if installed is None else installed


@lru_cache(maxsize=256)
def _version_in(folders: tuple[tuple[str, int], ...], name: str) -> str | None:
    """The version of one package, in folders as they were at a time: its description is long, and each call asks."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _requirement(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as cause:
        raise SqlError(
            f"SQL compilation error:\ninvalid package specification '{text}'", 391546, "42601"
        ) from cause


def runtime_note(runtime_version: str) -> str | None:
    """A note if the declared Python version is not the one that will run."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not runtime_version or runtime_version == own:
        return None
    return f"RUNTIME_VERSION {runtime_version} was asked for; the local server runs Python {own}"


def import_directory(folder: Path, files: Mapping[str, Path]) -> Path:
    """A directory below `folder` with these files; its name is a hash of their names and contents.

    The same files always give the same directory, whose files are read-only, so that no upload and no other run changes
    the files of a run.
    """
    digests = {name: _sha256(path) for name, path in files.items()}
    key = hashlib.sha256("\n".join(f"{n}\0{d}" for n, d in sorted(digests.items())).encode()).hexdigest()
    target = folder / key
    if target.is_dir():
        target.touch()
        return target
    folder.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    try:
        for name, path in files.items():
            copy = partial / name
            shutil.copyfile(path, copy)
            if _sha256(copy) != digests[name]:
                raise SqlError(f"Remote file '{name}' was changed while it was read.", 253006, "22000")
            copy.chmod(0o444)
        try:
            partial.rename(target)
        except OSError:
            if not target.is_dir():  # otherwise another call was faster
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def forget_unused(folder: Path, days: float = 7) -> None:
    """Remove directories that were not used for `days`; they are created again when needed."""
    oldest = time.time() - days * 86400
    for directory in folder.glob("*"):
        if directory.stat().st_mtime < oldest:
            shutil.rmtree(directory, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
