"""What a graph needs in its account, and what of it is missing there."""

from __future__ import annotations

from sfml.base.record import record
from sfml.graph.needs import CREATABLE, Kind, Need


@record
class MissingObject:
    """Something that is not there, or that the role cannot see; `statement` makes it.

    A compute pool that `exists` has too few nodes; the statement gives it more.
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
    """What was looked for: what is missing, and of which kinds the role may not know."""

    missing: tuple[MissingObject, ...]
    unknown: tuple[str, ...] = ()
    """Kinds that could not be looked at, each with what the account said."""
    looked_at: int = 0
    taken: tuple[MissingObject, ...] = ()
    """What a local Snowflake has not, and takes by any name all the same; an account has to have it."""

    @property
    def blocking(self) -> tuple[MissingObject, ...]:
        """What has to be there; an image repository may be there and not be visible, and the job alone would tell."""
        return tuple(one for one in self.missing if one.need.kind is not Kind.IMAGES)

    @property
    def creatable(self) -> tuple[MissingObject, ...]:
        """What `--create-missing` makes, in the order in which it has to be made."""
        return tuple(one for one in self.missing if one.need.kind in CREATABLE and not one.exists)
