"""The groups of stages of an apply as text: what will be done, and what was done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sfml.base.errors import ConnectionFailed
from sfml.plan.model import Action
from sfml.plan.stages import (
    CloseJournal,
    Collect,
    CreateStage,
    DropTask,
    Group,
    NoteSchedule,
    OpenJournal,
    PutTask,
    RegisterJob,
    RemoveFiles,
    ResumeGraph,
    Stage,
    SuspendRoot,
    UploadArchive,
    Verify,
)
from sfml.render.units import duration, plural, size

_MANY = 4
"""The maximum number of names in a line; more are counted."""


def stages_text(groups: Sequence[Group], title: str = "What an apply does, in this order:") -> str:
    """One numbered line for each group; the calls of one group may run in parallel."""
    if not groups:
        return "Nothing to do."
    lines = (f"  {number:>2}  {group_text(group)}" for number, group in enumerate(groups, 1))
    return "\n".join((title, *lines))


def stages_json(groups: Sequence[Group]) -> list[list[Mapping[str, Any]]]:
    return [[_stage_json(stage) for stage in group] for group in groups]


def group_text(group: Group) -> str:
    """`alter train_model, gate; create report`: what the group will do."""
    return "; ".join(_parts(group, 0))


def done_text(group: Group) -> str | None:
    """`train_model, gate altered; report created`: what the group did; None for stages that users need not see."""
    if all(isinstance(stage, OpenJournal | CloseJournal | CreateStage) for stage in group):
        return None
    return "; ".join(_parts(group, 1))


_WORDS: Mapping[str, tuple[str, str]] = {
    "upload": ("upload {}", "{} uploaded"),
    "register": ("register ML Job {}", "ML Job {} registered"),
    "drop": ("drop {}", "{} dropped"),
    Action.CREATE: ("create {}", "{} created"),
    Action.ALTER: ("alter {}", "{} altered"),
    Action.REPLACE: ("replace {}", "{} replaced"),
    Action.MOVE: ("create {} in its new name", "{} created in its new name"),
    Action.UNCHANGED: ("write the record of {}", "record of {} written"),
}


def _parts(group: Group, tense: int) -> Iterator[str]:
    """One phrase for each kind of stage in the group; `tense` is 0 for the future and 1 for the past."""
    uploads = [stage.archive for stage in group if isinstance(stage, UploadArchive)]
    if uploads:
        what = f"{plural(len(uploads), 'archive')}, {size(sum(archive.size for archive in uploads))}"
        yield _WORDS["upload"][tense].format(what)
    yield from _listed(
        [stage.spec.name for stage in group if isinstance(stage, RegisterJob)], "register", tense
    )
    for action in Action:
        puts = [stage.task for stage in group if isinstance(stage, PutTask) and stage.action is action]
        yield from _listed([task.task or "the root" for task in puts], action, tense)
    yield from _listed([stage.name for stage in group if isinstance(stage, DropTask)], "drop", tense)
    for stage in group:
        match stage:
            case CreateStage():
                yield ("create the stage", "stage created")[tense]
            case OpenJournal():
                yield ("leave a journal on the stage", "journal written")[tense]
            case CloseJournal():
                yield ("remove the journal", "journal removed")[tense]
            case SuspendRoot():
                yield ("suspend the root", "root suspended")[tense]
            case Verify():
                yield ("read everything back", "verified")[tense]
            case RemoveFiles():
                yield ("remove its files from the stage", "files removed from the stage")[tense]
            case Collect(paths):
                what = f"{len(paths)} of the archives and records that nothing needs any more"
                yield (f"remove {what}", f"{what} removed")[tense]
            case NoteSchedule(off_since=None):
                yield ("note that the schedule may be on", "schedule noted as on")[tense]
            case NoteSchedule():
                yield ("note that the schedule is off on purpose", "schedule noted as off on purpose")[tense]
            case ResumeGraph(with_root=True):
                yield ("resume what is off, the root last", "root resumed")[tense]
            case ResumeGraph():
                yield ("resume what is off, but not the root", "tasks resumed, the root stays off")[tense]


def _listed(names: list[str], key: str, tense: int) -> Iterator[str]:
    if names:
        what = ", ".join(names) if len(names) <= _MANY else plural(len(names), "task")
        yield _WORDS[key][tense].format(what)


def _stage_json(stage: Stage) -> Mapping[str, Any]:
    match stage:
        case UploadArchive(archive):
            return {"stage": "upload archive", "path": archive.stage_path, "bytes": archive.size}
        case RegisterJob(task, spec):
            return {"stage": "register job", "task": task.name, "job": spec.name}
        case PutTask(task, action):
            return {"stage": "write task", "task": task.name, "action": action.value}
        case DropTask(name):
            return {"stage": "drop task", "task": name}
        case SuspendRoot(name):
            return {"stage": "suspend root", "task": name}
        case ResumeGraph(name, with_root):
            return {"stage": "resume tasks", "task": name, "with_root": with_root}
        case NoteSchedule(name, off_since):
            return {"stage": "note schedule", "task": name, "off_since": off_since}
        case CreateStage():
            return {"stage": "create stage"}
        case OpenJournal():
            return {"stage": "open journal"}
        case CloseJournal():
            return {"stage": "close journal"}
        case Verify():
            return {"stage": "verify"}
        case RemoveFiles():
            return {"stage": "remove files"}
        case Collect(paths):
            return {"stage": "collect", "paths": list(paths)}


def wait_words(error: ConnectionFailed, seconds: float) -> str:
    """Why a call will be repeated, and after how many seconds."""
    first = error.message.splitlines()[0] if error.message else "no answer"
    return f"{first}; again in {duration(seconds * 1000)}"
