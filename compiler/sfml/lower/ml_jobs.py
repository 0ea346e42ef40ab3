"""ML Jobs: the definitions that apply registers, and a preview of the statements that the client then writes.

`preview_sql` writes the same statement as `MLJobDefinition.to_sql` of snowflake-ml-python 2.6, without a session. The
client asks the account for the image of the runtime when it registers a job; the preview has the `runtime` of the spec.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping

from sfml.base.quoting import dotted, folded
from sfml.base.record import record
from sfml.graph.model import OnPool, Target, TaskGraph, TaskNode
from sfml.lower.alerting import alerted
from sfml.lower.canonical import Json, fingerprint
from sfml.lower.desired import AlertsCall, MLJobDefinitionSpec
from sfml.lower.names import job_identifier, job_name, jobs_path, stage_of

_MOUNT = "/mnt/job_stage"
_CONTAINER = "main"


@record
class JobProgram:
    """What a job runs: its files by their names, the one that is started, and the arguments of its command line."""

    payload: Mapping[str, bytes]
    entrypoint: str
    arguments: tuple[str, ...]


def job_definition(graph: TaskGraph, node: TaskNode, program: JobProgram) -> MLJobDefinitionSpec:
    """The definition of a task's ML Job; its name contains its fingerprint."""
    on = node.run_on
    assert isinstance(on, OnPool), "the checks refuse a job on other compute"
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in program.payload.items()}
    payload_sha256 = fingerprint(hashes)
    unnamed = MLJobDefinitionSpec(
        name="",
        entrypoint=program.entrypoint,
        payload=program.payload,
        payload_sha256=payload_sha256,
        stage_path=jobs_path(graph.pipeline, payload_sha256),
        pool=folded(on.pool),
        arguments=program.arguments,
        instances=on.instances,
        min_instances=on.min_instances,
        runtime=on.runtime,
        warehouse=folded(on.warehouse or graph.target.warehouse),
        metrics=on.metrics,
        pip=node.pip,
        artifact_repositories=tuple(dotted(name) for name in node.artifact_repositories),
        external_access=tuple(folded(name) for name in node.external_access),
        env_vars=dict(node.env_vars),
        secrets={name: dotted(secret) for name, secret in node.secrets.items()},
    )
    return _named(unnamed, graph.target, graph.pipeline, node.name)


def with_arguments(
    spec: MLJobDefinitionSpec, arguments: tuple[str, ...], target: Target, pipeline: str, task: str
) -> MLJobDefinitionSpec:
    """The definition with another command line, and the name that follows from it."""
    unnamed = dataclasses.replace(spec, name="", preview_sql="", arguments=arguments)
    return _named(unnamed, target, pipeline, task)


def _named(unnamed: MLJobDefinitionSpec, target: Target, pipeline: str, task: str) -> MLJobDefinitionSpec:
    name = job_name(pipeline, task, fingerprint([stage_of(target), job_value(unnamed)]))
    named = dataclasses.replace(unnamed, name=name)
    return dataclasses.replace(named, preview_sql=task_statement(named, preview_sql(named, target)))


def job_with_alerts(
    job: MLJobDefinitionSpec, alerts: AlertsCall, target: Target, pipeline: str, task: str
) -> MLJobDefinitionSpec:
    """The job of a finalizer with alerts around its statement, which its name contains too."""
    return _named(dataclasses.replace(job, name="", alerts=alerts), target, pipeline, task)


def task_statement(spec: MLJobDefinitionSpec, to_sql: str) -> str:
    """The statement of the job's task, from the one that the client writes."""
    return to_sql if spec.alerts is None else alerted(spec.alerts, to_sql)


def job_value(spec: MLJobDefinitionSpec) -> dict[str, Json]:
    """The definition as JSON, with the hash of the payload."""
    return {
        "name": spec.name,
        "entrypoint": spec.entrypoint,
        "payload": spec.payload_sha256,
        "stage_path": spec.stage_path,
        "pool": spec.pool,
        "arguments": list(spec.arguments),
        "instances": spec.instances,
        "min_instances": spec.min_instances,
        "runtime": spec.runtime,
        "warehouse": spec.warehouse,
        "metrics": spec.metrics,
        "pip": list(spec.pip),
        "artifact_repositories": list(spec.artifact_repositories),
        "external_access": list(spec.external_access),
        "env_vars": {name: spec.env_vars[name] for name in sorted(spec.env_vars)},
        "secrets": {name: spec.secrets[name] for name in sorted(spec.secrets)},
        **({} if spec.alerts is None else {"alerts": [spec.alerts.json, spec.alerts.sha256]}),
    }


def registration(spec: MLJobDefinitionSpec, target: Target) -> dict[str, object]:
    """The keyword arguments for `MLJobDefinition.register`, except `source` (the payload's folder) and `session`.

    Arguments that the client would otherwise take from the session or the environment are set explicitly.
    """
    return {
        "compute_pool": spec.pool,
        "stage_name": f"{stage_of(target)}/{spec.stage_path}",
        "entrypoint": spec.entrypoint,
        "name": spec.name,
        "database": folded(target.database),
        "schema": folded(target.schema),
        "target_instances": spec.instances,
        "min_instances": spec.min_instances or spec.instances,
        "pip_requirements": list(spec.pip) or None,
        "external_access_integrations": list(spec.external_access) or None,
        "env_vars": _user_env_vars(spec) or None,
        "spec_overrides": spec_overrides(spec),
        "artifact_repositories": list(spec.artifact_repositories) or None,
        "enable_metrics": spec.metrics,
        "query_warehouse": spec.warehouse,
        "runtime_environment": spec.runtime,
        "overwrite": True,
        "comment": _comment(spec),
    }


def preview_sql(spec: MLJobDefinitionSpec, target: Target) -> str:
    """The statement that `to_sql(job_args=[…])` of the registered job returns, except for the image of the runtime."""
    options: dict[str, Json] = {
        "STAGE_PATH": f"{stage_of(target)}/{spec.stage_path}/{spec.name}",
        "ARGS": ["bash", f"{_MOUNT}/system/startup.sh", f"{_MOUNT}/app/{spec.entrypoint}", *spec.arguments],
        "ENV_VARS": {
            "MLRS_STAGE_MOUNT_PATH": _MOUNT,
            "MLRS_PAYLOAD_DIR": "app",
            "MLRS_USE_EMBEDDED_SCRIPTS": "true",
            **_user_env_vars(spec),
            "MLRS_SUBMITTED_TARGET_INSTANCES": str(spec.instances),
        },
        "ENABLE_METRICS": spec.metrics,
        "SPEC_OVERRIDES": spec_overrides(spec),
        "RUNTIME": spec.runtime,
        "ENABLE_STAGE_MOUNT_V2": True,
        "ARTIFACT_REPOSITORIES": list(spec.artifact_repositories) or None,
    }
    job: dict[str, Json] = {
        "EXTERNAL_ACCESS_INTEGRATIONS": list(spec.external_access) or None,
        "QUERY_WAREHOUSE": spec.warehouse,
        "TARGET_INSTANCES": spec.instances,
        "MIN_INSTANCES": spec.min_instances or spec.instances,
        "GENERATE_SUFFIX": True,
        "COMMENT": _comment(spec),
        "ASYNC": False,
    }
    parameters = (f"{job_identifier(target, spec.name)}_", spec.pool, json.dumps(options), json.dumps(job))
    return f"CALL SYSTEM$EXECUTE_ML_JOB({', '.join(bound(text) for text in parameters)})"


def spec_overrides(spec: MLJobDefinitionSpec) -> dict[str, Json] | None:
    """The part of the service specification that passes secrets to the job's container; None without secrets.

    https://docs.snowflake.com/en/developer-guide/snowpark-container-services/specification-reference
    """
    if not spec.secrets:
        return None
    secrets: list[Json] = [
        {
            "snowflakeSecret": {"objectName": spec.secrets[name]},
            "secretKeyRef": "secret_string",
            "envVarName": name,
        }
        for name in sorted(spec.secrets)
    ]
    return {"spec": {"containers": [{"name": _CONTAINER, "secrets": secrets}]}}


def _comment(spec: MLJobDefinitionSpec) -> str:
    return f"sfml {spec.name}"


def _user_env_vars(spec: MLJobDefinitionSpec) -> dict[str, str]:
    return {name: spec.env_vars[name] for name in sorted(spec.env_vars)}


def bound(text: str) -> str:
    """A string literal as `snowflake.connector` binds it: quotes are escaped by a backslash, not doubled."""
    for char, escaped in (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("'", "\\'")):
        text = text.replace(char, escaped)
    return f"'{text}'"
