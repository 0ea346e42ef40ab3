"""The rules as a list: each documented, each coded, each shown by an acceptance case."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sfml.check import CHECKS, Rule
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
