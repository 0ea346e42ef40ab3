"""`${…}` in texts."""

from __future__ import annotations

import pytest

from sfml.graph.model import Reference, Source, Template
from sfml.graph.references import BadReference, parsed, references_in, written


def result(task: str, *keys: str | int) -> Reference:
    return Reference(Source.RESULT, task, keys)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("$5 and {x}", "$5 and {x}"),
        ("${train}", result("train")),
        ("${ train.metrics.r2 }", result("train", "metrics", "r2")),
        ("${train.list[0].x}", result("train", "list", 0, "x")),
        ("${train['odd key']}", result("train", "odd key")),
        ("${config.threshold}", Reference(Source.CONFIG, None, ("threshold",))),
        ("${run.id}", Reference(Source.RUN, None, ("id",))),
        ("$${run.id}", "${run.id}"),
        ("a ${b} c", Template(("a ", result("b"), " c"))),
        ("${a}${b}", Template((result("a"), result("b")))),
        ("$${a} ${b}", Template(("${a} ", result("b")))),
    ],
)
def test_references(text: str, value: object) -> None:
    assert parsed(text) == value


@pytest.mark.parametrize(
    "text", ["${", "${a", "${}", "${a..b}", "${a.}", "${a[x]}", "${config}", "${run.a.b}", "${a-b}"]
)
def test_what_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(BadReference, match=r"\$\{"):
        parsed(text)


@pytest.mark.parametrize("text", ["${train.a[0].b}", "${config.k}", "${run.id}", "${t}"])
def test_references_are_written_as_they_were(text: str) -> None:
    reference = parsed(text)
    assert isinstance(reference, Reference)
    assert written(reference) == text


def test_references_are_found_wherever_they_are() -> None:
    value = {"a": (parsed("${x}"), {"b": parsed("y ${z.k}")}), "c": 1}
    assert [reference.task for reference in references_in(value)] == ["x", "z"]
