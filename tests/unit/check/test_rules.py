"""The rules as a list: each documented, each coded, each shown by an acceptance case."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sfml.check import CHECKS, Rule
from sfml.frontend.reading import read
from sfml.spec.codes import EXPLANATIONS

PACKAGE = Path(__file__).parents[3] / "compiler" / "sfml"
CASES = Path(__file__).parents[2] / "acceptance" / "validate"


def code_of(rule: Rule) -> str:
    found = re.match(r"(SF[1-7]\d\d): ", rule.__doc__ or "")
    assert found is not None, rule.__name__
    return found[1]


@pytest.mark.parametrize("rule", CHECKS, ids=lambda rule: rule.__name__)
def test_a_rule_says_what_why_and_instead(rule: Rule) -> None:
    assert code_of(rule)
    text = rule.__doc__ or ""
    for part in ("What: ", "Why: ", "Instead: "):
        assert part in text, part


def test_codes_are_unique() -> None:
    codes = [code_of(rule) for rule in CHECKS]
    assert len(codes) == len(set(codes))


def test_every_rule_has_an_acceptance_case() -> None:
    shown = set()
    for expected in CASES.glob("*/expected.txt"):
        shown |= set(re.findall(r"\[(SF\d{3})\]", expected.read_text(encoding="utf-8")))
    assert {code_of(rule) for rule in CHECKS} - shown == set()


def test_every_code_is_explained() -> None:
    used: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        used |= set(re.findall(r'"(SF\d{3})"', path.read_text(encoding="utf-8")))
    for code, text in EXPLANATIONS.items():
        assert text.startswith(f"{code}: ")
        assert all(part in text for part in ("What: ", "Why: ", "Instead: "))
    rules = {code_of(rule) for rule in CHECKS}
    assert used - {"SF100"} == rules | EXPLANATIONS.keys()
    assert not rules & EXPLANATIONS.keys()


@pytest.mark.parametrize(("alerts", "codes"), [("", []), (", alerts: {channels: {slack: S}}", ["SF206"])])
def test_the_finalizer_of_alerts_counts_as_a_task(tmp_path: Path, alerts: str, codes: list[str]) -> None:
    after = ["", *(f", after: [t{(number - 1) // 50}]" for number in range(1, 999))]
    tasks = "".join(f"    t{number}: {{sql: select 1{after[number]}}}\n" for number in range(999))
    (tmp_path / "sfml.yaml").write_text("version: 1\ntargets: {local: {kind: local, default: true}}\n")
    (tmp_path / "p.yaml").write_text(
        f"version: 1\npipeline: p\nschedule: {{schedule: {{every: 1d}}{alerts}}}\ngraph:\n  tasks:\n{tasks}"
    )
    found = read(tmp_path / "p.yaml", target="local", user="ada").diagnostics
    assert [one.code for one in found] == codes
