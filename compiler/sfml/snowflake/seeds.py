"""Loads a seed table from a CSV file; the column types are inferred from the values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sfml.base.errors import ConflictingState
from sfml.base.quoting import raw
from sfml.graph.model import Target
from sfml.snowflake.light_connector import complete_connector
from sfml.snowflake.refusals import translated

if TYPE_CHECKING:
    import pandas as pd
    from snowflake.connector import SnowflakeConnection


def load_seed(connection: SnowflakeConnection, target: Target, table: str, file: Path) -> int:
    """Replace the table with the rows of the CSV file; returns their number. Raises `ConflictingState`.

    Column names are folded to upper case; ISO dates become DATE, numbers NUMBER or FLOAT, the rest text.
    """
    complete_connector()
    from snowflake.connector.pandas_tools import write_pandas

    frame = read_csv(file)
    with translated(role=target.owner_role):
        success, _, rows, _ = write_pandas(
            connection,
            frame,
            raw(table),
            database=raw(target.database),
            schema=raw(target.schema),
            auto_create_table=True,
            overwrite=True,
            quote_identifiers=True,
            use_logical_type=True,
        )
    if not success:
        raise ConflictingState(f"seed {table} was not loaded", help="run `sfml seed` again")
    return int(rows)


def read_csv(file: Path) -> pd.DataFrame:
    """The file as a data frame with upper-case column names; a column of ISO dates has dates as values.

    Raises `ConflictingState` for a file that is not CSV, and for repeated column names.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(file, encoding="utf-8", keep_default_na=False, na_values=[""])
    except (ValueError, UnicodeDecodeError) as cause:
        raise ConflictingState(
            f"{file.name} cannot be read as CSV: {cause}", help="correct the seed file"
        ) from cause
    frame.columns = [str(column).strip().upper() for column in frame.columns]
    doubled = sorted(set(frame.columns[frame.columns.duplicated()]))
    if doubled:
        raise ConflictingState(f"{file.name} has column {doubled[0]} twice", help="correct the seed file")
    for column in frame.columns:
        values = frame[column]
        if (
            values.dtype == object
            and values.notna().any()
            and values.dropna().astype(str).str.fullmatch(r"\d{4}-\d{2}-\d{2}").all()
        ):
            frame[column] = pd.to_datetime(values, format="%Y-%m-%d").dt.date
    return frame
