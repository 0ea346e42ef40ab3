"""Whatever the graph: the DAG objects say what is put, but for what dagv1 has no words for."""

from __future__ import annotations

import pytest
from generated_graphs import graphs, lowered
from hypothesis import given
from property_settings import examples

from sfml.graph.model import TaskGraph

pytest.importorskip("snowflake.core")

from sfml.snowflake.dag import differences


@examples(30)
@given(graphs())
def test_dag_and_tasks_say_the_same_but_for_the_table(graph: TaskGraph) -> None:
    assert [difference for difference in differences(lowered(graph)) if difference.known is None] == []
