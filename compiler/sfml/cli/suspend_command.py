"""`sfml suspend SPEC`"""

from __future__ import annotations

import click

from sfml.cli.deployed_roots import say_switched, switching
from sfml.cli.lease_options import Locking, locking_options
from sfml.cli.options import Options, shared_options
from sfml.operations.schedule_switch import deployed_words, turn_off


@click.command()
@click.argument("spec")
@locking_options
@shared_options()
def command(spec: str, locking: Locking, options: Options) -> int:
    """Turn the schedule of SPEC off. An executing run continues; a later apply leaves the schedule off."""
    with switching(spec, options, locking) as (compiled_spec, target, root):
        turn_off(compiled_spec.desired, target, root)
    name, where = compiled_spec.desired.pipeline, compiled_spec.desired.where
    if deployed_words(compiled_spec.desired, root) is None:
        text = f"{name} has no schedule that could be turned off: it runs when you say  sfml run {where}"
    else:
        text = f"The schedule of {name} {'is off' if root.started else 'was off already'}"
        text += f". On again with:  sfml resume {where}"
    say_switched(compiled_spec, options, text, changed=root.started, is_on=False)
    return 0
