"""Versions of a model, read and noted by SQL, because the registry's client takes seconds to import.

https://docs.snowflake.com/en/sql-reference/sql/show-versions-in-model
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfml_steps.errors import StepError
from sfml_steps.sql import quoted, quoted_name, rows_of

if TYPE_CHECKING:
    from snowflake.snowpark import Session

CHAMPION = "CHAMPION"
"""The alias of the version that serves, in models that use it."""

SYSTEM_ALIASES = frozenset({"DEFAULT", "FIRST", "LAST"})
"""Aliases that Snowflake assigns itself: https://docs.snowflake.com/en/sql-reference/sql/alter-model"""

OWN = "sfml"
"""The key of our part of a version's metadata; the registry's client keeps keys that it does not know."""

CHANGES_KEPT = 20
"""The maximum number of changes that a version's metadata keeps, of its 100 KB."""

PROMOTED = "promoted"
"""What is noted of a version that a promotion made the default; `other` is the version that was it before."""

PART = r'(?:[A-Za-z_][A-Za-z0-9_$]*|"(?:[^"]|"")+")'
NAME = re.compile(rf"{PART}(?:\.{PART}){{0,2}}")


@dataclass(frozen=True)
class Version:
    """A version of a model, as SHOW VERSIONS tells it."""

    name: str
    created_on: datetime.datetime
    is_default: bool
    aliases: frozenset[str]
    metadata: Mapping[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Version:
        """Return the version of a row."""
        return cls(
            name=str(row["name"]),
            created_on=row["created_on"],
            is_default=str(row.get("is_default_version")).lower() == "true",
            aliases=aliases_in(str(row.get("aliases") or "")) - SYSTEM_ALIASES,
            metadata=parsed(row.get("metadata"), {}),
        )

    @property
    def metrics(self) -> Mapping[str, Any]:
        """The metrics that were logged with it."""
        metrics = self.metadata.get("metrics")
        return metrics if isinstance(metrics, dict) else {}

    @property
    def own(self) -> Mapping[str, Any]:
        """What sfml keeps with it: the digest of its `candidate`, and `changes` of its role."""
        own = self.metadata.get(OWN)
        return own if isinstance(own, dict) else {}

    @property
    def changes(self) -> list[Mapping[str, Any]]:
        """What became of it, oldest first."""
        changes = self.own.get("changes")
        return [one for one in changes if isinstance(one, dict)] if isinstance(changes, list) else []

    @property
    def former(self) -> str | None:
        """The name of the version that was the default before this one was promoted; None if that is not known."""
        others = [one.get("other") for one in self.changes if one.get("action") == PROMOTED]
        return str(others[-1]) if others and others[-1] else None


def checked_model(model_name: str) -> str:
    """Return the name of a model for a statement; raise StepError for text that is no name."""
    if not NAME.fullmatch(model_name):
        raise StepError(
            f"`{model_name}` is not the name of a model: use letters, digits, `_` and `$`, perhaps DB.SCHEMA.NAME"
        )
    return model_name


def versions_of(session: Session, model_name: str) -> list[Version]:
    """Return the versions of a model, oldest first; none if the model does not exist or the role cannot see it."""
    try:
        rows = rows_of(session, f"SHOW VERSIONS IN MODEL {checked_model(model_name)}")
    except Exception as error:
        # Snowflake does not tell apart a model that does not exist and one that the role may not see.
        if "does not exist" in str(error):
            return []
        raise
    return sorted(map(Version.of, rows), key=lambda version: (version.created_on, version.name))


def default_of(versions: Iterable[Version]) -> Version | None:
    """Return the default version, which scoring uses."""
    return next((version for version in versions if version.is_default), None)


def champion_of(versions: Iterable[Version]) -> Version | None:
    """Return the version with the alias CHAMPION, or else the default version."""
    known = list(versions)
    aliased = (version for version in known if CHAMPION in version.aliases)
    return next(aliased, default_of(known))


def note_candidate(
    session: Session, model_name: str, version: Version, digest: str, change: Mapping[str, str] | None
) -> None:
    """Keep with a version what it was made of, and a change of its role; everything else in its metadata stays."""
    changes = [*version.changes, *([change] if change else [])][-CHANGES_KEPT:]
    own = {**version.own, "candidate": digest, "changes": changes}
    text = json.dumps({**version.metadata, OWN: own}, ensure_ascii=False)
    rows_of(
        session,
        f"ALTER MODEL {checked_model(model_name)} MODIFY VERSION {quoted_name(version.name)}"
        f" SET METADATA = {quoted(text)}",
    )


def aliases_in(text: str) -> frozenset[str]:
    """Return the aliases in a column, which is a list as JSON; the words of any other text."""
    aliases = parsed(text, [])
    return frozenset(map(str, aliases)) if aliases else frozenset(re.findall(r"[^\[\]\",\s]+", text))


def parsed(text: Any, empty: Any) -> Any:
    """Return the JSON of a column; `empty` if it is not JSON, or of another type."""
    try:
        value = json.loads(text) if isinstance(text, str) and text else empty
    except ValueError:
        return empty
    return value if isinstance(value, type(empty)) else empty
