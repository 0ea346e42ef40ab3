"""Flags that do not go together are said before anything is looked at; a saved plan holds for a dry run as well."""

from __future__ import annotations

import pytest
from small import APPLY, Small


@pytest.mark.parametrize(
    "more",
    [
        "--dry-run",
        "--adopt",
        "--create-missing",
        "--no-collect",
        "--resume",
        "--run",
        "--fail-on-active-runs",
    ],
)
def test_restore_goes_alone(small: Small, more: str) -> None:
    code, text = small.run("apply", "specs/small.yaml", "--restore", more)
    assert code == 2 and "--restore goes alone" in text
    assert small.local.faults.count() == 0


def test_a_saved_plan_has_nothing_to_restore(small: Small) -> None:
    code, text = small.run("apply", "plan.json", "--restore")
    assert code == 2 and "--restore takes a spec" in text


def test_a_dry_run_of_a_saved_plan_says_that_it_holds_no_more(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    small.edit("select 2", "select 22")
    assert small.run("plan", "--out", str(small.folder / "plan.json"))[0] == 0  # the project has one pipeline
    assert small.run("apply", "plan.json", "--dry-run")[0] == 0
    small.local.sql(f"ALTER TASK {small.local.database}.SMALL.SMALL SUSPEND")
    small.local.sql(f"ALTER TASK {small.local.database}.SMALL.SMALL$FIRST MODIFY AS select 99")
    code, text = small.run("apply", "plan.json", "--dry-run")
    assert code == 1 and "no longer holds: the deployed graph changed since" in text


def test_a_next_command_can_be_pasted_where_a_name_has_blanks(small: Small) -> None:
    spec = small.folder / "my specs" / "small.yaml"
    spec.parent.mkdir()
    (small.folder / "specs" / "small.yaml").rename(spec)
    code, text = small.run("plan", "my specs/small.yaml", "--out", "my plan.json")
    assert code == 0 and text.rstrip().endswith("Next:  sfml apply 'my plan.json'")
    assert small.run("apply", "my plan.json")[0] == 0
    small.local.sql(f"ALTER TASK {small.local.database}.SMALL.SMALL SUSPEND")
    code, text = small.run("status", "my specs/small.yaml")
    assert code == 1 and "sfml resume 'my specs/small.yaml' -t local " in text
