"""Tasks that somebody took out of a graph, or hung below it: told by name and record, tied again, or left alone."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from small import APPLY, Small

PATH = "specs/small.yaml"
DESTROY = ("destroy", PATH, "--auto-approve")
REVERT = ("drift", PATH, "--revert", "--auto-approve")
ROLLBACK = ("rollback", PATH, "--to", "1", "--auto-approve")
TIED = {"SMALL": (), "SMALL$FIRST": ("SMALL",), "SMALL$SECOND": ("SMALL$FIRST",)}


def sql(small: Small, *statements: str) -> None:
    """Statements with `@` for the schema, whose root is off meanwhile."""
    schema = f"{small.local.database}.SMALL"
    for statement in statements:
        small.local.sql(statement.replace("@", f"{schema}."))


def off(small: Small, *statements: str) -> None:
    sql(small, "ALTER TASK @SMALL SUSPEND", *statements, "ALTER TASK @SMALL RESUME")


def rows(small: Small) -> dict[str, dict[str, object]]:
    return {row["name"]: row for row in small.local.sql(f"SHOW TASKS IN SCHEMA {small.local.database}.SMALL")}


def links(small: Small) -> dict[str, tuple[str, ...]]:
    """Every task of the schema with what it runs after."""
    return {
        name: tuple(one.rsplit(".", 1)[-1].strip('"') for one in json.loads(str(row["predecessors"] or "[]")))
        for name, row in rows(small).items()
    }


def is_whole(small: Small) -> bool:
    """Whether the graph hangs together as it was applied, with every task on, and plan and status say so."""
    of_ours = {name: parents for name, parents in links(small).items() if name.startswith("SMALL")}
    states = {str(row["state"]) for name, row in rows(small).items() if name.startswith("SMALL")}
    status, text = small.run("status", PATH)
    return of_ours == TIED and states == {"started"} and (status == 0 or "cut loose" not in text)


def cut_second(small: Small) -> None:
    off(small, "ALTER TASK @SMALL$SECOND REMOVE AFTER @SMALL$FIRST")


def cut_first(small: Small) -> None:
    """Its child stays below it."""
    off(small, "ALTER TASK @SMALL$FIRST REMOVE AFTER @SMALL")


def cut_both(small: Small) -> None:
    off(
        small,
        "ALTER TASK @SMALL$SECOND REMOVE AFTER @SMALL$FIRST",
        "ALTER TASK @SMALL$FIRST REMOVE AFTER @SMALL",
    )


def drop_first(small: Small) -> None:
    off(small, "DROP TASK @SMALL$FIRST")


def drop_root(small: Small) -> None:
    sql(small, "ALTER TASK @SMALL SUSPEND", "DROP TASK @SMALL")


def own_root(small: Small) -> None:
    """It runs on its own, with a schedule, and is on."""
    cut_second(small)
    sql(small, "ALTER TASK @SMALL$SECOND SET SCHEDULE = '60 MINUTES'", "ALTER TASK @SMALL$SECOND RESUME")


def hang_below_other(small: Small) -> None:
    sql(small, "CREATE TASK @OTHER WAREHOUSE = LOCAL_WH SCHEDULE = '60 MINUTES' AS SELECT 1")
    cut_second(small)
    sql(small, "ALTER TASK @SMALL$SECOND ADD AFTER @OTHER")


CHANGES = (cut_second, cut_first, cut_both, drop_first, drop_root, own_root, hang_below_other)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_an_apply_ties_what_was_cut_loose(small: Small, change: Callable[[Small], None]) -> None:
    assert small.run(*APPLY)[0] == 0
    before = rows(small)
    change(small)
    code, text = small.run("drift", PATH, "--detailed-exitcode")
    assert code == 2, text
    code, text = small.run("status", PATH)
    assert code == 1, text
    code, text = small.run("plan", PATH)
    assert code == 0 and ("cut loose by hand, and tied into the graph again: SMALL$" in text), text
    code, text = small.run(*APPLY)
    assert code == 0, text
    assert is_whole(small), (links(small), text)
    there = rows(small)
    dropped = {drop_first: {"SMALL$FIRST"}, drop_root: {"SMALL"}}.get(change, set())
    assert {name for name in TIED if there[name]["id"] != before[name]["id"]} == dropped
    assert "no changes" in small.run("plan", PATH)[1]
    assert small.run("drift", PATH, "--detailed-exitcode")[0] == 0


@pytest.mark.parametrize("change", [cut_first, drop_root], ids=lambda change: change.__name__)
@pytest.mark.parametrize(
    "command", [REVERT, ("rollback", PATH, "--to", "1", "--auto-approve")], ids=["revert", "rollback"]
)
def test_so_do_a_revert_and_a_rollback(
    small: Small, change: Callable[[Small], None], command: tuple[str, ...]
) -> None:
    assert small.run(*APPLY)[0] == 0
    change(small)
    code, text = small.run(*command)
    assert code == 0, text
    assert is_whole(small), (links(small), text)


def test_what_cannot_be_accepted_is_not_proposed(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    cut_second(small)
    text = small.run("drift", PATH)[1]
    assert "cannot be accepted" in text and f"Next:  sfml drift {PATH} -t local --revert" in text
    assert "--accept" not in text


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_destroy_takes_what_was_cut_loose(small: Small, change: Callable[[Small], None]) -> None:
    assert small.run(*APPLY)[0] == 0
    change(small)
    code, text = small.run(*DESTROY)
    assert code == 0, text
    assert set(links(small)) <= {"OTHER"}
    assert small.run(*APPLY)[0] == 0 and is_whole(small)


def test_one_that_the_spec_has_no_more_is_dropped(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    cut_second(small)
    small.edit("    second: {sql: 'select 2', after: [first]}\n", "")
    code, text = small.run("plan", PATH)
    assert code == 0 and "cut loose by hand, and dropped: SMALL$SECOND" in text, text
    assert small.run(*APPLY)[0] == 0
    assert set(links(small)) == {"SMALL", "SMALL$FIRST"}


def test_a_finalizer_that_was_cut_is_one_again(small: Small) -> None:
    small.edit("schedule: {version", "  finalizer: {end: {sql: 'select 3'}}\nschedule: {version")
    assert small.run(*APPLY)[0] == 0
    off(small, "ALTER TASK @SMALL$END UNSET FINALIZE")
    assert small.run("status", PATH)[0] == 1
    code, text = small.run(*APPLY)
    assert code == 0, text
    assert "no changes" in small.run("plan", PATH)[1] and "cut loose" not in small.run("status", PATH)[1]
    off(small, "ALTER TASK @SMALL$END UNSET FINALIZE")
    assert small.run(*DESTROY)[0] == 0 and links(small) == {}


def test_it_is_not_taken_back_from_a_graph_of_others_that_is_on(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    hang_below_other(small)
    sql(small, "ALTER TASK @OTHER RESUME")
    before = rows(small)
    for command in (APPLY, REVERT, DESTROY):
        code, text = small.run(*command)
        assert code == 1 and "`SMALL$SECOND` of small runs below `OTHER`, which is another graph" in text, (
            text
        )
        assert "ALTER TASK SFML.SMALL.OTHER SUSPEND" in text.replace(small.local.database, "SFML")
        assert rows(small) == before
    sql(small, "ALTER TASK @OTHER SUSPEND")
    assert small.run(*APPLY)[0] == 0 and is_whole(small)
    assert rows(small)["OTHER"]["state"] == "suspended" and links(small)["OTHER"] == ()


STRANGER = "CREATE TASK @THEIRS WAREHOUSE = LOCAL_WH AFTER @SMALL$FIRST AS SELECT 1"


def test_a_task_of_others_below_ours_is_named_and_never_changed(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    off(small, STRANGER)
    before = rows(small)["THEIRS"]
    assert small.run("status", PATH)[0] == 0, "it is theirs to turn on"
    cut_second(small)

    def is_untouched() -> bool:
        now = rows(small)["THEIRS"]
        return all(now[key] == before[key] for key in ("id", "state", "predecessors", "definition"))

    for command in (
        ("plan", PATH),
        ("drift", PATH),
        REVERT,
        APPLY,
        ROLLBACK,
    ):
        code, text = small.run(*command)
        assert code == 0 and is_untouched(), text
        if command[0] != "apply":
            assert "THEIRS" in text, text
    assert is_whole(small)
    small.edit("select 1", "select 10")
    code, text = small.run(*APPLY)
    assert code == 0 and "not made by sfml, and left alone: THEIRS" in text and is_untouched(), text
    code, text = small.run(*DESTROY)
    assert code == 1 and "THEIRS below SMALL" in text and is_untouched() and is_whole(small)
    small.edit("    first: {sql: 'select 10'}\n", "")
    small.edit(", after: [first]", "")
    code, text = small.run(*APPLY)
    assert code == 1 and "`THEIRS`, which sfml did not make, runs after `SMALL$FIRST`" in text, text
    assert is_untouched() and "SMALL$FIRST" in links(small)


def follow(small: Small, text: str) -> None:
    """Execute the statements that the help of an error proposes, as they stand there."""
    (proposed,) = (line for line in text.splitlines() if line.startswith("help: ") and "ALTER TASK" in line)
    for statement in proposed[proposed.index("ALTER TASK") :].split("; "):
        small.local.sql(statement)


def test_what_is_proposed_for_a_task_of_others_can_be_done(small: Small) -> None:
    small.edit("second:", "third: {sql: 'select 3'}\n    second:")
    assert small.run(*APPLY)[0] == 0
    off(small, STRANGER.replace("@SMALL$FIRST", "@SMALL$FIRST, @SMALL$THIRD"))
    small.edit("    third: {sql: 'select 3'}\n", "")
    code, text = small.run(*APPLY)
    assert code == 1
    follow(small, text)
    assert small.run(*APPLY)[0] == 0
    assert links(small) == {**TIED, "THEIRS": ("SMALL$FIRST",)}
    assert rows(small)["SMALL"]["state"] == "started", "the schedule stays on"
    off(small, "CREATE TASK @BELOW WAREHOUSE = LOCAL_WH AFTER @THEIRS AS SELECT 1")
    off(small, "CREATE TASK @LAST WAREHOUSE = LOCAL_WH FINALIZE = @SMALL AS SELECT 1")
    code, text = small.run(*DESTROY)
    assert code == 1
    follow(small, text)
    code, text = small.run(*DESTROY)
    assert code == 0 and links(small) == {"THEIRS": (), "BELOW": ("THEIRS",), "LAST": ()}, text


def test_a_suspended_task_of_others_is_no_problem_whatever_its_name(small: Small) -> None:
    """An apply leaves it alone, so it would be a problem that no command solves."""
    assert small.run(*APPLY)[0] == 0
    off(small, STRANGER.replace("@THEIRS", "@SMALL$THEIRS"))
    code, text = small.run("status", PATH)
    assert code == 0, text
    off(small, "ALTER TASK @SMALL$SECOND SUSPEND")
    code, text = small.run("status", PATH)
    assert code == 1 and "second is suspended" in text, text


def test_so_is_one_below_a_task_that_was_cut_loose(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    cut_first(small)
    sql(small, STRANGER)
    code, text = small.run(*DESTROY)
    assert code == 1 and "THEIRS below SMALL is neither in the spec" in text, text
    code, text = small.run(*APPLY)
    assert code == 0 and "left alone: THEIRS" in text and is_whole(small), text
    there = rows(small)["THEIRS"]
    assert there["state"] == "suspended" and links(small)["THEIRS"] == ("SMALL$FIRST",)


def test_a_finalizer_of_others_keeps_ours_out_before_anything_is_changed(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    off(small, "CREATE TASK @THEIRS WAREHOUSE = LOCAL_WH FINALIZE = @SMALL AS SELECT 1")
    small.edit("schedule: {version", "  finalizer: {end: {sql: 'select 3'}}\nschedule: {version")
    before = rows(small)
    code, text = small.run(*APPLY)
    assert code == 1 and "`THEIRS`, which sfml did not make, is the finalizer of `SMALL`" in text, text
    assert rows(small) == before


def test_a_task_of_our_name_that_no_record_has_is_not_taken(small: Small) -> None:
    small.local.sql(f"CREATE SCHEMA {small.local.database}.SMALL")
    sql(small, "CREATE TASK @SMALL$FIRST WAREHOUSE = LOCAL_WH AS SELECT 1")
    before = rows(small)
    code, text = small.run(*APPLY)
    assert code == 1 and "already has `SMALL$FIRST`" in text, text
    assert rows(small) == before


@pytest.mark.parametrize("then", ["apply", "restore", "destroy"])
def test_an_apply_that_was_cut_off_while_it_tied_them(small: Small, then: str) -> None:
    assert small.run(*APPLY)[0] == 0
    cut_both(small)
    sql(small, STRANGER)
    small.local.faults.fail(
        "PUT /tasks/SMALL$SECOND", status=403, code="003001", sentence="Insufficient privileges"
    )
    assert small.run(*APPLY)[0] == 1
    small.local.faults.clear()
    if then == "restore":
        code, text = small.run(*APPLY, "--restore")
        assert code == 0 and is_whole(small), (text, links(small))
    elif then == "destroy":
        code, text = small.run(*DESTROY)
        assert code == 1 and "THEIRS" in text
        sql(small, "ALTER TASK @THEIRS REMOVE AFTER @SMALL$FIRST")
        code, text = small.run(*DESTROY)
        assert code == 0 and set(links(small)) == {"THEIRS"}, text
        return
    code, text = small.run(*APPLY)
    assert code == 0, text
    assert is_whole(small) and links(small)["THEIRS"] == ("SMALL$FIRST",), (text, links(small))


def test_pipelines_whose_names_begin_alike_do_not_take_each_others(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    other = "specs/other.yaml"
    spec = (small.folder / PATH).read_text(encoding="utf-8").replace("pipeline: small", "pipeline: small_2")
    (small.folder / other).write_text(spec, encoding="utf-8")
    project = small.folder / "sfml.yaml"
    project.write_text(
        project.read_text(encoding="utf-8").replace("default: true", "default: true, schema: SMALL"),
        encoding="utf-8",
    )
    assert small.run("apply", other, "--auto-approve")[0] == 0
    off(
        small,
        "CREATE TASK @SMALL$X WAREHOUSE = LOCAL_WH AS SELECT 1",
        "CREATE TASK @SMALL$X$A WAREHOUSE = LOCAL_WH AFTER @SMALL$X AS SELECT 1",
        "ALTER TASK @SMALL$X$A REMOVE AFTER @SMALL$X",
        "ALTER TASK @SMALL_2 SUSPEND",
        "ALTER TASK @SMALL_2$FIRST REMOVE AFTER @SMALL_2",
    )
    code, text = small.run("status", PATH)
    assert code == 0 and "cut loose" not in text, text
    assert "first and second are cut loose" in small.run("status", other)[1]
    before = {name: row for name, row in rows(small).items() if not name.startswith("SMALL$") or "$X" in name}
    del before["SMALL"]
    assert "no changes" in small.run("plan", PATH)[1]
    code, text = small.run(*DESTROY)
    assert code == 0 and rows(small) == before, text


GRANT = "GRANT OWNERSHIP ON TASK @{} TO ROLE OTHERS COPY CURRENT GRANTS"


@pytest.mark.parametrize(("task", "others"), [("SMALL$SECOND", "SMALL$SECOND"), ("SMALL", "SMALL")])
def test_tasks_of_another_owner_are_told_before_anything_is_changed(
    small: Small, task: str, others: str
) -> None:
    """Snowflake links tasks of one owner alone, so an apply would end half way."""
    assert small.run(*APPLY)[0] == 0
    small.local.sql("CREATE ROLE IF NOT EXISTS OTHERS")
    sql(small, "ALTER TASK @SMALL SUSPEND", GRANT.format(task))
    place = f"{small.local.database}.SMALL.{others}"
    grant = f"GRANT OWNERSHIP ON TASK {place} TO ROLE SYSADMIN COPY CURRENT GRANTS"
    for words in (("plan", PATH), APPLY, REVERT):
        code, text = small.run(*words)
        assert code == 1 and f"`{others}` belongs to role OTHERS, and this is role SYSADMIN" in text, text
        assert "nothing was changed" in text and grant in text
    assert "half applied" not in small.run("status", PATH)[1]
    small.local.sql(grant)
    code, text = small.run(*APPLY, "--resume")
    assert code == 0, text
    assert is_whole(small), (links(small), text)


def test_a_graph_of_another_owner_is_changed_but_gets_no_tasks(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    small.local.sql("CREATE ROLE IF NOT EXISTS OTHERS")
    all_tasks = f"GRANT OWNERSHIP ON ALL TASKS IN SCHEMA {small.local.database}.SMALL TO ROLE {{}} COPY CURRENT GRANTS"
    sql(small, "ALTER TASK @SMALL SUSPEND", all_tasks.format("OTHERS"))
    small.edit("select 2", "select 22")
    assert small.run(*APPLY, "--resume")[0] == 0
    small.edit("schedule: {version", "    third: {sql: 'select 3', after: [second]}\nschedule: {version")
    code, text = small.run("plan", PATH)
    assert code == 1 and "use its role (`owner_role: OTHERS` of the target)" in text, text
    assert all_tasks.format("SYSADMIN") in text
