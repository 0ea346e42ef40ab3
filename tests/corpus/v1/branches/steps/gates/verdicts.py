from typing import Literal

from sfml_steps import Context, step

Verdict = Literal["good", "bad", "same"]


@step
def choose(ctx: Context) -> Literal["promote", "alert"]:
    return "promote"


@step
def judge(ctx: Context) -> Verdict:
    return "same"
