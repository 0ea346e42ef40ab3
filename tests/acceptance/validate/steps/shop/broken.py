from sfml_steps import step


@step
def run(ctx:
    return 1
