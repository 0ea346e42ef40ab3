"""The interface for step functions: `step`, `Context`, `Run` and `StepError`.

    from sfml_steps import Context, step

    @step
    def count_rows(ctx: Context, table: str) -> int:
        return ctx.session.table(table).count()

This package travels with the steps and runs inside Snowflake, as a stored procedure or in an ML Job. So it
imports nothing of `sfml`, imports `snowflake.*` only where it is used, and keeps to Python 3.10: no
`StrEnum`, no `typing.Self`, `NotRequired` or `assert_never`, no `datetime.UTC`.
"""

from sfml_steps.context import Context, Run
from sfml_steps.errors import StepError
from sfml_steps.registration import step

__all__ = ["Context", "Run", "StepError", "step"]
