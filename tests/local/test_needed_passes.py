"""A pass is left out for a statement without the nodes that it looks for: it would have done nothing.

So are the families of statements for one that begins with SELECT or a change of rows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlglot import Expr, exp
from yaml_files import read_yaml

from sfml_local.core.account import Account
from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.dialect import parse_one
from sfml_local.core.known_trees import contents, known
from sfml_local.core.needed_passes import kinds_in, looked_for, looks_for, rewritten
from sfml_local.core.rewrites import PASSES
from sfml_local.core.rewriting import Pass, Rewriting
from sfml_local.core.session import Session
from sfml_local.grammar.model_calls import respelled
from sfml_local.grammar.statements import FAMILIES, OF_ROWS, parse_statement
from sfml_local.grammar.tokens import SqlSyntaxError, Tokens
from sfml_local.http.app import LocalServer

EVERY = 5
"""Of the recorded statements, one in so many: a pass looks at the kinds of nodes, which all of them share."""

CHANGED = (
    "SELECT * FROM 'snow://dataset/D/versions/V'",
    "SELECT GET_PRESIGNED_URL(@s, 'x')",
    "SELECT * FROM DIRECTORY(@s)",
    "SELECT $1 FROM @s",
    "SELECT * FROM TABLE(VALIDATE(t, JOB_ID => '_last'))",
    "SELECT v['a']::BINARY FROM t",
    "SELECT 1 AS b WHERE b = 1",
    "SELECT 1 AS full",
    "SELECT SUM(TRUE)",
    "SELECT DISTINCT a FROM t ORDER BY b",
    "SELECT t.a FROM t, u WHERE t.a = u.a(+)",
    "CREATE OR REPLACE VIEW w AS SELECT a FROM w",
    "SELECT a FROM (SELECT 1 AS a, 2 AS a)",
    "SELECT d FROM t UNION ALL SELECT 'x'",
    "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE ALL BY NAME",
    "SELECT * FROM (t) x",
    "SELECT a FROM (SELECT 1 AS k, 2 AS a) x LEFT JOIN (SELECT 1 AS k, 3 AS a) y USING (k)",
    "SELECT * FROM t x JOIN t y USING (k)",
    "SELECT * FROM (t INNER JOIN u)",
    "SELECT * FROM a ASOF JOIN b MATCH_CONDITION (a.t >= b.t)",
    "SELECT * FROM a NATURAL JOIN b",
    "SELECT * FROM t PIVOT (SUM(a) FOR b IN (1::INT))",
    "SELECT * FROM TABLE(SPLIT_TO_TABLE('a.b', '.'))",
    "SELECT RANDOM(-5)",
    "SELECT RANDOM()",
    "SELECT ROW_NUMBER() OVER (ORDER BY RANDOM()) FROM t",
    "SELECT ROW_NUMBER() OVER (ORDER BY SEQ8()) FROM t",
    "SELECT SEQ4() FROM TABLE(GENERATOR(TIMELIMIT => 1))",
    "SELECT APPROX_PERCENTILE_ACCUMULATE(a) FROM t",
    "SELECT SYSTEM$TYPEOF(1), SYSTEM$WAIT(0), CURRENT_ROLE(), $1 FROM VALUES (1)",
    "SELECT 1 FROM t WHERE v['k'] = 'x'",
    "INSERT INTO t VALUES (1) RETURNING a",
    "UNDROP TABLE t",
    "SELECT * FROM SNOWFLAKE.TELEMETRY.EVENTS",
    "SELECT m!PREDICT(1)",
    "SELECT * FROM TABLE(m!EXPLAIN(1))",
    "SELECT $missing",
    "SELECT s.NEXTVAL + 1",
    "ALTER TABLE a RENAME TO b",
    "CREATE TABLE t (a CHAR, b INT COMMENT 'c')",
)
"""Statements that have what passes look for."""
OF_OBJECTS = frozenset(
    {
        "services.routines.functions.user_functions",
        "services.routines.python_table_functions.table_calls",
        "services.streams.following.stream_tables",
    }
)
"""Passes that change a statement only where what it names is there."""


@pytest.fixture
def sql_session(server: LocalServer) -> Iterator[Session]:
    session = server.account.sessions.open(database="SFML", schema="PUBLIC")
    yield session
    server.account.sessions.close(session)


def written() -> list[str]:
    """Statements of the recorded facts."""
    files = sorted((Path(__file__).parent / "facts").glob("*.yaml"))
    facts = [fact for file in files for fact in read_yaml(file)["facts"]]
    return [str(sql) for fact in facts for sql in (*fact.get("setup", ()), fact["sql"])]


def trees() -> Iterator[Expr]:
    for sql in CHANGED:
        yield parse_one(respelled(sql))
    for sql in written()[::EVERY]:
        with contextlib.suppress(SqlError, SqlSyntaxError):
            if parse_statement(sql) is None:
                yield parse_one(respelled(sql))


@pytest.fixture
def declared(server: LocalServer) -> dict[str, Pass]:
    """The passes that say what they look for, by name."""
    followers = server.account._followers
    passes = [one for one in (*followers.first, *PASSES, *followers.last) if looked_for(one) is not None]
    return {f"{one.__module__.removeprefix('sfml_local.')}.{one.__name__}": one for one in passes}


def takes_notice(rewrite: Pass, tree: Expr, session: Session, account: Account) -> bool:
    """Whether a pass answers with another tree, notes something or refuses it."""
    rewriting = Rewriting(account, session)
    try:
        is_same = rewrite(tree, rewriting) is tree
    except (SqlError, TypeError):  # it refuses the statement, or counts on a pass before it
        return True
    return not is_same or rewriting != Rewriting(account, session)


def has_effect(rewrite: Pass, tree: Expr, session: Session, account: Account) -> bool:
    """Whether a pass takes notice of the tree, or changes it in its place."""
    before = repr(tree)
    return takes_notice(rewrite, tree, session, account) or repr(tree) != before


def test_a_pass_does_nothing_without_the_nodes_that_it_looks_for(
    server: LocalServer, sql_session: Session, declared: dict[str, Pass]
) -> None:
    effective: set[str] = set()
    for tree in trees():
        kinds, before = kinds_in(tree), repr(tree)
        idle = {name for name, rewrite in declared.items() if kinds.isdisjoint(looked_for(rewrite) or ())}
        for name in idle:
            assert not takes_notice(declared[name], tree, sql_session, server.account), (name, tree.sql())
        assert repr(tree) == before, (idle, tree.sql())
        for name in declared.keys() - idle - effective:
            if has_effect(declared[name], tree.copy(), sql_session, server.account):
                effective.add(name)
    assert declared.keys() - effective == OF_OBJECTS, "a statement that it changes belongs to CHANGED"


def test_what_is_known_of_a_tree_is_in_it_after_each_pass(server: LocalServer, sql_session: Session) -> None:
    followers = server.account._followers
    still_known = 0
    for tree in trees():
        rewriting = Rewriting(server.account, sql_session)
        with contextlib.suppress(SqlError, SqlSyntaxError):
            for rewrite in (*followers.first, *PASSES, *followers.last):
                contents(tree)
                tree = rewrite(tree, rewriting)
                if (found := known(tree)) is not None:
                    still_known += 1
                    assert list(map(id, found.nodes)) == list(map(id, every_node(tree))), (
                        rewrite,
                        tree.sql(),
                    )
    assert still_known


def every_node(tree: Expr) -> list[Expr]:
    nodes = [tree]
    for node in nodes:
        nodes.extend(node.iter_expressions())
    return nodes


@looks_for(exp.Column)
def columns_as_numbers(tree: Expr, rewriting: Rewriting) -> Expr:
    return exp.select(exp.Neg(this=exp.Literal.number(1)))


@looks_for(exp.Unary)
def seen(tree: Expr, rewriting: Rewriting) -> Expr:
    rewriting.comments["seen"] = tree.sql()
    return tree


@pytest.mark.parametrize(
    ("sql", "passes", "noted"),
    [
        ("SELECT 1", (columns_as_numbers, seen), {}),
        ("SELECT NOT TRUE", (columns_as_numbers, seen), {"seen": "SELECT NOT TRUE"}),
        ("SELECT a", (seen, columns_as_numbers), {}),
        ("SELECT a", (columns_as_numbers, seen), {"seen": "SELECT -1"}),
    ],
)
def test_what_a_pass_puts_in_is_seen_by_those_after_it(
    server: LocalServer, sql_session: Session, sql: str, passes: tuple[Pass, ...], noted: dict[str, str]
) -> None:
    rewriting = Rewriting(server.account, sql_session)
    rewritten(parse_one(sql), rewriting, passes)
    assert rewriting.comments == noted


def test_no_family_of_statements_takes_one_of_rows() -> None:
    of_rows = [sql for sql in (*CHANGED, *written()) if sql.partition(" ")[0].upper() in OF_ROWS]
    assert {sql.partition(" ")[0].upper() for sql in of_rows} == set(OF_ROWS)
    for sql in of_rows:
        with contextlib.suppress(SqlSyntaxError):  # of a text without its end
            Tokens(sql).check_depth()
            assert list(filter(None, map(_taken_by(sql), FAMILIES))) == [], sql


def _taken_by(sql: str) -> Callable[[Callable[[Tokens], object]], object]:
    def taken(family: Callable[[Tokens], object]) -> object:
        try:
            return family(Tokens(sql))
        except SqlSyntaxError as error:
            return error

    return taken
