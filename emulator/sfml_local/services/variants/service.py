"""Distinguishes ARRAY and OBJECT from VARIANT."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.service import Service
from sfml_local.services.variants import column_types, refused_arguments, semi_structured, store


class Variants(Service):
    """Distinguishes ARRAY and OBJECT from VARIANT."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            schema=store.SCHEMA,
            first_rewrites=(
                column_types.dated_texts,
                column_types.matching_types,
                refused_arguments.refused_arguments,
            ),
            rewrites=(semi_structured.result_types,),
            around=(semi_structured.remembering,),
            schema_dropped=(store.schema_dropped,),
        )
