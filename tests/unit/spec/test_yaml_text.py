"""Values written as YAML read back as just these values; edits leave everything else byte for byte."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sfml.base.fixes import fixed
from sfml.base.source import Span
from sfml.spec.compose import compose
from sfml.spec.edits import adding, replacing
from sfml.spec.expressions import evaluated
from sfml.spec.nodes import MapNode, ScalarNode, plain
from sfml.spec.yaml_text import block_text, flow_text, scalar_text, without_expressions

texts = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20),
    st.sampled_from(
        [
            "NO",
            "on",
            "1_000",
            "0o17",
            "1e3",
            "1997-09-30",
            "12:30:00",
            "~",
            "",
            " x ",
            "a: b",
            "# c",
            "- d",
            "{{ a }}",
        ]
    ),
    st.sampled_from(
        [
            "null",
            "True",
            "90s",
            "1h30m",
            "CLV$TRAIN",
            "0 0 * * 0",
            "a\nb",
            "\u2028",
            "\x85",
            "'",
            '"',
            "=",
            "<<",
        ]
    ),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
keys = st.text("abcdefgh_", min_size=1, max_size=6)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(keys, values, min_size=1, max_size=4))
def test_what_is_written_is_read_again_by_us_and_by_others(value: dict[str, object]) -> None:
    text = block_text(value)  # type: ignore[arg-type]
    node, findings = compose(text, "a.yaml")
    assert findings == () and node is not None
    assert plain(node) == value
    assert yaml.safe_load(text) == value


@pytest.mark.parametrize(
    "plain_word", ["ML_WH", "90s", "specs/clv.yaml", "CLV$TRAIN", "Europe/Berlin", "two words"]
)
def test_plain_words_need_no_quotes(plain_word: str) -> None:
    assert scalar_text(plain_word) == plain_word


@given(texts)
def test_texts_survive_the_evaluation_of_expressions(text: str) -> None:
    node = ScalarNode(without_expressions(text), Span.whole("a.yaml"), "a")
    assert plain(evaluated(node, {}, [])) == text


FLOW = "tasks:\n  a: {sql: select 1, after: [b]}   # flow\n  c: {}\n"
BLOCK = "# head\ntasks:\n  a:   # block\n    sql: select 1   # body\n\n    # about time\n    timeout: 90s\n  c: {}\n"
LITERAL = "tasks:\n  a:\n    sql: |\n      select 1\n      from t\n\n    timeout: 90s\n"


def task(source: str, name: str = "a") -> MapNode:
    node, findings = compose(source, "a.yaml")
    assert isinstance(node, MapNode) and findings == ()
    found = node.entries["tasks"].entries[name]  # type: ignore[union-attr]
    assert isinstance(found, MapNode)
    return found


@pytest.mark.parametrize(
    ("source", "key", "value", "old", "new"),
    [
        (FLOW, "sql", "select 'a, b'", "select 1,", "\"select 'a, b'\","),
        (FLOW, "after", ["b", "d"], "[b]", "[b, d]"),
        (BLOCK, "timeout", "2h", "90s", "2h"),
        (LITERAL, "sql", "select 2", "|\n      select 1\n      from t\n", "select 2\n"),
        (LITERAL, "timeout", "2h", "90s", "2h"),
    ],
)
def test_a_value_is_replaced_and_nothing_else(
    source: str, key: str, value: object, old: str, new: str
) -> None:
    fix = replacing(source, task(source).entries[key], value)  # type: ignore[arg-type]
    assert fix is not None
    after, done = fixed(source, [fix])
    assert done and after == source.replace(old, new)
    assert plain(task(after))[key] == value  # type: ignore[index,call-overload]


@pytest.mark.parametrize("source", [FLOW, BLOCK, LITERAL])
def test_an_entry_is_added_in_the_mappings_own_style(source: str) -> None:
    fix = adding(source, task(source), "run_on", {"warehouse": "BIG WH"})
    assert fix is not None
    after, _ = fixed(source, [fix])
    assert plain(task(after)) == {**plain(task(source)), "run_on": {"warehouse": "BIG WH"}}  # type: ignore[dict-item]
    for line in source.splitlines():
        assert line.split("#")[0].rstrip("} ") in after, "everything that was there is there"
    assert all(
        comment in after for comment in ("# flow", "# block", "# body", "# about time") if comment in source
    )


def test_an_entry_is_added_to_an_empty_mapping() -> None:
    fix = adding(FLOW, task(FLOW, "c"), "timeout", "1h")
    assert fix is not None
    assert fixed(FLOW, [fix])[0] == FLOW.replace("c: {}", "c: {timeout: 1h}")


def test_a_value_on_one_line() -> None:
    assert flow_text({"cron": "0 0 * * 0", "timezone": "UTC"}) == '{cron: "0 0 * * 0", timezone: UTC}'
