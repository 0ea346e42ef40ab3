"""Where a deployed graph came from, as its root's record says: the commit, and what was not committed; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

COMMIT = "commit"
UNCOMMITTED = "uncommitted"
"""The files, relative to the project, whose content the commit does not hold; absent where that is not known."""
COUNT = "uncommitted_count"
"""How many there were, where not all are named."""

MOST_RECORDED = 20
"""Files that a record names: it stands in a comment."""
_MOST_SHOWN = 3


def provenance_of(commit: str | None, uncommitted: Sequence[str] | None) -> dict[str, Any]:
    """What an apply adds to the record; nothing outside a repository. The same work tree gives the same record."""
    if commit is None:
        return {}
    found: dict[str, Any] = {COMMIT: commit}
    if uncommitted is None:
        return found
    files = sorted(uncommitted)
    found[UNCOMMITTED] = files[:MOST_RECORDED]
    if len(files) > MOST_RECORDED:
        found[COUNT] = len(files)
    return found


def uncommitted_files(record: Mapping[str, Any] | None) -> tuple[tuple[str, ...], int] | None:
    """The files that are named and how many there are; None where no apply looked."""
    named = (record or {}).get(UNCOMMITTED)
    if not isinstance(named, list):
        return None
    count = (record or {}).get(COUNT)
    files = tuple(" ".join(str(name).splitlines()) for name in named)
    return files, count if isinstance(count, int) and count > len(files) else len(files)


def uncommitted_text(record: Mapping[str, Any] | None) -> str | None:
    """`uncommitted changes in steps/clv/train.py`; None where there were none, or none are known."""
    files, count = uncommitted_files(record) or ((), 0)
    if not count:
        return None
    shown = files[:_MOST_SHOWN]
    more = f" and {count - len(shown):,} more" if count > len(shown) else ""
    return f"uncommitted changes in {', '.join(shown)}{more}"


def origin_text(record: Mapping[str, Any] | None) -> str | None:
    """`commit 9f3e1c2 with uncommitted changes in steps/clv/train.py`; None where no commit is recorded."""
    commit = (record or {}).get(COMMIT)
    if not commit:
        return None
    changes = uncommitted_text(record)
    return f"commit {commit} with {changes}" if changes else f"commit {commit}"


def uncommitted_value(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The same as JSON: `{count, files}`, null where it is not known."""
    found = uncommitted_files(record)
    return None if found is None else {"count": found[1], "files": list(found[0])}
