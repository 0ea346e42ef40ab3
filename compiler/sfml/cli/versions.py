"""Checks that the installed versions of Snowflake's clients are in the supported ranges."""

from __future__ import annotations

import re
import sys
from importlib import metadata

from sfml.account.checkup import Check, CheckState
from sfml.base.release import DISTRIBUTION

CLIENTS = ("snowflake-core", "snowflake-snowpark-python", "snowflake-ml-python")
SERVER = ("fakesnow", "duckdb", "sqlglot")
"""Packages that the local Snowflake is built on; it supports only certain releases of them."""
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*([<>=!~][^;]*)?")


def version_check(is_local: bool) -> Check:
    """The check of Python and the clients; it fails if a package is missing or outside its range."""
    ranges = _ranges()
    versions = [f"Python {sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"]
    wrong: list[str] = []
    for name in (*CLIENTS, *(SERVER if is_local else ())):
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{name} is not installed")
            continue
        versions.append(f"{name} {version}")
        if name in ranges and not _fits(version, ranges[name]):
            wrong.append(f"{name} {version} is not {ranges[name]}")
    help = f'pip install "{DISTRIBUTION}[{"local" if is_local else "snowflake"}]"'
    if wrong:
        return Check("clients", CheckState.FAIL, "; ".join(wrong), help)
    return Check("clients", CheckState.OK, ", ".join(versions))


def namesake_check() -> Check | None:
    """A warning if the distribution `sfml` is also installed, because both contain a package `sfml`; else None."""
    try:
        other = metadata.distribution("sfml")
    except metadata.PackageNotFoundError:
        return None
    is_earlier = any(entry.value == "sfml.cli:main" for entry in other.entry_points)
    if is_earlier and not _is_installed(DISTRIBUTION):
        return None
    what = f"an earlier name of {DISTRIBUTION}" if is_earlier else "another project"
    text = (
        f"the distribution `sfml` {other.version} is installed, too: {what}, with a package of the same name"
    )
    help = f"pip uninstall sfml, then install {DISTRIBUTION} again with --force-reinstall --no-deps"
    return Check("namesake", CheckState.WARN, text, help)


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _ranges() -> dict[str, str]:
    """Package → version range, from the requirements of this distribution."""
    try:
        required = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return {}
    ranges = (_REQUIREMENT.match(text) for text in required)
    return {match[1].lower(): (match[2] or "").strip() for match in ranges if match and match[2]}


def _fits(version: str, wanted: str) -> bool:
    """Whether a version is in a range such as `>=1.13,<2`; only the operators `>=` and `<` are checked."""
    parts = _numbers(version)
    for bound in wanted.split(","):
        text = bound.strip()
        if text.startswith(">=") and parts < _numbers(text[2:]):
            return False
        if text.startswith("<") and not text.startswith("<=") and parts >= _numbers(text[1:]):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3])
