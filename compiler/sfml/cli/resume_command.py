"""`sfml resume SPEC`"""

from __future__ import annotations

import click

from sfml.cli.deployed_roots import say_switched, switching
from sfml.cli.lease_options import Locking, locking_options
from sfml.cli.options import Options, shared_options
from sfml.operations.apply_plan import LOCAL_SCHEDULES
from sfml.operations.schedule_switch import deployed_words, turn_on


@click.command()
@click.argument("spec")
@locking_options
@shared_options()
def command(spec: str, locking: Locking, options: Options) -> int:
    """Turn the schedule of SPEC on, and resume all its tasks."""
    with switching(spec, options, locking) as (compiled_spec, target, root):
        turn_on(compiled_spec.desired, target, root)
    desired = compiled_spec.desired
    words = deployed_words(desired, root)
    if words is None:
        text = f"{desired.pipeline} has no schedule; its tasks are on. It runs when you say  sfml run {desired.where}"
    else:
        text = f"{desired.pipeline} is on: {words}"
        if desired.target.is_local:
            text += f"\nnote: {LOCAL_SCHEDULES}"
    say_switched(compiled_spec, options, text, changed=not root.started, is_on=words is not None)
    return 0
