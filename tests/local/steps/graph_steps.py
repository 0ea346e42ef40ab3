"""Step functions for task graphs in tests."""

from __future__ import annotations

from typing import Any

from sfml_steps import Context, step


@step
def write(ctx: Context, text: str) -> dict[str, str]:
    return {"path": ctx.write_file("greeting.txt", text.encode())}


@step
def use(ctx: Context, path: str) -> dict[str, str]:
    return {"text": ctx.read_file(path).decode(), "from": ctx.result("write")["path"].split("/")[-2]}


@step
def answer(ctx: Context, value: Any) -> Any:
    return value
