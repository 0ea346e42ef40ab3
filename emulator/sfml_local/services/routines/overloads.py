"""Chooses among overloads by the number, the names, and then the types of the arguments.

https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-naming-conventions
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sfml_local.core.errors import SqlError
from sfml_local.grammar.signatures import Argument
from sfml_local.services.routines.store import Routine, unknown

# The distance of a value's type from a parameter's type; missing pairs do not fit.
_NEAR = {
    ("NUMBER", "FLOAT"): 1,
    ("FLOAT", "NUMBER"): 2,
    ("DATE", "TIMESTAMP_NTZ"): 1,
    ("TIMESTAMP_NTZ", "TIMESTAMP_LTZ"): 1,
    ("TIMESTAMP_NTZ", "TIMESTAMP_TZ"): 1,
    ("NUMBER", "VARCHAR"): 3,
    ("FLOAT", "VARCHAR"): 3,
    ("BOOLEAN", "VARCHAR"): 3,
}
_FROM_TEXT = 4


def chosen(
    routines: Sequence[Routine], name: str, arguments: Sequence[Argument], types: Callable[[], Sequence[str]]
) -> Routine:
    """The called routine; `types` is only called if number and names of the arguments leave a choice."""
    fitting = [routine for routine in routines if _takes(routine, arguments)]
    if not routines:
        raise unknown("PROCEDURE", name, ())
    if not fitting:
        raise _misfit(name, types())
    if len(fitting) == 1:
        return fitting[0]
    found = types()
    ranked = [(_distance(routine, arguments, found), routine) for routine in fitting]
    near = sorted(
        ((far, routine) for far, routine in ranked if far is not None),
        key=lambda pair: (pair[0], pair[1].types),
    )
    if not near:
        raise _misfit(name, found)
    return near[0][1]


def _misfit(name: str, types: Sequence[str]) -> SqlError:
    words = f"Invalid argument types for function '{name}': ({', '.join(types)})"
    return SqlError(f"SQL compilation error:\n{words}", 1044, "42P13")


def _takes(routine: Routine, arguments: Sequence[Argument]) -> bool:
    parameters = routine.definition.parameters
    positional = sum(argument.name is None for argument in arguments)
    named = {argument.name for argument in arguments if argument.name is not None}
    given = {parameter.name for parameter in parameters[:positional]} | named
    needed = {parameter.name for parameter in parameters if parameter.default is None}
    known = {parameter.name for parameter in parameters}
    return positional <= len(parameters) and given <= known and needed <= given


def _distance(routine: Routine, arguments: Sequence[Argument], types: Sequence[str]) -> int | None:
    by_name = dict(zip((p.name for p in routine.definition.parameters), routine.types, strict=True))
    in_order = iter(routine.types)
    total = 0
    for argument, given in zip(arguments, types, strict=True):
        wanted = next(in_order) if argument.name is None else by_name[argument.name]
        if given in ("NULL", wanted):
            continue
        far = _NEAR.get((given, wanted))
        if far is None and given == "VARCHAR":
            far = _FROM_TEXT
        if far is None and wanted == "VARIANT":
            far = _FROM_TEXT
        if far is None:
            return None
        total += far
    return total
