"""Datasets: versions of a query's rows, as Parquet files below `snow://dataset/<name>/versions/<version>/`.

https://docs.snowflake.com/en/developer-guide/snowflake-ml/dataset
"""

from __future__ import annotations

import json
import re
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, already_exists, does_not_exist, not_emulated
from sfml_local.core.likeness import like, selected
from sfml_local.core.log_format import logger
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.place import Place
from sfml_local.core.places import area_of, demand_schema
from sfml_local.core.result import ArrowRows, Column, Result, status, table
from sfml_local.core.set_aside import keep_orphan
from sfml_local.grammar import datasets as grammar
from sfml_local.grammar.tokens import parse_name
from sfml_local.services.databases.sql import missing
from sfml_local.services.datasets import store
from sfml_local.services.datasets.store import Dataset
from sfml_local.services.stages import locations, staged_files

if TYPE_CHECKING:
    import pyarrow as pa

    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.rewriting import Rewriting
    from sfml_local.core.session import Session

SCHEME = "snow://dataset/"
ROWS_OF_A_FILE = 1_000_000

# Codes that the client translates. snowflake-ml-python, snowflake/ml/_internal/exceptions/dataset_errors.py
NO_SUCH_DATASET, NO_SUCH_VERSION, VERSION_EXISTS = 399019, 399012, 399020


def _folder(account: Account) -> Path:
    folder = account.folder / "datasets"
    folder.mkdir(exist_ok=True)
    return folder


def _get(account: Account, name: ObjectName, errno: int = 2003) -> Dataset:
    found = store.find(account, name)
    if found is None:
        error = does_not_exist("Dataset", name)
        raise SqlError(error.message, errno, error.sqlstate)
    return found


def create(account: Account, session: Session, statement: grammar.CreateDataset) -> Result:
    name = resolve(statement.name, session)
    if not account.engine.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", f"{name.database}.{name.schema}")
    with account.store.transaction():
        existing = store.find(account, name)
        if existing is not None and statement.if_not_exists:
            return status(f"{name.name} already exists, statement succeeded.")
        if existing is not None and not statement.or_replace:
            raise already_exists(statement.name)
        gone = store.remove(account, existing) if existing is not None else []
        if existing is not None:
            account.object_dropped("DATASET", name.fqn())
        store.add(account, name, session.role)
    _delete(account, gone)
    return status(f"Dataset {name.name} successfully created.")


def add_version(account: Account, session: Session, statement: grammar.AddDatasetVersion) -> Result:
    """Run the query and store its rows."""
    if statement.partition_by is not None:
        raise not_emulated(f"ALTER DATASET … ADD VERSION … PARTITION BY {statement.partition_by}")
    _check_metadata(statement.metadata)
    name = resolve(statement.name, session)
    dataset = _get(account, name, NO_SUCH_DATASET)
    _refuse_taken(account, dataset, statement.version)
    result = account.execute(session, statement.query)
    folder = uuid.uuid4().hex
    path = _folder(account) / folder
    try:
        _write(_rows(result), path)
        with account.store.transaction():
            # Check again, because another session may have added the same version while the query ran.
            _refuse_taken(account, dataset, statement.version)
            store.add_version(
                account,
                dataset,
                statement.version,
                comment=statement.comment,
                metadata=statement.metadata,
                folder=folder,
            )
            query = store.Query(statement.query, session.database, session.schema)
            store.keep_query(account, dataset, statement.version, query)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    return status("Dataset version successfully added.")


def _refuse_taken(account: Account, dataset: Dataset, version: str) -> None:
    if any(one.name == version for one in store.versions(account, dataset)):
        raise SqlError(
            f"SQL compilation error:\nDataset version '{version}' already exists.", VERSION_EXISTS, "42710"
        )


def _check_metadata(text: str) -> None:
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise SqlError("SQL compilation error:\nMETADATA has to be a JSON object.", 1003, "42000")


def _rows(result: Result) -> pa.Table:
    from sfml_local.core.arrow import as_table, narrowed

    plain = result.rows.table if isinstance(result.rows, ArrowRows) else as_table(result)
    return narrowed(plain.rename_columns([column.name for column in result.columns]))


def _write(rows: pa.Table, folder: Path) -> None:
    """Write Parquet files with Snowflake's names; at least one, because it has the columns."""
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    for number in range(max(1, -(-rows.num_rows // ROWS_OF_A_FILE))):
        part = rows.slice(number * ROWS_OF_A_FILE, ROWS_OF_A_FILE)
        pq.write_table(part, folder / f"data_0_0_{number}.snappy.parquet", compression="snappy")


def drop_version(account: Account, session: Session, statement: grammar.DropDatasetVersion) -> Result:
    dataset = _get(account, resolve(statement.name, session), NO_SUCH_DATASET)
    version = next((v for v in store.versions(account, dataset) if v.name == statement.version), None)
    if version is None:
        error = does_not_exist("Dataset version", statement.version)
        raise SqlError(error.message, NO_SUCH_VERSION, error.sqlstate)
    store.remove_version(account, version)
    _delete(account, [version.folder])
    return status(f"{statement.version} successfully dropped.")


def drop(account: Account, session: Session, statement: grammar.DropDataset) -> Result:
    name = resolve(statement.name, session)
    demand_schema(account, name)
    dataset = store.find(account, name)
    if dataset is None:
        return missing("Dataset", name.fqn(), statement.if_exists)
    _delete(account, store.remove(account, dataset))
    account.object_dropped("DATASET", name.fqn())
    return status(f"{name.name} successfully dropped.")


def _delete(account: Account, folders: list[str]) -> None:
    for folder in folders:
        shutil.rmtree(_folder(account) / folder, ignore_errors=True)


def show(account: Account, session: Session, statement: grammar.ShowDatasets) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/show-datasets"""
    columns = (
        Column("created_on", "timestamp_ltz"),
        "name",
        "database_name",
        "schema_name",
        "owner",
        "comment",
    )
    area = area_of(account, session, statement.listing)
    here = (one for one in store.every(account) if area.has(one.name.database, one.name.schema))
    shown = selected(here, lambda one: one.name.name, statement.listing)
    return table(
        columns,
        [(one.created_on, one.name.name, one.name.database, one.name.schema, one.owner, "") for one in shown],
    )


def show_versions(account: Account, session: Session, statement: grammar.ShowDatasetVersions) -> Result:
    name = resolve(statement.name, session)
    dataset = _get(account, name, 2043)  # the code that the client expects
    columns = (
        Column("created_on", "timestamp_ltz"),
        *("version", "database_name", "schema_name", "dataset_name", "comment", "metadata"),
    )
    rows = [
        (
            *(version.created_on, version.name),
            *(*name.parts, version.comment, version.metadata),
        )
        for version in store.versions(account, dataset)
        if like(statement.like, version.name)
    ]
    return table(columns, rows[: statement.limit])


def locate(account: Account, session: Session, url: str) -> Place:
    """The folder of a version from a `snow://dataset/…` address, the path in it, and the prefix of names in LIST."""
    name, separator, rest = url.removeprefix(SCHEME).partition("/versions/")
    if not separator:
        raise SqlError(f"SQL compilation error:\ninvalid URL '{url}': it names no version", 1003, "42000")
    dataset = _get(account, resolve(parse_name(name), session))
    wanted, _, path = rest.partition("/")
    for version in store.versions(account, dataset):
        if version.name in (wanted, wanted.strip('"')):
            return Place(_folder(account) / version.folder, path, f"versions/{version.name}/", writable=False)
    raise does_not_exist("Dataset version", wanted)


@looks_for(exp.Table)
def versions_read(tree: Expr, rewriting: Rewriting) -> Expr:
    """`SELECT $1:"COLUMN"::TYPE FROM 'snow://dataset/…' (…)`: a version's rows, as Snowpark reads files."""
    for node in list(tree.find_all(exp.Table)):
        url = node.this.this if isinstance(node.this, exp.Literal) else None
        query = node.find_ancestor(exp.Select)
        if not isinstance(url, str) or not url.startswith(SCHEME) or query is None:
            continue
        place = locations.locate(rewriting.account, rewriting.session, url)
        pattern = node.args.get("pattern")
        files = [
            place.file(key) for key in place.paths() if pattern is None or re.fullmatch(pattern.name, key)
        ]
        for path in list(query.find_all(exp.JSONExtract)):
            is_path = isinstance(path.expression, exp.JSONPath)
            parts: list[Any] = path.expression.expressions if is_path else []
            is_column = isinstance(path.this, exp.Parameter) and path.this.name == "1" and len(parts) == 2
            if is_column and isinstance(parts[1], exp.JSONPathKey):
                path.replace(exp.column(str(parts[1].this), quoted=True))
        if query.find(exp.Parameter):
            raise not_emulated(f"{query.sql(dialect='snowflake')}: rows of a dataset by position")
        rows = staged_files.parquet_rows(files)
        node.replace(rewriting.relation(rows, node.args.get("alias")))
    return tree


def schema_dropped(account: Account, database: str, schema: str) -> None:
    for dataset in store.every(account):
        if (dataset.name.database, dataset.name.schema) == (database, schema):
            _delete(account, store.remove(account, dataset))


def start(account: Account) -> None:
    """Move aside folders without a version: a killed server left them, or the metadata is older than they are."""
    known = store.folders(account)
    for folder in _folder(account).iterdir():
        if folder.name not in known:
            logger.warning(
                "no dataset has %r: it is kept as %s", folder.name, keep_orphan(account.folder, folder)
            )


HANDLERS: Handlers = {
    grammar.CreateDataset: create,
    grammar.AddDatasetVersion: add_version,
    grammar.DropDatasetVersion: drop_version,
    grammar.DropDataset: drop,
    grammar.ShowDatasets: show,
    grammar.ShowDatasetVersions: show_versions,
}
READ_ONLY = frozenset({grammar.ShowDatasets, grammar.ShowDatasetVersions})
