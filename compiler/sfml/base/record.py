"""`@record`: a frozen, slotted dataclass that takes a quarter of the time to define.

`@dataclass(frozen=True, slots=True)` generates and compiles six methods for each class: 0.4 ms for each of some eighty
classes, which every short command pays. Only `__init__` has to be compiled to be fast; all classes share the other
methods. The modules that `sfml validate` and `sfml compile` import use it; decision 0013 has the measurements.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """The class as a frozen, slotted dataclass; `==`, `hash` and `repr` go by the fields.

    Fields, defaults, `replace`, `asdict` and matching are those of `dataclasses`. A class that needs an order or a
    `__post_init__` uses `@dataclass` instead.
    """
    cls.__doc__ = (
        cls.__doc__ or cls.__name__
    )  # without one, `dataclass` spends time on writing a signature there
    cls_with_slots: type[Any] = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    every = fields(cls_with_slots)
    own = cls_with_slots.__dict__
    methods: dict[str, Callable[..., Any]] = {
        "__init__": _init(every),
        **_comparing(tuple(item.name for item in every if item.compare)),
        "__repr__": _repr,
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__reduce__": _reduce,
    }
    for name, method in methods.items():
        if name not in own or own[name] is None:
            setattr(cls_with_slots, name, method)
    return cls_with_slots


def _init(every: tuple[Field[Any], ...]) -> Callable[..., None]:
    names: dict[str, Any] = {"_set": object.__setattr__, "_MISSING": MISSING}
    parameters, lines = ["self"], ["pass"]
    for item in every:
        value = item.name
        if not item.init:  # made anew for each instance, and not copied by `replace`
            assert item.default_factory is not MISSING
            names[f"_make_{item.name}"] = item.default_factory
            value = f"_make_{item.name}()"
        elif item.default_factory is not MISSING:
            names[f"_make_{item.name}"] = item.default_factory
            parameters.append(f"{item.name}=_MISSING")
            value = f"_make_{item.name}() if {item.name} is _MISSING else {item.name}"
        elif item.default is not MISSING:
            names[f"_default_{item.name}"] = item.default
            parameters.append(f"{item.name}=_default_{item.name}")
        else:
            parameters.append(item.name)
        lines.append(f"_set(self, {item.name!r}, {value})")
    # The names of fields are identifiers of this project's source, so no text of a user reaches `exec`.
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines), names)
    init: Callable[..., None] = names["__init__"]
    return init


def _comparing(names: tuple[str, ...]) -> dict[str, Callable[..., Any]]:
    if len(names) > 1:
        compared: Callable[[Any], Any] = attrgetter(*names)
    else:  # `attrgetter` returns no tuple for a single name, and takes at least one

        def compared(one: Any) -> Any:
            return tuple(getattr(one, name) for name in names)

    def __eq__(self: Any, other: object) -> Any:
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(compared(self))

    return {"__eq__": __eq__, "__hash__": __hash__}


def _repr(self: Any) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: object, name: str, *new: object) -> None:
    raise FrozenInstanceError(f"cannot change field {name!r}")


def _reduce(self: Any) -> tuple[Any, ...]:
    """How `copy` and `pickle` make an instance: by calling the class with the values of its fields."""
    return type(self), tuple(getattr(self, one.name) for one in fields(self) if one.init)
