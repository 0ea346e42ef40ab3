"""Names in Snowflake: of the root, the tasks and their ML Jobs, and paths on the stage."""

from __future__ import annotations

from sfml.base.quoting import folded, raw, stage_location
from sfml.graph.model import Target


def default_name(root: str, task: str) -> str:
    """The default name of a task: `CLV`, `train_model` → `CLV$TRAIN_MODEL`."""
    return folded_name(f"{raw(root)}${short_name(task)}")


def folded_name(name: str) -> str:
    """The folded form of a raw name: `CLV$A` stays as it is, `clv$A` gets quotes."""
    quoted = '"' + name.replace('"', '""') + '"'
    return folded(quoted)


def short_name(task: str) -> str:
    """The task's part of its default name, which a `DAGTaskBranch` returns to start it: `TRAIN_MODEL`."""
    return task.upper()


def job_name(pipeline: str, task: str, fingerprint: str) -> str:
    """The name of an ML Job with its fingerprint: `CLV_TRAIN_MODEL_3F9A0C11D2E4`."""
    return f"{pipeline.upper()}_{short_name(task)}_{fingerprint[:12].upper()}"


def job_identifier(target: Target, name: str) -> str:
    """The job's qualified name as the ML Jobs client writes it: `SFML.CLV.CLV_TRAIN_MODEL_3F9A0C11D2E4`."""
    return ".".join((folded(target.database), folded(target.schema), name))


def stage_of(target: Target) -> str:
    """The stage of the pipeline's schema: `@SFML.CLV.SFML`."""
    return stage_location(target.database, target.schema, target.stage)


def code_path(pipeline: str, sha256: str) -> str:
    """An archive's path below the stage."""
    return f"{pipeline}/code/{sha256}/steps.zip"


def jobs_path(pipeline: str, sha256: str) -> str:
    """The folder below the stage that holds a job's payload; the client appends the job's name."""
    return f"{pipeline}/jobs/{sha256}"
