"""The latest COPY INTO of tables, whose files VALIDATE reads again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

KEPT = 1_000


@dataclass(frozen=True, slots=True)
class CopyJob:
    """One COPY INTO, as `copying.Copy` has it, and the files that it has read."""

    copy: Any
    keys: Sequence[str]


class CopyJobs:
    """Those of an account, or of a session, by query id."""

    def __init__(self, owner: Account | Session) -> None:
        self.by_id: OrderedDict[str, CopyJob] = OrderedDict()

    def note(self, query_id: str, job: CopyJob) -> None:
        self.by_id[query_id] = job
        while len(self.by_id) > KEPT:
            self.by_id.popitem(last=False)


class LastCopy:
    """The latest COPY INTO of a session."""

    def __init__(self, session: Session) -> None:
        self.job: CopyJob | None = None


def remember(account: Account, session: Session, copy: Any, keys: Sequence[str]) -> None:
    job = CopyJob(copy, keys)
    account.part(CopyJobs).note(account.query_id, job)
    session.part(LastCopy).job = job
