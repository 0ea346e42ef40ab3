"""sfml: reviewed YAML compiled into Snowflake task graphs for machine learning.

`import sfml` is the Python interface: `sfml.open(".")` gives the project, its pipelines, and what the commands do with
them. The names are loaded when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfml.base.release import DISTRIBUTION as __distribution__
from sfml.base.release import VERSION as __version__

if TYPE_CHECKING:
    from sfml.account.registered import ModelVersion as ModelVersion
    from sfml.api.account import Account as Account
    from sfml.api.backfill import Backfill as Backfill
    from sfml.api.backfill import BackfillPlan as BackfillPlan
    from sfml.api.findings import Finding as Finding
    from sfml.api.findings import Findings as Findings
    from sfml.api.graph import Artefact as Artefact
    from sfml.api.graph import Graph as Graph
    from sfml.api.graph import Task as Task
    from sfml.api.models import Models as Models
    from sfml.api.pipeline import Pipeline as Pipeline
    from sfml.api.plan import Applied as Applied
    from sfml.api.plan import Change as Change
    from sfml.api.plan import Plan as Plan
    from sfml.api.plan import Risk as Risk
    from sfml.api.project import Project as Project
    from sfml.api.project import open as open
    from sfml.api.run import Run as Run
    from sfml.api.run import Runs as Runs
    from sfml.api.run import TaskRun as TaskRun
    from sfml.api.run_plan import RunPlan as RunPlan
    from sfml.api.status import Status as Status
    from sfml.api.status import Statuses as Statuses
    from sfml.base.errors import InvalidSpec as InvalidSpec
    from sfml.base.errors import SfmlError as SfmlError

_MODULES = {
    "Account": "sfml.api.account",
    "Applied": "sfml.api.plan",
    "Artefact": "sfml.api.graph",
    "Backfill": "sfml.api.backfill",
    "BackfillPlan": "sfml.api.backfill",
    "Change": "sfml.api.plan",
    "Finding": "sfml.api.findings",
    "Findings": "sfml.api.findings",
    "Graph": "sfml.api.graph",
    "InvalidSpec": "sfml.base.errors",
    "ModelVersion": "sfml.account.registered",
    "Models": "sfml.api.models",
    "Pipeline": "sfml.api.pipeline",
    "Plan": "sfml.api.plan",
    "Project": "sfml.api.project",
    "Risk": "sfml.api.plan",
    "Run": "sfml.api.run",
    "RunPlan": "sfml.api.run_plan",
    "Runs": "sfml.api.run",
    "SfmlError": "sfml.base.errors",
    "Status": "sfml.api.status",
    "Statuses": "sfml.api.status",
    "Task": "sfml.api.graph",
    "TaskRun": "sfml.api.run",
    "open": "sfml.api.project",
}

__all__ = ["__distribution__", "__version__", *_MODULES]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
