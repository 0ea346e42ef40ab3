"""The `Root` of `snowflake.core`, without its call at the start."""

from __future__ import annotations

from snowflake.core import Root


class QuietRoot(Root):
    """A `Root` that does not ask the account which versions of the client it supports, which costs a call.

    `sfml doctor` shows the versions. If a new client renames the overridden method, the call is made again.
    """

    def _query_for_client_info(self) -> None:
        return None
