"""`sfml validate` on one folder a rule: what is printed is `expected.txt`, reviewed like code.

With SFML_UPDATE_GOLDENS=1 the files are written anew.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import pytest

from sfml.cli.entry import run

CASES = Path(__file__).parent / "validate"
NAMES = sorted(path.parent.name for path in CASES.glob("*/spec.yaml"))


@pytest.fixture(autouse=True)
def in_the_folder_of_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES)


def validate(name: str, *more: str) -> int:
    """The exit code of `sfml validate <case>/spec.yaml` with the case's own arguments."""
    arguments = CASES / name / "arguments.txt"
    given = shlex.split(arguments.read_text(encoding="utf-8")) if arguments.exists() else []
    return run(["validate", f"{name}/spec.yaml", "--user", "tester", *given, *more])


@pytest.mark.parametrize("name", NAMES)
def test_findings_read_as_agreed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = validate(name)
    printed = re.sub(r" \(\d+\.\d+ s\)$", "", capsys.readouterr().out, flags=re.MULTILINE)
    golden = CASES / name / "expected.txt"
    if os.environ.get("SFML_UPDATE_GOLDENS"):
        golden.write_text(printed, encoding="utf-8")
    assert printed == golden.read_text(encoding="utf-8")
    assert code == (1 if "error[" in printed else 0)


@pytest.mark.parametrize("name", NAMES)
def test_every_finding_stands_somewhere(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    validate(name, "--output", "json")
    for finding in json.loads(capsys.readouterr().out)["diagnostics"]:
        assert re.fullmatch(r"SF[1-7]\d\d", finding["code"])
        assert "\n" not in finding["message"]
        if finding["file"] is not None:
            assert Path(finding["file"]).is_file(), finding
            start = (finding["line"], finding["column"])
            assert start <= (finding["end_line"], finding["end_column"])
        else:
            assert "--var" in finding["message"]
