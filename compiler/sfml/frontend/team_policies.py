"""Policies of a project, applied to the readings of its pipelines: their findings are findings like others."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sfml.base.diagnostic import Diagnostic, Severity, by_position, is_rule_code, placed
from sfml.base.record import record
from sfml.base.source import Span
from sfml.frontend.reading import Reading, with_findings
from sfml.frontend.silencing import silenced
from sfml.policies.evaluation import Evaluation, Subject, evaluate
from sfml.policies.model import FOLDER, NO_POLICIES, Level, Policy, PolicySet
from sfml.policies.policy_set import folder_on_disk, policies_on_disk
from sfml.policies.trust import is_trusted

if TYPE_CHECKING:
    from sfml.policies.interface import Plan

_MARKS = {
    ".yaml": re.compile(rb"^policies\s*:\s*$[^\n]*\n\s*-\s*code\s*:", re.MULTILINE),
    ".py": re.compile(rb"^\s*(?:from|import)\s+sfml\.policies\b", re.MULTILINE),
}

Likeness: TypeAlias = tuple[str, str, "str | None"]
BaseReadings: TypeAlias = "Mapping[tuple[Path, str, str | None], Reading | None]"
"""Root, entry file and target → the reading of the base; None where the base has no such pipeline."""


@record
class PolicyChoice:
    """Whose policies hold: those of the files, or `sets` by the root of each project.

    `is_trusted` says that whoever started the command named a commit, and trusts the code of its policies.
    """

    sets: Mapping[Path, PolicySet] | None = None
    is_trusted: bool = False

    def of(self, reading: Reading) -> tuple[PolicySet, bool]:
        """The policies for a reading, and whether those in Python may run."""
        policies = own_policies(reading) if self.sets is None else self.sets.get(reading.root, NO_POLICIES)
        return policies, self.is_trusted or (policies.settings.python and is_trusted(policies.folder))


OWN = PolicyChoice()
"""The policies of the project's files; Python runs if its contents are trusted."""


@record
class PolicyFindings:
    """What policies say of one reading, with places relative to the project's root."""

    findings: tuple[Diagnostic, ...] = ()
    applied: tuple[Policy, ...] = ()
    """The policies that were applied to it."""
    sources: Mapping[str, str] = field(default_factory=dict, repr=False)


def own_policies(reading: Reading) -> PolicySet:
    """The policies of the reading's project, from its folder on disk."""
    project = reading.loaded.project
    if project is None or "policies" not in project.document.entries:
        return NO_POLICIES
    return policies_on_disk(project.root, project.document, project.targets)


def with_policies(
    readings: Sequence[Reading], choice: PolicyChoice = OWN, base: BaseReadings | None = None
) -> list[Reading]:
    """The readings, with the findings of policies; with `base`, only of those that the base does not have."""
    result = list(readings)
    done: set[tuple[Path, str | None]] = set()
    for place, findings in policy_findings(readings, choice, base=base).items():
        reading = readings[place]
        own = findings.findings
        if (reading.root, reading.target) in done:
            own = tuple(one for one in own if not one.is_of_rule)
        done.add((reading.root, reading.target))
        result[place] = _with(reading, replace(findings, findings=own))
    return result


def _with(reading: Reading, outcome: PolicyFindings) -> Reading:
    findings = (placed(finding, reading.place) for finding in outcome.findings)
    left = silenced(findings, reading.silencings)
    # Whether a silencing is needed is only known of policies that were applied.
    applied = {policy.code for policy in outcome.applied}
    idle = frozenset(
        silencing
        for silencing in reading.silencings
        if not is_rule_code(silencing.code) and silencing.code not in applied
    )
    sources = {f"{reading.prefix}{file}": text for file, text in outcome.sources.items()}
    return replace(
        with_findings(reading, left.kept),
        used=reading.used | left.used | idle,
        accepted=(*reading.accepted, *left.accepted),
        sources={**reading.sources, **sources},
        policies=outcome.applied,
    )


def only_policies(
    readings: Sequence[Reading],
    choice: PolicyChoice,
    *,
    plans: Mapping[int, Plan] | None = None,
    plan_only: bool = False,
) -> list[Reading]:
    """The readings with no other findings than those of policies; `plans` are by the number of the reading."""
    findings = policy_findings(readings, choice, plans=plans, plan_only=plan_only)
    return [
        _with(replace(reading, diagnostics=()), findings.get(place, PolicyFindings()))
        for place, reading in enumerate(readings)
    ]


def policy_findings(
    readings: Sequence[Reading],
    choice: PolicyChoice = OWN,
    *,
    base: BaseReadings | None = None,
    plans: Mapping[int, Plan] | None = None,
    plan_only: bool = False,
) -> dict[int, PolicyFindings]:
    """Number of a reading → what policies find in it. `plans` are by the same numbers.

    All policies of a project are applied at once, to all its pipelines and targets.
    """
    by_place: dict[int, PolicyFindings] = {}
    for root, places in _by_root(readings).items():
        first = readings[places[0]]
        policies, trusts = choice.of(first)
        if not policies.policies and not policies.findings:
            unread = _unread(root) if policies is NO_POLICIES and choice.sets is None else ()
            by_place |= {place: PolicyFindings(unread) for place in places if unread}
            continue
        compiled = [place for place in places if readings[place].graph is not None]
        subjects = [_subject(readings[place], (plans or {}).get(place), plan_only) for place in compiled]
        before = {place: _base_of(readings[place], base) for place in compiled} if base is not None else {}
        old = {
            place: reading
            for place, reading in before.items()
            if reading is not None and reading.graph is not None
        }
        subjects += [_subject(reading, None, False) for reading in old.values()]
        evaluation = evaluate(policies, subjects, runs_python=trusts)
        known = dict(zip(old, evaluation.by_subject[len(compiled) :], strict=True))
        about = by_position((*_about(policies, choice), *evaluation.about_policies))
        for place in places:
            own = _new(evaluation, compiled, place, known, old)
            applied = _applied(policies, evaluation, readings[place], plan_only or bool(plans))
            by_place[place] = PolicyFindings((*own, *about), applied, policies.sources)
    return by_place


def _applied(
    policies: PolicySet, evaluation: Evaluation, reading: Reading, has_plan: bool
) -> tuple[Policy, ...]:
    """The policies that were applied to a reading; those over plans only where there is one."""
    graph = reading.graph
    if graph is None:
        return ()
    return tuple(
        policy
        for policy in policies.policies
        if policy.code in evaluation.evaluated
        and (has_plan or not policy.needs_plan)
        and policies.level(policy, graph.target) is not Level.OFF
    )


def _about(policies: PolicySet, choice: PolicyChoice) -> Iterable[Diagnostic]:
    """What is wrong with the policies. In those of another commit, it is nothing that a change here could mend."""
    if not choice.is_trusted:
        return policies.findings
    return (
        replace(finding, severity=Severity.WARNING, span=None, labels=(), fix=None)
        for finding in policies.findings
    )


def _new(
    evaluation: Evaluation,
    compiled: Sequence[int],
    place: int,
    known: Mapping[int, tuple[Diagnostic, ...]],
    old: Mapping[int, Reading],
) -> tuple[Diagnostic, ...]:
    """The findings about a reading without those that its base has too."""
    if place not in compiled:
        return ()
    own = evaluation.by_subject[compiled.index(place)]
    if place not in known:
        return own
    left = silenced(known[place], old[place].silencings)
    return tuple(since((*left.kept,), own))


def since(before: Iterable[Diagnostic], now: Iterable[Diagnostic]) -> Iterable[Diagnostic]:
    """The findings of now that are not among those of before; one that is there more often is new that many times."""
    counts = Counter(_likeness(finding) for finding in before)
    for finding in now:
        likeness = _likeness(finding)
        if counts[likeness] > 0:
            counts[likeness] -= 1
        else:
            yield finding


def _likeness(finding: Diagnostic) -> Likeness:
    """What stays the same when lines are moved."""
    return finding.code, finding.message, finding.path


def _subject(reading: Reading, plan: Plan | None, plan_only: bool) -> Subject:
    assert reading.graph is not None
    return Subject(reading.graph, plan, plan_only)


def _base_of(reading: Reading, base: BaseReadings) -> Reading | None:
    return base.get((reading.root, reading.entry, reading.target))


def _by_root(readings: Sequence[Reading]) -> dict[Path, list[int]]:
    places: dict[Path, list[int]] = defaultdict(list)
    for place, reading in enumerate(readings):
        places[reading.root].append(place)
    return places


def _unread(root: Path) -> tuple[Diagnostic, ...]:
    """A finding for a folder of policies that the project file does not mention."""
    for file, content in folder_on_disk(root, FOLDER).files.items():
        mark = _MARKS.get(Path(file).suffix)
        if mark is not None and mark.search(content):
            message = f"`{file}` holds policies, but the project file has no key `policies`"
            help = "add `policies: {}` to sfml.yaml, or `policies: {preset: standard}`"
            return (Diagnostic.warning("SF537", message, at=Span.whole(file), help=help),)
    return ()
