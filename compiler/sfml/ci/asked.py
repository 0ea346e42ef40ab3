"""What the job asks for: the inputs of the action and of the template, which come as `SFML_…` variables."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from sfml.base.errors import UsageError
from sfml.base.record import record

TOKENS = ("SFML_TOKEN", "SFML_GITLAB_TOKEN")
"""What the token comes in; no process that is started here is given it."""

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@record
class JobInputs:
    """Inputs; `specs` are relative to `folder`, and `out` is where files for the job's later steps go."""

    specs: tuple[str, ...]
    folder: Path
    base: str | None
    target: str | None
    key: str | None
    wants_comment: bool
    wants_sarif: bool
    out: Path
    token: str | None = field(repr=False)

    def specs_from(self, prefix: str) -> tuple[str, ...]:
        """The specs as paths from the top of the repository, `prefix` being the folder's place in it."""
        return tuple(
            spec if spec.startswith("/") else posixpath.normpath(posixpath.join(prefix, spec))
            for spec in self.specs
        )


def asked_of(environment: Mapping[str, str]) -> JobInputs:
    """The inputs; raises `UsageError` for those that make no sense."""
    given = {name: value.strip() for name, value in environment.items() if name.startswith("SFML_")}
    specs = tuple(line.strip() for line in given.get("SFML_SPECS", "").splitlines() if line.strip())
    options = [word for word in (*specs, given.get("SFML_BASE", "")) if word.startswith("-")]
    if options:
        raise UsageError(f"`{options[0]}` is an option, and no spec or base")
    key = given.get("SFML_KEY") or None
    if key is not None and not _KEY.fullmatch(key):
        raise UsageError(f"`{key}` is no key", help="use up to 40 letters, digits, `.`, `_` and `-`")
    return JobInputs(
        specs=specs or (".",),
        folder=Path(given.get("SFML_WORKING_DIRECTORY") or "."),
        base=given.get("SFML_BASE") or None,
        target=given.get("SFML_TARGET") or None,
        key=key,
        wants_comment=_is_true(given, "SFML_COMMENT"),
        wants_sarif=_is_true(given, "SFML_SARIF"),
        token=next((given[name] for name in TOKENS if given.get(name)), None),
        out=Path(given.get("SFML_OUT") or "sfml-review").absolute(),
    )


def _is_true(given: Mapping[str, str], name: str) -> bool:
    said = given.get(name, "").lower() or "true"
    if said not in ("true", "false"):
        raise UsageError(f"{name.removeprefix('SFML_').lower()} is `true` or `false`, not `{said}`")
    return said == "true"
