"""What a user sees of an apply that is killed, stopped, refused or met by another."""

from __future__ import annotations

import signal

from small import Small


def test_a_killed_apply_is_told_refused_and_finished(small: Small) -> None:
    assert small.run("apply", "specs/small.yaml", "--auto-approve")[0] == 0
    small.edit("select 2", "select 22")
    code, _ = small.apply_meeting("PUT /tasks/SMALL$SECOND", signal.SIGKILL)
    assert code == -signal.SIGKILL and not small.is_on()

    code, text = small.run("status", "specs/small.yaml")
    assert code == 1
    assert "half applied: an apply of small by ada, begun " in text and "did not finish" in text
    assert "sfml apply specs/small.yaml -t local   finishes it;  --restore puts back" in text
    assert "add --force-unlock" in text

    code, text = small.run(
        "apply", "specs/small.yaml", "--auto-approve", "--user", "ada", "--lock-timeout", "0"
    )
    assert code == 1
    assert "error: your command that began to change SMALL at " in text and "was cut off" in text
    assert "`sfml apply` then finishes what it began, `sfml apply --restore` goes back" in text
    code, text = small.run(
        "apply", "specs/small.yaml", "--auto-approve", "--user", "eve", "--lock-timeout", "0"
    )
    assert code == 1 and "ada on " in text and "is changing SMALL since" in text

    code, text = small.run("apply", "specs/small.yaml", "--auto-approve", "--user", "ada", "--force-unlock")
    assert code == 0, text
    assert "warning: the lease was broken" in text and "cannot be called back" in text
    assert "Deployment 2 of small" in text
    assert small.is_on() and small.bodies()["SMALL$SECOND"].endswith("22")


def test_an_apply_that_is_asked_to_stop_ends_its_call_and_says_where_it_stands(small: Small) -> None:
    assert small.run("apply", "specs/small.yaml", "--auto-approve")[0] == 0
    small.edit("select 2", "select 22")
    code, text = small.apply_meeting("PUT /tasks/SMALL$SECOND", signal.SIGINT, "before")
    assert code == 130, text
    assert "stopping after the current call" in text
    assert "sfml apply specs/small.yaml -t local             finishes it" in text
    assert small.bodies()["SMALL$SECOND"].endswith("22") and not small.is_on()

    # The spec need not compile any more to go back.
    small.edit("after: [first]", "after: [nobody]")
    code, text = small.run("apply", "specs/small.yaml", "--restore", "--auto-approve")
    assert code == 0, text
    assert "did not finish." in text and "small is as it was" in text
    assert small.is_on() and small.bodies()["SMALL$SECOND"].endswith("select 2")


def test_a_connection_that_is_lost_is_told_with_how_to_go_on(small: Small) -> None:
    small.local.faults.fail(
        "PUT /tasks/SMALL$SECOND", status=403, code="003001", sentence="Insufficient privileges"
    )
    code, text = small.run("apply", "specs/small.yaml", "--auto-approve")
    assert code == 1 and "error: Insufficient privileges" in text
    assert "what it began is recorded on the stage" in text
    # Nor does it need the spec at all.
    (small.folder / "specs" / "small.yaml").unlink()
    code, text = small.run("apply", "small", "--restore", "--auto-approve", "-o", "json")
    assert code == 0 and '"restored": true' in text
    assert small.local.sql(f"SHOW TASKS IN SCHEMA {small.local.database}.SMALL") == []
