"""`@record` does what `@dataclass(frozen=True, slots=True)` does, to everything that can be asked of a value."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace

import pytest

from sfml.base.record import record


@record
class Made:
    """With a default, a list of its own, and a field that does not count."""

    name: str
    size: int = 1
    notes: list[str] = field(default_factory=list)
    place: str | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Usual:
    """With a default, a list of its own, and a field that does not count."""

    name: str
    size: int = 1
    notes: list[str] = field(default_factory=list)
    place: str | None = field(default=None, compare=False, repr=False)


@record
class Remembering:
    name: str
    seen: list[str] = field(init=False, compare=False, repr=False, default_factory=list)


@record
class One:
    only: Mapping[str, int] | float


@record
class Nothing:
    pass


def test_it_takes_what_a_dataclass_takes() -> None:
    for arguments, named in (
        (("a",), {}),
        (("a", 2), {"place": "here"}),
        ((), {"name": "a", "notes": ["n"]}),
    ):
        made, usual = Made(*arguments, **named), Usual(*arguments, **named)
        assert asdict(made) == asdict(usual)
        assert repr(made) == repr(usual).replace("Usual", "Made")
    for arguments, named in (((), {}), (("a",), {"unknown": 1}), (("a", 1, [], None, 5), {})):
        for one in (Made, Usual):
            with pytest.raises(TypeError):
                one(*arguments, **named)
    assert Made("a").notes is not Made("a").notes
    assert [one.name for one in fields(Made)] == [one.name for one in fields(Usual)]


def test_it_is_equal_by_what_counts() -> None:
    assert Made("a", place="here") == Made("a", place="there") != Made("b")
    assert Made("a") != Usual("a")
    assert One(1.5) == One(1.5) and hash(One(1.5)) == hash(One(1.5))
    assert Nothing() == Nothing() != One(0) and len({Nothing(), Nothing()}) == 1
    for unhashable in (Made("a"), Usual("a"), One({"a": 1})):
        with pytest.raises(TypeError):
            hash(unhashable)


def test_it_cannot_be_changed() -> None:
    made = Made("a")
    for name in ("name", "unknown"):
        with pytest.raises(FrozenInstanceError):
            setattr(made, name, "b")
    with pytest.raises(FrozenInstanceError):
        del made.name  # type: ignore[misc]
    assert not hasattr(made, "__dict__")


def test_it_is_replaced_copied_and_matched() -> None:
    made = Made("a", 2, ["n"], "here")
    assert replace(made, name="b") == Made("b", 2, ["n"])
    for again in (copy.deepcopy(made), copy.copy(made), pickle.loads(pickle.dumps(made))):
        assert again == made and again.place == "here"
    match made:
        case Made(name, 2, notes=[note]):
            assert (name, note) == ("a", "n")
        case _:
            pytest.fail("no match")


def test_methods_of_its_own_stay() -> None:
    @record
    class Told:
        name: str

        def __repr__(self) -> str:
            return self.name

    assert repr(Told("a")) == "a"


def test_what_init_does_not_take_is_made_for_each() -> None:
    first = Remembering("a")
    first.seen.append("here")
    assert Remembering("a").seen == replace(first, name="b").seen == copy.copy(first).seen == []
    assert first == Remembering("a") and repr(first) == "Remembering(name='a')"
    with pytest.raises(TypeError):
        Remembering("a", [])  # type: ignore[call-arg]
