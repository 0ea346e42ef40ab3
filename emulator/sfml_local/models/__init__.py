"""The model registry: what `snowflake.ml.registry` asks of an account, kept in SQLite and in folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.models import inference, predictors, queries, statements
from sfml_local.models.files import remove_orphans
from sfml_local.models.inference import binary_values, interpreter_error, model_calls
from sfml_local.models.locations import Location, locate
from sfml_local.models.store import SCHEMA
from sfml_local.models.table_functions import table_calls

if TYPE_CHECKING:
    from sfml_local.account import Account

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
