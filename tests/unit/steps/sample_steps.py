"""Step functions that the runtime's tests call."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from sfml_steps import Context, step

if TYPE_CHECKING:
    from snowflake.snowpark import Session


@step
def echo(ctx: Context, **given: Any) -> dict[str, Any]:
    return given


@step
def with_session(session: Session, table: str) -> str:
    return f"{type(session).__name__} {table}"


@step
def described(ctx: Context) -> dict[str, Any]:
    return {**dataclasses.asdict(ctx.run), "config": dict(ctx.config), "stage": ctx.stage}


@step
def answer(ctx: Context, value: Any) -> Any:
    return value


@step
def read(ctx: Context, task: str) -> Any:
    return ctx.result(task)


@step
def speak(ctx: Context) -> None:
    ctx.logger.info("hello")
    ctx.logger.warning("careful")


def undecorated(ctx: Context) -> None: ...
