"""The registry's statements with an effect: CREATE, ALTER, DROP and COMMENT on MODEL.

https://docs.snowflake.com/en/sql-reference/commands-model
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError, already_exists, does_not_exist, name_is_taken
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.result import Result, status
from sfml_local.grammar import models as grammar
from sfml_local.services.models import predictors, queries, store
from sfml_local.services.models.files import check_manifest, new_folder
from sfml_local.services.models.store import (
    Model,
    Version,
    all_models,
    find_model,
    get_model,
    insert_model,
    insert_version,
    set_alias,
)
from sfml_local.services.stages import locations as stages
from sfml_local.services.tags.tagging import check_value

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session


def create_model(account: Account, session: Session, statement: grammar.CreateModel) -> Result:
    name = resolve(statement.model, session)
    _demand_schema(account, name)
    existing = find_model(account, name)
    if existing is not None and statement.if_not_exists:
        return status(f"{name.name} already exists, statement succeeded.")
    if existing is not None and not statement.or_replace:
        raise already_exists(statement.model)
    predictors.parent_of(account).warm_up()  # a logged model is usually called soon
    with _copied(account, session, statement.source) as folder, account.store.transaction():
        # Check again, because another session may have created it while files were copied.
        existing = find_model(account, name)
        if existing is not None and not statement.or_replace:
            raise already_exists(statement.model)
        if existing is not None:
            store.remove(account.store, existing)
            account.object_dropped("MODEL", name.fqn())
        model = insert_model(account.store, name, session.role, account.clock())
        version = statement.version or "V1"
        insert_version(account.store, model, version, folder, account.clock(), live=statement.live)
    if existing is not None:
        _delete_files(account, existing.versions)
    return status(f"Model {name.name} successfully created.")


def _demand_schema(account: Account, name: ObjectName) -> None:
    if not account.engine.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", f"{name.database}.{name.schema}")


def add_version(account: Account, session: Session, statement: grammar.AddVersion) -> Result:
    name = resolve(statement.model, session)
    _demand_schema(account, name)
    model = find_model(account, name)
    if model is None and statement.if_exists:
        return status()
    model = model or get_model(account, name)
    version = statement.version or ""
    _refuse_taken(model, version)
    predictors.parent_of(account).warm_up()
    with _copied(account, session, statement.source) as folder, account.store.transaction():
        # Check again, because another session may have added the same version while files were copied.
        model = get_model(account, name)
        _refuse_taken(model, version)
        insert_version(account.store, model.id, version, folder, account.clock(), live=statement.live)
    return status("Model version successfully added.")


def _refuse_taken(model: Model, version: str) -> None:
    if any(other.name == version for other in model.versions):
        raise already_exists(version, "Version")


@contextmanager
def _copied(account: Account, session: Session, source: grammar.Source) -> Iterator[str]:
    """A new folder with the source's files; it is removed if the statement fails."""
    folder = new_folder(account, _source_folder(account, session, source))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(account.models_folder / folder, ignore_errors=True)
        raise


def _source_folder(account: Account, session: Session, source: grammar.Source) -> Path | None:
    match source:
        case None:
            return None
        case grammar.FromModel(model, version):
            return get_model(account, resolve(model, session)).version(version).folder
        case grammar.FromStage(location):
            folder = stages.local_path(account, session, location)
            check_manifest(folder)
            return folder


def commit_version(account: Account, session: Session, statement: grammar.CommitVersion) -> Result:
    """Turn a live version into an ordinary one, optionally with another name."""
    model = get_model(account, resolve(statement.model, session))
    version = model.version(statement.version)
    check_manifest(version.folder)
    with account.store.transaction():
        name = statement.rename_version or version.name
        if name != version.name:
            _refuse_taken(model, name)
        store.commit_version(account.store, version, name)
        if statement.rename_model is not None:
            _rename(account, model, resolve(statement.rename_model, session))
    return status()


def set_default_version(account: Account, session: Session, statement: grammar.SetDefaultVersion) -> Result:
    model = get_model(account, resolve(statement.model, session))
    version = model.find(statement.version) or model.version(statement.version.upper())
    store.set_default(account.store, model, version)
    return status()


def alias_version(account: Account, session: Session, statement: grammar.SetAlias) -> Result:
    model = get_model(account, resolve(statement.model, session))
    set_alias(account.store, model, model.version(statement.version), statement.alias)
    return status()


def unalias_version(account: Account, session: Session, statement: grammar.UnsetAlias) -> Result:
    """Remove an alias, or all aliases of the version with that name."""
    model = get_model(account, resolve(statement.model, session))
    version = model.version(statement.version)
    if statement.version in version.aliases:
        store.remove_alias(account.store, model, statement.version)
    else:
        store.remove_aliases(account.store, version)
    return status()


def set_version_text(account: Account, session: Session, statement: grammar.SetVersionText) -> Result:
    version = get_model(account, resolve(statement.model, session)).version(statement.version)
    if statement.what == "METADATA":
        _check_metadata(statement.value)
        store.set_metadata(account.store, version, statement.value)
    else:
        store.set_version_comment(account.store, version, statement.value)
    return status()


def _check_metadata(text: str) -> None:
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    # 100 KB: https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/overview
    if not is_object or len(text.encode()) > 100_000:
        raise SqlError(
            "SQL compilation error:\nMETADATA has to be a JSON object of at most 100 KB.", 1003, "42000"
        )


def set_comment(account: Account, session: Session, statement: grammar.SetModelComment) -> Result:
    model = find_model(account, resolve(statement.model, session))
    if model is None and statement.if_exists:
        return status()
    model = model or get_model(account, resolve(statement.model, session))
    store.set_comment(account.store, model, statement.comment)
    return status()


def set_tags(account: Account, session: Session, statement: grammar.SetModelTag) -> Result:
    model = get_model(account, resolve(statement.model, session))
    tags = {resolve(name, session): value for name, value in statement.tags}
    for tag, value in tags.items():
        check_value(account, tag, value)
    store.set_tags(account.store, model, tags)
    return status()


def unset_tags(account: Account, session: Session, statement: grammar.UnsetModelTag) -> Result:
    model = get_model(account, resolve(statement.model, session))
    store.unset_tags(account.store, model, [resolve(name, session) for name in statement.tags])
    return status()


def drop_version(account: Account, session: Session, statement: grammar.DropVersion) -> Result:
    """Remove a version; the default version cannot be removed, even if it is the last one.

    https://docs.snowflake.com/en/sql-reference/sql/alter-model-drop-version
    """
    name = resolve(statement.model, session)
    with account.store.transaction():
        model = get_model(account, name)
        version = model.version(statement.version)
        if version.id == model.default_id:
            raise SqlError(
                f"SQL compilation error:\nCannot drop version '{version.name}' of model {name}: it is the"
                " default version. Set another default version first, or drop the model.",
                1003,
                "42000",
            )
        store.remove_version(account.store, version)
    _delete_files(account, (version,))
    return status(f"{version.name} successfully dropped.")


def rename_model(account: Account, session: Session, statement: grammar.RenameModel) -> Result:
    model = get_model(account, resolve(statement.model, session))
    _rename(account, model, resolve(statement.to, session))
    return status()


def _rename(account: Account, model: Model, to: ObjectName) -> None:
    if to == model.name:
        return
    _demand_schema(account, to)
    with account.store.transaction():
        if find_model(account, to) is not None:
            raise name_is_taken(to)
        account.object_renamed("MODEL", model.name.fqn(), to.fqn())
        store.rename(account.store, model, to)


def drop_model(account: Account, session: Session, statement: grammar.DropModel) -> Result:
    name = resolve(statement.model, session)
    model = find_model(account, name)
    if model is None and statement.if_exists:
        return status(f"Drop statement executed successfully ({name.name} already dropped).")
    model = model or get_model(account, name)
    store.remove(account.store, model)
    account.object_dropped("MODEL", name.fqn())
    _delete_files(account, model.versions)
    return status(f"{name.name} successfully dropped.")


def schema_dropped(account: Account, database: str, schema: str) -> None:
    """Drop the models of a dropped schema."""
    for model in all_models(account):
        if (model.name.database, model.name.schema) == (database, schema):
            store.remove(account.store, model)
            _delete_files(account, model.versions)


def _delete_files(account: Account, versions: tuple[Version, ...]) -> None:
    for version in versions:
        account.part(predictors.Predictors).stop(version.folder)
        shutil.rmtree(version.folder, ignore_errors=True)


HANDLERS: Handlers = {
    grammar.CreateModel: create_model,
    grammar.AddVersion: add_version,
    grammar.CommitVersion: commit_version,
    grammar.SetDefaultVersion: set_default_version,
    grammar.SetAlias: alias_version,
    grammar.UnsetAlias: unalias_version,
    grammar.SetVersionText: set_version_text,
    grammar.SetModelComment: set_comment,
    grammar.SetModelTag: set_tags,
    grammar.UnsetModelTag: unset_tags,
    grammar.DropVersion: drop_version,
    grammar.RenameModel: rename_model,
    grammar.DropModel: drop_model,
    grammar.ShowModels: queries.show_models,
    grammar.ShowVersions: queries.show_versions,
    grammar.ShowModelFunctions: queries.show_functions,
    grammar.DescribeArtifactRepository: queries.describe_artifact_repository,
}
READ_ONLY = frozenset(
    {
        *(grammar.ShowModels, grammar.ShowVersions, grammar.ShowModelFunctions),
        grammar.DescribeArtifactRepository,
    }
)
