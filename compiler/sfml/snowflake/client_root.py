"""The entrance to `snowflake.core`, opened without a call."""

from __future__ import annotations

from snowflake.core import Root


class QuietRoot(Root):
    """A `Root` that does not ask the account, at each command, which versions of its client are supported.

    `sfml doctor` tells the versions. Should the client rename what is overridden here, it asks again: one call more.
    """

    def _query_for_client_info(self) -> None:
        return None
