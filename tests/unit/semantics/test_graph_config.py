"""CONFIG: parsing, merging, reading by path; and what WHEN conditions may call."""

from __future__ import annotations

import pytest

from sfml.semantics.conditions import (
    decides_on_predecessors,
    forbidden_functions,
    functions_called,
    reads_streams,
)
from sfml.semantics.config import ConfigError, merged, parse_config, read_path

CONFIG = {"a": {"b": [1, {"c": "text"}], "d e": True}, "n": 0.4, "none": None}


@pytest.mark.parametrize("text", ["", "[1]", "1", "null", "{'a': 1}", '{"a": NaN}', '{"a": 1} x'])
def test_config_must_be_an_object(text: str) -> None:
    with pytest.raises(ConfigError, match=r"Invalid config\. Must be a string representation"):
        parse_config(text)


def test_configs_merge_at_every_depth() -> None:
    assert merged({"a": {"b": 1, "c": [1]}, "x": 1}, {"a": {"c": [2]}, "y": 2}) == {
        "a": {"b": 1, "c": [2]},
        "x": 1,
        "y": 2,
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("n", "0.4"),
        ("a.b[0]", "1"),
        ("a.b[1].c", "text"),
        ("a['d e']", "true"),
        ('a."d e"', "true"),
        ("a.b", '[1,{"c":"text"}]'),
        ("none", None),
        ("missing", None),
        ("a.b[9]", None),
        ("n.x", None),
    ],
)
def test_reading_by_path(path: str, expected: str | None) -> None:
    assert read_path(CONFIG, path) == expected


def test_functions_are_found_outside_strings_and_comments() -> None:
    condition = (
        "SYSTEM$STREAM_HAS_DATA('f(x)') and (a = 1 -- g(x)\n or /* h() */ parse_json ('it''s (')) in (1)"
    )
    assert functions_called(condition) == ("SYSTEM$STREAM_HAS_DATA", "PARSE_JSON")


@pytest.mark.parametrize(
    ("condition", "forbidden"),
    [
        ("SYSTEM$GET_PREDECESSOR_RETURN_VALUE('A')::NUMBER(10, 2) > 1", ()),
        ("CAST(SYSTEM$GET_PREDECESSOR_RETURN_VALUE('A') AS FLOAT) > 1 and not (1 = 2)", ()),
        ("1=1", ()),
        ("PARSE_JSON(SYSTEM$GET_PREDECESSOR_RETURN_VALUE('A')):x = 1", ("PARSE_JSON",)),
        ("my_db.my_schema.udf(1)", ("MY_DB.MY_SCHEMA.UDF",)),
    ],
)
def test_forbidden_functions(condition: str, forbidden: tuple[str, ...]) -> None:
    assert forbidden_functions(condition) == forbidden


def test_what_conditions_are_about() -> None:
    assert decides_on_predecessors("1=1 and SYSTEM$TASK_COMPLETION_STATE('A') = 'FAILED'")
    assert not decides_on_predecessors("SYSTEM$GET_PREDECESSOR_RETURN_VALUE('A') = 'B'")
    assert not decides_on_predecessors(None)
    assert reads_streams("system$stream_has_data('s')")
