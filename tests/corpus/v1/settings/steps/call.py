import pandas

from sfml_steps import Context, step


@step
def load(ctx: Context) -> None:
    pandas.DataFrame()
