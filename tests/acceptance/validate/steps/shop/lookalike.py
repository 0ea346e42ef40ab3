def step(function):
    return function


@step
def go(ctx):
    return 1
