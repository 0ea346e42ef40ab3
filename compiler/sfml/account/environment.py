"""The objects that a graph needs in its account, and those of them that are missing."""

from __future__ import annotations

from sfml.base.record import record
from sfml.graph.needs import CREATABLE, Kind, Need


@record
class MissingObject:
    """An object that does not exist or that the role cannot see; `statement` creates it.

    If `exists` is true, it is a compute pool with too few nodes, and the statement raises their number.
    """

    need: Need
    statement: str
    note: str = ""
    exists: bool = False

    @property
    def text(self) -> str:
        """`compute pool ML_POOL, for train_model`, and the note."""
        return f"{self.need.kind} {self.named}" + (f": {self.note}" if self.note else "")

    @property
    def named(self) -> str:
        """`ML_POOL, for train_model`."""
        return self.need.name + (f", for {', '.join(self.need.by)}" if self.need.by else "")


@record
class Environment:
    """The result of looking for the objects that a graph needs."""

    missing: tuple[MissingObject, ...]
    unknown: tuple[str, ...] = ()
    """Kinds of objects that could not be listed, each with the account's error."""
    looked_at: int = 0
    taken: tuple[MissingObject, ...] = ()
    """Objects that the local Snowflake does not have but accepts by any name; an account must have them."""

    @property
    def blocking(self) -> tuple[MissingObject, ...]:
        """The missing objects that stop an apply: all but image repositories, which may exist and be invisible."""
        return tuple(
            missing_object for missing_object in self.missing if missing_object.need.kind is not Kind.IMAGES
        )

    @property
    def creatable(self) -> tuple[MissingObject, ...]:
        """The missing objects that `--create-missing` creates, in the order of their dependencies."""
        return tuple(
            missing_object
            for missing_object in self.missing
            if missing_object.need.kind in CREATABLE and not missing_object.exists
        )
