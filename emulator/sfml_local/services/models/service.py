"""The model registry: what `snowflake.ml.registry` asks of an account, kept in SQLite and in folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.services.models import inference, predictors, queries
from sfml_local.services.models import sql as statements
from sfml_local.services.models.files import remove_orphans
from sfml_local.services.models.inference import binary_values, interpreter_error, model_calls
from sfml_local.services.models.locations import Location, locate
from sfml_local.services.models.store import SCHEMA
from sfml_local.services.models.table_functions import table_calls

if TYPE_CHECKING:
    from sfml_local.core.account import Account

__all__ = ["FIRST_REWRITES", "REWRITES", "SCHEMA", "Location", "interpreter_error", "locate"]

HANDLERS = {**statements.HANDLERS, **queries.HANDLERS}
READ_ONLY = queries.READ_ONLY
SYSTEM_FUNCTIONS = queries.SYSTEM_FUNCTIONS
RELATIONS = queries.RELATIONS
REWRITES = (model_calls,)
FIRST_REWRITES = (table_calls, binary_values)
SCHEMA_DROPPED = statements.schema_dropped


def START(account: Account) -> None:
    remove_orphans(account)
    inference.register(account)
    predictors.watch(account)


def STOP(account: Account) -> None:
    predictors.stop_all(account)
