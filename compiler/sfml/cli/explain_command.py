"""`sfml explain [CODE | FILE:PATH]`"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfml.cli import output
from sfml.cli.options import Options, shared_options

if TYPE_CHECKING:
    from sfml.check.explanations import Explanation

MOST_SHOWN = 10
"""The maximum number of values shown. A default may be the value of many tasks."""

_CODE = re.compile(r"sf\d{3}", re.IGNORECASE)


@click.command()
@click.argument("subject", required=False, metavar="[CODE | FILE:PATH]")
@shared_options()
def command(subject: str | None, options: Options) -> int:
    """Explain the code of a finding, or show where a value comes from.

    CODE is a code such as SF203, or that of a policy; without it, the codes of all rules are listed. FILE:PATH names a
    value, such as specs/clv.yaml:tasks.train_model.timeout. For it, the command shows the line that sets it, the
    settings that this line overrides, in order, and the value with every {{ … }} replaced.
    """
    if subject is None:
        return _list(options)
    if ":" in subject:
        return _explain_value(subject, options)
    return _explain_code(subject, options)


def _list(options: Options) -> int:
    from sfml.check.explanations import explanations
    from sfml.render.explain import codes_text, explanation_json

    every = explanations().values()
    if options.json:
        output.say_json({"codes": [explanation_json(item) for item in every]})
    else:
        output.say(codes_text(every))
        output.say("\nNext:  sfml explain SF203")
    return 0


def _explain_code(code: str, options: Options) -> int:
    from sfml.base.errors import UsageError
    from sfml.check.explanations import explanations
    from sfml.render.explain import explanation_json, explanation_text

    every = explanations()
    explained = every.get(code.upper())
    if explained is None and (policy := _policy(code.upper())) is not None:
        explained = policy
    if explained is None:
        if not _CODE.fullmatch(code):
            raise UsageError(
                f"`{code}` is neither a code nor FILE:PATH",
                help="sfml explain SF203, or sfml explain specs/clv.yaml:tasks.train_model.timeout",
            )
        raise UsageError(f"there is no code `{code.upper()}`", help="`sfml explain` lists them all")
    if options.json:
        output.say_json({"codes": [explanation_json(explained)]})
    else:
        output.say(explanation_text(explained))
    return 0


def _policy(code: str) -> Explanation | None:
    """The explanation of a policy of the project in the working directory, or of a preset."""
    from sfml.check.explanations import Explanation
    from sfml.frontend.project_policies import policy_of_code

    policy = policy_of_code(Path.cwd(), code)
    if policy is None:
        return None
    return Explanation(policy.code, policy.title, policy.what, policy.why, policy.help or "")


def _explain_value(subject: str, options: Options) -> int:
    from sfml.cli.value_origins import value_origins
    from sfml.render.explain import origin_json, origin_text

    name, _, path = subject.partition(":")
    values = value_origins(name, path, options)
    if options.json:
        output.say_json(
            {"values": [origin_json(value.origin, value.pipeline, value.target) for value in values]}
        )
        return 0
    for index, value in enumerate(values[:MOST_SHOWN]):
        if index:
            output.say()
        output.say(origin_text(value.origin, f"(pipeline {value.pipeline}, target {value.target})"))
    if len(values) > MOST_SHOWN:
        output.say(f"\n… and {len(values) - MOST_SHOWN} more values; --output json has them all")
    return 0
