"""How few calls a part and a backfill take, beside the readings of the runs that they follow."""

from __future__ import annotations

import re

from small import APPLY, Small

READINGS = re.compile(r"TASK_HISTORY\(|CURRENT_TASK_GRAPHS\(|COMPLETE_TASK_GRAPHS\(")


def calls_of(small: Small, *words: str) -> list[str]:
    small.local.faults.forget_calls()
    code, text = small.run(*words)
    assert code == 0, text
    calls = [call for call in small.local.calls if call.kind != "session" and not call.inside]
    return [call.text for call in calls if not READINGS.search(call.text)]


def test_runs_that_ended_are_looked_at_once_the_followed_one_has_ended(small: Small) -> None:
    small.edit("'select 2'", "\"call system$wait(600, 'MILLISECONDS')\"")
    small.run(*APPLY)
    small.local.faults.forget_calls()
    code, text = small.run("run", "specs/small.yaml")
    assert code == 0, text
    looks = [found[0] for call in small.local.calls if (found := READINGS.search(call.text))]
    assert looks.count("COMPLETE_TASK_GRAPHS(") == 1 < looks.count("CURRENT_TASK_GRAPHS("), looks
    # Before it, one is asked for again where it had not begun yet.
    followed = looks[looks.index("CURRENT_TASK_GRAPHS(") :]
    assert followed.count("TASK_HISTORY(") == followed.count("CURRENT_TASK_GRAPHS("), looks


def test_a_part_takes_few_calls_besides_those_for_its_tasks(small: Small) -> None:
    small.run(*APPLY)
    small.run("run", "specs/small.yaml")
    one = calls_of(small, "run", "specs/small.yaml", "--only", "first")
    two = calls_of(small, "run", "specs/small.yaml", "--only", "first,second")
    assert len(one) <= 33, "\n".join(one)
    # A task is written and dropped.
    assert len(two) - len(one) <= 3, "\n".join(two)


def test_a_value_of_a_backfill_takes_three_calls(small: Small) -> None:
    small.edit("tasks:", "config: {n: 0}\n  tasks:")
    small.run(*APPLY)
    few = calls_of(small, "backfill", "specs/small.yaml", "--over", "n=1..3")
    many = calls_of(small, "backfill", "specs/small.yaml", "--over", "n=11..23")
    # The state is written before and after, and the lane is executed; the lease is looked at once in a while.
    own = [call for call in many if "SHOW STAGES" not in call and "EXECUTE TASK" not in call]
    before = [call for call in few if "SHOW STAGES" not in call and "EXECUTE TASK" not in call]
    assert sum("EXECUTE TASK" in call for call in many) == 13
    assert len(own) - len(before) <= 2 * 10 + 3, "\n".join(many)
    assert len(before) <= 45, "\n".join(before)
    again = calls_of(small, "backfill", "specs/small.yaml", "--over", "n=11..23")
    assert len(again) <= 14, "\n".join(again)
