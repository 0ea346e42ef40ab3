"""`sfml resume SPEC`"""

from __future__ import annotations

import click

from sfml.cli.deployed_roots import say_switched, switching
from sfml.cli.lease_options import Locking, locking_options
from sfml.cli.options import Options, shared_options
from sfml.operations.apply_plan import LOCAL_SCHEDULES, schedule_words
from sfml.operations.schedule_switch import turn_on


@click.command()
@click.argument("spec")
@locking_options
@shared_options()
def command(spec: str, locking: Locking, options: Options) -> int:
    """Turn the schedule of SPEC on, and resume all its tasks."""
    with switching(spec, options, locking) as (compiled_spec, target, root):
        turn_on(compiled_spec.desired, target, root)
    words = schedule_words(compiled_spec.desired)
    text = f"{compiled_spec.desired.pipeline} is on" + (f": {words}" if words else "; it has no schedule")
    if compiled_spec.desired.target.is_local:
        text += f"\nnote: {LOCAL_SCHEDULES}"
    say_switched(compiled_spec, options, text, changed=not root.started, is_on=True)
    return 0
