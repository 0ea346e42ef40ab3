"""The registry's SHOW statements, and the functions that its clients call."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError
from sfml_local.core.likeness import like, selected
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.places import area_of
from sfml_local.core.result import Column, Result, table
from sfml_local.grammar import models as grammar
from sfml_local.grammar.tokens import Name
from sfml_local.processes.imports import BROUGHT, installed_packages
from sfml_local.services.models import store
from sfml_local.services.models.files import attributes_of, methods_of, platforms_of, spec_of
from sfml_local.services.models.store import Model, Version, all_models, get_model

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

_CREATED = Column("created_on", "timestamp_ltz")
RUNTIMES = ("3.9", "3.10", "3.11", "3.12", "3.13")
"""Python versions of accounts. https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-introduction"""


def show_models(account: Account, session: Session, statement: grammar.ShowModels) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/show-models"""
    area = area_of(account, session, statement.listing)
    here = (model for model in all_models(account) if area.has(model.name.database, model.name.schema))
    shown = selected(here, lambda model: model.name.name, statement.listing)
    columns = (
        _CREATED,
        "name",
        "model_type",
        "database_name",
        "schema_name",
        "comment",
        "owner",
        "default_version_name",
        "versions",
        "aliases",
    )
    return table(columns, [_model_row(model) for model in shown])


def _model_row(model: Model) -> tuple[Any, ...]:
    aliases = {alias: version.name for version in model.versions for alias in model.aliases_of(version)}
    return (
        model.created_on,
        model.name.name,
        "USER_MODEL",
        model.name.database,
        model.name.schema,
        model.comment,
        model.owner,
        model.default.name if model.default else None,
        json.dumps([version.name for version in model.versions if not version.live]),
        json.dumps(aliases),
    )


def show_versions(account: Account, session: Session, statement: grammar.ShowVersions) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/show-versions-in-model"""
    model = get_model(account, resolve(statement.model, session))
    columns = (
        _CREATED,
        "name",
        "aliases",
        "comment",
        "database_name",
        "schema_name",
        "model_name",
        "is_default_version",
        "functions",
        "metadata",
        "user_data",
        "model_attributes",
        "size",
        "environment",
        "runnable_in",
        "inference_services",
        "model_spec",
    )
    rows = [
        _version_row(model, version)
        for version in model.versions
        if not version.live and like(statement.like, version.name)
    ]
    return table(columns, rows)


def _version_row(model: Model, version: Version) -> tuple[Any, ...]:
    size = sum(path.stat().st_size for path in version.folder.rglob("*") if path.is_file())
    return (
        version.created_on,
        version.name,
        json.dumps(model.aliases_of(version)),
        version.comment,
        model.name.database,
        model.name.schema,
        model.name.name,
        "true" if version.id == model.default_id else "false",
        json.dumps([method.name for method in methods_of(version)]),
        version.metadata,
        "{}",
        attributes_of(version),
        str(size),
        "{}",
        json.dumps(platforms_of(version)),
        "[]",
        spec_of(version),
    )


def show_functions(account: Account, session: Session, statement: grammar.ShowModelFunctions) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/show-functions-in-model"""
    model = get_model(account, resolve(statement.model, session))
    version = model.version(statement.version)
    columns = (
        _CREATED,
        "name",
        "model_version_name",
        "is_aggregate",
        "arguments",
        "return_type",
        "description",
    )
    rows = [
        (
            version.created_on,
            method.name,
            version.name,
            "N",
            json.dumps([{"name": field.name, "type": field.type} for field in method.inputs]),
            method.returns,
            "",
        )
        for method in methods_of(version)
    ]
    return table(columns, rows)


def describe_artifact_repository(
    account: Account, session: Session, statement: grammar.DescribeArtifactRepository
) -> Result:
    """The repository that every account has; the registry's client checks whether it can be used."""
    if statement.name.parts != ("SNOWFLAKE", "SNOWPARK", "PYPI_SHARED_REPOSITORY"):
        raise SqlError(
            f"SQL compilation error:\nArtifact repository '{'.'.join(statement.name.parts)}' does not exist"
            " or not authorized.",
            2003,
            "02000",
        )
    return table(("name", "type"), [("PYPI_SHARED_REPOSITORY", "PIP")])


def tags_of(account: Account, name: ObjectName) -> dict[ObjectName, str]:
    """A model's tags."""
    return store.tags_of(account.store, get_model(account, name))


def tags_on(account: Account, session: Session, name: Name) -> Mapping[ObjectName, str]:
    """A model's tags, by the model's name."""
    return tags_of(account, resolve(name, session))


def platform_capabilities(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """All newer features are off, so that clients use the documented statements."""
    return "{}"


def packages(account: Account, session: Session, database: str | None) -> Result:
    """INFORMATION_SCHEMA.PACKAGES: the packages that code can use, which are those of this Python.

    It runs the code of all RUNTIME_VERSIONs, so each has the same packages.
    """
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    runtimes = sorted({*RUNTIMES, own}, key=lambda version: int(version.split(".")[1]))
    found = {**BROUGHT, **installed_packages()}
    columns = ("PACKAGE_NAME", "VERSION", "LANGUAGE", "RUNTIME_VERSION")
    rows = [
        (name, version, "python", runtime) for name, version in sorted(found.items()) for runtime in runtimes
    ]
    return table(columns, rows)


def model_versions(account: Account, session: Session, database: str | None) -> Result:
    """INFORMATION_SCHEMA.MODEL_VERSIONS: the versions of the current database's models.

    https://docs.snowflake.com/en/sql-reference/info-schema/model_versions
    """
    columns = (
        *("DATABASE_NAME", "SCHEMA_NAME", "MODEL_NAME", "MODEL_VERSION_NAME"),
        Column("VERSION_ALIASES", "variant"),
        *("COMMENT", "OWNER"),
        *(Column("CREATED", "timestamp_ltz"), Column("LAST_ALTERED", "timestamp_ltz")),
        *("FUNCTIONS", "MODEL_TYPE", "PYTHON_VERSION", "LANGUAGE", "DEPENDENCIES", "METADATA", "USERDATA"),
    )
    rows = [
        (
            *(*model.name.parts, version.name),
            *(json.dumps(model.aliases_of(version)), version.comment, model.owner),
            *(version.created_on, version.created_on),
            *(json.dumps([method.name for method in methods_of(version)]), "USER_MODEL"),
            *(f"{sys.version_info.major}.{sys.version_info.minor}", "PYTHON", "[]", version.metadata, "{}"),
        )
        for model in all_models(account)
        for version in model.versions
        if model.name.database == session.database and not version.live
    ]
    return table(columns, rows)


def _absent(what: str, instead: str) -> Callable[[Account, Session, tuple[Any, ...]], Any]:
    def refuse(account: Account, session: Session, arguments: tuple[Any, ...]) -> Any:
        raise SqlError(f"Unsupported feature: the local server has no {what}; {instead}.", 2, "0A000")

    return refuse


SYSTEM_FUNCTIONS = {
    "SYSTEM$ML_PLATFORM_CAPABILITIES": platform_capabilities,
    "SYSTEM$DEPLOY_MODEL": _absent("model services", "run the version on the warehouse"),
}
RELATIONS = {
    "INFORMATION_SCHEMA.PACKAGES": packages,
    "INFORMATION_SCHEMA.MODEL_VERSIONS": model_versions,
}
