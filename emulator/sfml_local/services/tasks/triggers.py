"""Roots that run when a stream has data."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from sfml.semantics.triggering import next_trigger
from sfml_local.core.errors import SqlError
from sfml_local.services.tasks import parameters, run_store
from sfml_local.services.tasks.model import Task
from sfml_local.services.tasks.runner import Runner

if TYPE_CHECKING:
    from sfml_local.core.account import Account

TRIGGER = "TRIGGER"


class Triggers:
    """Evaluates the conditions of triggered roots, and starts their runs."""

    def __init__(self, account: Account, runner: Runner) -> None:
        self.account = account
        self.runner = runner

    def next_due(self, root: Task) -> datetime | None:
        """When the root runs next if no stream changes before, in the past for now; None while it may not run.

        The end of a run triggers another check.
        """
        if not self.runner.may_begin(root.id):
            return None
        return next_trigger(
            has_data=self._has_data(root),
            resumed=root.scheduled_since or root.created_on,
            last=run_store.last_scheduled_time(self.account.store, root.id, TRIGGER),
            minimum_interval=parameters.in_effect(
                self.account, root
            ).user_task_minimum_trigger_interval_in_seconds,
        )

    def fire(self, root: Task) -> None:
        """Start a run if one is due."""
        now = self.account.clock()
        due = self.next_due(root)
        if due is not None and due <= now and not self.account.stopping.is_set():
            self.runner.begin(root, now, TRIGGER, str(uuid.uuid4()))

    def _has_data(self, root: Task) -> bool:
        """Whether the condition holds. One that cannot be evaluated counts, so that the run reports the error."""
        session = self.account.sessions.open(
            database=root.name.database, schema=root.name.schema, user="SYSTEM", role=root.owner
        )
        try:
            return bool(self.account.evaluate(session, f"({root.settings.condition}\n)::BOOLEAN"))
        except SqlError:
            return True
        finally:
            self.account.sessions.close(session)
