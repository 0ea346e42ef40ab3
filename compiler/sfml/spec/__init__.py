"""Reading specs: text → located nodes → shape findings → target, variables and patches → `PipelineSpec`."""

from __future__ import annotations

from sfml.spec.load import load, targets_of
from sfml.spec.model import LoadedSpec, PipelineSpec, Project, TaskSpec

__all__ = ["LoadedSpec", "PipelineSpec", "Project", "TaskSpec", "load", "targets_of"]
