"""SYSTEM$DGQL: the edges of one object, as Snowpark's `session.lineage` asks and reads them.

No page tells of it; questions and answers are those of snowflake-snowpark-python.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.names import ObjectName
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import parse_name
from sfml_local.services.lineage.edges import Lineage, Node, lineage

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_QUESTION = re.compile(
    r'\{V\(domain: (?P<domain>\w+), (?P<key>name|id):"(?P<value>(?:[^"\\]|\\.)*)"'
    r'(?:, parent(?:Name|Id):"(?P<parent>(?:[^"\\]|\\.)*)")?\)'
)
_DIRECTION = re.compile(r"\b(upstream|downstream): E\(")
_SYSTEM = {"MODEL": "MODULE", "FEATURE_VIEW": "TABLE", "DYNAMIC_TABLE": "TABLE"}
"""Snowflake's own words for domains."""
_KNOWN = frozenset({"TABLE", "VIEW", "DYNAMIC_TABLE", "DATASET", "MODULE"})


def dgql(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """The answer to `{V(domain: D, name:"N") {downstream: E(…){…}}}`, as JSON."""
    text = str(arguments[0]) if arguments else ""
    question = _QUESTION.match(text)
    directions = _DIRECTION.findall(text)
    if question is None or not directions:
        raise not_emulated(f"SYSTEM$DGQL('{text}')")
    if question["domain"] not in _KNOWN:
        raise not_emulated(f"lineage of a {question['domain']}")
    known = lineage(account, session)
    is_first = question["key"] == "name"
    node = _named(known, question) if is_first else _of_id(question["value"])
    if is_first and node.domain == "TABLE" and "upstream" in directions:
        raise SqlError(
            f"Unsupported feature: the local server does not know what filled the table {node.name.name};"
            " ask for what is downstream of it, or for what is upstream of a view, a dataset or a model.",
            2,
            "0A000",
        )
    answer = {direction: _edges(known, node, direction) for direction in directions}
    return json.dumps({"data": {"V": answer}})


def _named(known: Lineage, question: re.Match[str]) -> Node:
    """The node that a question names; one without edges has no other domain than it says."""
    domain = question["domain"]
    value, parent = (_unescaped(question[key] or "") for key in ("value", "parent"))
    name = ObjectName(*parse_name(parent or value).parts)
    version = value if parent else None
    if domain in ("MODULE", "DATASET"):
        return Node("MODEL" if domain == "MODULE" else domain, name, version)
    nodes = (*(node for edge in known.edges for node in edge), *known.created)
    return next((node for node in nodes if node.name == name and node.version is None), Node(domain, name))


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _edges(known: Lineage, node: Node, direction: str) -> list[dict[str, Any]]:
    own = 1 if direction == "upstream" else 0
    return [
        {"S": _told(known, edge[0]), "T": _told(known, edge[1])} for edge in known.edges if edge[own] == node
    ]


def _told(known: Lineage, node: Node) -> dict[str, Any]:
    database, schema, name = map(quoted_if_needed, node.name.parts)
    created = known.created.get(node)
    return {
        "domain": _SYSTEM.get(node.domain, node.domain),
        "userDomain": node.domain,
        "name": name if node.version is None else node.version,
        "db": database,
        "schema": schema,
        "status": "DELETED" if created is None else "ACTIVE",
        "createdOn": str(0 if created is None else int(created.timestamp() * 1000)),
        "id": _id(node),
        "properties": {} if node.version is None else {"parentName": name, "parentId": _id(node)},
    }


def _id(node: Node) -> str:
    """A word that the next question can hold without quotes."""
    return json.dumps([node.domain, *node.name.parts, node.version]).encode().hex()


def _of_id(text: str) -> Node:
    try:
        domain, *name, version = json.loads(bytes.fromhex(text))
        return Node(domain, ObjectName(*name), version)
    except (ValueError, TypeError) as cause:
        raise not_emulated(f"lineage of the object with the id {text}") from cause
