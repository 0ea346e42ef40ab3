"""Which graphs of an account a spec made where it does not lead any more, and which are other instances of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sfml.account.former_graphs import (
    FormerGraph,
    RecordedRoot,
    RootPlace,
    SpecPlaces,
    former_graph,
    former_value,
    is_replaced,
    recorded_former,
    recorded_root,
)

PROD = ("ML_PROD", "VALUE", "VALUE")
SPEC = "specs/clv.yaml"


def dev(user: str) -> RootPlace:
    return ("ML_DEV", f"VALUE_{user.upper()}", "VALUE")


def places(here: RootPlace, **more: RootPlace | None) -> SpecPlaces:
    """A spec whose target `dev` has a schema for each user."""
    return SpecPlaces(here, lambda user: {"dev": dev(user), "prod": PROD, **more})


def root(database: str, schema: str, name: str, **record: Any) -> RecordedRoot:
    return RecordedRoot((database, schema, name), True, {"spec": SPEC, "user": "ada", **record})


OLD_PROD = root("ML_PROD", "CLV", "CLV", target="prod", pipeline="clv")
OLD_DEV = root("ML_DEV", "CLV_ADA", "CLV", target="dev", pipeline="clv")


def test_the_graph_of_a_renamed_pipeline_is_replaced_in_its_own_target_alone() -> None:
    assert is_replaced(OLD_PROD, places(PROD)) and not is_replaced(OLD_PROD, places(dev("ada")))
    assert is_replaced(OLD_DEV, places(dev("ada"))) and not is_replaced(OLD_DEV, places(PROD))


def test_instances_of_users_are_no_former_graphs_of_each_other() -> None:
    theirs = RecordedRoot(dev("bob"), True, {"spec": SPEC, "user": "bob", "target": "dev"})
    assert not is_replaced(theirs, places(dev("ada"))) and not is_replaced(theirs, places(PROD))
    old = RecordedRoot(("ML_DEV", "CLV_BOB", "CLV"), True, {"spec": SPEC, "user": "bob", "target": "dev"})
    assert is_replaced(old, places(dev("bob"))) and not is_replaced(old, places(dev("ada")))


def test_other_targets_are_no_former_graphs() -> None:
    other = RecordedRoot(PROD, True, {"spec": SPEC, "user": "ada", "target": "prod"})
    assert not is_replaced(other, places(dev("ada")))
    assert not is_replaced(RecordedRoot(PROD, True, {"spec": SPEC, "user": "ada"}), places(dev("ada")))


def test_a_place_that_depends_on_more_than_the_user_may_be_another_instance() -> None:
    here = ("ML", "VALUE_MAIN", "VALUE")
    branch = root("ML", "VALUE_TOPIC", "VALUE", target="branch")
    assert not is_replaced(branch, SpecPlaces(here, lambda user: {"branch": None}))
    assert not is_replaced(
        root("ML", "VALUE_TOPIC", "VALUE"), SpecPlaces(here, lambda user: {"branch": None})
    )


def test_records_without_a_target_belong_to_those_with_their_database() -> None:
    """sfml 0.1 wrote neither the target nor the pipeline."""
    old = root("ML_PROD", "CLV", "CLV")
    assert is_replaced(old, places(PROD)) and not is_replaced(old, places(dev("ada")))
    moved = root("OLD_DB", "VALUE", "VALUE")
    assert is_replaced(moved, places(PROD))
    assert former_graph(old).pipeline == "clv"
    beside = {"one": ("DB", "ONE", "VALUE"), "two": ("DB", "TWO", "VALUE")}
    instance = root("DB", "TWO", "VALUE")
    assert not is_replaced(instance, SpecPlaces(beside["one"], lambda user: beside))
    assert not is_replaced(moved, places(PROD, branch=None))


def test_what_removes_a_graph_names_the_pipeline_that_it_was() -> None:
    where = (SPEC, "prod", "VALUE")
    assert former_graph(OLD_PROD).removal(*where) == "sfml destroy clv -t prod --at ML_PROD.CLV"
    moved = root("OLD_DB", "my schema", "VALUE", target="prod", pipeline="value")
    assert former_graph(moved).removal(*where) == f"sfml destroy {SPEC} -t prod --at 'OLD_DB.\"my schema\"'"


def test_a_record_names_the_graphs_that_are_certain() -> None:
    sure = FormerGraph(("A", "my schema", "C"), True, "c", SPEC)
    value = former_value([sure, FormerGraph(("A", "B", "D"), True, "d", SPEC, certain=False)])
    assert recorded_former(value) == {("A", "my schema", "C"): SPEC}
    assert former_value([]) == {} == recorded_former(None)


@pytest.mark.parametrize("former", [None, 7, "x", [7], [{"at": "A.B"}], [{}], {"at": "A.B.C"}], ids=str)
def test_a_record_that_somebody_edited_names_none(former: Any) -> None:
    assert recorded_former({"former": former}) == {}


def test_parts_lanes_and_graphs_of_others_are_no_roots_of_pipelines() -> None:
    def shown(comment: str | None) -> Mapping[str, Any]:
        return {"database_name": "A", "schema_name": "B", "name": "C", "state": "started", "comment": comment}

    assert recorded_root(shown("theirs")) is None and recorded_root(shown(None)) is None
    whole = recorded_root(shown('words\nsfml:{"spec":"s.yaml"}'))
    part = recorded_root(shown('sfml:{"spec":"s.yaml","part":{}}'))
    assert whole is not None and whole.is_whole and whole.started and whole.place == ("A", "B", "C")
    assert part is not None and not part.is_whole
