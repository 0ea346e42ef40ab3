"""Arguments of `python -m sfml_local` that are refused before anything starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sfml_local.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--port", "70000"), "70000 is no port: 0 to 65535"),
        (("--port", "x"), "x is no port"),
        (("--file", "nowhere.sql"), "there is no file nowhere.sql"),
        (("--ignore", "("), "( is no regular expression"),
    ],
)
def test_they_are_refused_in_a_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: tuple[str, str],
    words: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["sfml_local", "--folder", str(tmp_path / "data"), *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert words in said and "Traceback" not in said
    assert not (tmp_path / "data").exists()
