"""Text → located nodes → shapes → target, variables and patches → `PipelineSpec`."""

from __future__ import annotations

from sfml.spec.load import load, targets_of
from sfml.spec.model import Loaded, PipelineSpec, Project, TaskSpec

__all__ = ["Loaded", "PipelineSpec", "Project", "TaskSpec", "load", "targets_of"]
