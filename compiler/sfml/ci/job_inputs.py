"""The inputs of a job, from the environment variables `SFML_…` that the action and the template set."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from sfml.base.errors import UsageError
from sfml.base.record import record

TOKENS = ("SFML_TOKEN", "SFML_GITLAB_TOKEN")
"""The environment variables with the job's token. They are removed from the environment of every subprocess."""

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@record
class JobInputs:
    """The inputs of a job. `specs` are relative to `folder`; files for later steps are written into `out`."""

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
        """The specs as paths relative to the top of the repository; `prefix` is the path of `folder` in it."""
        return tuple(
            spec if spec.startswith("/") else posixpath.normpath(posixpath.join(prefix, spec))
            for spec in self.specs
        )


def asked_of(environment: Mapping[str, str]) -> JobInputs:
    """Read the inputs from environment variables; raises `UsageError` for invalid ones."""
    variables = {name: value.strip() for name, value in environment.items() if name.startswith("SFML_")}
    specs = tuple(line.strip() for line in variables.get("SFML_SPECS", "").splitlines() if line.strip())
    options = [word for word in (*specs, variables.get("SFML_BASE", "")) if word.startswith("-")]
    if options:
        raise UsageError(f"`{options[0]}` is an option, not a spec or base")
    key = variables.get("SFML_KEY") or None
    if key is not None and not _KEY.fullmatch(key):
        raise UsageError(f"`{key}` is not a valid key", help="use up to 40 letters, digits, `.`, `_` and `-`")
    return JobInputs(
        specs=specs or (".",),
        folder=Path(variables.get("SFML_WORKING_DIRECTORY") or "."),
        base=variables.get("SFML_BASE") or None,
        target=variables.get("SFML_TARGET") or None,
        key=key,
        wants_comment=_is_true(variables, "SFML_COMMENT"),
        wants_sarif=_is_true(variables, "SFML_SARIF"),
        token=next((variables[name] for name in TOKENS if variables.get(name)), None),
        out=Path(variables.get("SFML_OUT") or "sfml-review").absolute(),
    )


def _is_true(variables: Mapping[str, str], name: str) -> bool:
    text = variables.get(name, "").lower() or "true"
    if text not in ("true", "false"):
        raise UsageError(f"{name.removeprefix('SFML_').lower()} is `true` or `false`, not `{text}`")
    return text == "true"
