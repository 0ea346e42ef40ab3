"""The services of an account in one list, in the order in which they see a statement and start."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sfml_local.core.local_account import Builder, LocalAccount
from sfml_local.services.access.service import Access
from sfml_local.services.alerts.service import AlertService
from sfml_local.services.compute.service import ComputeObjects
from sfml_local.services.databases.service import Databases
from sfml_local.services.datasets.service import Datasets
from sfml_local.services.dynamic_tables.service import DynamicTableService
from sfml_local.services.feature_store.service import FeatureStores
from sfml_local.services.jobs.service import Jobs
from sfml_local.services.lineage.service import LineageService
from sfml_local.services.models.service import Models
from sfml_local.services.notifications.service import Notifications
from sfml_local.services.objects.service import Objects
from sfml_local.services.routines.service import Routines
from sfml_local.services.session.service import SessionSettings
from sfml_local.services.stages.service import Stages
from sfml_local.services.streams.service import Streams
from sfml_local.services.tags.service import Tags
from sfml_local.services.tasks.service import Tasks
from sfml_local.services.telemetry.service import Telemetry
from sfml_local.services.variants.service import Variants

SERVICES: tuple[Builder, ...] = (
    SessionSettings,
    Databases,
    ComputeObjects,
    Access,
    Datasets,  # before stages: its addresses are in quotes, as those of staged files are
    Stages,
    Telemetry,
    Notifications,
    DynamicTableService,  # before streams take the place of tables
    Streams,
    Variants,  # after them: a stream has what its table's columns have
    Objects,
    Tags,
    Tasks,
    AlertService,
    Routines,
    Jobs,
    Models,
    FeatureStores,
    LineageService,
)
"""New services are added only here; `core/service.py` describes what they can offer."""


def open_account(folder: Path, services: Iterable[Builder] = SERVICES, **options: Any) -> LocalAccount:
    """The account of a folder; `options` are those of `LocalAccount`."""
    return LocalAccount(folder, services, **options)
