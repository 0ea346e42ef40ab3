"""The option `--policies REF`, and applying the policies of a project to what a command reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sfml.cli.options import Options

if TYPE_CHECKING:
    from sfml.check.explanations import Explanation
    from sfml.frontend.compiled_spec import CompiledSpec
    from sfml.frontend.reading import Reading
    from sfml.operations.policies import PlanFindings
    from sfml.plan.model import Plan

F = TypeVar("F", bound=Callable[..., Any])

policy_options: Callable[[F], F] = click.option(
    "--policies",
    "policies_of",
    metavar="REF",
    help="Take the policies from this commit, and trust those in Python there.  [default: the files, if trusted]",
)


def held_to_policies(
    readings: list[Reading], options: Options, policies_of: str | None, baseline: str | None
) -> list[Reading]:
    """The readings with the findings of policies; with a baseline, only of those that are new since that commit."""
    from sfml.frontend.reading import may_have_policies

    if policies_of is None and baseline is None and not any(map(may_have_policies, readings)):
        return readings
    from sfml.cli.inputs import user_name
    from sfml.frontend.team_policies import with_policies
    from sfml.review.policy_base import base_readings, choice_of

    choice = choice_of(readings, policies_of)
    if baseline is None or not any(choice.of(reading)[0].policies for reading in readings):
        return with_policies(readings, choice)

    with ExitStack() as stack:
        base = stack.enter_context(base_readings(readings, baseline, options.variables, user_name(options)))
        return with_policies(readings, choice, base)


def explanations_of(readings: Sequence[Reading]) -> Mapping[str, Explanation]:
    """The explanations of the policies that were applied, by code."""
    if not any(reading.policies for reading in readings):
        return {}
    from sfml.check.explanations import Explanation

    return {
        policy.code: Explanation(policy.code, policy.title, policy.what, policy.why, policy.help or "")
        for reading in readings
        for policy in reading.policies
    }


def applied_codes(reading: Reading) -> tuple[tuple[str, str], ...]:
    """Code and title of each policy that was applied to the reading."""
    return tuple((policy.code, policy.title) for policy in reading.policies)


def say_plan_findings(findings: PlanFindings, options: Options) -> None:
    """Print what policies find in a plan on standard error, unless the output is JSON or Markdown."""
    from sfml.cli.inputs import say_diagnostics

    if options.format == "text" and (findings.refuses or not options.quiet):
        say_diagnostics(findings.findings, findings.sources or {}, options)


def held_plan(
    compiled_spec: CompiledSpec, plan: Plan, policies_of: str | None, options: Options
) -> PlanFindings:
    """Print what policies find in a plan; raises `PolicyRefusal` if they do not let it be applied."""
    from sfml.operations.policies import plan_findings

    result = plan_findings(compiled_spec, plan, policies_of)
    say_plan_findings(result, options)
    result.demand()
    return result


def policies_json(found: PlanFindings) -> dict[str, Any]:
    """What policies find in a plan, for its JSON."""
    from sfml.render.json import diagnostic_json

    return {"policies": [diagnostic_json(finding) for finding in found.findings]}
