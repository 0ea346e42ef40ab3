"""What the documentation says is what the code does."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from sfml.cli.entry import COMMANDS, cli

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)[^)]*\)")


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in _BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


def commands_shown() -> list[tuple[str, str]]:
    """Every `sfml …` line that a page shows being typed."""
    found = []
    for page in PAGES:
        for block in blocks(page, "console"):
            for line in block.splitlines():
                typed = line.removeprefix("$ ").split("   # ")[0].strip()
                if line.startswith(("$ sfml ", "sfml ")):
                    found.append((page.name, typed))
    return found


def test_the_readme_stays_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) < 150


def test_links_lead_somewhere() -> None:
    wrong = [
        f"{page.relative_to(ROOT)} links to {target}"
        for page in PAGES
        for target in _LINK.findall(_BLOCK.sub("", page.read_text(encoding="utf-8")))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert not wrong, "\n".join(wrong)


def unknown_words(typed: str) -> list[str]:
    """The first command or the options of a typed line that `sfml` does not know."""
    words = shlex.split(typed.replace("…", ""), comments=True)[1:]
    command: click.Command = cli
    while isinstance(command, click.Group) and words:
        below = command.get_command(click.Context(command), words[0])
        if below is None:
            break
        command, words = below, words[1:]
    if command is cli:
        return words[:1] or ["nothing after `sfml`"]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return [word for word in words if word.startswith("-") and word.split("=")[0] not in known]


def test_commands_that_pages_show_are_understood() -> None:
    shown = commands_shown()
    assert len(shown) > 40
    wrong = [f"{page}: {typed}: unknown {word}" for page, typed in shown for word in unknown_words(typed)]
    assert not wrong, "\n".join(wrong)


def test_every_command_is_documented() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    commands = {name: cli.get_command(click.Context(cli), name) for name in COMMANDS}
    assert not [name for name, command in commands.items() if not (command and command.help)], "have no help"
    assert not [name for name in commands if f"sfml {name}" not in text], "stand on no page"


def test_the_readmes_yaml_is_the_pipelines() -> None:
    spec = yaml.safe_load((ROOT / "specs" / "clv" / "job_config.yaml").read_text(encoding="utf-8"))
    (shown,) = (yaml.safe_load(block) for block in blocks(README, "yaml"))
    for name, task in shown["tasks"].items():
        assert task == spec["tasks"][name], name


def test_python_that_pages_show_is_python() -> None:
    for page in PAGES:
        for block in blocks(page, "python"):
            ast.parse(block)


def test_the_readmes_finding_is_what_validate_prints(tmp_path: Path) -> None:
    for name in ("specs", "steps/clv"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "sfml.yaml", tmp_path)
    config = tmp_path / "specs" / "clv" / "job_config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace("outcomes: [promote_model,", "outcomes: [promote_modle,"), encoding="utf-8"
    )
    sfml = Path(sys.executable).parent / "sfml"
    done = subprocess.run(
        (str(sfml), "validate", "specs/clv.yaml"), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    shown = next(block for block in blocks(README, "console") if "error[SF304]" in block)
    finding = shown[shown.index("error[SF304]") : shown.index("\n\n1 error")]
    assert finding in done.stdout


TESTING = ROOT / "docs" / "testing.md"


def shown_by(command: str) -> tuple[str, str]:
    """A command of the page on testing, as it is typed there, and what it prints there."""
    block = next(block for block in blocks(TESTING, "console") if block.startswith(f"$ sfml {command} "))
    typed, _, printed = block.partition("\n")
    return typed.removeprefix("$ sfml "), printed


def printed_by(typed: str, folder: Path) -> str:
    sfml = Path(sys.executable).parent / "sfml"
    done = subprocess.run(
        (str(sfml), *shlex.split(typed)), cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("specs", "steps/clv"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "sfml.yaml", tmp_path)
    return tmp_path


def test_the_failing_test_that_the_page_shows(checkout: Path) -> None:
    config = checkout / "specs" / "clv" / "job_config.yaml"
    text = config.read_text(encoding="utf-8")
    outcomes = "outcomes: [promote_model, send_alert]"
    assert outcomes in text
    wrong = "outcomes: {promote_model: promote_model, send_alert: [send_alert, promote_model]}"
    config.write_text(text.replace(outcomes, wrong), encoding="utf-8")
    typed, shown = shown_by("test")
    seconds = re.compile(r"\(\d+\.\d\d s\)")
    assert seconds.sub("()", printed_by(typed, checkout)) == seconds.sub("()", shown)


def test_the_ways_that_the_page_shows(checkout: Path) -> None:
    typed, shown = shown_by("simulate")
    assert printed_by(typed, checkout).startswith(shown)


def test_the_tests_that_the_page_shows_are_the_pipelines() -> None:
    own = yaml.safe_load((ROOT / "specs" / "clv" / "tests.yaml").read_text(encoding="utf-8"))["tests"]
    (page,) = (yaml.safe_load(block) for block in blocks(TESTING, "yaml"))
    for name, test in page["tests"].items():
        assert test.items() <= own[name].items(), name
