"""The provenance in a root's record: the commit that was applied, and the files that were not committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

COMMIT = "commit"
UNCOMMITTED = "uncommitted"
"""Key for the files, relative to the project, whose content differs from the commit; absent if that is not known."""
COUNT = "uncommitted_count"
"""Key for the number of such files, if not all are named."""

MOST_RECORDED = 20
"""The most files that a record names, because it is part of a comment."""
_MOST_SHOWN = 3


def provenance_of(commit: str | None, uncommitted: Sequence[str] | None) -> dict[str, Any]:
    """The entries that an apply adds to the record; empty outside a repository."""
    if commit is None:
        return {}
    entries: dict[str, Any] = {COMMIT: commit}
    if uncommitted is None:
        return entries
    files = sorted(uncommitted)
    entries[UNCOMMITTED] = files[:MOST_RECORDED]
    if len(files) > MOST_RECORDED:
        entries[COUNT] = len(files)
    return entries


def uncommitted_files(record: Mapping[str, Any] | None) -> tuple[tuple[str, ...], int] | None:
    """The uncommitted files that a record names, and the number of all; None where the record does not say."""
    named = (record or {}).get(UNCOMMITTED)
    if not isinstance(named, list):
        return None
    count = (record or {}).get(COUNT)
    files = tuple(" ".join(str(name).splitlines()) for name in named)
    return files, count if isinstance(count, int) and count > len(files) else len(files)


def uncommitted_text(record: Mapping[str, Any] | None) -> str | None:
    """A text such as `uncommitted changes in steps/clv/train.py`; None without any."""
    files, count = uncommitted_files(record) or ((), 0)
    if not count:
        return None
    shown = files[:_MOST_SHOWN]
    more = f" and {count - len(shown):,} more" if count > len(shown) else ""
    return f"uncommitted changes in {', '.join(shown)}{more}"


def origin_text(record: Mapping[str, Any] | None) -> str | None:
    """A text such as `commit 9f3e1c2 with uncommitted changes in steps/clv/train.py`; None without a commit."""
    commit = (record or {}).get(COMMIT)
    if not commit:
        return None
    changes = uncommitted_text(record)
    return f"commit {commit} with {changes}" if changes else f"commit {commit}"


def uncommitted_value(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The uncommitted files as JSON: `{count, files}`, or None where the record does not say."""
    recorded = uncommitted_files(record)
    return None if recorded is None else {"count": recorded[1], "files": list(recorded[0])}
