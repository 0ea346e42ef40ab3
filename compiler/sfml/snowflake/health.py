"""The checks of `sfml doctor` in an account. Each function checks one thing, and returns a `Check`."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfml.account.checkup import Check, CheckState
from sfml.base.errors import SfmlError
from sfml.base.quoting import folded, identifier, literal, qualified, raw
from sfml.graph.model import Target
from sfml.snowflake.sql import records, rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

TOLERABLE_SECONDS = 30
"""The tolerated difference between the clocks; with a much larger one, key-pair tokens are refused."""

_WELL = ("ACTIVE", "IDLE", "STARTING", "RESIZING", "STARTED", "RESUMING")


def account_checks(connection: SnowflakeConnection, target: Target) -> Iterator[Check]:
    """All checks that need only the target. A refused query makes its check fail."""
    looks = {
        "server": server,
        "clock": clock,
        "database": database,
        "schema": schema,
        "warehouse": warehouse,
        "compute pool": pool,
        "stage": stage,
        "event table": event_table,
        "model registry": registry,
    }
    failed: set[str] = set()
    for name, look in looks.items():
        behind = next((place for place in ("database", "schema") if place in failed), None)
        if behind and name in ("schema", "stage", "model registry"):
            yield Check(name, CheckState.SKIPPED, f"not looked at: there is no {behind}")
            failed.add(name)
            continue
        try:
            check = look(connection, target)
        except SfmlError as error:
            check = Check(name, CheckState.FAIL, error.message, error.help)
        if check is None:
            continue
        if check.state is CheckState.FAIL:
            failed.add(name)
        yield check


def server(connection: SnowflakeConnection, target: Target) -> Check:
    began = time.perf_counter()
    [(version, account, role, warehouse)] = rows(
        connection,
        "SELECT CURRENT_VERSION(), CURRENT_ORGANIZATION_NAME() || '-' || CURRENT_ACCOUNT_NAME(), CURRENT_ROLE(),"
        " CURRENT_WAREHOUSE()",
    )
    took = (time.perf_counter() - began) * 1000
    text = f"Snowflake {version}, account {account}, as {role}, on {warehouse or 'no warehouse'}; {took:.0f} ms a call"
    if target.account is None and not target.is_local:
        help = (
            f"add `account: {account}` to target `{target.name}`, so that a wrong connection changes nothing"
        )
        return Check("server", CheckState.WARN, text, help)
    return Check("server", CheckState.OK, text)


def clock(connection: SnowflakeConnection, target: Target) -> Check:
    before = time.time()
    [(there,)] = rows(connection, "SELECT EXTRACT(EPOCH_MILLISECOND FROM SYSDATE())")
    here = (before + time.time()) / 2
    away = abs(float(there) / 1000 - here)
    if away <= TOLERABLE_SECONDS:
        return Check("clock", CheckState.OK, f"{away:.1f} s from the account's")
    return Check(
        "clock",
        CheckState.WARN,
        f"{away:.0f} s from the account's: key pairs and times of runs suffer from it",
        "set this machine's clock",
    )


def database(connection: SnowflakeConnection, target: Target) -> Check:
    name = identifier(target.database)
    if _row(connection, target, "DATABASES", target.database) is None:
        return Check(
            "database",
            CheckState.FAIL,
            f"{name} is not there, or not visible to the role",
            f"CREATE DATABASE {name}",
        )
    return Check("database", CheckState.OK, f"{name} is there")


def schema(connection: SnowflakeConnection, target: Target) -> Check | None:
    if not target.schema:
        return Check("schema", CheckState.SKIPPED, "it depends on the pipeline: name a spec")
    name = qualified(target.database, target.schema)
    place = f"IN DATABASE {identifier(target.database)}"
    if _row(connection, target, "SCHEMAS", target.schema, place) is None:
        if target.is_local:
            return Check("schema", CheckState.OK, f"{name} is made by the first apply")
        return Check(
            "schema",
            CheckState.FAIL,
            f"{name} is not there, or not visible to the role",
            f"CREATE SCHEMA {name}",
        )
    return Check("schema", CheckState.OK, f"{name} is there")


def warehouse(connection: SnowflakeConnection, target: Target) -> Check:
    name = identifier(target.warehouse)
    row = _row(connection, target, "WAREHOUSES", target.warehouse)
    if row is None and target.is_local:
        return Check("warehouse", CheckState.UNKNOWN, f"{name}: the local Snowflake takes any name")
    if row is None:
        help = f"CREATE WAREHOUSE {name} …, or GRANT USAGE ON WAREHOUSE {name} TO ROLE {target.owner_role or '…'}"
        return Check("warehouse", CheckState.FAIL, f"{name} is not there, or not visible to the role", help)
    return _compute("warehouse", name, row, f"ALTER WAREHOUSE {name} SET AUTO_RESUME = TRUE")


def pool(connection: SnowflakeConnection, target: Target) -> Check | None:
    if target.compute_pool is None:
        return None
    name = identifier(target.compute_pool)
    row = _row(connection, target, "COMPUTE POOLS", target.compute_pool)
    if row is None and target.is_local:
        return Check("compute pool", CheckState.UNKNOWN, f"{name}: the local Snowflake takes any name")
    if row is None:
        help = f"GRANT USAGE ON COMPUTE POOL {name} TO ROLE {target.owner_role or '…'}, or sfml apply --create-missing"
        return Check(
            "compute pool", CheckState.FAIL, f"{name} is not there, or not visible to the role", help
        )
    return _compute("compute pool", name, row, f"ALTER COMPUTE POOL {name} SET AUTO_RESUME = TRUE")


def _compute(kind: str, name: str, row: dict[str, Any], help: str) -> Check:
    """The check of a warehouse or compute pool: it must be running, or resume automatically."""
    state, resumes = str(row["state"]).upper(), str(row["auto_resume"]).lower() == "true"
    nodes = f", {row['min_nodes']} to {row['max_nodes']} nodes" if "max_nodes" in row else ""
    text = f"{name} is {state.lower()}{nodes}"
    if state in _WELL:
        return Check(kind, CheckState.OK, text)
    if state in ("SUSPENDED", "SUSPENDING", "STOPPING"):
        if resumes:
            return Check(kind, CheckState.OK, f"{text}, and resumes by itself")
        return Check(kind, CheckState.WARN, f"{text}, and does not resume by itself", help)
    return Check(
        kind,
        CheckState.FAIL,
        text,
        f"look at it: {row.get('status_message') or 'SHOW ' + kind.upper() + 'S'!s}",
    )


def stage(connection: SnowflakeConnection, target: Target) -> Check | None:
    """Check write access to the stage with a small file, which is removed again."""
    if not target.schema:
        return None
    name = qualified(target.database, target.schema, target.stage)
    place = f"IN SCHEMA {qualified(target.database, target.schema)}"
    try:
        there = _row(connection, target, "STAGES", target.stage, place) is not None
    except SfmlError:
        there = False
    if not there:
        return Check("stage", CheckState.OK, f"{name} is made by the first apply")
    location = f"@{'.'.join(folded(part) for part in (target.database, target.schema, target.stage))}/doctor"
    with tempfile.TemporaryDirectory(prefix="sfml-doctor-") as folder:
        file = Path(folder) / f"{secrets.token_hex(4)}.txt"
        file.write_text("sfml doctor\n", encoding="utf-8")
        source = literal(f"file://{file.as_posix()}")
        rows(connection, f"PUT {source} {literal(location)} AUTO_COMPRESS = FALSE", role=target.owner_role)
        rows(connection, f"REMOVE {literal(f'{location}/{file.name}')}", role=target.owner_role)
    return Check("stage", CheckState.OK, f"{name} can be written")


def event_table(connection: SnowflakeConnection, target: Target) -> Check:
    """Check read access to the account's event table, which holds the logs of steps.

    https://docs.snowflake.com/en/developer-guide/logging-tracing/event-table-setting-up
    """
    try:
        rows(connection, "SELECT 1 FROM SNOWFLAKE.TELEMETRY.EVENTS LIMIT 0")
    except SfmlError as error:
        role = identifier(target.owner_role) if target.owner_role else "…"
        return Check(
            "event table",
            CheckState.WARN,
            f"`sfml logs` will find nothing: {error.message.splitlines()[-1]}",
            f"GRANT APPLICATION ROLE SNOWFLAKE.EVENTS_ADMIN TO ROLE {role}",
        )
    return Check("event table", CheckState.OK, "can be read")


def registry(connection: SnowflakeConnection, target: Target) -> Check | None:
    if not target.schema:
        return None
    place = qualified(target.database, target.schema)
    if (
        target.is_local
        and _row(connection, target, "SCHEMAS", target.schema, f"IN DATABASE {identifier(target.database)}")
        is None
    ):
        return None
    models = records(connection, f"SHOW MODELS IN SCHEMA {place}", role=target.owner_role)
    return Check("model registry", CheckState.OK, f"answers; {len(models)} models in {place}")


def _row(
    connection: SnowflakeConnection, target: Target, kind: str, name: str, place: str = ""
) -> dict[str, Any] | None:
    """The row of SHOW with exactly this name; LIKE alone ignores case and treats `_` as a wildcard.

    The local Snowflake shows a compute pool for any name in LIKE, so all of its pools are listed.
    """
    like = "" if target.is_local and kind == "COMPUTE POOLS" else f" LIKE {literal(raw(name))}"
    sql = f"SHOW {kind}{like} {place}".strip()
    result = records(connection, sql, role=target.owner_role)
    return next((row for row in result if row["name"] == raw(name)), None)
