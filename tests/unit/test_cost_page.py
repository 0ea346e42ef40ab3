"""The page on costs: its example is what the command prints, and the sum beside it is right."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sfml.base.resources import schema
from sfml.cli.entry import run

PAGE = Path(__file__).parents[2] / "docs" / "cost.md"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file, text in re.findall(
        r"^```yaml\n# (\S+)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S
    ):
        (tmp_path / file).write_text(text, encoding="utf-8")
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "train.py").write_text("print('trained')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_prints_what_the_page_shows(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = re.findall(
        r"^```console\n\$ sfml (cost weekly.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S
    )
    typed, _, output = shown.partition("\n")
    assert run(typed.split()) == 0
    assert capsys.readouterr().out == output


def test_the_sum_by_hand_is_the_estimate(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "-t", "prod", "-o", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    runs = 52 / 12
    pool = (runs * 7_800 / 3_600 * 0.11, runs * 11_400 / 3_600 * 0.11)
    warehouse = (runs * 780 / 3_600, runs * 12_180 / 3_600)
    for at, end in enumerate(("low", "high")):
        assert found["compute_pools"][0]["credits_per_month"][end] == pytest.approx(pool[at], abs=1e-4)
        assert found["warehouses"][0]["credits_per_month"][end] == pytest.approx(warehouse[at], abs=1e-4)
        assert found["credits_per_month"][end] == pytest.approx(pool[at] + warehouse[at], abs=2e-4)
    page = PAGE.read_text(encoding="utf-8")
    assert f"= {pool[0]:.2f} " in page and f"= {pool[1]:.2f} " in page
    assert f"= {warehouse[0]:.2f} " in page and f"= {warehouse[1]:.1f} " in page


@pytest.mark.parametrize("price", [(), ("--price", "3", "--edition", "enterprise")])
def test_the_output_fits_its_schema(
    price: tuple[str, ...], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (project / "weekly.yaml").read_text(encoding="utf-8")
    unsaid = text.replace("weekly", "unsaid").replace(", expect: {takes: 1m..2m}", "")
    (project / "unsaid.yaml").write_text(unsaid + "budget: {credits_per_month: 30}\n", encoding="utf-8")
    assert run(["cost", "-t", "prod", "-o", "json", *price]) == 0
    found = json.loads(capsys.readouterr().out)
    Draft202012Validator(schema("output/cost.schema.json")).validate(found)
    assert found["credits_per_month"]["high"] is None and found["credits_per_month"]["low"] > 0
    assert [one["budget"] for one in found["pipelines"]] == [30, None]
    if price:
        assert found["money_per_month"]["low"] == pytest.approx(
            3 * found["credits_per_month"]["low"], abs=1e-3
        )
    else:
        assert found["money_per_month"] is None


def test_no_money_is_shown_without_a_price(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["cost", "-t", "prod", "--edition", "enterprise"])
    assert "Enterprise" in (text := capsys.readouterr().out) and "a credit\n" not in text
    run(["cost", "-t", "prod", "--price", "2"])
    assert "at 2 a credit\n" in capsys.readouterr().out
