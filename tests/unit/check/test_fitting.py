"""Values against the shapes of parameters."""

from __future__ import annotations

import pytest

from sfml.catalog.shapes import ANYTHING, NOTHING, AnyOf, ListOf, Literals, MapOf, Primitive, Record, Shape
from sfml.check.fitting import field_shape, may_be, misfit
from sfml.graph.model import Reference, Source, Template, Value

STR, INT, FLOAT, BOOL = Primitive("str"), Primitive("int"), Primitive("float"), Primitive("bool")
FIT = Record("Fit", {"path": STR, "r2": FLOAT, "note": STR}, frozenset({"note"}))
REFERENCE = Reference(Source.RESULT, "t", ())


@pytest.mark.parametrize(
    ("value", "shape", "fits"),
    [
        (1, INT, True),
        (1, FLOAT, True),
        (1.5, INT, False),
        (True, INT, False),
        (True, BOOL, True),
        ("1", INT, False),
        (None, STR, False),
        (None, AnyOf((STR, NOTHING)), True),
        ("a", Literals(("a", "b")), True),
        ("c", Literals(("a", "b")), False),
        (True, Literals((1,)), False),
        (("a", "b"), ListOf(STR), True),
        (("a", 1), ListOf(STR), False),
        ("a", ListOf(STR), False),
        ({"x": 1}, MapOf(FLOAT), True),
        ({"x": "1"}, MapOf(FLOAT), False),
        ({"path": "p", "r2": 1}, FIT, True),
        ({"path": "p"}, FIT, False),
        ({"path": "p", "r2": 1, "odd": 1}, FIT, False),
        ({"odd": object}, ANYTHING, True),
        (Template(("a", REFERENCE)), STR, True),
        (Template(("a", REFERENCE)), INT, False),
        (("a", REFERENCE), ListOf(STR), True),
    ],
)
def test_values(value: Value, shape: Shape, fits: bool) -> None:
    assert (misfit(value, shape, lambda _: ANYTHING) is None) is fits


@pytest.mark.parametrize(
    ("given", "wanted", "possible"),
    [
        (STR, STR, True),
        (STR, INT, False),
        (FLOAT, INT, False),
        (INT, FLOAT, True),
        (AnyOf((FLOAT, INT)), INT, True),
        (ListOf(FLOAT), ListOf(INT), False),
        (BOOL, INT, False),
        (ANYTHING, INT, True),
        (AnyOf((STR, NOTHING)), STR, True),
        (AnyOf((STR, NOTHING)), INT, False),
        (Literals(("a",)), STR, True),
        (STR, Literals(("a",)), True),
        (INT, Literals(("a",)), False),
        (ListOf(STR), ListOf(INT), False),
        (FIT, MapOf(ANYTHING), True),
        (FIT, MapOf(FLOAT), False),
        (FIT, FIT, True),
        (FIT, Record("More", {"path": STR, "extra": STR}), False),
        (STR, FIT, False),
    ],
)
def test_shapes(given: Shape, wanted: Shape, possible: bool) -> None:
    assert may_be(given, wanted) is possible


def test_paths_into_results() -> None:
    shape = Record("R", {"fit": AnyOf((FIT, NOTHING)), "all": ListOf(MapOf(INT))})
    assert field_shape(shape, ("fit", "r2")) == FLOAT
    assert field_shape(shape, ("all", 3, "x")) == INT
    assert field_shape(shape, ()) == shape
    assert field_shape(shape, ("fit", "r3")) == ("r3", AnyOf((FIT, NOTHING)))
    assert field_shape(shape, ("all", "x")) == ("x", ListOf(MapOf(INT)))
    assert field_shape(ANYTHING, ("a", 0)) == ANYTHING


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"path": STR}, "is a mapping like `Mine`, which lacks the key `r2` of `Fit`"),
        ({"path": STR, "r2": STR}, "is a mapping like `Mine`, whose `r2` is text, not a number"),
        (
            {"path": STR, "r2": FLOAT, "note": Record("Note", {"by": STR})},
            "is a mapping like `Mine`, whose `note` is a mapping like `Note`, not text",
        ),
        ({"path": STR, "r2": FLOAT, "more": INT}, None),
    ],
)
def test_a_result_is_told_by_the_field_that_does_not_fit(given: dict[str, Shape], reason: str | None) -> None:
    assert misfit(REFERENCE, FIT, lambda _: Record("Mine", given)) == reason


def test_a_field_within_a_field_is_named() -> None:
    outer = Record("Outer", {"fit": FIT})
    given = Record("Mine", {"fit": Record("Inner", {"path": STR})})
    assert misfit(REFERENCE, outer, lambda _: given) == (
        "is a mapping like `Mine`, whose `fit` is a mapping like `Inner`, which lacks the key `r2` of `Fit`"
    )
