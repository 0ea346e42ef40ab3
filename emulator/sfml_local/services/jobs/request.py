"""Parses the four arguments of SYSTEM$EXECUTE_ML_JOB, and refuses settings that are not emulated.

The shapes are those of `snowflake.ml.jobs.MLJobDefinition.to_sql`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sfml_local.core.errors import SqlError, not_emulated

CONTAINER_MOUNT = "/mnt/job_stage"
"""The mount path of a job's stage folder in its container; arguments and variables contain it."""

MOST_INSTANCES = 250
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
    target_instances: int = 1
    min_instances: int = 1
    notes: tuple[str, ...] = ()
    """Accepted settings without an effect here, for the log."""


def read_request(arguments: tuple[Any, ...]) -> JobRequest:
    """The request in a call's arguments; raises SqlError for invalid or not emulated settings."""
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
        target_instances=_count(options, "TARGET_INSTANCES"),
        min_instances=_count(options, "MIN_INSTANCES"),
        notes=tuple(_notes(options)),
    )


def _object(text: Any, what: str) -> dict[str, Any]:
    try:
        value = json.loads(str(text))
    except ValueError as cause:
        raise SqlError(f"Invalid ML job {what}: {cause}", 395018, "22023") from cause
    if not isinstance(value, dict):
        raise SqlError(f"Invalid ML job {what}: a JSON object is expected.", 395018, "22023")
    return value


def _count(options: Mapping[str, Any], key: str) -> int:
    """A number of instances, limited by the number of loopback addresses."""
    given = options.get(key)
    count = 1 if given is None else int(given) if str(given).isdigit() else 0
    if not 1 <= count <= MOST_INSTANCES:
        raise SqlError(f"Invalid ML job options: {key} is {given!r}.", 395018, "22023")
    return count


def _notes(options: Mapping[str, Any]) -> list[str]:
    integrations = options.get("EXTERNAL_ACCESS_INTEGRATIONS") or ()
    named = ", ".join(map(str, integrations))
    return [f"EXTERNAL_ACCESS_INTEGRATIONS ({named}) restrict nothing here"] if named else []


def _refuse(spec: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    if (spec.get("ENV_VARS") or {}).get(_PARALLEL):
        raise not_emulated("an ML Job with parallel=True")
    if spec.get("SPEC_OVERRIDES"):
        raise not_emulated(f"spec_overrides of an ML Job: {json.dumps(spec['SPEC_OVERRIDES'])}")
    if spec.get("ARTIFACT_REPOSITORIES"):
        raise not_emulated("artifact_repositories of an ML Job")
