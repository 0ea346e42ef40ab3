"""Both sides of a review held to the same policies, so that only what the change brings in is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sfml.base.diagnostic import Diagnostic
from sfml.base.record import record
from sfml.frontend.shared_findings import distinct_findings
from sfml.frontend.team_policies import PolicyChoice, only_policies
from sfml.plan.model import Change, Risk
from sfml.policies.described import plan_of
from sfml.policies.interface import Plan
from sfml.policies.model import PolicySet
from sfml.review.git_objects import Repository, commit_of, tree_of
from sfml.review.model import PipelineDiff, TargetDiff
from sfml.review.policy_base import policies_in
from sfml.review.reach import project_of
from sfml.review.sides import PipelineSide
from sfml.review.snapshot import Snapshot
from sfml.spec.project import PROJECT_FILE


@record
class PipelineSides:
    """A pipeline on both sides, and the targets that are compared."""

    targets: tuple[str, ...]
    old: PipelineSide | None
    new: PipelineSide | None


Sides = Mapping[str, PipelineSides]
"""Entry file → its sides."""


class ReviewPolicies:
    """The policies for a review: those of the head, or of the commit that the user names and trusts."""

    def __init__(self, repository: Repository, head: Snapshot, policies_of: str | None) -> None:
        self._repository = repository
        self._snapshot = head
        self._is_trusted = policies_of is not None
        self._head = head
        if policies_of is not None:
            commit = commit_of(repository, policies_of)
            self._snapshot = Snapshot(policies_of, commit, tree_of(repository, commit))
        self._sets: dict[str, PolicySet] = {}

    def held(self, sides: Sides) -> dict[str, PipelineSides]:
        """The sides with the findings of policies. What is wrong with a policy is a finding of the head."""
        old = self._findings({entry: one.old for entry, one in sides.items()})
        new = self._findings({entry: one.new for entry, one in sides.items()})
        return {
            entry: PipelineSides(
                one.targets,
                one.old and replace(one.old, policy_findings=_of_policies(old[entry])),
                one.new and replace(one.new, policy_findings=new[entry]),
            )
            for entry, one in sides.items()
        }

    def with_plans(self, pipelines: Sequence[PipelineDiff], sides: Sides) -> list[PipelineDiff]:
        """The differences with what policies over plans find in them; all of that is new."""
        plans = {
            pipeline.spec: {target.target: _plan(target) for target in pipeline.targets}
            for pipeline in pipelines
        }
        found = self._findings({pipeline.spec: sides[pipeline.spec].new for pipeline in pipelines}, plans)
        return [
            replace(pipeline, head_findings=(*pipeline.head_findings, *_of_policies(found[pipeline.spec])))
            for pipeline in pipelines
        ]

    def notes(self, changed: frozenset[str]) -> list[str]:
        """A note where a change of policies does not count yet."""
        if not self._is_trusted:
            return []
        own = sorted(
            path
            for path in changed
            for folder, policies in self._sets.items()
            if path.startswith(f"{folder}{policies.settings.folder}/")
            or (path == f"{folder}{PROJECT_FILE}" and self._are_settings_changed(folder, policies))
        )
        name = self._snapshot.name
        return [
            f"`{path}` is changed; the policies of `{name}` hold here until it is merged" for path in own[:5]
        ]

    def _are_settings_changed(self, folder: str, policies: PolicySet) -> bool:
        """Whether the head's project file says something else of policies."""
        head = policies_in(self._repository, self._head, folder, demands=False)
        return replace(head.settings, span=None) != replace(policies.settings, span=None)

    def _findings(
        self, sides: Mapping[str, PipelineSide | None], plans: Mapping[str, Mapping[str, Plan]] | None = None
    ) -> dict[str, tuple[Diagnostic, ...]]:
        """Entry file → the findings of policies on one side; with plans, those of policies over plans only."""
        places = [(entry, reading) for entry, side in sides.items() if side for reading in side.readings]
        readings = [reading for _, reading in places]
        sets: dict[Path, PolicySet] = {}
        for entry, reading in places:
            if reading.root not in sets:
                sets[reading.root] = self._of_project(entry)
        if not any(one.policies or one.findings for one in sets.values()):
            return dict.fromkeys(sides, ())
        given = {
            number: plan
            for number, (entry, reading) in enumerate(places)
            if (plan := (plans or {}).get(entry, {}).get(reading.target or "")) is not None
        }
        choice = PolicyChoice(sets, self._is_trusted)
        held = only_policies(readings, choice, plans=given, plan_only=plans is not None)
        by_entry = {
            entry: [one for (name, _), one in zip(places, held, strict=True) if name == entry]
            for entry in sides
        }
        return {entry: distinct_findings(own) for entry, own in by_entry.items()}

    def _of_project(self, entry: str) -> PolicySet:
        folder = project_of(self._head.files, entry) or project_of(self._snapshot.files, entry) or ""
        if folder not in self._sets:
            self._sets[folder] = policies_in(
                self._repository, self._snapshot, folder, demands=self._is_trusted
            )
        return self._sets[folder]


def _of_policies(findings: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings of policies, without those about policies."""
    return tuple(finding for finding in findings if not finding.is_of_rule)


def _plan(target: TargetDiff) -> Plan:
    return plan_of(map(_change, target.changes), map(_risk, target.risks))


def _change(change: Change) -> dict[str, object]:
    fields = [
        {"path": field.path, "old": field.old, "new": field.new, "reason": field.reason.value}
        for field in change.fields
    ]
    return {
        "task": change.task,
        "action": change.action.value,
        "fields": fields,
        "risks": [_risk(risk) for risk in change.risks],
    }


def _risk(risk: Risk) -> dict[str, str]:
    return {"label": risk.label.value, "message": risk.message}
