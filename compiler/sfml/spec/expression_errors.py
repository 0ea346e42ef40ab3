"""Errors of expressions, with the names that are known at the place of the expression."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sfml.base.diagnostic import did_you_mean
from sfml.base.resources import schema

MAX_RESULT = 64_000
"""The most characters that the value of an expression may have."""


class ExpressionError(Exception):
    """An expression that cannot be evaluated.

    `help` says what to do; `unknown` is the name that does not exist, and the names that do.
    """

    def __init__(
        self,
        message: str,
        help: str | None = None,
        code: str = "SF131",
        unknown: tuple[str, Iterable[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.code = code
        self.unknown = unknown


def undefined(keys: list[str], known: Mapping[str, Any]) -> ExpressionError:
    """The error for the dotted name `keys`, whose last part is not among the names `known`."""
    name = ".".join(keys)
    help = did_you_mean(keys[-1], known)
    if keys[0] == "var" and len(keys) == 2:
        return ExpressionError(
            f"variable `{keys[1]}` is not declared",
            help or f"declare it: `variables: {{{keys[1]}: …}}` in the pipeline file",
            *("SF130", (keys[1], known)),
        )
    if keys[0] == "env" and len(keys) == 2:
        return ExpressionError(
            f"environment variable `{keys[1]}` is not declared or not set",
            help or f"declare it in sfml.yaml: `env: [{keys[1]}]`, and set it",
            *("SF130", (keys[1], known)),
        )
    if keys[0] == "target" and len(keys) == 2:
        return ExpressionError(
            f"the target has no `{keys[1]}`",
            help or _setting_of_targets(keys[1], known),
            *("SF130", (keys[1], known)),
        )
    if keys[0] == "git" and len(keys) == 2 and not known:
        help = "commit the project once, or take the expression out"
        message = f"`{name}` is not known: the project is not in a git work tree with a commit"
        return ExpressionError(message, help, "SF130")
    if keys[0] in ("param", "each"):
        if known and len(keys) > 1:
            return ExpressionError(
                f"`{name}` is not defined", help or f"known here: {known_names(known)}", "SF130"
            )
        where = "a file brought in by `include`" if keys[0] == "param" else "what has `for_each`"
        return ExpressionError(f"`{name}` is not defined here", f"`{keys[0]}` exists in {where}", "SF130")
    return ExpressionError(f"`{name}` is not defined", help or f"known here: {known_names(known)}", "SF130")


def _setting_of_targets(name: str, known: Mapping[str, Any]) -> str:
    """The help for an unknown `target.NAME`: the setting that was probably meant, or where to set it in the target."""
    target = schema("project.schema.json")["properties"]["targets"]["additionalProperties"]
    settings = sorted(target["properties"])
    if name in settings:
        return f"add `{name}: …` to the target in sfml.yaml"
    parts = [setting for setting in settings if set(name.split("_")) & set(setting.split("_"))]
    close = did_you_mean(name, settings) or (f"did you mean `{parts[0]}`?" if len(parts) == 1 else None)
    if close is None:
        return f"known here: {known_names(known)}"
    closest = close.split("`")[1]
    return close if closest in known else f"{close} add `{closest}: …` to the target in sfml.yaml"


def known_names(names: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "nothing"
