"""A deployed pipeline of one task, of which tests say the settings."""

from __future__ import annotations

from typing import Literal

from sfml.graph.model import GraphSettings, OnWarehouse, SqlBody, Target, TaskGraph, TaskNode
from sfml.lower.desired import DesiredGraph
from sfml.lower.lower import lower


def lowered(settings: GraphSettings, kind: Literal["account", "local"] = "account") -> DesiredGraph:
    target = Target("prod", kind, "DB", "P", "WH")
    task = TaskNode("one", SqlBody("select 1"), OnWarehouse("WH"))
    return lower(TaskGraph("p", "specs/p.yaml", target, settings, (task,)), lambda step: (), "0")
