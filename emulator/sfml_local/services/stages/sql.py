"""Stages: folders with files that clients put, get, list and remove.

The connector carries out PUT and GET itself: the server gives it a local folder (LOCAL_FS) as source or destination.
"""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import re
import shutil
import uuid
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import (
    SqlError,
    already_exists,
    does_not_exist,
    invalid_value,
    name_is_taken,
    not_emulated,
)
from sfml_local.core.likeness import like
from sfml_local.core.log_format import logger
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.place import Place, within
from sfml_local.core.places import area_of, cannot_be_performed, demand_schema
from sfml_local.core.result import DESCRIBE, SELECT, SHOW, Column, Result, status, table
from sfml_local.grammar.copying import (
    AlterFileFormat,
    CopyIntoLocation,
    CopyIntoTable,
    CreateFileFormat,
    CreateFromTemplate,
    DescribeFileFormat,
    DropFileFormat,
    ShowFileFormats,
)
from sfml_local.grammar.options import written
from sfml_local.grammar.stages import (
    AlterStage,
    CopyFiles,
    CreateStage,
    DescribeStage,
    DropStage,
    Get,
    ListFiles,
    Put,
    Remove,
    ShowStages,
)
from sfml_local.services.databases.properties import labels_not_emulated
from sfml_local.services.databases.sql import missing
from sfml_local.services.stages import (
    copying,
    directories,
    file_formats,
    present_files,
    schema_inference,
    staged_files,
    store,
    unloading,
)
from sfml_local.services.stages.locations import locate
from sfml_local.services.stages.stage_functions import no_directory

if TYPE_CHECKING:
    from sqlite3 import Row

    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session

# Options of internal stages; others (URL, credentials) make a stage external.
KNOWN = frozenset({"ENCRYPTION", "DIRECTORY", "COMMENT", "FILE_FORMAT"})


# -- stages ---------------------------------------------------------------------------------------------------


def create(account: Account, session: Session, statement: CreateStage) -> Result:
    name = resolve(statement.name, session)
    _check_options("CREATE STAGE", statement.options)
    demand_schema(account, name)
    # Of two sessions that create one name at the same time, one gets the error that it exists.
    with account.store.transaction():
        if store.find(account, name) is not None:
            if statement.if_not_exists:
                return status(f"{name.name} already exists, statement succeeded.")
            if not statement.or_replace:
                raise already_exists(statement.name)
            remove_stage(account, name)
        folder = uuid.uuid4().hex
        (account.stages_folder / folder).mkdir()
        given = statement.options
        store.add(
            account,
            name,
            folder,
            owner=session.role,
            comment=str(given.get("COMMENT", "")),
            encryption=_nested(given, "ENCRYPTION", "TYPE", "SNOWFLAKE_FULL"),
            directory=_directory(given, 0),
            session=session.id if statement.temporary else None,
        )
        file_formats.set_of_stage(account, session, folder, given.get("FILE_FORMAT"))
    return status(f"Stage area {name.name} successfully created.")


_ABSENT = frozenset(
    {
        *("URL", "STORAGE_INTEGRATION", "CREDENTIALS", "USE_PRIVATELINK_ENDPOINT", "ENDPOINT"),
        *("AWS_ACCESS_POINT_ARN", "COPY_OPTIONS"),
    }
)


_NESTED = {
    "DIRECTORY": frozenset({"ENABLE", "AUTO_REFRESH", "REFRESH_ON_CREATE"}),
    "ENCRYPTION": frozenset({"TYPE"}),
}
"""What these take of an internal stage; a query of a directory is never out of date here."""


_OF_OTHERS = frozenset({"AWS_CSE", "AWS_SSE_S3", "AWS_SSE_KMS", "GCS_SSE_KMS", "AZURE_CSE", "NONE"})
"""Encryptions of stages in a cloud's storage."""


def _check_options(statement: str, given: Any) -> None:
    for key in given.keys() - KNOWN:
        if key in ("TAG", "CONTACT"):
            raise labels_not_emulated("STAGE", key)
        if key in _ABSENT:
            raise not_emulated(f"{statement} … {key}")
        raise SqlError(f"SQL compilation error:\ninvalid property '{key}' for 'STAGE'", 1420, "42601")
    if not isinstance(given.get("COMMENT", ""), str):
        raise invalid_value(given["COMMENT"], "COMMENT")
    for key, known in _NESTED.items():
        for name in given.get(key, {}).keys() - known if isinstance(given.get(key), dict) else ():
            raise SqlError(f"SQL compilation error:\ninvalid property '{name}' for '{key}'", 1420, "42601")
    encryption = _nested(given, "ENCRYPTION", "TYPE", "SNOWFLAKE_FULL")
    if str(encryption).upper() in _OF_OTHERS:
        message = "Cannot set URL, credentials, or encryption key of an internal or temporary stage."
        raise SqlError(f"SQL compilation error:\n{message}", 2019, "42601")
    if str(encryption).upper() not in ("SNOWFLAKE_FULL", "SNOWFLAKE_SSE"):
        raise invalid_value(written(encryption), "TYPE")


def alter(account: Account, session: Session, statement: AlterStage) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/alter-stage"""
    name = resolve(statement.name, session)
    row = store.find(account, name)
    if row is None:
        if statement.if_exists:
            return status()
        raise does_not_exist("Stage", name.fqn())
    if statement.other:
        raise not_emulated(f"ALTER STAGE … {statement.other}")
    if statement.refresh:
        if not row["directory"]:
            raise no_directory(name)
        return directories.refresh(account, session, name, row, statement.subpath)
    if statement.new_name is not None:
        return _rename(account, row, name, resolve(statement.new_name, session))
    given = statement.options
    _check_options("ALTER STAGE", given)
    if "ENCRYPTION" in given:
        raise not_emulated("ALTER STAGE … ENCRYPTION")
    if statement.unset:
        raise SqlError("Unsupported feature 'UNSET'.", 2, "0A000")
    if "FILE_FORMAT" in given:
        file_formats.set_of_stage(account, session, row["folder"], given["FILE_FORMAT"])
    comment = given.get("COMMENT", row["comment"])
    store.change(account, name, comment=comment, directory=_directory(given, row["directory"]))
    return status()


def _rename(account: Account, row: Row, name: ObjectName, new: ObjectName) -> Result:
    demand_schema(account, new)
    with account.store.transaction():
        if store.find(account, new) is not None:
            raise name_is_taken(new)
        store.rename(account, name, new)
        if new.database != name.database:
            directories.forget(account, name, row["folder"])
        account.object_renamed("STAGE", name.fqn(), new.fqn())
    return status()


def _directory(given: Any, before: int) -> int:
    """What the store keeps of a stage's DIRECTORY, of which a statement may tell a part."""
    if not _nested(given, "DIRECTORY", "ENABLE", bool(before)):
        return 0
    return 2 if _nested(given, "DIRECTORY", "AUTO_REFRESH", before == 2) else 1


def _nested(options: Any, outer: str, inner: str, default: Any) -> Any:
    value = options.get(outer)
    return value.get(inner, default) if isinstance(value, dict) else default


def drop(account: Account, session: Session, statement: DropStage) -> Result:
    name = resolve(statement.name, session)
    demand_schema(account, name)
    if store.find(account, name) is None:
        return missing("Stage", name.fqn(), statement.if_exists)
    remove_stage(account, name)
    return status(f"{name.name} successfully dropped.")


def remove_stage(account: Account, name: ObjectName) -> None:
    """Remove a stage's metadata, then its files; a crash in between leaves files, never a stage without them."""
    row = store.find(account, name)
    assert row is not None
    store.remove(account, name, row["folder"])
    account.object_dropped("STAGE", name.fqn())
    directories.forget(account, name, row["folder"])
    shutil.rmtree(account.stages_folder / row["folder"], ignore_errors=True)


def show(account: Account, session: Session, statement: ShowStages) -> Result:
    """STARTS WITH and LIMIT have no effect, as on an account."""
    columns = (
        Column("created_on", "timestamp_ltz"),
        *map(Column, ("name", "database_name", "schema_name", "url", "has_credentials")),
        *map(Column, ("has_encryption_key", "owner", "comment", "region", "type", "cloud")),
        *map(Column, ("notification_channel", "storage_integration", "endpoint", "owner_role_type")),
        Column("directory_enabled"),
    )
    area = area_of(account, session, statement.listing, missing=cannot_be_performed)
    rows = []
    for row in store.every(account):
        if like(statement.listing.like, row["name"]) and area.has(row["database"], row["schema"]):
            kind = "INTERNAL" if row["session"] is None else "INTERNAL TEMPORARY"
            created = datetime.datetime.fromisoformat(row["created_on"])
            rows.append(
                (
                    *(created, row["name"], row["database"], row["schema"], "", "N", "N", row["owner"]),
                    *(row["comment"], None, kind, None, None, None, None, "ROLE"),
                    "Y" if row["directory"] else "N",
                )
            )
    return table(columns, rows)


_COPY_OPTIONS = (
    ("ON_ERROR", "String", "ABORT_STATEMENT", "ABORT_STATEMENT"),
    ("SIZE_LIMIT", "Long", "", ""),
    ("PURGE", "Boolean", "false", "false"),
    ("RETURN_FAILED_ONLY", "Boolean", "false", "false"),
    ("ENFORCE_LENGTH", "Boolean", "true", "true"),
    ("TRUNCATECOLUMNS", "Boolean", "false", "false"),
    ("FORCE", "Boolean", "false", "false"),
)
"""What DESCRIBE tells of a stage's own COPY_OPTIONS, which none has here: (property, type, value, default)."""


def describe(account: Account, session: Session, statement: DescribeStage) -> Result:
    name = resolve(statement.name, session)
    row = store.find(account, name)
    if row is None:
        raise does_not_exist("Stage", name.fqn())
    properties = (
        ("STAGE_LOCATION", "URL", "String", "", ""),
        ("STAGE_ENCRYPTION", "TYPE", "String", row["encryption"], ""),
        ("DIRECTORY", "ENABLE", "Boolean", str(row["directory"] > 0).lower(), "false"),
        ("DIRECTORY", "AUTO_REFRESH", "Boolean", str(row["directory"] == 2).lower(), "false"),
        *(
            ("STAGE_FILE_FORMAT", *values)
            for values in file_formats.described(store.format_of_stage(account, row["folder"]) or {})
        ),
        *(("STAGE_COPY_OPTIONS", *values) for values in _COPY_OPTIONS),
    )
    names = ("parent_property", "property", "property_type", "property_value", "property_default")
    return table(names, properties, DESCRIBE)


# -- files ------------------------------------------------------------------------------------------------------


def put(account: Account, session: Session, statement: Put) -> Result:
    """The reply to PUT: the folder to which the client writes, or that all of its files are there."""
    place = locate(account, session, statement.location)
    if not place.writable:
        raise SqlError(f"Files cannot be put to '{statement.location}'.", 1011, "42601")
    given = statement.options
    _demand_known("PUT", given, {"PARALLEL", "AUTO_COMPRESS", "SOURCE_COMPRESSION", "OVERWRITE", "THRESHOLD"})
    folder = place.file()
    folder.mkdir(parents=True, exist_ok=True)
    source = statement.source.removeprefix("file://")
    sources = [source]
    if given.get("OVERWRITE", False) is not True:
        sources, skipped = present_files.split(source, folder, given)
        if not sources:
            return present_files.answer(skipped)
    transfer = {
        "command": "UPLOAD",
        "src_locations": sources,
        "parallel": given.get("PARALLEL", 4),
        "autoCompress": given.get("AUTO_COMPRESS", True),
        "sourceCompression": str(given.get("SOURCE_COMPRESSION", "auto_detect")).lower(),
        "overwrite": given.get("OVERWRITE", False),
        **_local_fs(folder),
    }
    return Result((), (), SELECT, transfer)


def get(account: Account, session: Session, statement: Get) -> Result:
    """The reply to GET: the files whose paths begin with this one, as LIST shows them."""
    place = locate(account, session, statement.location)
    _demand_known("GET", statement.options, {"PARALLEL", "PATTERN"})
    keys = [key for key in place.paths() if _matches(place, key, statement.options.get("PATTERN"))]
    transfer = {
        "command": "DOWNLOAD",
        "src_locations": keys,
        "localLocation": statement.target.removeprefix("file://"),
        "parallel": statement.options.get("PARALLEL", 4),
        **_local_fs(place.root),
    }
    return Result((), (), SELECT, transfer)


def _demand_known(statement: str, given: Mapping[str, Any], known: Collection[str]) -> None:
    for key in given:
        if key not in known:
            raise SqlError(
                f"SQL compilation error:\ninvalid parameter '{key}' for {statement}", 1006, "42601"
            )


def _local_fs(folder: Path) -> dict[str, Any]:
    return {
        "stageInfo": {"locationType": "LOCAL_FS", "location": f"{folder}/", "creds": {}, "path": ""},
        "encryptionMaterial": None,
        "presignedUrls": None,
    }


def _below(place: Place) -> list[str]:
    """The file with this path, or all files in the folder with this path."""
    path = place.path.rstrip("/")
    return [key for key in place.paths() if not path or key == path or key.startswith(f"{path}/")]


def _matches(place: Place, key: str, pattern: str | None) -> bool:
    return pattern is None or re.fullmatch(pattern, key) is not None


LIST_COLUMNS = (Column("name"), Column("size", "fixed"), Column("md5"), Column("last_modified"))


def list_files(account: Account, session: Session, statement: ListFiles) -> Result:
    place = locate(account, session, statement.location)
    rows = []
    for key in place.paths():
        if _matches(place, key, statement.pattern):
            file = place.root / key
            try:
                info, digest = file.stat(), staged_files.md5(file)
            except OSError as error:  # the file was just removed, or is not readable
                logger.warning("%r is left out of LIST: %s", str(file), error.strerror)
                continue
            modified = email.utils.formatdate(info.st_mtime, usegmt=True)
            rows.append((place.prefix + key, info.st_size, digest, modified))
    return table(LIST_COLUMNS, rows, SHOW)


def remove(account: Account, session: Session, statement: Remove) -> Result:
    place = locate(account, session, statement.location)
    if not place.writable:
        raise SqlError(f"Files cannot be removed from '{statement.location}'.", 1011, "42601")
    rows = []
    for key in place.paths():
        if _matches(place, key, statement.pattern):
            file = place.root / key
            file.unlink(missing_ok=True)
            rows.append((place.prefix + key, "removed"))
            _prune(file.parent, place.root)
    return table(("name", "result"), rows)


def _prune(folder: Path, root: Path) -> None:
    """Delete the folder of a removed file if it is empty, and those above it: a stage has folders only through files.

    Other empty folders stay: clients may be about to write into them, as the replies to their PUT say.
    """
    with contextlib.suppress(OSError):  # it is not empty, or another REMOVE has deleted it
        while folder != root and folder.is_relative_to(root):
            folder.rmdir()
            folder = folder.parent


def copy_files(account: Account, session: Session, statement: CopyFiles) -> Result:
    source = locate(account, session, statement.source)
    target = locate(account, session, statement.target)
    if not target.writable:
        raise SqlError(f"Files cannot be copied to '{statement.target}'.", 1011, "42601")
    wanted = statement.files
    base = source.path.rstrip("/")
    for name in wanted:
        if not source.file(f"{base}/{name}".lstrip("/")).is_file():
            raise SqlError(
                f"Remote file '{statement.source.rstrip('/')}/{name}' was not found.", 91016, "22000"
            )
    rows = []
    for key in _below(source):
        relative = PurePosixPath(key).name if key == base else key[len(base) :].lstrip("/")
        if (wanted and relative not in wanted) or not _matches(source, key, statement.pattern):
            continue
        copied = str(PurePosixPath(target.path) / relative)
        file = within(target.root, copied)
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.file(key), file)
        rows.append((copied,))
    if not statement.is_detailed:
        # The client's word for it; an account's answer is not recorded.
        return table((Column("numOfFilesCopied", "fixed"),), [(len(rows),)])
    return table(("file",), rows)


# -- ends -------------------------------------------------------------------------------------------------------


def schema_dropped(account: Account, database: str, schema: str) -> None:
    store.remove_formats(account, database, schema)
    for row in store.in_schema(account, database, schema):
        remove_stage(account, ObjectName(database, schema, row["name"]))


def session_closed(account: Account, session: Session) -> None:
    _remove_temporary(account, session.id)


def start(account: Account) -> None:
    """Delete temporary stages and file formats that an earlier server left behind."""
    _remove_temporary(account)


def _remove_temporary(account: Account, session: int | None = None) -> None:
    store.remove_temporary_formats(account, session)
    for row in store.temporary(account, session):
        remove_stage(account, ObjectName(row["database"], row["schema"], row["name"]))


HANDLERS: Handlers = {
    CreateStage: create,
    AlterStage: alter,
    DropStage: drop,
    ShowStages: show,
    DescribeStage: describe,
    Put: put,
    Get: get,
    ListFiles: list_files,
    Remove: remove,
    CopyFiles: copy_files,
    CreateFileFormat: file_formats.create_format,
    CreateFromTemplate: schema_inference.create_from_template,
    AlterFileFormat: file_formats.alter_format,
    DropFileFormat: file_formats.drop_format,
    ShowFileFormats: file_formats.show,
    DescribeFileFormat: file_formats.describe,
    CopyIntoTable: copying.copy_into,
    CopyIntoLocation: unloading.copy_into_location,
}
READ_ONLY = frozenset({ShowStages, DescribeStage, ListFiles, ShowFileFormats, DescribeFileFormat})
