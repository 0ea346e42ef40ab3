"""Policies: a team's rules over compiled pipelines and plans, as Python functions or as YAML.

In a file of the folder `policies`:

    from sfml.policies import Task, policy

    @policy("ML101", severity="warning")
    def short_tasks(task: Task):
        "Tasks end within four hours."
        if task.timeout is not None and task.timeout > 4 * 3600:
            yield task.finding("it may run for longer than four hours", at="timeout")
"""

from sfml.policies.interface import Change, Finding, Pipeline, Plan, Task, policy

__all__ = ["Change", "Finding", "Pipeline", "Plan", "Task", "policy"]
