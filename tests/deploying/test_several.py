"""Commands on several pipelines: all are planned, then each is changed by itself, and one that fails hides no other."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fork_server
import jsonschema
import pytest
from small import SFML, Small, printed_by

from sfml.base.resources import schema
from sfml_local.http.faults import Call

NAMES = ("apple", "bread", "cheese")
SEED = "seeds: {ORDERS: ../orders.csv}\n"


def spec(name: str, *, last: str = "select 2", reads: str = "") -> str:
    more = f", reads: [{reads}]" if reads else ""
    return (
        f"version: 1\npipeline: {name}\ngraph:\n  version: 1\n  tasks:\n    first: {{sql: select 1{more}}}\n"
        f"    second: {{sql: {last}, after: [first]}}\nschedule: {{version: 1, schedule: manual}}\n"
    )


def broken(name: str) -> str:
    return spec(name).replace("after: [first]", "after: [frist]")


@pytest.fixture
def shop(small: Small) -> Iterator[Small]:
    """A project of three pipelines, none of them deployed."""
    (small.folder / "specs" / "small.yaml").unlink()
    for name in NAMES:
        write(small, name, spec(name))
    yield small


def write(shop: Small, name: str, text: str) -> None:
    (shop.folder / "specs" / f"{name}.yaml").write_text(text, encoding="utf-8")


def deployed(shop: Small) -> set[str]:
    rows = shop.local.sql(f"SHOW TASKS IN DATABASE {shop.local.database}")
    return {row["name"].lower() for row in rows if "$" not in row["name"]}


def told(shop: Small, *arguments: str, own: str | None = None) -> tuple[int, list[Any]]:
    """The exit code and the entries of a command's JSON; each is what its own schema describes."""
    code, text = shop.run(*arguments, "-o", "json")
    document = json.loads(text)
    jsonschema.Draft202012Validator(schema("output/several.schema.json")).validate(document)
    for entry in document["pipelines"] if own else ():
        if "error" not in entry:
            alone = {"format_version": 1, **{key: value for key, value in entry.items() if key != "run"}}
            jsonschema.Draft202012Validator(schema(f"output/{own}.schema.json")).validate(alone)
    return code, document["pipelines"]


@pytest.mark.parametrize(
    "words",
    [(), ("specs",), ("specs/*.yaml",), NAMES, ("specs/apple.yaml", "bread", "specs")],
    ids=["the project", "a folder", "a glob", "names", "a mixture"],
)
def test_a_plan_takes_several(shop: Small, words: tuple[str, ...]) -> None:
    code, text = shop.run("plan", "--detailed-exitcode", *words)
    assert code == 2
    assert [line.split()[0] for line in text.splitlines() if "3 to create" in line] == list(NAMES)
    typed = "".join(f" '{word}'" if "*" in word else f" {word}" for word in words)
    assert text.endswith(f"3 pipelines: 3 to change, 0 as in the spec\nNext:  sfml apply{typed}\n")


def test_each_is_applied_run_and_removed(shop: Small) -> None:
    code, applied = told(shop, "apply", "--auto-approve", own="plan")
    assert code == 0 and deployed(shop) == set(NAMES)
    assert [(one["pipeline"], one["applied"], one["deployment"]) for one in applied] == [
        (name, True, 1) for name in NAMES
    ]
    code, text = shop.run("plan", "--detailed-exitcode")
    assert code == 0 and text.endswith("3 pipelines: 0 to change, 3 as in the spec\n")
    code, text = shop.run("apply", "--auto-approve")
    assert code == 0 and "3 pipelines: 0 applied, 3 as in the spec" in text
    code, runs = told(shop, "run", own="run")
    assert code == 0 and [(one["pipeline"], one["state"]) for one in runs] == [
        (name, "SUCCEEDED") for name in NAMES
    ]
    code, removed = told(shop, "destroy", "apple", "cheese", "--auto-approve", own="destroy")
    assert code == 0 and deployed(shop) == {"bread"}
    assert [one["tasks"][0] for one in removed] == ["APPLE", "CHEESE"]
    code, text = shop.run("destroy", "--auto-approve")
    assert code == 0 and not deployed(shop)
    assert text.endswith("3 pipelines: 1 removed, 2 not deployed\n")


def test_a_broken_spec_hides_no_other(shop: Small) -> None:
    write(shop, "bread", broken("bread"))
    code, text = shop.run("plan", "--detailed-exitcode")
    assert code == 1 and "error: bread: 1 error in the spec" in text
    assert "3 pipelines: 2 to change, 0 as in the spec, 1 failed: bread" in text
    code, applied = told(shop, "apply", "specs", "--auto-approve", own="plan")
    assert code == 1 and deployed(shop) == {"apple", "cheese"}
    failed = applied[1]
    assert (failed["pipeline"], failed["spec"]) == ("bread", "specs/bread.yaml")
    assert [one["code"] for one in failed["diagnostics"]] == ["SF203"]
    code, text = shop.run("run")
    assert code == 1 and "3 pipelines: 2 succeeded, bread could not be run" in text
    code, text = shop.run("destroy", "--auto-approve")
    assert code == 0 and not deployed(shop), "what is removed need not compile"


def test_a_call_that_fails_hides_no_other(shop: Small) -> None:
    shop.local.faults.fail("PUT /tasks/BREAD$SECOND", status=400, times=50)
    code, text = shop.run("apply", "--auto-approve")
    assert code == 1 and "error: bread: " in text and "sfml apply specs/bread.yaml -t local --restore" in text
    assert "3 pipelines: 2 applied, 0 as in the spec, 1 failed: bread" in text
    shop.local.faults.clear()
    code, text = shop.run("apply", "--auto-approve", "--run")
    assert code == 0 and "3 pipelines: 1 applied, 2 as in the spec" in text


def test_runs_that_fail_are_counted(shop: Small) -> None:
    write(shop, "bread", spec("bread", last="select nothing"))
    code, applied = told(shop, "apply", "--auto-approve", "--run", own="plan")
    assert code == 1 and [one["run"]["state"] for one in applied] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    code, text = shop.run("run", "bread", "cheese")
    assert code == 1 and text.endswith("2 pipelines: 1 succeeded, bread failed\n")


def sharing(shop: Small) -> None:
    """The same three, which all read one table."""
    for name in NAMES:
        write(shop, name, spec(name, reads="RAW.PUBLIC.ORDERS"))


def test_a_signal_stops_before_the_next(shop: Small) -> None:
    sharing(shop)
    started: list[subprocess.Popen[str]] = []
    noticed = threading.Event()

    def hit(call: Call) -> None:
        started[0].send_signal(signal.SIGINT)
        assert noticed.wait(60)

    shop.local.faults.do(hit, "PUT /tasks/BREAD$FIRST", when="before")
    started.append(shop.start("apply", "--auto-approve"))
    text = printed_by(started[0], noticed)
    shop.local.faults.clear()
    assert started[0].returncode == 130
    assert "applied before that: apple" in text and "not begun: cheese" in text
    assert "cheese" not in deployed(shop)
    code, text = shop.run("apply", "--auto-approve")
    assert code == 0 and deployed(shop) == set(NAMES)


def test_a_signal_after_the_last_call_of_one_stops_before_the_next(shop: Small) -> None:
    sharing(shop)
    started: list[subprocess.Popen[str]] = []
    noticed = threading.Event()

    def hit(call: Call) -> None:
        started[0].send_signal(signal.SIGINT)
        assert noticed.wait(60)

    shop.local.faults.do(hit, "DROP STAGE SFML_LEASE", when="before")
    started.append(shop.start("apply", "--auto-approve"))
    text = printed_by(started[0], noticed)
    shop.local.faults.clear()
    assert started[0].returncode == 130, text
    assert "applied before that: apple" in text and "not begun: bread, cheese" in text
    assert deployed(shop) == {"apple"}


def asked(shop: Small, *words: str) -> tuple[subprocess.Popen[bytes], int]:
    """A command at a terminal, up to where it asks."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "HOME": str(shop.folder), "NO_COLOR": "1"}
    process = fork_server.Popen(
        (str(SFML), *words), cwd=shop.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    return process, ours


def read_to(terminal: int, words: str) -> str:
    text = ""
    while words not in text:
        text += os.read(terminal, 4096).decode()
    return text


def read_rest(terminal: int) -> str:
    text = ""
    try:
        while piece := os.read(terminal, 4096):
            text += piece.decode()
    except OSError:  # the other side is closed
        pass
    return text


def test_one_answer_is_for_the_plans_that_were_shown(shop: Small) -> None:
    process, terminal = asked(shop, "apply", "apple", "bread")
    text = read_to(terminal, "Apply these 2 plans (apple, bread)? [y/N]")
    assert text.count("3 to create") == 2 and not deployed(shop)
    shop.run("apply", "bread", "--auto-approve")
    os.write(terminal, b"y\n")
    rest = read_rest(terminal)
    assert process.wait(60) == 1
    assert "bread: the target has changed since the plan was shown; nothing was changed" in rest
    assert "2 pipelines: 1 applied, 0 as in the spec, 1 failed: bread" in rest
    assert deployed(shop) == {"apple", "bread"}


def test_a_no_changes_nothing(shop: Small) -> None:
    shop.run("apply", "--auto-approve")
    process, terminal = asked(shop, "destroy")
    read_to(terminal, "Remove 3 pipelines (apple, bread, cheese)? [y/N]")
    os.write(terminal, b"n\n")
    read_rest(terminal)
    assert process.wait(60) == 130 and deployed(shop) == set(NAMES)


def test_nobody_to_ask(shop: Small) -> None:
    code, text = shop.run("apply")
    assert code == 2 and "no terminal to ask" in text and not deployed(shop)


def test_in_production_each_is_named(shop: Small) -> None:
    shop.run("apply", "--auto-approve")
    file = shop.folder / "sfml.yaml"
    file.write_text(file.read_text().replace("{kind: local,", "{kind: local, mode: production,"))
    code, text = shop.run("destroy", "--auto-approve", "--confirm", "apple", "--confirm", "bread")
    assert code == 2 and "add --confirm cheese" in text and deployed(shop) == set(NAMES)
    code, text = shop.run("destroy", "apple", "bread", "--confirm", "cheese")
    assert code == 2 and "--confirm cheese names another pipeline" in text and deployed(shop) == set(NAMES)
    code, text = shop.run("destroy", "apple", "bread", "--confirm", "apple", "--confirm", "bread")
    assert code == 0 and deployed(shop) == {"cheese"}


def test_seeds_of_several(shop: Small) -> None:
    (shop.folder / "orders.csv").write_text("A\n1\n2\n")
    for name in ("apple", "bread"):
        write(shop, name, spec(name).replace("graph:", f"{SEED}graph:", 1))
    write(shop, "cheese", broken("cheese"))
    code, seeds = told(shop, "seed", own="seed")
    assert code == 1 and [one.get("seeds", [{}])[0].get("rows") for one in seeds] == [2, 2, None]


def test_several_compile(shop: Small) -> None:
    write(shop, "cheese", broken("cheese"))
    code, manifests = told(shop, "compile", own="manifest")
    assert code == 1 and [one["pipeline"] for one in manifests] == list(NAMES)
    made = sorted(path.parent.parent.name for path in Path(shop.folder).glob("build/*/*/manifest.json"))
    assert made == ["apple", "bread"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "--out", "p.json"), "--out takes one pipeline"),
        (("compile", "--out", "made"), "--out takes one pipeline"),
        (("apply", "--restore"), "--restore goes with one pipeline"),
        (
            ("apply", "specs", "--require-fingerprint", "0" * 64),
            "--require-fingerprint goes with one pipeline",
        ),
        (("apply", "apple", "p.json"), "a saved plan goes with one pipeline"),
        (("destroy", "--models", "M"), "names of tables and models go with one pipeline"),
        (("destroy", "--tables=T"), "names of tables and models go with one pipeline"),
        (("apply", "apple", "braed"), "there is no file, folder or pipeline `braed`"),
    ],
)
def test_what_goes_with_one_pipeline_is_refused(shop: Small, words: tuple[str, ...], said: str) -> None:
    code, text = shop.run(*words)
    assert code == 2 and said in text, text


def test_a_folder_of_one_answers_as_several(shop: Small) -> None:
    """What a program gets depends on what it asked for, and not on how many there are today."""
    for name in ("bread", "cheese"):
        (shop.folder / "specs" / f"{name}.yaml").unlink()
    code, plans = told(shop, "plan", "specs", own="plan")
    assert code == 0 and [one["pipeline"] for one in plans] == ["apple"]
    code, text = shop.run("plan", "apple", "-o", "json")
    assert json.loads(text)["pipeline"] == "apple"
