"""Where the cursor is in a text, whether or not the text can be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfml.lsp.outline_text import Gap, Wanted, gap_at, keys_below
from sfml.spec.compose import compose
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode

KEY, VALUE, ITEM, NOTHING = Wanted.KEY, Wanted.VALUE, Wanted.ITEM, Wanted.NOTHING


def gap(text: str) -> Gap:
    """The gap at `|`."""
    offset = text.index("|")
    return gap_at(text[:offset] + text[offset + 1 :], offset)


@pytest.mark.parametrize(
    ("text", "wanted", "keys", "word"),
    (
        ("|", KEY, (), ""),
        ("ver|", KEY, (), "ver"),
        ("tasks:\n  |", KEY, ("tasks",), ""),
        ("tasks:\n  load:\n    st|", KEY, ("tasks", "load"), "st"),
        ("tasks:\n  load:\n    step: clv.fe|", VALUE, ("tasks", "load", "step"), "clv.fe"),
        ("tasks:\n  load:\n    step: a\n  |", KEY, ("tasks",), ""),
        ("tasks:\n  load:\n    step: a\n    |\n  next: {sql: x}", KEY, ("tasks", "load"), ""),
        ("tasks:\n  load:\n    after: [a, b|", ITEM, ("tasks", "load", "after", 1), "b"),
        ("tasks:\n  load:\n    after: [a, b|, c]\n    step: x", ITEM, ("tasks", "load", "after", 1), "b"),
        ("tasks:\n  load:\n    after:\n      - a\n      - |", ITEM, ("tasks", "load", "after", 1), ""),
        ("tasks:\n  load:\n    after:\n    - a\n    - b|", ITEM, ("tasks", "load", "after", 1), "b"),
        ("tasks:\n  load: {step: a, af|", KEY, ("tasks", "load"), "af"),
        ("tasks:\n  load: {step: a, run_on: {pool: P|", VALUE, ("tasks", "load", "run_on", "pool"), "P"),
        ("tasks:\n  load: {with: {a: [1, {b: |", VALUE, ("tasks", "load", "with", "a", 1, "b"), ""),
        ("tasks:\n  load:\n    with: {\n      a: 1,\n      b|", KEY, ("tasks", "load", "with"), "b"),
        ("tasks:\n  a: {after: [x]}\n  b|", KEY, ("tasks",), "b"),
        ("moved:\n  - from: a\n    to: b|", VALUE, ("moved", 0, "to"), "b"),
        ("moved:\n  - {from: a, to: x}\n  - {from: b, to: |", VALUE, ("moved", 1, "to"), ""),
        ('"a key": {b|', KEY, ("a key",), "b"),
        ("a:\n  sql: |-\n    select x: y\n    from |", VALUE, ("a", "sql"), ""),
        ("# a comm|", NOTHING, (), ""),
        ("a: 'x' # a|", VALUE, ("a",), "a"),
        ("a: {{ var.|", VALUE, ("a",), ""),
        ("a:\r\n  b:\r\n    c|", KEY, ("a", "b"), "c"),
    ),
)
def test_the_keys_around_the_cursor(text: str, wanted: Wanted, keys: tuple[object, ...], word: str) -> None:
    if "sql: |-" in text:
        text = text.replace("|-", ">-")
    found = gap(text)
    assert (found.wanted, found.keys, found.word) == (wanted, keys, word)


@pytest.mark.parametrize(
    ("text", "opened", "inside", "word"),
    (
        ('a: "${train.met|', "${", "train.met", "met"),
        ('a: {b: "${train.|', "${", "train.", ""),
        ('a: [x, "${|"]', "${", "", ""),
        ('a: "{{ var.th|', "{{", "var.th", "th"),
        ('a: "{{ var.a }} and {{ target.|', "{{", "target.", ""),
        ('a: "${done} and |', "", "", ""),
    ),
)
def test_what_is_opened_inside_a_text(text: str, opened: str, inside: str, word: str) -> None:
    found = gap(text)
    assert (found.opened, found.inside, found.word) == (opened, inside, word)


def test_the_keys_beside_the_cursor_and_the_word_to_replace() -> None:
    text = "tasks:\n  a:\n    step: x\n    tim|eout_\n    after: [b]\n  c: {sql: y}\n"
    found = gap(text)
    assert set(found.beside) == {"step", "after"}
    clean = text.replace("|", "")
    assert clean[found.start : found.end] == "timeout_"
    assert gap("a: {b: 1, c: 2, d|").beside == ("b", "c")
    assert list(keys_below(clean, ("tasks",))) == ["a", "c"]
    assert list(keys_below(clean, ("tasks", "a"))) == ["step", "after"]


SCALARS = st.sampled_from(("x", "1", "'a b'", '"c: d"', "a.b", "2h"))
NAMES = st.sampled_from(("step", "after", "a_b", "with", "tasks", "x y"))


def trees(depth: int) -> st.SearchStrategy[object]:
    inner = SCALARS if depth == 0 else st.one_of(SCALARS, trees(depth - 1))
    maps = st.dictionaries(NAMES, inner, min_size=1, max_size=3)
    return st.one_of(maps, st.lists(inner, min_size=1, max_size=3).map(tuple))


def written(tree: object, indent: int, flow: bool) -> str:
    """The tree as YAML, in blocks or in braces."""
    blank = " " * indent
    match tree:
        case str():
            return tree
        case dict():
            if flow:
                return "{" + ", ".join(f"{key}: {written(one, 0, True)}" for key, one in tree.items()) + "}"
            return "".join(f"\n{blank}{key}:{_under(one, indent)}" for key, one in tree.items())
        case tuple():
            if flow:
                return "[" + ", ".join(written(one, 0, True) for one in tree) + "]"
            return "".join(f"\n{blank}-{_under(one, indent)}" for one in tree)
    raise AssertionError(tree)


def _under(tree: object, indent: int) -> str:
    return f" {tree}" if isinstance(tree, str) else written(tree, indent + 2, False)


def scalars(node: Node, keys: tuple[object, ...]) -> list[tuple[tuple[object, ...], ScalarNode]]:
    match node:
        case MapNode():
            return [found for key, one in node.entries.items() for found in scalars(one, (*keys, key))]
        case ListNode():
            return [found for index, one in enumerate(node.items) for found in scalars(one, (*keys, index))]
        case _:
            return [(keys, node)]


@given(st.dictionaries(NAMES, trees(2), min_size=1, max_size=3), st.booleans())
def test_the_place_of_every_value_is_that_of_the_parser(tree: dict[str, object], flow: bool) -> None:
    if flow:
        text = "".join(f"{key}: {written(one, 0, True)}\n" for key, one in tree.items())
    else:
        text = written(tree, 0, False).lstrip("\n") + "\n"
    node, findings = compose(text, "a.yaml")
    assert node is not None and not findings, text
    lines = text.split("\n")
    for keys, scalar in scalars(node, ()):
        start = scalar.span.start
        offset = sum(len(line) + 1 for line in lines[: start.line - 1]) + start.column - 1
        assert gap_at(text, offset).keys == keys, (text, keys)


@given(st.text(alphabet=st.sampled_from("ab:-{}[],'\"# \n|$"), max_size=60), st.integers(0, 60))
def test_no_text_is_too_strange(text: str, offset: int) -> None:
    offset = min(offset, len(text))
    found = gap_at(text, offset)
    assert found.start <= offset <= found.end <= len(text)
