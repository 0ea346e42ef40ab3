"""`Session.sql` in a process of a procedure, where accounts refuse PUT and GET, but not `session.file`.

The server refuses a marked statement once it is run, because a data frame is made of it before. PUT and GET of a
cursor are not told from those of libraries, and are carried out.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from sfml_local.core.written_transfers import WRITTEN

_TRANSFER = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:PUT|GET)\s", re.IGNORECASE | re.DOTALL)


def begin(session_class: Any) -> None:
    """Mark what the code of a procedure writes from now on in this process."""
    usual = session_class.sql

    @functools.wraps(usual)
    def sql(session: Any, query: Any, *args: Any, **more: Any) -> Any:
        is_transfer = isinstance(query, str) and _TRANSFER.match(query) is not None
        return usual(session, WRITTEN + query if is_transfer else query, *args, **more)

    session_class.sql = sql
