"""Datasets: CREATE, ALTER, DROP and SHOW of DATASETs and their versions.

https://docs.snowflake.com/en/sql-reference/sql/create-dataset · /alter-dataset-add-version · /show-datasets
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.tokens import TokenType

from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.tokens import Name, Tokens

__all__ = [
    "AddDatasetVersion",
    "CreateDataset",
    "DropDataset",
    "DropDatasetVersion",
    "ShowDatasetVersions",
    "ShowDatasets",
    "parse",
]

PARTITION_BY = "PARTITION BY"  # one token of sqlglot's


@dataclass(frozen=True, slots=True)
class CreateDataset:
    name: Name
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class AddDatasetVersion:
    """`query` is its text; `metadata` is a JSON text."""

    name: Name
    version: str
    query: str
    partition_by: str | None = None
    comment: str = ""
    metadata: str = "{}"


@dataclass(frozen=True, slots=True)
class DropDatasetVersion:
    name: Name
    version: str


@dataclass(frozen=True, slots=True)
class DropDataset:
    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class ShowDatasets:
    listing: Listing


@dataclass(frozen=True, slots=True)
class ShowDatasetVersions:
    like: str | None
    name: Name
    limit: int | None = None


DatasetStatement = (
    CreateDataset | AddDatasetVersion | DropDatasetVersion | DropDataset | ShowDatasets | ShowDatasetVersions
)


def parse(tokens: Tokens) -> DatasetStatement | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("CREATE", "DATASET"):
        if_not_exists = tokens.if_not_exists()
        return CreateDataset(tokens.name(), if_not_exists=if_not_exists)
    if tokens.match_words("CREATE", "OR", "REPLACE", "DATASET"):
        return CreateDataset(tokens.name(), or_replace=True)
    if tokens.match_words("ALTER", "DATASET"):
        return _alter(tokens)
    if tokens.match_words("DROP", "DATASET"):
        if_exists = tokens.if_exists()
        return DropDataset(tokens.name(), if_exists)
    if tokens.match_words("SHOW", "DATASETS"):
        return ShowDatasets(listing(tokens))
    if tokens.match_words("SHOW", "VERSIONS"):
        like = tokens.match_string() if tokens.match_words("LIKE") else None
        if tokens.match_words("IN", "DATASET"):
            return ShowDatasetVersions(like, tokens.name(), _limit(tokens))
    return None


def _alter(tokens: Tokens) -> AddDatasetVersion | DropDatasetVersion:
    name = tokens.name()
    if tokens.match_words("DROP", "VERSION"):
        return DropDatasetVersion(name, _version(tokens))
    tokens.expect_words("ADD", "VERSION")
    version = _version(tokens)
    tokens.expect_words("FROM")
    query = tokens.text_until((PARTITION_BY,), ("COMMENT",), ("METADATA",)).strip()
    partition_by = None
    if tokens.match_words(PARTITION_BY):
        partition_by = tokens.text_until(("COMMENT",), ("METADATA",)).strip()
    comment, metadata = "", "{}"
    while not tokens.at_end:
        if tokens.match_words("COMMENT"):
            tokens.match_type(TokenType.EQ)
            comment = tokens.expect_string()
        else:
            tokens.expect_words("METADATA")
            tokens.match_type(TokenType.EQ)
            metadata = tokens.expect_string()
    if not query:
        raise tokens.error("expected a query")
    return AddDatasetVersion(name, version, query, partition_by, comment, metadata)


def _version(tokens: Tokens) -> str:
    return tokens.match_string() or tokens.identifier()


def _limit(tokens: Tokens) -> int | None:
    return int(tokens.expect_type(TokenType.NUMBER).text) if tokens.match_words("LIMIT") else None
