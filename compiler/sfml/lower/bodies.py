"""Task bodies: what each kind of task makes Snowflake execute."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, assert_never

from sfml.errors import NotSupportedYet
from sfml.graph.model import CallBody, JobBody, NotifyBody, OnPool, SqlBody, StepBody, TaskGraph, TaskNode
from sfml.lower.archives import SourceFile
from sfml.lower.arguments import call_json, has_references
from sfml.lower.canonical import canonical_json
from sfml.lower.desired import Archive, Definition, MLJobDefinitionSpec, SqlDefinition
from sfml.lower.expressions import sql_value, text_expression
from sfml.lower.ml_jobs import job_definition
from sfml.lower.names import stage_of
from sfml.lower.programs import job_main, procedure_call
from sfml.quoting import dotted, folded, literal, stage_path


class JobFiles(Protocol):
    """The files of a `job` folder, by paths relative to it; the folder is relative to the project root."""

    def __call__(self, folder: str, /) -> Iterable[SourceFile]: ...


def definition_of(
    graph: TaskGraph, node: TaskNode, archive: Archive | None, job_files: JobFiles | None
) -> Definition:
    """The body of a task; a step needs the archive of its code, a `job` its files."""
    match node.body:
        case StepBody():
            assert archive is not None
            if isinstance(node.run_on, OnPool):
                return _step_on_pool(graph, node, node.body, node.run_on, archive)
            return SqlDefinition(_step_sql(graph, node, node.body, archive))
        case JobBody():
            return _job(graph, node, node.body, job_files)
        case CallBody(procedure, arguments):
            values = ", ".join(sql_value(graph, value) for value in arguments)
            return SqlDefinition(f"CALL {dotted(procedure)}({values})")
        case SqlBody(text):
            return SqlDefinition(text.strip().removesuffix(";").rstrip())
        case NotifyBody():
            return SqlDefinition(_notify_sql(graph, node, node.body))
        case _:
            assert_never(node.body)


def _step_sql(graph: TaskGraph, node: TaskNode, body: StepBody, archive: Archive) -> str:
    return procedure_call(
        archive.sha256,
        stage_path(stage_of(graph.target), archive.stage_path),
        call_json(graph, node, body),
        packages=node.packages,
        external_access=node.external_access,
        secrets=node.secrets,
    )


def _step_on_pool(
    graph: TaskGraph, node: TaskNode, body: StepBody, on: OnPool, archive: Archive
) -> MLJobDefinitionSpec:
    _refuse_secrets(node)
    return job_definition(
        graph.target,
        graph.pipeline,
        node.name,
        on,
        payload={"main.py": job_main(archive.sha256), "steps.zip": archive.content},
        entrypoint="main.py",
        arguments=(call_json(graph, node, body),),
        pip=node.pip,
        external_access=node.external_access,
        env_vars=node.env_vars,
    )


def _job(graph: TaskGraph, node: TaskNode, body: JobBody, job_files: JobFiles | None) -> MLJobDefinitionSpec:
    _refuse_secrets(node)
    if job_files is None or not isinstance(node.run_on, OnPool):
        raise NotSupportedYet(f"task `{node.name}`: a `job` without its files, or not on a compute pool")
    if any(has_references(value) for value in body.arguments):
        raise NotSupportedYet(
            f"task `{node.name}`: a `${{…}}` in the arguments of a `job`",
            help="read the config or a result inside the job, or make it a step",
        )
    return job_definition(
        graph.target,
        graph.pipeline,
        node.name,
        node.run_on,
        payload={file.path: file.content for file in job_files(body.folder)},
        entrypoint=body.entrypoint,
        arguments=tuple(
            value if isinstance(value, str) else canonical_json(value) for value in body.arguments
        ),
        pip=node.pip,
        external_access=node.external_access,
        env_vars=node.env_vars,
    )


def _notify_sql(graph: TaskGraph, node: TaskNode, body: NotifyBody) -> str:
    """https://docs.snowflake.com/en/sql-reference/stored-procedures/system_send_snowflake_notification."""
    integration = literal(folded(body.integration))
    if body.email:
        subject = literal(body.subject or f"{graph.pipeline}: {node.name}")
        recipients = ", ".join(literal(address) for address in body.email)
        receiver = f"EMAIL_INTEGRATION_CONFIG({integration}, {subject}, ARRAY_CONSTRUCT({recipients}))"
    else:
        receiver = f"INTEGRATION({integration})"
    message = text_expression(graph, body.message)
    return (
        "CALL SYSTEM$SEND_SNOWFLAKE_NOTIFICATION("
        f"SNOWFLAKE.NOTIFICATION.TEXT_PLAIN({message}), SNOWFLAKE.NOTIFICATION.{receiver})"
    )


def _refuse_secrets(node: TaskNode) -> None:
    if node.secrets:
        raise NotSupportedYet(f"task `{node.name}`: `secrets` on a compute pool")
