"""Task bodies: the statement or ML Job that each kind of task executes in Snowflake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, assert_never

from sfml.base.quoting import dotted, folded, literal, stage_path
from sfml.graph.model import (
    Body,
    CallBody,
    JobBody,
    NotifyBody,
    OnPool,
    SqlBody,
    StepBody,
    TaskNode,
)
from sfml.lower.alerting import STEP, alerted
from sfml.lower.archives import SourceFile
from sfml.lower.arguments import call_json
from sfml.lower.canonical import canonical_json
from sfml.lower.desired import AlertsCall, Archive, Definition, Kind, MLJobDefinitionSpec, SqlDefinition
from sfml.lower.expressions import sql_value
from sfml.lower.messages import message_content, subject_expression
from sfml.lower.ml_jobs import JobProgram, job_definition, job_with_alerts
from sfml.lower.named_graph import NamedGraph
from sfml.lower.names import stage_of
from sfml.lower.programs import job_main, procedure_call


class JobFiles(Protocol):
    """Returns the files of a folder, with paths relative to it, or a single file.

    `path` is a posix path relative to the project root.
    """

    def __call__(self, path: str, /) -> Iterable[SourceFile]: ...


def kind_of(body: Body) -> Kind:
    """The key in the spec that makes the task: `step`, `job`, `call`, `sql` or `notify`."""
    match body:
        case StepBody():
            return "step"
        case JobBody():
            return "job"
        case CallBody():
            return "call"
        case SqlBody():
            return "sql"
        case NotifyBody():
            return "notify"
        case _:
            assert_never(body)


def definition_of(
    named: NamedGraph,
    node: TaskNode,
    archive: Archive | None,
    job_files: JobFiles | None,
    alerts: AlertsCall | None = None,
) -> Definition:
    """The body of a task, with `alerts` around it; steps need `archive`, jobs and `imports` need `job_files`."""
    if alerts is None:
        return _own_definition(named, node, archive, job_files)
    if isinstance(node.body, StepBody) and node.body.step == STEP:
        return SqlDefinition(alerted(alerts, None))
    own = _own_definition(named, node, archive, job_files)
    if isinstance(own, SqlDefinition):
        return SqlDefinition(alerted(alerts, own.sql))
    return job_with_alerts(own, alerts, named.graph.target, named.graph.pipeline, node.name)


def _own_definition(
    named: NamedGraph, node: TaskNode, archive: Archive | None, job_files: JobFiles | None
) -> Definition:
    match node.body:
        case StepBody():
            assert archive is not None
            if isinstance(node.run_on, OnPool):
                return _step_on_pool(named, node, node.body, archive, job_files)
            return SqlDefinition(_step_sql(named, node, node.body, archive))
        case JobBody():
            return _job(named, node, node.body, job_files)
        case CallBody(procedure, arguments):
            values = ", ".join(sql_value(named, value) for value in arguments)
            return SqlDefinition(f"CALL {dotted(procedure)}({values})")
        case SqlBody():
            return sql_definition(node.body)
        case NotifyBody():
            return SqlDefinition(_notify_sql(named, node, node.body))
        case _:
            assert_never(node.body)


def sql_definition(body: SqlBody) -> SqlDefinition:
    """The definition of a statement, without a semicolon at its end."""
    return SqlDefinition(body.text.strip().removesuffix(";").rstrip())


def _step_sql(named: NamedGraph, node: TaskNode, body: StepBody, archive: Archive) -> str:
    return procedure_call(
        archive.sha256,
        stage_path(stage_of(named.graph.target), archive.stage_path),
        call_json(named, node, body),
        packages=node.packages,
        external_access=node.external_access,
        secrets=node.secrets,
    )


def _step_on_pool(
    named: NamedGraph, node: TaskNode, body: StepBody, archive: Archive, job_files: JobFiles | None
) -> MLJobDefinitionSpec:
    payload = {"main.py": job_main(archive.sha256), "steps.zip": archive.content}
    arguments = (call_json(named, node, body),)
    program = JobProgram({**_imported(node, job_files), **payload}, "main.py", arguments)
    return job_definition(named.graph, node, program)


def _job(named: NamedGraph, node: TaskNode, body: JobBody, job_files: JobFiles | None) -> MLJobDefinitionSpec:
    assert job_files is not None, "`job_files` is needed to lower a job"
    payload = {file.path: file.content for file in job_files(body.folder)}
    arguments = tuple(value if isinstance(value, str) else canonical_json(value) for value in body.arguments)
    program = JobProgram({**_imported(node, job_files), **payload}, body.entrypoint, arguments)
    return job_definition(named.graph, node, program)


def _imported(node: TaskNode, job_files: JobFiles | None) -> Mapping[str, bytes]:
    """The files of `imports` in the payload: a folder under its own name, a file beside the entrypoint.

    The ML Jobs client could add them to the container too; as a part of the payload they are part of its hash.
    """
    files: dict[str, bytes] = {}
    for path in node.imports:
        assert job_files is not None, "`job_files` is needed to lower imports"
        name = path.rsplit("/", 1)[-1]
        for file in job_files(path):
            files[name if path.endswith(".py") else f"{name}/{file.path}"] = file.content
    return files


def _notify_sql(named: NamedGraph, node: TaskNode, body: NotifyBody) -> str:
    """https://docs.snowflake.com/en/sql-reference/stored-procedures/system_send_snowflake_notification."""
    content, receiver = message_content(named, body), _receiver(named, node, body)
    return f"CALL SYSTEM$SEND_SNOWFLAKE_NOTIFICATION({content}, SNOWFLAKE.NOTIFICATION.{receiver})"


def _receiver(named: NamedGraph, node: TaskNode, body: NotifyBody) -> str:
    integration = literal(folded(body.integration))
    if not (body.email or body.cc):
        return f"INTEGRATION({integration})"
    subject = literal(f"{named.graph.pipeline}: {node.name}")
    if body.subject is not None:
        subject = subject_expression(named, body.subject)
    lists = [_addresses(body.email), _addresses(body.cc), _addresses(body.bcc)]
    if not (body.cc or body.bcc):
        lists = lists[:1]
    # https://docs.snowflake.com/en/sql-reference/functions/email_integration_config
    return f"EMAIL_INTEGRATION_CONFIG({', '.join((integration, subject, *lists))})"


def _addresses(addresses: tuple[str, ...]) -> str:
    return f"ARRAY_CONSTRUCT({', '.join(map(literal, addresses))})" if addresses else "NULL"
