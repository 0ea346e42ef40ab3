"""ENTITY_DETAIL: the tags of an object, and the objects of a tag, as JSON.

No page tells of it; the keys are those that snowflake-ml-python reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sfml_local.core.arguments import Args
from sfml_local.core.errors import does_not_exist, not_emulated
from sfml_local.core.names import ObjectName, resolve
from sfml_local.grammar.tokens import parse_name
from sfml_local.services.tags import store as tags
from sfml_local.services.tags import tagging
from sfml_local.services.tasks import store as tasks
from sfml_local.services.tasks import tag_store

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


def entity_detail(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """ENTITY_DETAIL(domain, name, '["TAG_REFERENCES"]'), or of a TAG '["TAG_REFERENCES_INTERNAL"]'."""
    domain, text, asked = (*(str(argument) for argument in arguments), "", "", "[]")[:3]
    kinds = json.loads(asked)
    details: dict[str, Any] = {}
    for kind in kinds:
        match kind, domain.upper():
            case "TAG_REFERENCES_INTERNAL", "TAG":
                found = list(_tagged(account, session, resolve(text, session)))
                details["referencedEntities"] = {"tagReferenceList": found}
            case "TAG_REFERENCES", _:
                references = _tags(account, session, text, domain)
                details["tagReferencesInfo"] = {"tagReferenceList": references}
            case _:
                raise not_emulated(f"ENTITY_DETAIL of {kind} of a {domain}")
    return json.dumps(details)


def _tags(account: Account, session: Session, text: str, domain: str) -> list[dict[str, Any]]:
    """The tags of one object and those that it inherits."""
    name = resolve(text, session)
    if domain.upper() in ("TABLE", "VIEW") and not account.engine.columns(session, name):
        raise does_not_exist("Table", name.fqn())
    rows = tagging.tag_references(account, session, Args((text, domain))).dicts()
    return [
        _reference(
            ObjectName(row["TAG_DATABASE"], row["TAG_SCHEMA"], row["TAG_NAME"]),
            row["TAG_VALUE"],
            row["DOMAIN"],
            ObjectName(row["OBJECT_DATABASE"], row["OBJECT_SCHEMA"], row["OBJECT_NAME"]),
        )
        for row in rows
    ]


def _tagged(account: Account, session: Session, tag: ObjectName) -> Iterator[dict[str, Any]]:
    """The tables, views and tasks that carry a tag."""
    if tags.find(account, tag) is None:
        raise does_not_exist("Tag", tag.fqn())
    for key, value in tags.tagged(account, "TABLE", tag).items():
        yield _reference(tag, value, "TABLE", ObjectName(*parse_name(key).parts))
    for task_id in tag_store.tasks_with(account.store, tag):
        task = tasks.find_by_id(account.store, task_id)
        if task is not None:
            yield _reference(tag, tag_store.tags_of(account.store, task.id)[tag], "TASK", task.name)


def _reference(tag: ObjectName, value: str, domain: str, entity: ObjectName) -> dict[str, Any]:
    return {
        "tagDatabase": tag.database,
        "tagSchema": tag.schema,
        "tagName": tag.name,
        "tagValue": value,
        "domain": domain,
        "entityDatabase": entity.database,
        "entitySchema": entity.schema,
        "entityName": entity.name,
    }
