"""Whether Snowflake's clients are installed in versions that this one was made for."""

from __future__ import annotations

import re
import sys
from importlib import metadata

from sfml.account.checkup import Check, CheckState
from sfml.base.release import DISTRIBUTION

CLIENTS = ("snowflake-core", "snowflake-snowpark-python", "snowflake-ml-python")
SERVER = ("fakesnow", "duckdb", "sqlglot")
"""What the local Snowflake stands on, and not every release of which it works with."""
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*([<>=!~][^;]*)?")


def version_check(is_local: bool) -> Check:
    """One line for Python, `sfml` and its clients; what is missing or out of its range fails."""
    ranges = _ranges()
    told = [f"Python {sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"]
    wrong: list[str] = []
    for name in (*CLIENTS, *(SERVER if is_local else ())):
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{name} is not installed")
            continue
        told.append(f"{name} {version}")
        if name in ranges and not _fits(version, ranges[name]):
            wrong.append(f"{name} {version} is not {ranges[name]}")
    help = f'pip install "{DISTRIBUTION}[{"local" if is_local else "snowflake"}]"'
    if wrong:
        return Check("clients", CheckState.FAIL, "; ".join(wrong), help)
    return Check("clients", CheckState.OK, ", ".join(told))


def namesake_check() -> Check | None:
    """A warning where the distribution `sfml` is installed beside this one: both write the package `sfml`."""
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
    """The ranges that `sfml` itself asks for, by the package's name."""
    try:
        required = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return {}
    found = (_REQUIREMENT.match(text) for text in required)
    return {match[1].lower(): (match[2] or "").strip() for match in found if match and match[2]}


def _fits(version: str, wanted: str) -> bool:
    """Whether a version is within `>=1.13,<2`; only the two bounds that our own ranges have are looked at."""
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
