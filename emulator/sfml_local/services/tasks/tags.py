"""Tags on tasks. Any tag can be set; a created tag may restrict the values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.core.names import ObjectName
from sfml_local.services.tags.tagging import check_value
from sfml_local.services.tasks import tag_store

if TYPE_CHECKING:
    from sfml_local.core.account import Account


def set_tags(account: Account, task_id: str, tags: dict[ObjectName, str]) -> None:
    for tag, value in tags.items():
        check_value(account, tag, value)
    tag_store.set_tags(account.store, task_id, tags)
