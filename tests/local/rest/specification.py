"""Snowflake's OpenAPI specification as a judge of answers, and a recorder that brings it every one.

The specification is Snowflake's own, version 10.10, as published (tests/data/openapi).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator, FormatChecker
from yaml_files import read_yaml

FOLDER = Path(__file__).parents[2] / "data" / "openapi"
FILES = ("task", "warehouse", "compute-pool", "stage")
LATER = {"MinutesSchedule": {"seconds": {"type": "integer", "minimum": 0, "maximum": 59}}}
"""What snowflake-core 1.13 knows and the specification of 10.10 does not."""

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@cache
def _document(file: str) -> dict[str, Any]:
    document: dict[str, Any] = read_yaml(FOLDER / file)
    return document


def _resolve(file: str, reference: str) -> tuple[str, str, Any]:
    """(file, last word, node) that a $ref leads to."""
    other, _, path = reference.partition("#/")
    file = other.removeprefix("./") or file
    node: Any = _document(file)
    for word in path.split("/"):
        node = node[word]
    return file, path.rsplit("/", 1)[-1], node


def as_json_schema(file: str, node: Any, name: str = "") -> Any:
    """A schema of the specification with its references put in and nothing allowed that it does not name."""
    if isinstance(node, list):
        return [as_json_schema(file, one) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        where, found, target = _resolve(file, node["$ref"])
        return as_json_schema(where, target, found)
    if "discriminator" in node:
        kinds = [
            _resolve(file, f"#/components/schemas/{kind}")
            for kind in node["discriminator"]["mapping"].values()
        ]
        return {"oneOf": [as_json_schema(where, target, kind) for where, kind, target in kinds]}
    if "allOf" in node:
        node = _flat(file, node, name)
    schema = {
        key: as_json_schema(file, value)
        for key, value in node.items()
        if key not in ("example", "description")
    }
    if isinstance(schema.get("enum"), list) and schema.get("type") == "string":
        # YAML reads `- true` as a boolean where the specification means the text.
        schema["enum"] = [
            str(value).lower() if isinstance(value, bool) else value for value in schema["enum"]
        ]
    if isinstance(schema.get("pattern"), str):
        schema["pattern"] = f"^(?:{schema['pattern'].removeprefix('^').removesuffix('$')})$"
    if isinstance(node.get("properties"), dict):
        schema["properties"] = {key: as_json_schema(file, value) for key, value in node["properties"].items()}
        if "resultHandler" in schema["properties"]:  # as the specification spells what accounts do not
            schema["properties"]["result_handler"] = schema["properties"].pop("resultHandler")
        schema.setdefault("additionalProperties", False)
    return schema


def _flat(file: str, node: dict[str, Any], name: str) -> dict[str, Any]:
    """A schema with those that it is made of put into it; a base's discriminator points back and is left out."""
    parts = []
    for one in node["allOf"]:
        where, word, base = _resolve(file, one["$ref"])
        parts.append(_flat(where, base, word) if "allOf" in base else base)
    flat: dict[str, Any] = {}
    for part in (*parts, node):
        properties = {**flat.get("properties", {}), **part.get("properties", {})}
        required = [*flat.get("required", []), *part.get("required", [])]
        flat |= {key: value for key, value in part.items() if key not in ("allOf", "discriminator")}
        flat |= {"properties": properties, "required": required} if properties else {}
    if name in LATER:
        flat["properties"] |= LATER[name]
    return flat


@dataclass(frozen=True)
class Operation:
    file: str
    path: re.Pattern[str]
    method: str
    node: dict[str, Any]

    def problems(self, answer: Answer) -> Iterator[str]:
        """What the specification has against an answer."""
        response = self.node["responses"].get(str(answer.status))
        if response is None:
            yield f"status {answer.status} is none of {sorted(self.node['responses'])}"
            return
        file = self.file
        if "$ref" in response:
            file, _, response = _resolve(file, response["$ref"])
        for header in ("X-Snowflake-Request-ID",):
            if header.lower() not in answer.headers:
                yield f"no header {header}"
        if answer.status == 202 and "location" not in answer.headers:
            yield "no header Location"
        schema = as_json_schema(file, response["content"]["application/json"]["schema"])
        validator = Draft202012Validator(schema, format_checker=FORMATS)
        for error in validator.iter_errors(answer.body):
            yield f"{error.json_path}: {error.message}"


@cache
def operations() -> tuple[Operation, ...]:
    found = []
    for name in FILES:
        for path, methods in _document(f"{name}.yaml")["paths"].items():
            # A literal path (`instance-families`) and a named one are told apart by the braces.
            pattern = re.compile(
                "".join(
                    "[^/:]+" if part.startswith("{") else re.escape(part)
                    for part in re.split(r"({\w+})", path)
                )
            )
            found += [
                Operation(f"{name}.yaml", pattern, method.upper(), node)
                for method, node in methods.items()
                if method in ("get", "post", "put", "delete")
            ]
    return tuple(found)


@dataclass(frozen=True)
class Answer:
    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {unquote(self.path)} → {self.status}"


@dataclass
class Judge:
    """The answers of one server, and which of them the specification knows."""

    unjudged: list[Answer] = field(default_factory=list)
    judged: int = 0
    problems: list[str] = field(default_factory=list)
    seen: set[tuple[str, str, int]] = field(default_factory=set)

    def __str__(self) -> str:
        return f"{self.judged}, of {len(self.seen)} kinds (operation and status)"

    def hear(self, answer: Answer) -> None:
        self.unjudged.append(answer)

    def judge(self) -> None:
        """Judge what was heard since; raises AssertionError with every complaint."""
        answers, self.unjudged = self.unjudged, []
        complaints: list[str] = []
        for answer in answers:
            for operation in operations():
                if operation.method == answer.method and operation.path.fullmatch(answer.path):
                    self.judged += 1
                    self.seen.add((operation.method, operation.node["operationId"], answer.status))
                    complaints += [f"{answer}: {problem}" for problem in operation.problems(answer)]
        assert not complaints, "\n".join(complaints)


class Recorder:
    """ASGI middleware that tells a judge every answer below /api/v2."""

    def __init__(self, app: Any, judge: Judge) -> None:
        self.app, self.judge = app, judge

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("raw_path", b"").decode().partition("?")[0]
        if scope["type"] != "http" or not path.startswith("/api/v2"):
            await self.app(scope, receive, send)
            return
        start: dict[str, Any] = {}
        body = bytearray()

        async def record(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    headers = {key.decode().lower(): value.decode() for key, value in start["headers"]}
                    try:
                        parsed = json.loads(bytes(body))
                    except ValueError:
                        parsed = bytes(body)
                    self.judge.hear(Answer(scope["method"], path, start["status"], headers, parsed))
            await send(message)

        await self.app(scope, receive, record)
