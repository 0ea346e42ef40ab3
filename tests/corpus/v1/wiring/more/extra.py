from snowflake.snowpark import Session


def step(function):
    return function


@step
def count(session: Session, tables: list[str]) -> int:
    return len(tables)
