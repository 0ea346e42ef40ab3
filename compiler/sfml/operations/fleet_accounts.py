"""Connections to the accounts of many pipelines, each opened when it is needed and kept for the next look."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING

from sfml.base.errors import ConnectionFailed, SfmlError
from sfml.operations.fleet import fleet_health
from sfml.operations.graph_health import graph_health
from sfml.operations.target_account import account_on, target_connection

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.account.health import GraphHealth
    from sfml.frontend.compiled_spec import PlacedGraph
    from sfml.operations.target_watch import TargetWatch


class FleetAccounts:
    """Looks at pipelines in all their accounts; a context manager, which closes the connections at the end."""

    def __init__(self, watch: TargetWatch) -> None:
        self._watch = watch
        self._connections: dict[Hashable, tuple[SnowflakeConnection, ExitStack]] = {}

    def __enter__(self) -> FleetAccounts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        every = ExitStack()
        for _, opened in self._connections.values():
            every.push(opened)
        self._connections = {}
        every.__exit__(kind, error, trace)

    def healths(self, specs: Sequence[PlacedGraph]) -> tuple[GraphHealth | SfmlError, ...]:
        """The health of each pipeline, or the error that kept it from being read.

        Raises no `SfmlError`: an account that does not answer leaves the others readable.
        """
        by_account: dict[Hashable, list[int]] = {}
        for at, spec in enumerate(specs):
            by_account.setdefault(account_of(spec), []).append(at)
        found: dict[int, GraphHealth | SfmlError] = {}
        for account, places in by_account.items():
            members = [specs[at] for at in places]
            found |= dict(zip(places, self._of_account(account, members), strict=True))
        return tuple(found[at] for at in range(len(specs)))

    def _of_account(
        self, account: Hashable, specs: Sequence[PlacedGraph]
    ) -> Sequence[GraphHealth | SfmlError]:
        healths: tuple[GraphHealth | SfmlError, ...]
        try:
            connection = self._connection(account, specs[0])
            if len(specs) == 1:
                # The history of one graph is asked for by its root, so that other graphs do not count.
                desired = specs[0].desired
                healths = (graph_health(desired, account_on(connection, desired.target)),)
            else:
                healths = fleet_health([spec.desired for spec in specs], connection)
        except SfmlError as error:
            healths = (error,) * len(specs)
        broken = next((health for health in healths if isinstance(health, ConnectionFailed)), None)
        if broken is not None:
            self._forget(account, broken)
        return healths

    def _connection(self, account: Hashable, spec: PlacedGraph) -> SnowflakeConnection:
        if account not in self._connections:
            with ExitStack() as opening:
                connection = opening.enter_context(target_connection(spec, self._watch))
                self._connections[account] = connection, opening.pop_all()
        return self._connections[account][0]

    def _forget(self, account: Hashable, error: ConnectionFailed) -> None:
        """Close the connection, so that the next look opens another one; with the error, closing does not insist."""
        if account in self._connections:
            _, opened = self._connections.pop(account)
            opened.__exit__(type(error), error, error.__traceback__)


def account_of(spec: PlacedGraph) -> Hashable:
    """What pipelines have in common that can share a connection."""
    target = spec.desired.target
    if target.is_local:
        return spec.root
    return target.connection, target.account, target.owner_role, target.warehouse
