"""Commands that have subcommands: their help is not cut short, and a mistyped name gets a suggestion."""

from __future__ import annotations

import re

import pytest

from sfml.cli.entry import run


@pytest.mark.parametrize("group", ["local", "models", "policies"])
def test_help_has_whole_sentences(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([group, "--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:\n")[2]
    entries = re.split(r"\n(?=  \w)", listed.rstrip())
    assert len(entries) > 3
    assert all(entry.endswith(".") and not entry.endswith("...") for entry in entries), entries


@pytest.mark.parametrize(
    ("typed", "meant"), [("local strat", "start"), ("policies tset", "test"), ("models promot", "promote")]
)
def test_a_mistyped_subcommand_gets_a_suggestion(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(typed.split()) == 2
    assert f"did you mean `{meant}`?" in capsys.readouterr().err
