"""Every rule over a drafted graph; no account, no step code run."""

from __future__ import annotations

from sfml.catalog import StepCatalog
from sfml.diagnostic import Diagnostic
from sfml.graph.draft import GraphDraft


def findings(draft: GraphDraft, catalog: StepCatalog) -> tuple[Diagnostic, ...]:
    return ()
