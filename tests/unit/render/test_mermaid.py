from __future__ import annotations

import dataclasses
import re

from hypothesis import given
from hypothesis import strategies as st
from made_graphs import clv, graph, sql, wide

from sfml.render.mermaid import mermaid


def test_a_pipeline() -> None:
    assert mermaid(clv()).splitlines() == [
        "flowchart TD",
        '  root(["clv<br/>cron 0 0 #42; #42; 0 UTC"])',
        '  t1["prepare_data<br/>warehouse ML_WH"]',
        '  t2["train_model<br/>pool ML_POOL"]',
        '  t3{"check_model_quality<br/>warehouse ML_WH"}',
        '  t4["promote_model<br/>warehouse ML_WH"]',
        '  t5["send_alert<br/>warehouse ML_WH"]',
        '  t6["score_customers<br/>warehouse ML_WH"]',
        '  t7["cleanup<br/>warehouse ML_WH"]',
        "  root --> t1",
        "  t1 --> t2",
        "  t2 --> t3",
        '  t3 -->|"promote_model"| t4',
        '  t3 -->|"send_alert"| t5',
        "  t4 --> t6",
        '  root -. "finally" .-> t7',
        "  classDef finalizer stroke-dasharray: 4 4",
        "  class t7 finalizer",
    ]


def test_several_outcomes_and_outcomes_that_start_nothing() -> None:
    drawn = mermaid(wide())
    assert '  t1 -->|"good or fine"| t2' in drawn
    assert '  t1 -->|"same"| t1_3(("nothing"))' in drawn
    assert "if none_failed_min_one_succeeded" in drawn
    assert '  t1{"check<br/>serverless"}' in drawn


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_no_name_leaves_its_label(name: str) -> None:
    """Each line stays one line of the shape that it has for a plain name."""
    drawn = mermaid(dataclasses.replace(graph(sql(name)), pipeline=name))
    label = r'"(?:[\w \-.,:/()+=²³¹]|#\d+;|<br/>)+"'
    shapes = ["flowchart TD", rf"  root\(\[{label}\]\)", rf"  t1\[{label}\]", "  root --> t1"]
    lines = drawn.removesuffix("\n").split("\n")
    assert len(lines) == len(shapes)
    for line, shape in zip(lines, shapes, strict=True):
        assert re.fullmatch(shape, line), line
