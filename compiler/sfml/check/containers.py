"""SF4xx, ML Jobs and procedures: environment variables, secrets and imported files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sfml.base.diagnostic import Diagnostic
from sfml.check.case import Case, error
from sfml.graph.model import JobBody, OnPool, StepBody

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OWN = ("MLRS_", "SNOWFLAKE_")


def wrong_variables(case: Case) -> Iterator[Diagnostic]:
    """SF409: an environment variable of an ML Job has a name that is not allowed.

    What: names consist of letters, digits and `_`. They do not begin with `MLRS_` or `SNOWFLAKE_`. No name is both in
    `env_vars` and in `secrets`.
    Why: Snowflake sets variables of its own in the container, and one of two variables with the same name would be
    lost.
    Instead: rename it.
    """
    for task in case.tasks:
        if not isinstance(task.node.run_on, OnPool):
            continue
        for setting in ("env_vars", "secrets"):
            for name in getattr(task.node, setting):
                place = task.place(f"{setting}.{name}!key", setting)
                if not _VARIABLE.match(name):
                    message = f"`{name[:60]}` cannot be the name of an environment variable"
                    yield error("SF409", message, place, help="use letters, digits and `_`")
                elif name.startswith(_OWN):
                    message = f"`{name}` is a variable of Snowflake's own"
                    yield error("SF409", message, place, help="choose a name with another beginning")
                elif setting == "secrets" and name in task.node.env_vars:
                    message = f"`{name}` stands both in `env_vars` and in `secrets`"
                    yield error("SF409", message, place, help="rename one of them")


def secrets_without_access(case: Case) -> Iterator[Diagnostic]:
    """SF414: a procedure has secrets, but no external access integration that allows them.

    What: a step on a warehouse or serverless that has `secrets` has `external_access` too.
    Why: a procedure can read only secrets that one of its integrations allows; Snowflake refuses others.
    Instead: add the integration.
    """
    for task, _ in case.steps():
        node = task.node
        if node.secrets and not node.external_access and not isinstance(node.run_on, OnPool):
            message = f"task `{task.name}` has `secrets` but no `external_access`"
            help = "add `external_access: [INTEGRATION]`, one that allows these secrets"
            yield error("SF414", message, task.place("secrets!key"), help=help)


def clashing_imports(case: Case) -> Iterator[Diagnostic]:
    """SF415: two files would have the same name in an ML Job's container.

    What: each of `imports` is put beside the entrypoint, under the last part of its path.
    Why: one would replace the other.
    Instead: rename one of them.
    """
    for task in case.tasks:
        node = task.node
        taken: dict[str, str] = {}
        if isinstance(node.body, StepBody):
            taken = {"main.py": "the program that starts the step", "steps.zip": "the step's code"}
        elif isinstance(node.body, JobBody):
            taken = dict.fromkeys(task.beside, f"a part of the job's folder, `{node.body.folder}`,")
        for index, path in enumerate(node.imports):
            name = path.rsplit("/", 1)[-1]
            if name in taken:
                message = f"`{path}` would lie where {taken[name]} lies"
                yield error(
                    "SF415", message, task.place(f"imports[{index}]", "imports"), help="rename one of them"
                )
            taken.setdefault(name, f"`{path}`")
