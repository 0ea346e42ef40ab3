"""What the client of the Feature Store asks, beside dynamic tables, views, tags and tasks."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.service import Service
from sfml_local.services.feature_store import details, sql


class FeatureStores(Service):
    """Details of tags and tagged objects, and online feature tables, of which there are none."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            system_functions={"ENTITY_DETAIL": details.entity_detail},
        )
