"""Step functions, read from source: parameters, outcomes, results, and the files that travel with a step."""

from __future__ import annotations

from sfml.catalog.catalog import NotFound, StepAbsence, StepCatalog
from sfml.catalog.data_files import folder_files
from sfml.catalog.model import Outcome, Parameter, SourceFile, StepFunction

__all__ = [
    "NotFound",
    "Outcome",
    "Parameter",
    "SourceFile",
    "StepAbsence",
    "StepCatalog",
    "StepFunction",
    "folder_files",
]
