"""`sfml explain [CODE | FILE:PATH]`"""

from __future__ import annotations

import re

import click

from sfml.cli import output
from sfml.cli.options import Options, shared_options

MOST_SHOWN = 10
"""The maximum number of values shown. A default may be the value of many tasks."""

_CODE = re.compile(r"sf\d{3}", re.IGNORECASE)


@click.command()
@click.argument("subject", required=False, metavar="[CODE | FILE:PATH]")
@shared_options()
def command(subject: str | None, options: Options) -> int:
    """Explain the code of a finding, or show where a value comes from.

    CODE is a code such as SF203; without it, all codes are listed. FILE:PATH names a value, such as
    specs/clv.yaml:tasks.train_model.timeout. For it, the command shows the line that sets it, the settings that
    this line overrides, in order, and the value with every {{ … }} replaced.
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
