"""What was made from what: views and dynamic tables, versions of datasets, versions of models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sfml_local.core.names import ObjectName
from sfml_local.grammar.tokens import SqlSyntaxError, parse_name
from sfml_local.services.datasets import store as datasets
from sfml_local.services.dynamic_tables import store as dynamic_tables
from sfml_local.services.dynamic_tables.model import Source
from sfml_local.services.dynamic_tables.sources import Place, sources_of
from sfml_local.services.models import store as models
from sfml_local.services.models.files import manifest_of
from sfml_local.services.objects import store as records
from sfml_local.services.objects.ddl import defining_query
from sfml_local.services.tags import store as tags

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_DATASET = re.compile(r"snow://dataset/([^'/]+)/versions/([^'/]+)/")
_OF_FEATURE_STORES = "SNOWML_FEATURE_STORE_OBJECT"


@dataclass(frozen=True, slots=True)
class Node:
    """An object, or a version of one; `domain` is TABLE, DYNAMIC_TABLE, VIEW, FEATURE_VIEW, DATASET or MODEL."""

    domain: str
    name: ObjectName
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """All edges, from source to target, and when each node was created, as far as that is known."""

    edges: tuple[tuple[Node, Node], ...]
    created: dict[Node, datetime]


def lineage(account: Account, session: Session) -> Lineage:
    """The edges of the whole account, in the order of their targets' kinds and names."""
    graph = _Reading(account, session)
    edges = dict.fromkeys((*graph.of_views(), *graph.of_datasets(), *graph.of_models()))
    return Lineage(tuple(edges), graph.created)


class _Reading:
    """One look at the definitions of an account."""

    def __init__(self, account: Account, session: Session) -> None:
        self._account = account
        self._session = session
        self._records = records.every(account)
        self._dynamic = dynamic_tables.every(account.store)
        self._features = tags.objects_with(account, _OF_FEATURE_STORES)
        self.created = {self._node(name): record.created_on for name, record in self._records.items()}

    def of_views(self) -> Iterator[tuple[Node, Node]]:
        for name, record in sorted(self._records.items(), key=lambda one: one[0].fqn()):
            target = self._node(name)
            if (dynamic := self._dynamic.get(name)) is not None:
                yield from self._from_sources(dynamic.sources, target)
            elif record.kind == "VIEW" and record.written:
                query = defining_query(record.written)
                yield from self._from_query(query, Place(name.database, name.schema), target)

    def of_datasets(self) -> Iterator[tuple[Node, Node]]:
        for dataset in datasets.every(self._account):
            for version in datasets.versions(self._account, dataset):
                target = Node("DATASET", dataset.name, version.name)
                self.created[target] = version.created_on
                if (made := datasets.query_of(self._account, version)) is not None:
                    yield from self._from_query(made.query, Place(made.database, made.schema), target)

    def of_models(self) -> Iterator[tuple[Node, Node]]:
        for model in models.all_models(self._account):
            for version in model.versions:
                target = Node("MODEL", model.name, version.name)
                self.created[target] = version.created_on
                for source in manifest_of(version).get("lineage_sources") or ():
                    place = Place(model.name.database, model.name.schema)
                    if source["type"] == "DATASET":
                        yield Node("DATASET", _full(source["entity"]), source.get("version")), target
                    elif source["type"] == "QUERY":
                        yield from self._from_query(source["entity"], place, target)

    def _from_query(self, query: str, place: Place, target: Node) -> Iterator[tuple[Node, Node]]:
        for name, version in _DATASET.findall(query):
            yield Node("DATASET", _full(name), version), target
        yield from self._from_sources(sources_of(self._account, self._session, query, place), target)

    def _from_sources(self, sources: Iterable[Source], target: Node) -> Iterator[tuple[Node, Node]]:
        for source in sources:
            if source.kind in ("TABLE", "VIEW", "DYNAMIC_TABLE"):
                yield self._node(source.name), target

    def _node(self, name: ObjectName) -> Node:
        is_dynamic = name in self._dynamic
        is_view = not is_dynamic and self._account.engine.kind_of(self._session, name.parts) == "VIEW"
        if (is_dynamic or is_view) and name.fqn() in self._features:
            return Node("FEATURE_VIEW", name)
        return Node("DYNAMIC_TABLE" if is_dynamic else "VIEW" if is_view else "TABLE", name)


def _full(text: str) -> ObjectName:
    try:
        return ObjectName(*parse_name(text).parts)
    except (SqlSyntaxError, TypeError):
        return ObjectName("", "", text)
