"""Stands in for the runtime, so that the archives of these projects stay the same."""


class Context:
    pass


def step(function):
    return function
