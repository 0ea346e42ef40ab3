"""Comparing deployed bodies with desired ones; differences are reported by settings of the spec."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sfml.lower.alerting import AlertedParts, alerted_parts, own_statement
from sfml.lower.desired import DesiredTask, MLJobDefinitionSpec, SqlDefinition
from sfml.plan.model import Comparable, FieldChange, Reason
from sfml.plan.renderings import body

_LITERAL = re.compile(r"'((?:[^'\\]|\\.|'')*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)|''", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_ARCHIVE = re.compile(r'ARCHIVE, SHA256 = "steps\.zip", "([0-9a-f]{64})"')
_CLAUSES = {"packages": "PACKAGES", "external_access": "EXTERNAL_ACCESS_INTEGRATIONS", "secrets": "SECRETS"}
"""Setting of a spec → the clause of a procedure that holds it, on its own line."""

_JOB_SETTINGS = {
    "runtime": "RUNTIME",
    "metrics": "ENABLE_METRICS",
    "min_instances": "MIN_INSTANCES",
    "instances": "TARGET_INSTANCES",
    "query_warehouse": "QUERY_WAREHOUSE",
    "external_access": "EXTERNAL_ACCESS_INTEGRATIONS",
    "artifact_repositories": "ARTIFACT_REPOSITORIES",
    "secrets": "SPEC_OVERRIDES",
}
"""Setting of a spec → the key that holds it in one of the two JSON arguments of an ML Job."""

_OF_THE_JOB = ("STAGE_PATH", "ARGS", "ENV_VARS", "COMMENT", *_JOB_SETTINGS.values())
_JOB = "CALL SYSTEM$EXECUTE_ML_JOB("
_STEP = "\nCALL SFML_STEP("


def deployed_job_name(sql: str) -> str | None:
    """The registered name in `CALL SYSTEM$EXECUTE_ML_JOB('DB.SCHEMA.NAME_', …)`; None for another statement."""
    sql = own_statement(sql)
    if not sql.startswith(_JOB):
        return None
    name = next(literals(sql), "")
    # The client appends an underscore to the name, and Snowflake a suffix at each run.
    return name.rsplit(".", 1)[-1].removesuffix("_").strip('"')


def is_same_body(deployed: str, task: DesiredTask) -> bool:
    """Whether the deployed statement is the task's body; ML Jobs are compared by name, which holds the fingerprint."""
    match task.definition:
        case SqlDefinition(sql):
            return body(sql) == body(deployed)
        case MLJobDefinitionSpec(name=name):
            return deployed_job_name(deployed) == name


def deployed_mark(deployed: str) -> str:
    """What tells a deployed statement from any other one: the name of an ML Job, else a hash."""
    return deployed_job_name(deployed) or hashlib.sha256(body(deployed).encode()).hexdigest()


def mark_of(task: DesiredTask) -> str | None:
    """The mark that the task's body has once it is deployed; None for an outline that does not know it."""
    if task.body_mark is not None:
        return task.body_mark
    match task.definition:
        case SqlDefinition(sql):
            return deployed_mark(sql) if sql else None
        case MLJobDefinitionSpec(name=name):
            return name


def body_changes(deployed: str, task: DesiredTask) -> Iterator[FieldChange]:
    """The field changes of a body that differs; at least one."""
    old, new = body_parts(deployed), body_parts(statement_of(task))
    different = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    for key in different or ["statement"]:
        path = "definition" if key == "statement" else key
        reason = Reason.CODE_CHANGED if key == "code" else Reason.SPEC_CHANGED
        yield FieldChange(path, old.get(key), new.get(key), reason)


def body_parts(sql: str) -> Mapping[str, Comparable]:
    """Setting of the spec → its value in a statement; `statement` holds the rest of the statement."""
    if (alerted := alerted_parts(sql)) is not None:
        own = {} if alerted.inner is None else body_parts(alerted.inner)
        return {"statement": "", **own, **_alerts_parts(alerted)}
    if sql.startswith(_JOB):
        return _job_parts(list(literals(sql))) or {"statement": sql}
    head, separator, tail = sql.partition(_STEP)
    if not separator:
        return {"statement": sql}
    archive = _ARCHIVE.search(head)
    call = _parsed(next(literals(tail), ""))
    rest = _ARCHIVE.sub("", head).replace(archive.group(1) if archive else "", "")
    clauses: dict[str, Comparable] = {}
    for key, clause in _CLAUSES.items():
        if listed := re.search(rf"^{clause} = \((.*)\)$", rest, re.MULTILINE):
            clauses[key] = tuple(_listed(listed[1]))
            rest = rest.replace(f"{listed[0]}\n", "", 1)
    return {
        "statement": f"{rest} {_rest_of(call)}",
        "code": archive.group(1)[:12] if archive else None,
        "step": call.get("step"),
        **clauses,
        **_with_parts(call),
    }


def _alerts_parts(alerted: AlertedParts) -> Mapping[str, Comparable]:
    """Setting of alerts → its value; `alerts` is the hash of the rest: the code that sends them, and names."""
    call = _parsed(alerted.call)
    channels = {str(one.get("integration")): one for one in call.pop("channels", ())}
    shown = {key: json.dumps(call.pop(key, {}), sort_keys=True) for key in ("gates", "slow")}
    rest = f"{alerted.block} {json.dumps(call, sort_keys=True)}"
    return {
        "alerts": hashlib.sha256(rest.encode()).hexdigest()[:12],
        **{f"alerts.{key}": value for key, value in shown.items() if value != "{}"},
        **{
            f"alerts.channels.{one.get('kind')}.{name}": ", ".join(
                [*one.get("to", ()), *one.get("events", ())]
            )
            for name, one in channels.items()
        },
    }


def _listed(text: str) -> Iterator[str]:
    """The entries of a clause. Packages are literals and may hold commas; names and secrets hold none."""
    if text.startswith("'") and " = " not in text:
        yield from literals(text)
    else:
        yield from text.split(", ")


def _rest_of(call: Mapping[str, Any]) -> str:
    """The JSON of a step's call without the parts that have fields of their own."""
    return json.dumps({key: call[key] for key in sorted(call) if key not in ("with", "step")})


def literals(sql: str) -> Iterator[str]:
    """The texts of a statement's string literals, in order."""
    for match in _LITERAL.finditer(sql):
        yield _ESCAPE.sub(_unescaped, match.group(1))


def _unescaped(match: re.Match[str]) -> str:
    char = match.group(1)
    return "'" if char is None else _ESCAPED.get(char, char)


def _job_parts(texts: list[str]) -> Mapping[str, Comparable]:
    """Setting of the spec → its value in `SYSTEM$EXECUTE_ML_JOB(name, pool, spec, options)`.

    `texts` are the literals of the call. The job's name, which ends in its fingerprint, is left out.
    """
    if len(texts) < 4:
        return {}
    spec, options = _parsed(texts[2]), _parsed(texts[3])
    values = {**spec, **options}
    arguments = [str(argument) for argument in spec.get("ARGS") or []]
    call = _parsed(arguments[3]) if len(arguments) > 3 else {}
    stage, _, below = str(spec.get("STAGE_PATH", "")).partition("/jobs/")
    rest = {key: value for key, value in values.items() if key not in _OF_THE_JOB}
    own = {key: value for key, value in (spec.get("ENV_VARS") or {}).items() if not key.startswith("MLRS_")}
    return {
        "statement": f"{texts[0].rpartition('.')[0]} {stage} {_rest_of(call)} {json.dumps(rest, sort_keys=True)}",
        "code": below.split("/", 1)[0][:12],
        "pool": texts[1],
        "step": call.get("step"),
        "command": tuple(arguments[2:3] if call else arguments[2:]),
        **{key: _plain(values.get(name)) for key, name in _JOB_SETTINGS.items()},
        **{f"env_vars.{key}": str(value) for key, value in own.items()},
        **_with_parts(call),
    }


def _plain(value: Any) -> Comparable:
    if isinstance(value, list):
        return tuple(map(str, value))
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value


def _with_parts(call: Mapping[str, Any]) -> Mapping[str, Comparable]:
    return {f"with.{name}": _shown(value) for name, value in (call.get("with") or {}).items()}


def _shown(value: Any) -> Comparable:
    """A `with:` value as a spec writes it, with references as `${…}`."""
    if isinstance(value, dict) and len(value) == 1:
        ((kind, inner),) = value.items()
        if kind == "$result" and isinstance(inner, list) and inner:
            task = str(inner[0]).split("$", 1)[-1].lower()
            return "${" + ".".join([task, *map(str, inner[1:])]) + "}"
        if kind in ("$config", "$run"):
            return f"${{{kind[1:]}.{inner}}}"
        if kind == "$text" and isinstance(inner, list):
            return "".join(part if isinstance(part, str) else str(_shown(part)) for part in inner)
        if kind in ("$literal", "$object"):
            return json.dumps(inner, ensure_ascii=False)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    leaf: bool | int | float | str | None = value
    return leaf


def _parsed(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def statement_of(task: DesiredTask) -> str:
    """The statement that a task runs; for an ML Job, the preview of the one from its registration."""
    match task.definition:
        case SqlDefinition(sql):
            return sql
        case MLJobDefinitionSpec(preview_sql=sql):
            return sql
