import shop

from sfml_steps import Context, step


@step
def go(ctx: Context) -> float:
    return shop.scoring.score(ctx)
