"""What SYSTEM$EXECUTE_ML_JOB is asked to run: its four arguments read, and refused where nothing runs them.

The shapes are those that `snowflake.ml.jobs.MLJobDefinition.to_sql` writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from sfml.local.errors import SqlError, not_emulated

CONTAINER_MOUNT = "/mnt/job_stage"
"""Where a job's container sees its stage folder; arguments and variables name it."""

_PARALLEL = "MLRS_LAUNCH_BACKEND"


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A job to run: `arguments` follow the launcher's name, and begin with the entrypoint."""

    name: str
    add_suffix: bool
    compute_pool: str
    stage_path: str
    arguments: tuple[str, ...]
    env: Mapping[str, str]
    query_warehouse: str | None
    comment: str | None
    is_async: bool


def read_request(arguments: tuple[Any, ...]) -> JobRequest:
    """The request in a call's arguments; raises SqlError for what is malformed or not emulated."""
    if len(arguments) != 4:
        raise SqlError(
            "SQL compilation error:\nInvalid argument types for function 'SYSTEM$EXECUTE_ML_JOB': it takes"
            f" (VARCHAR, VARCHAR, VARCHAR, VARCHAR), got {len(arguments)} arguments.",
            1044,
            "42P13",
        )
    name, pool = str(arguments[0]), str(arguments[1])
    spec, options = _object(arguments[2], "spec"), _object(arguments[3], "options")
    _refuse(spec, options)
    command = [str(argument) for argument in spec.get("ARGS") or ()]
    if len(command) < 3 or command[0] != "bash" or not command[1].endswith("/startup.sh"):
        raise not_emulated(f"an ML Job that does not start by startup.sh: {' '.join(command)}")
    if not spec.get("STAGE_PATH"):
        raise SqlError("Invalid ML job spec: STAGE_PATH is missing.", 395018, "22023")
    return JobRequest(
        name=name,
        add_suffix=options.get("GENERATE_SUFFIX") is not False and name.rstrip('"').endswith("_"),
        compute_pool=pool,
        stage_path=str(spec["STAGE_PATH"]),
        arguments=tuple(command[2:]),
        env={str(key): str(value) for key, value in (spec.get("ENV_VARS") or {}).items()},
        query_warehouse=options.get("QUERY_WAREHOUSE"),
        comment=options.get("COMMENT"),
        is_async=bool(options.get("ASYNC")),
    )


def _object(text: Any, what: str) -> dict[str, Any]:
    try:
        value = json.loads(str(text))
    except ValueError as cause:
        raise SqlError(f"Invalid ML job {what}: {cause}", 395018, "22023") from cause
    if not isinstance(value, dict):
        raise SqlError(f"Invalid ML job {what}: a JSON object is expected.", 395018, "22023")
    return value


def _refuse(spec: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    instances = int(options.get("TARGET_INSTANCES") or 1)
    if instances > 1:
        raise not_emulated(f"an ML Job on {instances} instances; one runs")
    if (spec.get("ENV_VARS") or {}).get(_PARALLEL):
        raise not_emulated("an ML Job with parallel=True")
    if spec.get("SPEC_OVERRIDES"):
        raise not_emulated(f"spec_overrides of an ML Job: {json.dumps(spec['SPEC_OVERRIDES'])}")
    if spec.get("ARTIFACT_REPOSITORIES"):
        raise not_emulated("artifact_repositories of an ML Job")


def check_requirements(payload: Path) -> None:
    """Refuse pip requirements that this Python does not meet: nothing installs packages here yet."""
    file = payload / "requirements.txt"
    if not file.is_file():
        return
    lines = [line.split(" #")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    missing = [line for line in lines if line and not line.startswith("#") and not _is_met(line)]
    if missing:
        raise not_emulated(
            f"installing pip requirements of an ML Job; this Python lacks {', '.join(missing)}"
        )


def _is_met(line: str) -> bool:
    try:
        wanted = Requirement(line)
        return wanted.specifier.contains(metadata.version(wanted.name), prereleases=True)
    except (InvalidRequirement, metadata.PackageNotFoundError):
        return False
