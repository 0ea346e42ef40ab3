"""`sfml resume SPEC`"""

from __future__ import annotations

import click

from sfml.cli.deployed_roots import say_switched, switching
from sfml.cli.lease_options import Locking, locking_options
from sfml.cli.options import Options, shared_options
from sfml.operations.apply_plan import LOCAL_SCHEDULES, schedule_words
from sfml.plan.settings import OFF_SINCE, split_comment, with_off_since


@click.command()
@click.argument("spec")
@locking_options
@shared_options()
def command(spec: str, locking: Locking, options: Options) -> int:
    """Turn the schedule of SPEC on, and resume all its tasks."""
    with switching(spec, options, locking) as (found, target, root):
        if not root.started and OFF_SINCE in (split_comment(root.comment)[1] or {}):
            target.tasks.annotate(found.desired.root.name, with_off_since(root.comment, None))
        target.tasks.resume_graph(found.desired.root.name)
    words = schedule_words(found.desired)
    text = f"{found.desired.pipeline} is on" + (f": {words}" if words else "; it has no schedule")
    if found.desired.target.is_local:
        text += f"\nnote: {LOCAL_SCHEDULES}"
    say_switched(found, options, text, changed=not root.started, is_on=True)
    return 0
