"""What a procedure's process does around the user's code."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfml_local.processes.worker import load_handler, user_traceback

BODY = """
def helper():
    raise ValueError("it's wrong")

def main(session):
    helper()
"""


def test_a_traceback_shows_the_users_lines_and_none_of_ours() -> None:
    main = load_handler("main", BODY)
    try:
        main(None)
    except ValueError as error:
        # This test called it, where the worker would have: its frame is not part of what is meant.
        assert error.__traceback__ is not None
        text = user_traceback(error.with_traceback(error.__traceback__.tb_next))
    # Newer Pythons mark the call below each line.
    assert [line for line in text.splitlines() if line.strip("~^ ")] == [
        "Traceback (most recent call last):",
        '  File "_udf_code.py", line 6, in main',
        "    helper()",
        '  File "_udf_code.py", line 3, in helper',
        """    raise ValueError("it's wrong")""",
        "ValueError: it's wrong",
    ]


def test_a_syntax_error_names_the_bodys_line() -> None:
    with pytest.raises(SyntaxError) as wrong:
        load_handler("main", "\ndef main(session)\n")
    text = user_traceback(wrong.value)
    assert 'File "_udf_code.py", line 2' in text
    assert "local/worker.py" not in text


def test_a_handler_that_is_not_there_is_named() -> None:
    with pytest.raises(AttributeError, match="Could not find handler 'other'"):
        load_handler("other", BODY)


def test_a_staged_handler_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "staged_handler_module.py").write_text("def run(session, a):\n    return a + 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_handler("staged_handler_module.run", None)(None, 1) == 2
