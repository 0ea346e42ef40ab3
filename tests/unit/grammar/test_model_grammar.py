"""The registry's statements as snowflake.ml writes them."""

from __future__ import annotations

import pytest

from sfml_local.grammar import models as m
from sfml_local.grammar.shows import Listing
from sfml_local.grammar.statements import parse_statement
from sfml_local.grammar.tokens import Name, SqlSyntaxError, Tokens

M = Name(("D", "S", "M"))

CASES: list[tuple[str, object]] = [
    (
        "CREATE MODEL D.S.M WITH VERSION v1 FROM @D.S.x/model;",
        m.CreateModel(M, "V1", m.FromStage("@D.S.x/model")),
    ),
    (
        "CREATE MODEL D.S.M WITH VERSION \"v 1\" FROM '@D.S.x/it''s'",
        m.CreateModel(M, "v 1", m.FromStage("@D.S.x/it's")),
    ),
    (
        "CREATE MODEL D.S.M WITH VERSION V2 FROM MODEL D.S.M VERSION V1",
        m.CreateModel(M, "V2", m.FromModel(M, "V1")),
    ),
    ("CREATE MODEL D.S.M WITH LIVE VERSION L1", m.CreateModel(M, "L1", None, live=True)),
    (
        "create or replace model D.S.M with version a from snow://model/D.S.M/versions/V1",
        m.CreateModel(M, "A", m.FromStage("snow://model/D.S.M/versions/V1"), or_replace=True),
    ),
    (
        "CREATE MODEL IF NOT EXISTS D.S.M FROM MODEL D.S.N",
        m.CreateModel(M, None, m.FromModel(Name(("D", "S", "N")), None), if_not_exists=True),
    ),
    (
        "ALTER MODEL D.S.M ADD VERSION v2 FROM @D.S.x/model",
        m.AddVersion(M, "V2", m.FromStage("@D.S.x/model")),
    ),
    ("ALTER MODEL D.S.M ADD LIVE VERSION L", m.AddVersion(M, "L", None, live=True)),
    (
        "ALTER MODEL D.S.M COMMIT VERSION L RENAME TO D.S.N RENAME VERSION TO V",
        m.CommitVersion(M, "L", Name(("D", "S", "N")), "V"),
    ),
    ("ALTER MODEL D.S.M SET DEFAULT_VERSION = V2", m.SetDefaultVersion(M, "V2")),
    ("ALTER MODEL D.S.M VERSION V2 SET ALIAS = prod", m.SetAlias(M, "V2", "PROD")),
    ("ALTER MODEL D.S.M VERSION prod UNSET ALIAS", m.UnsetAlias(M, "PROD")),
    (
        "ALTER MODEL D.S.M MODIFY VERSION V1 SET COMMENT=$$it's $1$$",
        m.SetVersionText(M, "V1", "COMMENT", "it's $1"),
    ),
    (
        'ALTER MODEL D.S.M MODIFY VERSION V1 SET METADATA=$${"a": "b\\n"}$$',
        m.SetVersionText(M, "V1", "METADATA", '{"a": "b\\n"}'),
    ),
    ("COMMENT ON MODEL D.S.M IS $$hello$$", m.SetModelComment(M, "hello")),
    ("ALTER MODEL D.S.M SET COMMENT = 'hello'", m.SetModelComment(M, "hello")),
    ("ALTER MODEL D.S.M SET TAG D.S.T = $$v$$", m.SetModelTag(M, ((Name(("D", "S", "T")), "v"),))),
    ("ALTER MODEL D.S.M UNSET TAG T, U", m.UnsetModelTag(M, (Name(("T",)), Name(("U",))))),
    ("ALTER MODEL D.S.M DROP VERSION V1", m.DropVersion(M, "V1")),
    ("ALTER MODEL D.S.M RENAME TO N", m.RenameModel(M, Name(("N",)))),
    ("DROP MODEL IF EXISTS D.S.M", m.DropModel(M, if_exists=True)),
    ("SHOW MODELS", m.ShowModels(Listing())),
    (
        "SHOW MODELS LIKE 'A' IN SCHEMA D.S",
        m.ShowModels(Listing(like="A", scope="SCHEMA", within=Name(("D", "S")))),
    ),
    ("SHOW MODELS IN ACCOUNT", m.ShowModels(Listing(scope="ACCOUNT"))),
    ("SHOW VERSIONS LIKE 'V1' IN MODEL D.S.M", m.ShowVersions("V1", M)),
    ("SHOW FUNCTIONS IN MODEL D.S.M VERSION V1", m.ShowModelFunctions(M, "V1")),
    (
        "DESC ARTIFACT REPOSITORY a.b.c",
        m.DescribeArtifactRepository(Name(("A", "B", "C"))),
    ),
]


@pytest.mark.parametrize(("sql", "expected"), CASES, ids=[sql for sql, _ in CASES])
def test_statements_of_the_registry(sql: str, expected: object) -> None:
    assert m.parse(Tokens(sql)) == expected


@pytest.mark.parametrize(
    "sql", ["SHOW FUNCTIONS", "CREATE TABLE model (a int)", "SELECT 1", "DROP TABLE model"]
)
def test_other_statements_are_left_alone(sql: str) -> None:
    assert m.parse(Tokens(sql)) is None


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE MODEL M WITH VERSION V",
        "ALTER MODEL M FROBNICATE",
        "ALTER MODEL M MODIFY VERSION V SET OWNER = 'x'",
        "DROP MODEL M CASCADE",
    ],
)
def test_what_cannot_be_read_is_a_syntax_error(sql: str) -> None:
    with pytest.raises(SqlSyntaxError):
        parse_statement(sql)
