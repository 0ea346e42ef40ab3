"""Stages and their files, as Snowpark and the connector put, get, list, copy and remove them."""

from __future__ import annotations

import glob
import io
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.snowpark import Session
from snowflake.snowpark.exceptions import SnowparkSQLException

from sfml_local.http.app import LocalServer


@pytest.fixture
def stage(session: Session) -> str:
    session.sql("CREATE OR REPLACE STAGE ST").collect()
    return "@SFML.PUBLIC.ST"


def names(session: Session, location: str) -> list[str]:
    return [row["name"] for row in session.sql(f"LIST '{location}'").collect()]


def test_files_go_there_and_back(session: Session, stage: str, tmp_path: Path) -> None:
    (tmp_path / "it's one.txt").write_text("one")
    (tmp_path / "two.txt").write_text("two")
    put = session.file.put(str(tmp_path / "*.txt"), f"{stage}/dir", auto_compress=False)
    assert sorted((file.target, file.status) for file in put) == [
        ("it's one.txt", "UPLOADED"),
        ("two.txt", "UPLOADED"),
    ]
    assert names(session, stage) == ["st/dir/it's one.txt", "st/dir/two.txt"]
    session.file.get(f"{stage}/dir/two.txt", str(tmp_path / "out"))
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["two.txt"]


def test_streams_go_there_and_back(session: Session, stage: str) -> None:
    session.file.put_stream(io.BytesIO(b"abc"), f"{stage}/s/x.bin", auto_compress=False)
    assert session.file.get_stream("@ST/s/x.bin").read() == b"abc"


@pytest.mark.parametrize(
    ("name", "content", "options", "target"),
    [
        ("a.csv", b"1", {}, "a.csv.gz"),
        ("a.csv", b"1", {"auto_compress": False}, "a.csv"),
        ("a.csv.gz", b"1", {}, "a.csv.gz"),
        ("a.parquet", b"PAR1...", {}, "a.parquet"),
        ("a.zst.txt", b"\x28\xb5\x2f\xfd", {}, "a.zst.txt"),
        ("a.br", b"1", {}, "a.br"),
        ("a [b].txt", b"1", {"source_compression": "GZIP"}, "a [b].txt"),
        ("a.txt.bz2", b"1", {"source_compression": "NONE", "auto_compress": False}, "a.txt.bz2"),
    ],
)
def test_a_file_that_is_there_is_skipped(
    session: Session,
    stage: str,
    tmp_path: Path,
    name: str,
    content: bytes,
    options: dict[str, Any],
    target: str,
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    [first] = session.file.put(glob.escape(str(file)), stage, **options)
    assert (first.target, first.status) == (target, "UPLOADED")
    listed = session.sql(f"LIST {stage}").collect()
    file.write_bytes(content + b" other")
    [second] = session.file.put(glob.escape(str(file)), stage, **options)
    told = (second.target, second.status, second.source_size, second.target_size, second.message)
    assert told == (target, "SKIPPED", len(content) + 6, 0, "")
    compressions = (second.source_compression, second.target_compression)
    assert compressions == (first.source_compression, first.target_compression)
    assert session.sql(f"LIST {stage}").collect() == listed
    [third] = session.file.put(glob.escape(str(file)), stage, overwrite=True, **options)
    assert third.status == "UPLOADED"
    assert session.sql(f"LIST {stage}").collect() != listed


def test_a_stream_is_skipped_where_its_file_is_there(session: Session, stage: str) -> None:
    def put(content: bytes, **options: bool) -> str:
        return str(
            session.file.put_stream(
                io.BytesIO(content), f"{stage}/s/x.bin", auto_compress=False, **options
            ).status
        )

    assert (put(b"old"), put(b"new")) == ("UPLOADED", "SKIPPED")
    assert session.file.get_stream(f"{stage}/s/x.bin").read() == b"old"
    assert put(b"new", overwrite=True) == "UPLOADED"
    assert session.file.get_stream(f"{stage}/s/x.bin").read() == b"new"


def test_of_several_files_only_those_that_are_not_there_are_written(
    session: Session, stage: str, tmp_path: Path
) -> None:
    for name in ("one.txt", "two [2].txt"):
        (tmp_path / name).write_text("old")
    session.file.put(str(tmp_path / "one.txt"), stage, auto_compress=False)
    (tmp_path / "one.txt").write_text("other")
    put = session.file.put(str(tmp_path / "*.txt"), stage, auto_compress=False)
    assert [(file.target, file.status) for file in put] == [("two [2].txt", "UPLOADED")]
    put = session.file.put(str(tmp_path / "*.txt"), stage, auto_compress=False)
    assert [(file.target, file.status) for file in put] == [
        ("one.txt", "SKIPPED"),
        ("two [2].txt", "SKIPPED"),
    ]
    assert session.file.get_stream(f"{stage}/one.txt").read() == b"old"


def test_a_file_that_is_missing_is_named_although_its_name_is_in_the_stage(
    session: Session, stage: str, tmp_path: Path
) -> None:
    (tmp_path / "one.txt").write_text("1")
    session.file.put(str(tmp_path / "one.txt"), stage, auto_compress=False)
    (tmp_path / "one.txt").unlink()
    with pytest.raises(SnowparkSQLException, match="File doesn't exist"):
        session.file.put(str(tmp_path / "one.txt"), stage, auto_compress=False)


def test_a_stream_of_the_connector_overwrites(
    connection: SnowflakeConnection, session: Session, stage: str
) -> None:
    for content in (b"old", b"new"):
        put = f"PUT file://nowhere/x.bin {stage} AUTO_COMPRESS = FALSE"
        row = connection.cursor().execute(put, file_stream=io.BytesIO(content)).fetchone()
        assert row[6] == "UPLOADED"
    assert session.file.get_stream(f"{stage}/x.bin").read() == b"new"


def test_files_are_copied_and_removed(session: Session, stage: str) -> None:
    for name in ("a.txt", "b/c.txt"):
        session.file.put_stream(io.BytesIO(b"x"), f"{stage}/from/{name}", auto_compress=False)
    copied = session.sql(f"COPY FILES INTO {stage}/to/ FROM {stage}/from/").collect()
    assert sorted(row["file"] for row in copied) == ["to/a.txt", "to/b/c.txt"]
    session.sql(f"REMOVE {stage}/from/").collect()
    assert names(session, stage) == ["st/to/a.txt", "st/to/b/c.txt"]
    session.sql(f"RM {stage}/to PATTERN = '.*c[.]txt'").collect()
    assert names(session, stage) == ["st/to/a.txt"]


def test_removing_files_leaves_the_folder_that_another_client_is_about_to_write_to(
    server: LocalServer, session: Session, stage: str, tmp_path: Path
) -> None:
    (tmp_path / "one.txt").write_text("1")
    session.file.put(str(tmp_path / "one.txt"), f"{stage}/from/deep", auto_compress=False)
    own = server.account.sessions.open(database="SFML", schema="PUBLIC")
    reply = server.account.execute(own, f"PUT 'file:///two.txt' {stage}/to").transfer
    assert reply is not None
    folder = Path(reply["stageInfo"]["location"])
    session.sql(f"REMOVE {stage}/from/").collect()
    assert folder.is_dir() and not (folder.parent / "from").exists()
    server.account.sessions.close(own)


@pytest.mark.parametrize("path", ["../x", "a/../../x", "a/.."])
def test_no_path_leaves_its_stage(session: Session, stage: str, tmp_path: Path, path: str) -> None:
    (tmp_path / "f.txt").write_text("x")
    with pytest.raises(SnowparkSQLException, match="leaves the stage"):
        session.file.put(str(tmp_path / "f.txt"), f"{stage}/{path}", auto_compress=False)
    with pytest.raises(SnowparkSQLException, match="leaves the stage"):
        session.sql(f"LIST '{stage}/{path}'").collect()


def test_no_link_leads_out_of_a_stage(
    server: LocalServer, session: Session, stage: str, tmp_path: Path
) -> None:
    session.file.put_stream(io.BytesIO(b"x"), f"{stage}/x", auto_compress=False)
    [folder] = [path.parent for path in server.account.stages_folder.rglob("x") if path.is_file()]
    (folder / "out").symlink_to(tmp_path)
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(SnowparkSQLException, match="leaves the stage"):
        session.sql(f"LIST '{stage}/out/secret'").collect()


def test_a_stage_that_is_not_there(session: Session) -> None:
    with pytest.raises(
        SnowparkSQLException, match=r"Stage 'SFML.PUBLIC.NOPE' does not exist or not authorized"
    ):
        session.sql("LIST @NOPE").collect()
    session.sql("DROP STAGE IF EXISTS NOPE").collect()


def test_describe_and_show(session: Session, stage: str) -> None:
    session.sql(
        "CREATE STAGE IF NOT EXISTS SSE ENCRYPTION = (TYPE = 'SNOWFLAKE_SSE') COMMENT = 'c'"
    ).collect()
    described = session.sql("DESCRIBE STAGE IDENTIFIER(?)", params=["SFML.PUBLIC.SSE"]).collect()
    assert {row["parent_property"]: row["property_value"] for row in described}["STAGE_ENCRYPTION"] == (
        "SNOWFLAKE_SSE"
    )
    assert [row["comment"] for row in session.sql("SHOW STAGES LIKE 'ss%'").collect()] == ["c"]


def test_a_temporary_stage_ends_with_its_session(server: LocalServer, session: Session) -> None:
    with Session.builder.configs(server.connect_args()).create() as other:
        other.sql("CREATE SCOPED TEMPORARY STAGE SFML.PUBLIC.PASSING").collect()
        assert len(session.sql("SHOW STAGES LIKE 'PASSING'").collect()) == 1
    assert session.sql("SHOW STAGES LIKE 'PASSING'").collect() == []


def test_dropping_a_schema_drops_its_stages(server: LocalServer, session: Session) -> None:
    session.sql("CREATE SCHEMA PASSING").collect()
    session.sql("CREATE STAGE SFML.PASSING.ST").collect()
    before = len(list(server.account.stages_folder.iterdir()))
    session.sql("DROP SCHEMA SFML.PASSING").collect()
    assert len(list(server.account.stages_folder.iterdir())) == before - 1
    session.sql("CREATE SCHEMA PASSING").collect()
    assert session.sql("SHOW STAGES IN SCHEMA SFML.PASSING").collect() == []
    session.sql("USE SCHEMA PUBLIC").collect()
