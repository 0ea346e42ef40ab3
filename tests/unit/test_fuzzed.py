"""Specs that nobody wrote: whatever comes in, reading ends with findings, and with the same ones each time."""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sfml.frontend.reading import read
from sfml.render.text import diagnostics_text

SPECS = Path(__file__).parents[2] / "specs"


def valid() -> dict[str, Any]:
    """Our own pipeline as one document."""
    entry: dict[str, Any] = yaml.safe_load((SPECS / "clv.yaml").read_text())
    entry["graph"] = yaml.safe_load((SPECS / "clv" / "job_config.yaml").read_text())
    entry["schedule"] = yaml.safe_load((SPECS / "clv" / "schedule_config.yaml").read_text())
    return json.loads(json.dumps(entry, default=str))  # type: ignore[no-any-return]


VALID = valid()


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


WORDS = st.sampled_from(
    (
        *("", "a", "prepare_data", "${train_model.metrics}", "${", "${a..b[}", "$${x}", "{{ var.threshold }}"),
        *("{{ 1 / 0 }}", "{{", "{% if %}", "{{ [] | first }}", "1h", "9999d", "* * * * *", "60 25 * * 8", "UTC"),
        *("../..", "clv.train.train_model", "sfml_steps", "a.b.c", "manual", "NO_OVERLAP", "all_done", "\0", "\ud800"),
        *("x'; DROP TABLE t; --", "$$", "SYSTEM$STREAM_HAS_DATA('S')", "🙂", "a" * 300, "X" * 20 + "$" * 20),
    )
)  # fmt: skip
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, WORDS, st.text(max_size=8))
KEYS = st.one_of(
    st.sampled_from(
        sorted({str(path[-1]) for path in places(VALID)} | {"job", "call", "sql", "include", "for_each"})
    ),
    st.text(max_size=6),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """Our own pipeline with one to four of its values replaced, removed, renamed or moved."""
    document = copy.deepcopy(VALID)
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(list(places(document)) or [("version",)]))
        holder: Any = document
        for part in path[:-1]:
            holder = holder[part]
        match draw(st.sampled_from(("replace", "remove", "rename", "move", "add"))):
            case "replace":
                holder[path[-1]] = draw(VALUES)
            case "rename" if isinstance(holder, dict) and path[-1] in holder:
                holder[draw(KEYS)] = holder.pop(path[-1])
            case "move":
                other = draw(st.sampled_from(list(places(document))))
                source: Any = document
                for part in other:
                    source = source[part]
                holder[path[-1]] = copy.deepcopy(source)
            case "add" if isinstance(holder, dict):
                holder[draw(KEYS)] = draw(VALUES)
            case _ if path[-1:] and (isinstance(holder, list) or path[-1] in holder):
                del holder[path[-1]]
    return document


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "sfml.yaml").write_text((SPECS.parent / "sfml.yaml").read_text())
        shutil.copytree(SPECS.parent / "steps", root / "steps")
        yield root


def said(folder: Path, content: bytes) -> str:
    """What is said about the content, which must be the same twice; no exception is one too many."""
    path = folder / "p.yaml"
    path.write_bytes(content)
    texts = []
    for _ in range(2):
        reading = read(path, user="tester")
        assert (reading.graph is None) == any(one.is_error for one in reading.diagnostics)
        assert all("\n" not in one.message for one in reading.diagnostics)
        texts.append(diagnostics_text(reading.diagnostics, reading.sources))
    assert texts[0] == texts[1]
    assert not any(
        word in texts[0] for word in ("oneOf", "anyOf", "additionalProperties", "is not valid under any")
    )
    return texts[0]


@given(document=mutated())
def test_mutations_of_a_valid_spec(folder: Path, document: dict[str, Any]) -> None:
    said(folder, json.dumps(document).encode())


@given(document=mutated(), data=st.data())
def test_mutations_of_a_valid_text(folder: Path, document: dict[str, Any], data: st.DataObject) -> None:
    text = yaml.safe_dump(document, allow_unicode=True).encode(errors="replace")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    junk = data.draw(
        st.one_of(
            st.binary(max_size=6), st.sampled_from((b"&a ", b"*a", b"<<: ", b"!!", b"? ", b"{{ ", b"\t"))
        )
    )
    said(folder, text[:start] + junk + text[end:])


@given(content=st.binary(max_size=200))
def test_bytes(folder: Path, content: bytes) -> None:
    assert said(folder, content)
