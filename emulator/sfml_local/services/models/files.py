"""A version's files: folders below `models/`, complete or absent, and the contents of their manifests."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sfml_local.core.errors import SqlError
from sfml_local.core.log_format import logger
from sfml_local.core.set_aside import keep_orphan
from sfml_local.services.models import store
from sfml_local.services.models.store import Version

if TYPE_CHECKING:
    from sfml_local.core.account import Account

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MANIFEST = "MANIFEST.yml"
SPEC = Path("model/model.yaml")

_PARTIAL = ".partial-"
_PROCESS_STARTED = time.time()


def new_folder(account: Account, source: Path | None) -> str:
    """The name of a new folder with a copy of `source`; an empty folder without `source`.

    It is copied under another name first, so that a folder in the metadata is always complete.
    """
    name = uuid.uuid4().hex
    partial = account.models_folder / f"{_PARTIAL}{name}"
    if source is None:
        partial.mkdir(parents=True)
    else:
        shutil.copytree(source, partial)
    partial.rename(account.models_folder / name)
    return name


def remove_orphans(account: Account) -> None:
    """Remove folders without a version that are older than this process; younger ones are being created.

    Incomplete copies of a killed server are deleted. A complete one may belong to metadata that is
    younger than the current one, so it is moved aside.
    """
    known = store.folders(account.store)
    for folder in account.models_folder.iterdir():
        if folder.name in known or folder.stat().st_ctime >= _PROCESS_STARTED:
            continue
        if folder.name.startswith(_PARTIAL):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            logger.warning(
                "no model has %r: it is kept as %s", folder.name, keep_orphan(account.folder, folder)
            )


@dataclass(frozen=True, slots=True)
class Field:
    """An argument of a method with its Snowflake type, and its default as SQL, None if it is required."""

    name: str
    type: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """A method that SQL can call: `handler` is `functions.<file>.<function>`, `returns` a Snowflake type."""

    name: str
    handler: str
    is_table_function: bool
    inputs: tuple[Field, ...]
    returns: str
    outputs: tuple[Field, ...] = ()
    """The columns of a table function."""


def check_manifest(folder: Path) -> None:
    """Refuse a folder without a model, with Snowflake's code for an invalid manifest."""
    if not (folder / MANIFEST).is_file():
        raise SqlError(f"Unable to read file {MANIFEST} from the stage.", 398507, "22000")


def manifest_of(version: Version) -> dict[str, Any]:
    """The manifest; empty for a live version without one."""
    path = version.folder / MANIFEST
    if not path.is_file():
        return {}
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    return loaded


def spec_of(version: Version) -> str:
    """The text of the model's own description, which clients parse."""
    path = version.folder / SPEC
    return path.read_text(encoding="utf-8") if path.is_file() else "{}"


def methods_of(version: Version) -> tuple[Method, ...]:
    return tuple(_method(entry) for entry in manifest_of(version).get("methods", ()))


def _method(entry: dict[str, Any]) -> Method:
    outputs = entry.get("outputs") or [{"type": "OBJECT"}]
    is_table = entry.get("type") == "TABLE_FUNCTION"
    if is_table:
        columns = [f"{output.get('name', '')} {output['type']}".strip() for output in outputs]
        returned = f"TABLE ({', '.join(columns)})"
    else:
        returned = str(outputs[0]["type"])
    inputs = [_field(field) for field in (*entry.get("inputs", ()), *entry.get("params", ()))]
    return Method(
        name=str(entry["name"]),
        handler=str(entry["handler"]),
        is_table_function=is_table,
        inputs=tuple(inputs),
        returns=returned,
        outputs=tuple(_field(output) for output in outputs) if is_table else (),
    )


def _field(entry: dict[str, Any]) -> Field:
    default = entry.get("default")
    return Field(str(entry["name"]), str(entry["type"]), None if default is None else str(default))


def platforms_of(version: Version) -> list[str]:
    """Where it can run, as in SHOW VERSIONS."""
    manifest = manifest_of(version)
    if not manifest:
        return []
    return list(manifest.get("target_platforms") or ("WAREHOUSE", "SNOWPARK_CONTAINER_SERVICES"))


def attributes_of(version: Version) -> str:
    """The JSON of SHOW VERSIONS' `model_attributes`: framework, task and client of a model."""
    spec = yaml.load(spec_of(version), _Loader) or {}
    return json.dumps(
        {
            "framework": spec.get("model_type", ""),
            "task": spec.get("task", "UNKNOWN"),
            "client": "snowflake-ml-python",
        }
    )
