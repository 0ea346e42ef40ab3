"""The explanations of all codes: from the docstrings of rules, and from `spec.codes` for codes without a rule."""

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
    "SF5": "Schedules, sizes, costs and policies",
    "SF6": "Production: alerts, secrets, pinned versions",
    "SF7": "Tests of a graph",
}
"""The beginning of a code → the name of its group."""

_PARTS = re.compile(
    r"(?P<code>SF\d{3}): (?P<title>.*?)\s*What: (?P<what>.*?)\s*Why: (?P<why>.*?)\s*Instead: (?P<instead>.*)",
    re.DOTALL,
)


@record
class Explanation:
    """The explanation of a code: `title` says what is wrong, `what` what is required, then why, and what to do."""

    code: str
    title: str
    what: str
    why: str
    instead: str

    @property
    def group(self) -> str:
        """The group of a rule; the codes of policies belong to none of them."""
        return GROUPS.get(self.code[:3], "Policies")


@cache
def explanations() -> Mapping[str, Explanation]:
    """Code → explanation, in the order of the codes."""
    texts = (*EXPLANATIONS.values(), *(inspect.getdoc(rule) or "" for rule in CHECKS))
    in_order = sorted((explanation(text) for text in texts), key=lambda one: one.code)
    return {item.code: item for item in in_order}


def explanation(text: str) -> Explanation:
    """The explanation in a docstring of the form `SF203: … What: … Why: … Instead: …`."""
    match = _PARTS.match(text)
    assert match is not None, f"not the form of a rule's docstring: {text[:40]!r}"
    code, title, what, why, instead = (" ".join(part.split()) for part in match.groups())
    return Explanation(code, title.removesuffix("."), what, why, instead)
