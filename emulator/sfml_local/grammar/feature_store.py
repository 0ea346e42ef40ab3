"""What the Feature Store's client asks of its online side, which is empty here: SHOW and DROP ONLINE FEATURE TABLE."""

from __future__ import annotations

from dataclasses import dataclass

from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.tokens import Name, Tokens

__all__ = ["DropOnlineFeatureTable", "ShowOnlineFeatureTables", "parse"]


@dataclass(frozen=True, slots=True)
class ShowOnlineFeatureTables:
    listing: Listing


@dataclass(frozen=True, slots=True)
class DropOnlineFeatureTable:
    name: Name
    if_exists: bool


def parse(tokens: Tokens) -> ShowOnlineFeatureTables | DropOnlineFeatureTable | None:
    """The statement, or None when it is of another family."""
    terse = tokens.match_words("SHOW", "TERSE", "ONLINE", "FEATURE", "TABLES")
    if terse or tokens.match_words("SHOW", "ONLINE", "FEATURE", "TABLES"):
        return ShowOnlineFeatureTables(listing(tokens, terse=terse))
    if tokens.match_words("DROP", "ONLINE", "FEATURE", "TABLE"):
        if_exists = tokens.if_exists()
        return DropOnlineFeatureTable(tokens.name(), if_exists)
    return None
