"""Policies as values: where each comes from, what it is about, and how serious it is in which target."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, TypeAlias

from sfml.base.diagnostic import Diagnostic
from sfml.base.record import record
from sfml.base.source import Span
from sfml.graph.model import Target
from sfml.policies.conditions import Condition
from sfml.policies.interface import Plan

CODE = re.compile(r"[A-Z][A-Z0-9_]{1,31}")
OWN_CODE = re.compile(r"SF\d")
"""How the codes of sfml's own rules begin; no policy may have such a code."""

FOLDER = "policies"
"""The folder of a project's policies where nothing else is said."""


class Level(StrEnum):
    """How serious the findings of a policy are in a target."""

    ERROR = "error"
    WARNING = "warning"
    OFF = "off"


Severity: TypeAlias = "Mapping[str, Level]"
"""Target, mode or `default` → level."""

MODES = ("production", "development", "local")
DEFAULT = "default"
About: TypeAlias = Literal["pipeline", "task", "change"]
PRESETS = ("minimal", "standard", "strict")


@record
class FieldRule:
    """A policy in YAML: of everything that `where` holds for, `condition` holds for the value of `field`."""

    about: About
    where: tuple[tuple[str, Condition], ...]
    field: str
    condition: Condition
    message: str


@record
class FunctionRule:
    """A policy in Python: a function of a module of the policies' folder, with the parameters that it takes."""

    module: str
    function: str
    parameters: tuple[str, ...]

    @property
    def needs_plan(self) -> bool:
        return "plan" in self.parameters


@record
class Policy:
    """One policy. `span` is where it is defined; `origin` is a file of the project, or `preset standard`."""

    code: str
    title: str
    rule: FieldRule | FunctionRule
    severity: Severity
    origin: str
    span: Span | None = None
    what: str = ""
    why: str = ""
    help: str | None = None

    @property
    def is_python(self) -> bool:
        return isinstance(self.rule, FunctionRule)

    @property
    def needs_plan(self) -> bool:
        match self.rule:
            case FieldRule(about=about):
                return about == "change"
            case FunctionRule():
                return self.rule.needs_plan


@record
class PolicySettings:
    """What `policies` of the project file says; `severity` is by code. `seconds` is the time of each Python policy."""

    folder: str = FOLDER
    preset: str | None = None
    python: bool = False
    severity: Mapping[str, Severity] = field(default_factory=dict)
    seconds: float = 10.0
    span: Span | None = None


@record
class PolicyTest:
    """A test of a policy: a pipeline as an entry file has it, and the tasks that the policy finds in it."""

    name: str
    code: str
    target: str | None
    text: str
    finds: tuple[str, ...] | int
    span: Span
    plan: Plan | None = None


@record
class PolicySet:
    """The policies of a project, with the findings about their files, and the texts of these.

    `folder` holds every file of the policies' folder by its path in the project. `silent` are Python policies that
    the project file does not allow.
    """

    settings: PolicySettings
    policies: tuple[Policy, ...]
    findings: tuple[Diagnostic, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    tests: tuple[PolicyTest, ...] = ()

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(policy.code for policy in self.policies)

    def of_code(self, code: str) -> Policy | None:
        return next((policy for policy in self.policies if policy.code == code), None)

    def level(self, policy: Policy, target: Target) -> Level:
        """How serious the policy is in the target: as the project file says, else as the policy says."""
        said = self.settings.severity.get(policy.code, {})
        return _level(said, target) or _level(policy.severity, target) or Level.OFF


NO_POLICIES = PolicySet(PolicySettings(), ())


def mode_of(target: Target) -> str:
    return "local" if target.is_local else str(target.mode)


def _level(severity: Severity, target: Target) -> Level | None:
    """The level for the target's name, else its mode, else `default`; None where nothing is said."""
    for key in (target.name, mode_of(target), DEFAULT):
        if key in severity:
            return severity[key]
    return None


def everywhere(level: Level) -> Severity:
    return MappingProxyType({DEFAULT: level})
