from sfml_steps import Context, step


@step
def fit(ctx: Context, segment: str, table: str = "") -> dict[str, str]:
    return {"model": segment}
