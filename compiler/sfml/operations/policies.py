"""The policies of a project, applied to a compiled pipeline and the plan for it."""

from __future__ import annotations

from collections.abc import Mapping

from sfml.base.diagnostic import Diagnostic, has_errors
from sfml.base.errors import PolicyRefusal
from sfml.base.record import record
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.frontend.reading import may_have_policies
from sfml.frontend.team_policies import only_policies
from sfml.plan.model import Plan
from sfml.policies.described import plan_of
from sfml.render.plan import change_json, risk_json
from sfml.review.policy_base import choice_of


@record
class PlanFindings:
    """What policies find in a plan and its pipeline, with the texts that the findings are shown with."""

    findings: tuple[Diagnostic, ...] = ()
    sources: Mapping[str, str] | None = None

    @property
    def refuses(self) -> bool:
        return has_errors(self.findings)

    def demand(self) -> None:
        """Raises `PolicyRefusal` if one of them is an error."""
        if self.refuses:
            raise PolicyRefusal(self.findings)


def plan_findings(found: CompiledSpec, plan: Plan, policies_of: str | None = None) -> PlanFindings:
    """The findings of all policies that are on in the plan's target; `policies_of` names the commit of the policies."""
    if policies_of is None and not may_have_policies(found.reading):
        return PlanFindings()
    choice = choice_of([found.reading], policies_of)
    described = plan_of(map(change_json, plan.changes), map(risk_json, plan.risks))
    (reading,) = only_policies([found.reading], choice, plans={0: described})
    return PlanFindings(reading.diagnostics, reading.sources)
