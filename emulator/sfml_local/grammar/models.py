"""Models: the registry's statements (CREATE, ALTER, DROP, SHOW and COMMENT on MODEL).

https://docs.snowflake.com/en/sql-reference/commands-model
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.tokens import TokenType

from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.tokens import Name, Tokens

__all__ = [
    "AddVersion",
    "CommitVersion",
    "CreateModel",
    "DescribeArtifactRepository",
    "DropModel",
    "DropVersion",
    "FromModel",
    "FromStage",
    "RenameModel",
    "SetAlias",
    "SetDefaultVersion",
    "SetModelComment",
    "SetModelTag",
    "SetVersionText",
    "ShowModelFunctions",
    "ShowModels",
    "ShowVersions",
    "UnsetAlias",
    "UnsetModelTag",
    "parse",
]


@dataclass(frozen=True, slots=True)
class FromStage:
    """`FROM @stage/path`: the location as written, without quotes."""

    location: str


@dataclass(frozen=True, slots=True)
class FromModel:
    """`FROM MODEL m [VERSION v]`; the default version when none is named."""

    model: Name
    version: str | None


Source = FromStage | FromModel | None  # None: a live version, empty until files are put into it


@dataclass(frozen=True, slots=True)
class CreateModel:
    model: Name
    version: str | None
    source: Source
    or_replace: bool = False
    if_not_exists: bool = False
    live: bool = False


@dataclass(frozen=True, slots=True)
class AddVersion:
    model: Name
    version: str | None
    source: Source
    live: bool = False
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class CommitVersion:
    model: Name
    version: str
    rename_model: Name | None = None
    rename_version: str | None = None


@dataclass(frozen=True, slots=True)
class SetDefaultVersion:
    model: Name
    version: str


@dataclass(frozen=True, slots=True)
class SetAlias:
    model: Name
    version: str
    alias: str


@dataclass(frozen=True, slots=True)
class UnsetAlias:
    model: Name
    version: str


@dataclass(frozen=True, slots=True)
class SetVersionText:
    """`MODIFY VERSION v SET COMMENT = …` or `SET METADATA = …`; `what` is COMMENT or METADATA."""

    model: Name
    version: str
    what: str
    value: str


@dataclass(frozen=True, slots=True)
class SetModelComment:
    model: Name
    comment: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class SetModelTag:
    model: Name
    tags: tuple[tuple[Name, str], ...]


@dataclass(frozen=True, slots=True)
class UnsetModelTag:
    model: Name
    tags: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class DropVersion:
    model: Name
    version: str


@dataclass(frozen=True, slots=True)
class RenameModel:
    model: Name
    to: Name


@dataclass(frozen=True, slots=True)
class DropModel:
    model: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class ShowModels:
    listing: Listing


@dataclass(frozen=True, slots=True)
class ShowVersions:
    like: str | None
    model: Name


@dataclass(frozen=True, slots=True)
class ShowModelFunctions:
    model: Name
    version: str | None


@dataclass(frozen=True, slots=True)
class DescribeArtifactRepository:
    name: Name


ModelStatement = (
    CreateModel
    | AddVersion
    | CommitVersion
    | SetDefaultVersion
    | SetAlias
    | UnsetAlias
    | SetVersionText
    | SetModelComment
    | SetModelTag
    | UnsetModelTag
    | DropVersion
    | RenameModel
    | DropModel
    | ShowModels
    | ShowVersions
    | ShowModelFunctions
    | DescribeArtifactRepository
)


def parse(tokens: Tokens) -> ModelStatement | None:
    for words, read in _STARTS:
        if tokens.match_words(*words):
            return read(tokens)
    return None


def _create(tokens: Tokens) -> CreateModel:
    return _created(tokens, or_replace=False)


def _create_or_replace(tokens: Tokens) -> CreateModel:
    return _created(tokens, or_replace=True)


def _created(tokens: Tokens, *, or_replace: bool) -> CreateModel:
    if_not_exists = tokens.if_not_exists()
    model = tokens.name()
    version, live = None, False
    if tokens.match_words("WITH"):
        live = tokens.match_words("LIVE")
        tokens.expect_words("VERSION")
        version = tokens.identifier()
    source = _source(tokens, live=live)
    return CreateModel(model, version, source, or_replace, if_not_exists, live)


def _alter(tokens: Tokens) -> ModelStatement:
    if_exists = tokens.if_exists()
    model = tokens.name()
    if tokens.match_words("ADD"):
        live = tokens.match_words("LIVE")
        tokens.expect_words("VERSION")
        version = tokens.identifier()
        return AddVersion(model, version, _source(tokens, live=live), live, if_exists)
    if tokens.match_words("COMMIT", "VERSION"):
        return _commit(tokens, model)
    if tokens.match_words("DROP", "VERSION"):
        return DropVersion(model, tokens.identifier())
    if tokens.match_words("RENAME", "TO"):
        return RenameModel(model, tokens.name())
    if tokens.match_words("VERSION"):
        return _alias(tokens, model)
    if tokens.match_words("MODIFY", "VERSION"):
        version = tokens.identifier()
        tokens.expect_words("SET")
        what = tokens.identifier()
        if what not in ("COMMENT", "METADATA"):
            raise tokens.error("expected COMMENT or METADATA")
        tokens.match_type(TokenType.EQ)
        return SetVersionText(model, version, what, tokens.expect_string())
    if tokens.match_words("UNSET", "TAG"):
        names = tokens.listed(tokens.name)
        return UnsetModelTag(model, names)
    tokens.expect_words("SET")
    return _set(tokens, model, if_exists)


def _set(tokens: Tokens, model: Name, if_exists: bool) -> ModelStatement:
    if tokens.match_words("DEFAULT_VERSION"):
        tokens.match_type(TokenType.EQ)
        return SetDefaultVersion(model, tokens.match_string() or tokens.identifier())
    if tokens.match_words("COMMENT"):
        tokens.match_type(TokenType.EQ)
        return SetModelComment(model, tokens.expect_string(), if_exists)
    tokens.expect_words("TAG")
    tags: list[tuple[Name, str]] = []
    while True:
        name = tokens.name()
        tokens.match_type(TokenType.EQ)
        tags.append((name, tokens.expect_string()))
        if not tokens.match_type(TokenType.COMMA):
            return SetModelTag(model, tuple(tags))


def _alias(tokens: Tokens, model: Name) -> SetAlias | UnsetAlias:
    version = tokens.identifier()
    if tokens.match_words("UNSET", "ALIAS"):
        return UnsetAlias(model, version)
    tokens.expect_words("SET", "ALIAS")
    tokens.match_type(TokenType.EQ)
    return SetAlias(model, version, tokens.identifier())


def _commit(tokens: Tokens, model: Name) -> CommitVersion:
    version = tokens.identifier()
    rename_model = tokens.name() if tokens.match_words("RENAME", "TO") else None
    rename_version = tokens.identifier() if tokens.match_words("RENAME", "VERSION", "TO") else None
    return CommitVersion(model, version, rename_model, rename_version)


def _source(tokens: Tokens, *, live: bool) -> Source:
    if live and tokens.at_end:
        return None
    tokens.expect_words("FROM")
    if tokens.match_words("MODEL"):
        model = tokens.name()
        return FromModel(model, tokens.identifier() if tokens.match_words("VERSION") else None)
    location = tokens.match_string()
    if location is None:
        # Raw text and not tokens: `//` in a snow:// location would be read as a comment.
        location = tokens.sql[tokens.offset :].strip().rstrip(";").strip()
        tokens.rest()
    if not location:
        raise tokens.error("expected a stage location")
    return FromStage(location)


def _drop(tokens: Tokens) -> DropModel:
    if_exists = tokens.if_exists()
    return DropModel(tokens.name(), if_exists)


def _comment(tokens: Tokens) -> SetModelComment:
    if_exists = tokens.if_exists()
    model = tokens.name()
    tokens.expect_words("IS")
    return SetModelComment(model, tokens.expect_string(), if_exists)


def _show_models(tokens: Tokens) -> ShowModels:
    return ShowModels(listing(tokens))


def _show_versions(tokens: Tokens) -> ShowVersions:
    like = tokens.like()
    tokens.expect_words("IN", "MODEL")
    return ShowVersions(like, tokens.name())


def _show_functions(tokens: Tokens) -> ShowModelFunctions:
    model = tokens.name()
    return ShowModelFunctions(model, tokens.identifier() if tokens.match_words("VERSION") else None)


def _artifact_repository(tokens: Tokens) -> DescribeArtifactRepository:
    return DescribeArtifactRepository(tokens.name())


_STARTS = (
    (("CREATE", "MODEL"), _create),
    (("CREATE", "OR", "REPLACE", "MODEL"), _create_or_replace),
    (("ALTER", "MODEL"), _alter),
    (("DROP", "MODEL"), _drop),
    (("COMMENT", "ON", "MODEL"), _comment),
    (("SHOW", "MODELS"), _show_models),
    (("SHOW", "VERSIONS"), _show_versions),
    (("SHOW", "FUNCTIONS", "IN", "MODEL"), _show_functions),
    (("DESC", "ARTIFACT", "REPOSITORY"), _artifact_repository),
    (("DESCRIBE", "ARTIFACT", "REPOSITORY"), _artifact_repository),
)
