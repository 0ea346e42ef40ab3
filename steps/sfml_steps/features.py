"""Steps for a Feature Store: one refreshes feature views, one makes a training set of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypedDict

from sfml_steps.context import Context
from sfml_steps.errors import StepError
from sfml_steps.registration import step

if TYPE_CHECKING:
    from snowflake.ml.feature_store import FeatureStore, FeatureView
    from snowflake.snowpark import Session

PARTS = re.compile(r'"(?:[^"]|"")+"|[^."]+')


class Refreshed(TypedDict):
    """The feature views that were refreshed, as they were named; `summary` is shown with the run."""

    summary: str
    views: list[str]


class TrainingSet(TypedDict):
    """The table with the training set, by its full name, and its number of rows; `summary` is shown with the run."""

    summary: str
    table: str
    rows: int


@step
def refresh_feature_views(ctx: Context, views: list[str]) -> Refreshed:
    """Refresh feature views now, each after the one before, and return when all hold the latest data.

    - `views`: feature views that a Feature Store refreshes, as `STORE.NAME/version`; the store is a schema, or a
      database and a schema, and by default the schema of the task. Views without a refresh frequency are always up to
      date, and are refused.
    """
    if not views:
        raise StepError("`views` names no feature view")
    for view in views:
        store, feature_view = find(ctx, view)
        if feature_view.refresh_freq is None:
            raise StepError(
                f"`{view}` has no refresh frequency: it is always up to date, take it out of `views`"
            )
        store.refresh_feature_view(feature_view)
        ctx.logger.info("refreshed %s", view)
    return {"summary": f"refreshed {', '.join(views)}", "views": list(views)}


@step
def make_training_set(
    ctx: Context,
    spine: str,
    views: list[str],
    table: str,
    timestamp: str | None = None,
    labels: list[str] | None = None,
) -> TrainingSet:
    """Join feature views to the rows of a table, and write the result into another one, which is replaced.

    - `spine`: a table or view with the keys of the views' entities, and whatever else the training needs.
    - `views`: feature views as `STORE.NAME/version`, all of one store.
    - `table`: the table that is written.
    - `timestamp`: the column of the spine with the moment of each row. Features are then those of that moment, if
      their view has a timestamp; without it, the latest ones.
    - `labels`: columns of the spine that are learnt.
    """
    if not views:
        raise StepError("`views` names no feature view")
    found = [find(ctx, view) for view in views]
    if len({store_of(view) for view in views}) > 1:
        raise StepError("`views` are of several stores; make a training set of each")
    made = found[0][0].generate_training_set(
        ctx.session.table(spine),
        [feature_view for _, feature_view in found],
        spine_timestamp_col=timestamp,
        spine_label_cols=labels,
    )
    made.write.save_as_table(table, mode="overwrite")
    rows = int(ctx.session.table(table).count())
    name = full_name(ctx.session, table)
    return {"summary": f"{rows} rows in {name}", "table": name, "rows": rows}


def find(ctx: Context, view: str) -> tuple[FeatureStore, FeatureView]:
    """Return a feature view and its store. Raises StepError for one that is not there."""
    from snowflake.ml.feature_store import CreationMode, FeatureStore

    place, _, version = view.rpartition("/")
    if not place:
        raise StepError(f"`{view}` has no version: write it as STORE.NAME/version")
    *_, name = PARTS.findall(place) or [""]
    if not name:
        raise StepError(f"`{view}` has no name: write it as STORE.NAME/version")
    database, schema = store_of(view)
    session: Session = ctx.session
    try:
        store = FeatureStore(
            session,
            database or str(session.get_current_database()),
            schema or str(session.get_current_schema()),
            default_warehouse=str(session.get_current_warehouse()),
            creation_mode=CreationMode.FAIL_IF_NOT_EXIST,
        )
        return store, store.get_feature_view(name, version)
    except ValueError as cause:
        raise StepError(f"`{view}` cannot be found: {cause}") from cause


def store_of(view: str) -> tuple[str, str]:
    """Return the database and the schema that a feature view's name begins with; "" for what it lacks."""
    place, _, _ = view.rpartition("/")
    before: list[Any] = PARTS.findall(place)[:-1]
    if len(before) > 2:
        raise StepError(f"`{view}` has too many parts: write it as STORE.NAME/version")
    database, schema = ["", "", *before][-2:]
    return database, schema


def full_name(session: Session, table: str) -> str:
    """Return the table's name with its database and schema, unless it has them."""
    missing = 3 - len(PARTS.findall(table))
    place = (
        [str(session.get_current_database()), str(session.get_current_schema())][:missing]
        if missing > 0
        else []
    )
    return ".".join([*place, table])
