"""Statements on datasets and tags, read into their dataclasses."""

from __future__ import annotations

from typing import Any

import pytest

from sfml_local.grammar import models
from sfml_local.grammar.absent import Absent
from sfml_local.grammar.datasets import (
    AddDatasetVersion,
    CreateDataset,
    DropDataset,
    DropDatasetVersion,
    ShowDatasets,
    ShowDatasetVersions,
)
from sfml_local.grammar.shows import Listing
from sfml_local.grammar.statements import parse_statement
from sfml_local.grammar.tags import CreateTag, DropTag, ShowTags
from sfml_local.grammar.tokens import Name, SqlSyntaxError

D = Name(("D",))


@pytest.mark.parametrize(
    ("sql", "statement"),
    [
        ("CREATE DATASET IF NOT EXISTS a.b.d", CreateDataset(Name(("A", "B", "D")), if_not_exists=True)),
        ("CREATE OR REPLACE DATASET d", CreateDataset(D, or_replace=True)),
        ("ALTER DATASET d ADD VERSION 'v1' FROM (SELECT 1 AS \"COMMENT\")",
         AddDatasetVersion(D, "v1", '(SELECT 1 AS "COMMENT")')),
        ("ALTER DATASET d ADD VERSION v1 FROM (SELECT 1) PARTITION BY a || 'COMMENT' COMMENT='it''s' METADATA=$${}$$",
         AddDatasetVersion(D, "V1", "(SELECT 1)", "a || 'COMMENT'", "it's", "{}")),
        ("ALTER DATASET d DROP VERSION 'v1'", DropDatasetVersion(D, "v1")),
        ("DROP DATASET IF EXISTS d", DropDataset(D, True)),
        ("show datasets like 'x' in schema a.b starts with 'x' limit 3",
         ShowDatasets(Listing(False, False, "x", "SCHEMA", Name(("A", "B")), "x", 3))),
        ("SHOW VERSIONS LIKE 'v' IN DATASET d", ShowDatasetVersions("v", D)),
        ("SHOW VERSIONS LIKE 'v' IN MODEL d", models.ShowVersions("v", D)),
        ("CREATE TAG IF NOT EXISTS d ALLOWED_VALUES 'a', 'b' COMMENT = 'c'",
         CreateTag(D, False, True, ("a", "b"), "c")),
        ("DROP TAG d", DropTag(D)),
        ("SHOW TAGS LIKE 'd' IN ACCOUNT", ShowTags(Listing(like="d", scope="ACCOUNT"))),
        ("CREATE OR REPLACE DYNAMIC ICEBERG TABLE d AS SELECT 1", Absent("CREATE", "DYNAMIC ICEBERG TABLE")),
        ("SHOW MODEL MONITORS", Absent("SHOW", "MODEL MONITORS")),
        ("CREATE ONLINE FEATURE TABLE d", Absent("CREATE", "ONLINE FEATURE TABLE")),
    ],
)  # fmt: skip
def test_statements(sql: str, statement: Any) -> None:
    assert parse_statement(sql) == statement


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER DATASET d ADD VERSION 'v' FROM",
        "ALTER DATASET d RENAME TO e",
        "CREATE DATASET",
        "CREATE TAG t ALLOWED_VALUES",
        "SHOW DATASETS LIKE",
    ],
)
def test_errors(sql: str) -> None:
    with pytest.raises(SqlSyntaxError):
        parse_statement(sql)
