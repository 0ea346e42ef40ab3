"""The process of Python policies: whatever a policy does, the others go on, and what it did is a finding."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from sfml.base.diagnostic import Diagnostic
from sfml.frontend.reading import Reading, read
from sfml.frontend.team_policies import PolicyChoice, own_policies, with_policies
from sfml.policies import trust

PROJECT = """\
version: 1
targets:
  local: {kind: local, default: true}
  prod: {connection: prod, account: A, database: ML, warehouse: WH, mode: production}
policies: {python: true, timeout: 3s}
"""
SPEC = """\
version: 1
pipeline: shop
schedule: {version: 1, schedule: {cron: "0 3 * * *"}}
graph:
  tasks:
    take: {sql: SELECT 1, timeout: 5m}
    give: {sql: SELECT 1, after: [take]}
"""
FIRST = """\
from sfml.policies import policy

@policy("ML1")
def bad({parameters}):
    {body}
"""
SECOND = """\
from sfml.policies import policy

@policy("ML9")
def good(pipeline):
    return pipeline.finding("it is there", at="schedule.cron")
"""
RUNS = PolicyChoice(sets=None, is_trusted=True)


def held(folder: Path, *, target: str = "local", choice: PolicyChoice = RUNS) -> Reading:
    (folder / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "shop.yaml").write_text(SPEC, encoding="utf-8")
    (reading,) = with_policies([read(folder / "shop.yaml", target=target, user="ada", cwd=folder)], choice)
    return reading


def run(folder: Path, body: str, parameters: str = "pipeline", more: str = "") -> list[Diagnostic]:
    """The findings beside those of a good policy, which must not be lost."""
    (folder / "policies").mkdir(exist_ok=True)
    text = FIRST.format(parameters=parameters, body=body) + more
    (folder / "policies" / "a.py").write_text(text, encoding="utf-8")
    (folder / "policies" / "b.py").write_text(SECOND, encoding="utf-8")
    found = held(folder).diagnostics
    assert [(one.message, one.span.start.line) for one in found if one.code == "ML9" and one.span] == [
        ("it is there", 3)
    ]
    return [one for one in found if one.code != "ML9"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "return pipeline.nothing",
            "raised AttributeError: 'Pipeline' object has no attribute 'nothing', line 5 of a.py",
        ),
        ("raise KeyError(pipeline.name)", "raised KeyError: 'shop', line 5 of a.py"),
        ("raise BaseException", "raised BaseException, line 5"),
        ("raise KeyboardInterrupt", "raised KeyboardInterrupt"),
        ("return bad(pipeline)", "raised RecursionError"),
        ("raise SystemExit(0)", "ended the process"),
        ("import os; os._exit(0)", "ended the process"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended the process"),
        ("return 7", "returned a value of type `int`"),
        ("return {'a': 1}", "returned a value of type `dict`"),
        ("return [7]", "returned a value of type `int` among its findings"),
        ("return ['']", "returned a finding without a message"),
        ("return [pipeline.finding(7)]", "returned a finding whose message is"),
        ("yield pipeline.finding('x', at=3)", "returned a finding whose at is"),
        ("pipeline.name = 'other'", "raised FrozenInstanceError"),
        ("pipeline.tags['a'] = 'b'", "raised TypeError"),
        ("import missing_module", "raised ModuleNotFoundError"),
        ("return open('/nowhere')", "raised FileNotFoundError"),
        ("open('big', 'wb').write(b'x' * 2_000_000)", "raised OSError"),
        ("import os; os.write(3, b'x\\n' * 10)", "wrote into its answers"),
    ],
    ids=lambda text: text[:40],
)
def test_what_a_policy_does_wrong_is_a_finding_at_its_place(body: str, words: str, tmp_path: Path) -> None:
    (found,) = run(tmp_path, body)
    assert (found.code, found.is_error) == ("SF534", True)
    assert found.message.startswith("policy `ML1` ") and words in found.message
    assert found.span is not None and (found.span.file, found.span.start.line) == ("policies/a.py", 3)
    assert "Traceback" not in found.message


def test_a_policy_that_failed_was_not_applied(tmp_path: Path) -> None:
    """Else a report in JUnit has a case for it that passes."""
    run(tmp_path, "raise KeyError(pipeline.name)")
    assert [policy.code for policy in held(tmp_path).policies] == ["ML9"]
    run(tmp_path, "print('hello')")
    assert [policy.code for policy in held(tmp_path).policies] == ["ML1", "ML9"]


def test_text_that_no_output_takes_is_written_with_escapes(tmp_path: Path) -> None:
    wrong = repr("\ud800 \udcff")
    found = run(tmp_path, f"return [pipeline.finding({wrong}, at={wrong}, help={wrong})]")
    raised = run(tmp_path, f"raise KeyError({wrong})")
    assert [one.code for one in found] == ["ML1"] and [one.code for one in raised] == ["SF534"]
    for one in (*found, *raised):
        "".join(filter(None, (one.message, one.path, one.help))).encode()


def test_a_policy_that_does_not_end_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    (found,) = run(tmp_path, "while True: __import__('time').sleep(0.01)")
    assert found.message == "policy `ML1` did not end within 3 s"
    assert time.monotonic() - began < 60


def test_memory_is_bounded(tmp_path: Path) -> None:
    (found,) = run(tmp_path, "x = bytearray(8_000_000_000)")
    assert found.message.startswith("policy `ML1` took more memory than there is for policies")


@pytest.mark.parametrize(
    "body",
    [
        "print('hello')",
        "import sys; print('hello', file=sys.stderr)",
        "import os; os.write(1, b'hello')",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(\"hello\")'])",
        "import warnings; warnings.warn('hello')",
    ],
)
def test_what_it_prints_is_a_warning(body: str, tmp_path: Path) -> None:
    (found,) = run(tmp_path, body)
    assert (found.code, found.is_error) == ("SF535", False)
    assert "hello" in found.message


def test_endless_findings_and_prints_are_bounded(tmp_path: Path) -> None:
    body = "import itertools; yield from (pipeline.finding(str(n)) for n in itertools.count())"
    assert 100 < len(run(tmp_path, body)) <= 201
    (found, *_) = run(tmp_path, "while True: print('x' * 1000)")
    assert found.code in ("SF534", "SF535")


def test_a_module_that_fails_is_a_finding_of_its_policies(tmp_path: Path) -> None:
    (found,) = run(tmp_path, "return None", more="raise ValueError('at once')\n")
    assert "raised ValueError: at once, line 6 of a.py" in found.message


def test_a_policy_that_is_not_registered_when_it_runs_is_told(tmp_path: Path) -> None:
    (found,) = run(
        tmp_path,
        "return None",
        more="from sfml.policies.interface import REGISTERED\nREGISTERED.pop('ML1')\n",
    )
    assert "does not register" in found.message


def test_findings_stand_at_the_settings_that_they_name(tmp_path: Path) -> None:
    body = "yield task.finding('first', at='timeout'); yield 'second'"
    found = run(tmp_path, body, parameters="task")
    places = [(one.message, one.path, one.span.start.line) for one in found if one.span]
    assert places == [
        ("second", "tasks.take", 6),
        ("first", "tasks.take.timeout", 6),
        ("first", "tasks.give", 7),
        ("second", "tasks.give", 7),
    ]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere nothing is promised")
@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX"])
def test_the_network_is_out_of_reach(family: str, tmp_path: Path) -> None:
    (found,) = run(tmp_path, f"import socket; socket.socket(socket.{family})")
    assert "raised PermissionError" in found.message


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere nothing is promised")
def test_it_is_told_where_nothing_cuts_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sfml.policies import process

    code = process._CODE.replace(
        "from sfml.policies.worker",
        "import platform; platform.machine = lambda: 'other'; import ctypes\n"
        "ctypes.CDLL = None\nfrom sfml.policies.worker",
    )
    monkeypatch.setattr(process, "_CODE", code)
    (found,) = run(tmp_path, "return None")
    assert (found.code, str(found.severity)) == ("SF536", "note")


def test_secrets_of_the_environment_do_not_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "hunter2")
    (found,) = run(tmp_path, "import os; return ', '.join(sorted(os.environ))")
    assert "SNOWFLAKE_PASSWORD" not in found.message and "HOME" in found.message


def test_compiled_modules_beside_the_source_are_not_loaded(tmp_path: Path) -> None:
    import importlib._bootstrap_external as external

    cache = tmp_path / "policies" / "__pycache__"
    cache.mkdir(parents=True)
    code = compile("raise SystemExit('loaded')", "b.py", "exec")
    stale = external._code_to_hash_pyc(code, b"x" * 8, checked=False)  # type: ignore[attr-defined]
    (cache / f"b.{sys.implementation.cache_tag}.pyc").write_bytes(stale)
    assert run(tmp_path, "return None") == []


def test_modules_can_import_each_other(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "lists.py").write_text("WORDS = 'from the list'\n", encoding="utf-8")
    (found,) = run(tmp_path, "from lists import WORDS; return WORDS")
    assert found.message == "from the list"


def test_no_file_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    run(tmp_path, "open('left', 'w').write('x')")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_code_runs_only_when_it_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    own = PolicyChoice()
    run(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')")
    (tmp_path / "ran").unlink()
    assert [one.code for one in held(tmp_path, choice=own).diagnostics] == ["SF533"]
    assert not (tmp_path / "ran").exists()
    trust.trust(own_policies(held(tmp_path, choice=own)).folder, tmp_path)
    assert [one.code for one in held(tmp_path, choice=own).diagnostics] == ["ML9"]
    assert (tmp_path / "ran").exists()
    # Data may change, code may not: neither a module, nor a helper, nor its name.
    (tmp_path / "policies" / "more.yaml").write_text("version: 1\n", encoding="utf-8")
    assert [one.code for one in held(tmp_path, choice=own).diagnostics] == ["ML9"]
    (tmp_path / "policies" / "helper.py").write_text("", encoding="utf-8")
    assert [one.code for one in held(tmp_path, choice=own).diagnostics] == ["SF533"]
    (tmp_path / "policies" / "helper.py").unlink()
    assert [one.code for one in held(tmp_path, choice=own).diagnostics] == ["ML9"]
    (tmp_path / "policies" / "b.py").rename(tmp_path / "policies" / "c.py")
    assert [one.code for one in held(tmp_path, choice=own).diagnostics] == ["SF533"]


def test_the_project_file_has_to_allow_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "PROJECT", PROJECT.replace("python: true, ", ""))
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "b.py").write_text(SECOND, encoding="utf-8")
    (found,) = held(tmp_path).diagnostics
    assert found.code == "SF533" and "the project file does not allow" in found.message
