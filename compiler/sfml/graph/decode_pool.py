"""Decoding the settings of a compute pool that `apply --create-missing` may create for a target."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sfml.base.diagnostic import Diagnostic
from sfml.graph.decode_schedule import duration, whole_number
from sfml.graph.model import NewPool
from sfml.spec.nodes import Node, map_of, text_of


def new_pool(create: Node | None, findings: list[Diagnostic]) -> NewPool | None:
    """The settings in `create.compute_pool` of a target; None without them."""
    outer = map_of(create)
    pool = map_of(outer.get("compute_pool")) if outer else None
    if pool is None:
        return None
    settings: dict[str, Any] = {
        "instance_family": text_of(pool.get("instance_family")),
        "min_nodes": whole_number(pool.get("min_nodes")),
        "max_nodes": whole_number(pool.get("max_nodes")),
        "auto_suspend": duration(pool.get("auto_suspend"), findings),
    }
    return replace(NewPool(), **{key: value for key, value in settings.items() if value is not None})
