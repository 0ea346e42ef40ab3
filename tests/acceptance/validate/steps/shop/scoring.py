import lightgbm
from sfml_steps import Context, step


@step
def score(ctx: Context) -> None:
    lightgbm.Booster()
