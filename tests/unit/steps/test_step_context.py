"""`Context.for_test`: what unit tests of steps are written with."""

from __future__ import annotations

import pytest

from sfml_steps import Context, StepError, step


@step
def pick(ctx: Context, factor: float) -> float:
    return float(ctx.config["base"]) * factor * ctx.result("count")["rows"]


def test_a_step_is_an_ordinary_function() -> None:
    assert pick.__name__ == "pick"
    ctx = Context.for_test(config={"base": 2}, results={"count": {"rows": 5}})
    assert pick(ctx, 1.5) == 15


def test_files_are_kept_in_memory_under_the_stage_layout() -> None:
    ctx = Context.for_test(run_id="r1", task="train", pipeline="clv")
    path = ctx.write_file("model/a.ubj", b"x")
    assert path == "@SFML/clv/runs/r1/train/model/a.ubj"
    assert ctx.read_file(path) == b"x"


@pytest.mark.parametrize("name", ["", "/a", "a/../b", "../b", "a b", "a'b", "a//b", "a/", ".", "é"])
def test_a_file_name_that_a_stage_path_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(StepError, match="cannot name a file"):
        Context.for_test().write_file(name, b"")


def test_what_a_test_did_not_give_is_said() -> None:
    ctx = Context.for_test()
    with pytest.raises(StepError, match="no session: give one"):
        _ = ctx.session
    with pytest.raises(StepError, match="no result of `x` was given"):
        ctx.result("x")
    with pytest.raises(StepError, match="there is no file @SFML/nothing"):
        ctx.read_file("@SFML/nothing")
