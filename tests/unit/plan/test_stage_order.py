"""The stages of an apply: what is safe comes first, a graph is off while it is half new, and on again last."""

from __future__ import annotations

from dataclasses import replace

from sfml.graph.model import CronSchedule, Target
from sfml.lower.desired import Archive, DesiredGraph, DesiredTask, SqlDefinition
from sfml.plan.artefact import Artefact, intended_artefact, observed_artefact
from sfml.plan.diff import make_plan
from sfml.plan.journal import Header, Journal
from sfml.plan.model import ObservedGraph
from sfml.plan.observed_graph import observed_task, record_of
from sfml.plan.restoration import restore_plan, restore_stages
from sfml.plan.stages import (
    CloseJournal,
    CreateStage,
    DropTask,
    FilesToWrite,
    Group,
    OpenJournal,
    PutTask,
    ResumeGraph,
    Stage,
    SuspendRoot,
    UnfinishedApply,
    UploadArchive,
    Verify,
    removal_stages,
    stages_for,
)

TARGET = Target("prod", "account", "DB", "S", "WH")
WEEKLY = CronSchedule("0 0 * * 0", "UTC")
HEADER = Header(3, "ada", "2026-01-02T03:04:05+00:00", "n")
ARCHIVE = Archive("0" * 64, "x/code/" + "0" * 64 + "/steps.zip", b"zip")


def graph(
    edges: dict[str, tuple[str, ...]], finalizer: str | None = None, body: str = "select 1"
) -> DesiredGraph:
    """A graph of tasks by their parents, in topological order; those without hang on the root."""
    comment = f'sfml:{{"fingerprint":"{body}"}}'
    root = DesiredTask("X", None, SqlDefinition("select 0"), "root", "WH", schedule=WEEKLY, comment=comment)
    tasks = tuple(
        DesiredTask(f"X${name}", name.lower(), SqlDefinition(body), "sql", "WH", _parents(parents))
        for name, parents in edges.items()
    )
    last = None
    if finalizer:
        last = DesiredTask(f"X${finalizer}", "f", SqlDefinition(body), "sql", "WH", finalize="X")
    return DesiredGraph("x", "specs/x.yaml", TARGET, root, tasks, last, (), fingerprint=body)


def _parents(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(f"X${name}" for name in names)) or ("X",)


def deployed(of: DesiredGraph, *, root_started: bool = True, off: tuple[str, ...] = ()) -> ObservedGraph:
    answers = [
        {
            "name": task.name,
            "id": "1",
            "state": "suspended" if task.name in off or (task is of.root and not root_started) else "started",
            "definition": task.definition.sql,  # type: ignore[union-attr]
            "warehouse": "WH",
            "predecessors": [f"DB.S.{name}" for name in task.predecessors],
            "finalize": task.finalize and f"DB.S.{task.finalize}",
            "comment": task.comment,
            "schedule": {"cron_expr": "0 0 * * 0", "timezone": "UTC"} if task is of.root else None,
        }
        for task in of.all_tasks
    ]
    root, *tasks = map(observed_task, answers)
    return ObservedGraph(root, tuple(tasks), record_of(answers[0]))


def artefact(of: DesiredGraph, *, started: bool = True) -> Artefact:
    bodies = {task.name: task.definition.sql for task in of.all_tasks}  # type: ignore[union-attr]
    return intended_artefact(of, bodies, {task.name: task.comment for task in of.all_tasks}, started=started)


CODE = FilesToWrite((ARCHIVE,))


def groups_between(
    old: DesiredGraph | None,
    new: DesiredGraph,
    files: FilesToWrite = CODE,
) -> tuple[Group, ...]:
    observed = deployed(old) if old else None
    was = observed_artefact("x", TARGET, observed)
    plan = make_plan(new, observed, resume=True)
    return stages_for(plan, new, files, was=was)


def written(groups: tuple[Group, ...]) -> list[list[str]]:
    """What is put and dropped, group by group."""
    named = [[_name(stage) for stage in group if _name(stage)] for group in groups]
    return [names for names in named if names]


def _name(stage: Stage) -> str:
    match stage:
        case PutTask(task):
            return f"put {task.name}"
        case DropTask(name):
            return f"drop {name}"
        case _:
            return ""


def flat(groups: tuple[Group, ...]) -> list[type]:
    return [type(stage) for group in groups for stage in group]


CHAIN = graph({"A": (), "B": ("A",), "C": ("B",)}, "F")


def test_nothing_is_done_for_a_graph_that_is_as_meant() -> None:
    assert groups_between(CHAIN, CHAIN, FilesToWrite()) == ()


def test_only_code_that_is_not_whole_on_the_stage_is_written_for_a_graph_that_is_as_meant() -> None:
    assert flat(groups_between(CHAIN, CHAIN)) == [UploadArchive]
    assert flat(groups_between(CHAIN, CHAIN, FilesToWrite((ARCHIVE,), has_stage=False))) == [
        CreateStage,
        UploadArchive,
    ]


def test_a_new_graph_is_written_level_by_level_and_started_last() -> None:
    wide = graph({"A": (), "B": (), "C": ("A", "B"), "D": ("A",)}, "F")
    groups = groups_between(None, wide, FilesToWrite((ARCHIVE,), has_stage=False))
    assert written(groups) == [["put X"], ["put X$A", "put X$B"], ["put X$C", "put X$D"], ["put X$F"]]
    kinds = flat(groups)
    assert kinds[:3] == [CreateStage, UploadArchive, OpenJournal]
    assert kinds[-3:] == [Verify, ResumeGraph, CloseJournal]
    assert SuspendRoot not in kinds


def test_a_started_graph_is_off_before_the_first_change_and_its_record_is_written_last() -> None:
    groups = groups_between(graph({"A": (), "B": ("A",), "C": ("B",)}, body="select 2"), CHAIN)
    kinds = flat(groups)
    assert kinds.index(OpenJournal) < kinds.index(SuspendRoot) < kinds.index(PutTask)
    assert written(groups)[-1] == ["put X"]


def test_what_is_dropped_goes_from_the_bottom_up() -> None:
    groups = groups_between(CHAIN, graph({}, "F"))
    assert written(groups) == [["drop X$C"], ["drop X$B"], ["drop X$A"], ["put X"]]


def test_an_old_finalizer_goes_before_the_new_one_comes() -> None:
    groups = groups_between(CHAIN, graph({"A": (), "B": ("A",), "C": ("B",)}, "G"))
    assert written(groups) == [["drop X$F"], ["put X$G"], ["put X"]]


def test_a_task_that_becomes_the_finalizer_is_dropped_once_its_children_have_left_it() -> None:
    groups = groups_between(CHAIN, graph({"A": (), "C": ("A",)}, "B"))
    assert written(groups) == [["drop X$F"], ["put X$C"], ["drop X$B"], ["put X$B"], ["put X"]]
    back = groups_between(graph({"A": (), "C": ("A",)}, "B"), CHAIN)
    assert written(back) == [["drop X$B"], ["put X$B"], ["put X$C"], ["put X$F"], ["put X"]]


def test_a_child_that_is_kept_is_moved_before_its_parent_is_dropped() -> None:
    groups = groups_between(CHAIN, graph({"C": ()}, "F"))
    assert written(groups) == [["put X$C"], ["drop X$B"], ["drop X$A"], ["put X"]]


def test_turning_only_the_schedule_is_one_call_without_a_journal() -> None:
    plan = make_plan(CHAIN, deployed(CHAIN), resume=False)
    assert flat(stages_for(plan, CHAIN, FilesToWrite())) == [SuspendRoot]
    plan = make_plan(CHAIN, deployed(CHAIN, root_started=False), resume=True)
    assert flat(stages_for(plan, CHAIN, FilesToWrite())) == [ResumeGraph]


def test_an_apply_that_was_cut_off_is_finished_even_when_nothing_differs() -> None:
    plan = make_plan(CHAIN, deployed(CHAIN, root_started=False), resume=True)
    groups = stages_for(plan, CHAIN, FilesToWrite(), unfinished=UnfinishedApply(("X$LOST", "X$A")))
    assert flat(groups) == [OpenJournal, DropTask, PutTask, Verify, ResumeGraph, CloseJournal]
    assert written(groups) == [["drop X$LOST"], ["put X"]]


def test_a_restore_leaves_what_was_off_as_it_was() -> None:
    was = observed_artefact("x", TARGET, deployed(CHAIN, root_started=False, off=("X$B",)))
    assert was is not None
    changed = graph({"A": (), "B": ("A",)}, "F", body="select 2")
    plan = restore_plan(was, deployed(changed, off=("X$B",)), TARGET)
    assert not plan.resume_root
    assert not [field for change in plan.changes for field in change.fields if field.path == "state"]
    same = restore_plan(was, deployed(CHAIN, root_started=False, off=("X$B",)), TARGET)
    assert same.summary["unchanged"] == 5


def test_a_first_deployment_is_restored_by_removing_it() -> None:
    journal = Journal(HEADER, None, artefact(CHAIN))
    half = replace(deployed(CHAIN, root_started=False), tasks=deployed(CHAIN).tasks[:2])
    groups = restore_stages(journal, half, TARGET, ())
    assert written(groups) == [["drop X$B"], ["drop X$A"], ["drop X"]]
    assert groups[-1] == (CloseJournal(3),)
    assert flat(restore_stages(journal, None, TARGET, ())) == [CloseJournal]


def test_a_restore_puts_the_old_graph_back_and_forgets_the_new_one() -> None:
    new = graph({"A": (), "D": ("A",)}, "G")
    journal = Journal(HEADER, artefact(CHAIN), artefact(new))
    lost = observed_task(
        {"name": "X$LOST", "state": "suspended", "definition": "select 1", "warehouse": "WH"}
    )
    groups = restore_stages(journal, deployed(new, root_started=False), TARGET, (lost,))
    assert flat(groups)[0] is not OpenJournal and groups[-1] == (CloseJournal(3),)
    assert written(groups) == [
        ["drop X$G"],
        ["put X$B"],
        ["put X$C"],
        ["put X$F"],
        ["drop X$LOST"],
        ["drop X$D"],
        ["put X"],
    ]


def test_a_graph_is_removed_from_the_bottom_up_and_its_root_last() -> None:
    groups = removal_stages(artefact(CHAIN), root_started=True)
    assert flat(groups)[:2] == [OpenJournal, SuspendRoot]
    assert written(groups) == [["drop X$F"], ["drop X$C"], ["drop X$B"], ["drop X$A"], ["drop X"]]
