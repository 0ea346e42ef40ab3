"""What every code means: from the docstrings of the rules, and for the findings of reading from their table."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import cache

from sfml.base.record import record
from sfml.check import CHECKS
from sfml.spec.codes import EXPLANATIONS

GROUPS: Mapping[str, str] = {
    "SF1": "Reading: files, shapes, expressions, variables, targets",
    "SF2": "Names and edges",
    "SF3": "Steps, branches and data flow",
    "SF4": "Compute and settings of tasks",
    "SF5": "Schedules",
    "SF6": "Care: alerts, secrets, pins",
    "SF7": "Tests of a graph",
}
"""What the first digit of a code tells."""

_PARTS = re.compile(
    r"(?P<code>SF\d{3}): (?P<title>.*?)\s*What: (?P<what>.*?)\s*Why: (?P<why>.*?)\s*Instead: (?P<instead>.*)",
    re.DOTALL,
)


@record
class Explanation:
    """What a code demands, why, and what to do instead; `title` names what is wrong."""

    code: str
    title: str
    what: str
    why: str
    instead: str

    @property
    def group(self) -> str:
        return GROUPS[self.code[:3]]


@cache
def explanations() -> Mapping[str, Explanation]:
    """Every code with its explanation, in the order of the codes."""
    texts = (*EXPLANATIONS.values(), *(inspect.getdoc(rule) or "" for rule in CHECKS))
    found = (explanation(text) for text in texts)
    return {one.code: one for one in sorted(found, key=lambda one: one.code)}


def explanation(text: str) -> Explanation:
    """The explanation that a docstring of the form `SF203: … What: … Why: … Instead: …` gives."""
    match = _PARTS.match(text)
    assert match is not None, f"not the form of a rule's docstring: {text[:40]!r}"
    code, title, what, why, instead = (" ".join(part.split()) for part in match.groups())
    return Explanation(code, title.removesuffix("."), what, why, instead)
