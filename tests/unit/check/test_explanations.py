"""The docstrings of rules, read as what `sfml explain` says."""

from __future__ import annotations

import pytest

from sfml.check import CHECKS
from sfml.check.explanations import GROUPS, explanation, explanations
from sfml.spec.codes import EXPLANATIONS


def test_every_code_is_there_in_order() -> None:
    every = explanations()
    assert len(every) == len(CHECKS) + len(EXPLANATIONS)
    assert list(every) == sorted(every)
    for one in every.values():
        assert one.group in GROUPS.values()
        assert all((one.title, one.what, one.why, one.instead))
        assert not any("\n" in part or "  " in part for part in (one.title, one.what, one.why, one.instead))


def test_a_docstring_falls_into_its_parts() -> None:
    one = explanation(
        "SF999: a thing is wrong.\n\n  What: this\n  and that.\n  Why: so.\n  Instead: do `x: y`."
    )
    assert (one.code, one.title) == ("SF999", "a thing is wrong")
    assert (one.what, one.why, one.instead) == ("this and that.", "so.", "do `x: y`.")


def test_a_docstring_of_another_form_is_our_own_bug() -> None:
    with pytest.raises(AssertionError):
        explanation("Finds things.")
