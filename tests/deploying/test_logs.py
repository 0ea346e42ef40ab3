"""What `sfml logs` says of a task that failed: its exception once, with the lines of the project's own files."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from jsonschema import validate
from small import APPLY, Small

from sfml.account.task_log import LogLine
from sfml.operations.followed_logs import SeenLines

SCHEMA = Path(__file__).parents[2] / "schemas" / "output" / "logs.schema.json"

FILES = {
    "steps/shop/__init__.py": "",
    "steps/shop/rows.py": 'def check(rows: int) -> None:\n    raise ValueError(f"{rows} rows")\n',
    "steps/shop/train.py": """from sfml_steps import Context, step
from shop.rows import check


@step
def fit(ctx: Context) -> None:
    print("training")
    try:
        check(0)
    except ValueError as cause:
        raise RuntimeError("cannot fit") from cause
""",
    "jobs/train/lib.py": "def fit():\n    raise RuntimeError('cannot fit')\n",
    "jobs/train/main.py": "from lib import fit\nprint('training')\nfit()\n",
}
POOL = "run_on: {pool: ML_POOL}, timeout: 10m"


def test_a_traceback_is_printed_once_with_the_users_lines(small: Small) -> None:
    for name, text in FILES.items():
        path = small.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    step = "{step: shop.train.fit, run_on: {warehouse: W}, timeout: 10m}"
    job = f"job: {{job: {{folder: ../jobs/train, entrypoint: main.py}}, {POOL}}}"
    more = f"on_pool: {{step: shop.train.fit, {POOL}}}\n    {job}"
    small.edit("first: {sql: 'select 1'}", f"first: {step}\n    {more}")
    small.edit("second: {sql: 'select 2', after: [first]}", "broken: {sql: 'select * from NOWHERE'}")
    assert small.run(*APPLY)[0] == 0
    assert small.run("run", "specs/small.yaml")[0] == 1
    own = {
        "first": ["  steps/shop/train.py:11 in fit", "    steps/shop/rows.py:2 in check"],
        "on_pool": ["  steps/shop/train.py:11 in fit", "    steps/shop/rows.py:2 in check"],
        "job": ["  jobs/train/main.py:3 in <module>", "  jobs/train/lib.py:2 in fit"],
    }
    for task, lines in own.items():
        code, text = small.run("logs", "specs/small.yaml", task)
        assert code == 0, text
        assert [line for line in lines if line not in text.splitlines()] == []
        assert text.count("\nRuntimeError: cannot fit") == 1
        assert f"── {task} wrote:" in text and "\ntraining\n" in f"{text}\n"
        assert "runtime.py" not in text and "mljob_launcher" not in text and "_udf_code" not in text
    code, text = small.run("logs", "specs/small.yaml", "broken")
    assert text.count("NOWHERE") == 1 and "Traceback" not in text
    told = json.loads(small.run("logs", "specs/small.yaml", "-o", "json")[1])
    validate(told, json.loads(SCHEMA.read_text(encoding="utf-8")))
    tasks = {task["name"]: task for task in told["tasks"]}
    assert tasks["broken"]["failure"] is None
    for task in own:
        assert "Traceback" not in tasks[task]["log"] and "training" in tasks[task]["log"]
        assert tasks[task]["failure"]["exception"] == "RuntimeError: cannot fit"
        assert all(frame["is_own"] for frame in tasks[task]["failure"]["frames"])


LINES = """from sfml_steps import Context, step


@step
def count(ctx: Context) -> None:
    for number in range(int(ctx.config["lines"])):
        print(f"line {number} \u202e")
"""


def test_the_log_of_an_earlier_run_its_last_lines_and_one_that_is_followed(small: Small) -> None:
    (small.folder / "steps" / "own").mkdir()
    (small.folder / "steps" / "own" / "__init__.py").write_text("")
    (small.folder / "steps" / "own" / "work.py").write_text(LINES)
    small.edit("first: {sql: 'select 1'}", "first: {step: own.work.count}")
    small.edit("  tasks:\n", "  config: {lines: 3}\n  tasks:\n")
    assert small.run(*APPLY)[0] == 0
    spec = "specs/small.yaml"
    earlier = json.loads(small.run("run", spec, "-o", "json")[1])["run_id"]
    assert small.run("run", spec, "--no-wait", "--config", "lines=5")[0] == 0
    code, text = small.run("logs", spec, "--follow")
    assert code == 0 and "\u202e" not in text
    followed = [line for line in text.splitlines() if "line " in line]
    assert followed == [f"first  │ line {number} \\u202e" for number in range(5)], "each once, in order"
    assert text.splitlines()[-1].endswith(" succeeded")

    def log(*arguments: str) -> list[str]:
        told = json.loads(small.run("logs", spec, "first", "-o", "json", *arguments)[1])
        validate(told, json.loads(SCHEMA.read_text(encoding="utf-8")))
        (task,) = told["tasks"]
        return str(task["log"]).splitlines()

    assert len(log()) == 5 and len(log("--run", earlier)) == len(log("--run", earlier[:10])) == 3
    assert [line[:6] for line in log("--tail", "2")] == ["line 3", "line 4"]
    assert log("--tail", "0") == [] and len(log("--tail", "9")) == 5
    code, text = small.run("logs", spec, "first", "--tail", "0")
    told = [line for line in text.splitlines()[1:] if "of what runs your code" not in line]
    assert code == 0 and told == ["(5 lines left out: --tail)"]
    code, text = small.run("logs", spec, "--run", earlier, "--follow", "--tail", "1")
    assert code == 0 and text.splitlines()[0] == "first  │ line 2 \\u202e" and len(text.splitlines()) == 2
    code, text = small.run("logs", spec, "--run", "nothing")
    assert code == 1 and "run `nothing` of small is not kept" in text
    code, text = small.run("logs", spec, "--follow", "-o", "json")
    assert code == 2 and "not one JSON object" in text


def test_a_task_that_was_skipped_says_why(small: Small) -> None:
    value = "\"call system$set_return_value('SECOND')\""
    small.edit("{sql: 'select 1'}", f"{{sql: {value}, outcomes: {{good: second, bad: third}}}}")
    small.edit(", after: [first]}", "}\n    third: {sql: 'select 3'}")
    assert small.run(*APPLY)[0] == 0
    assert small.run("run", "specs/small.yaml")[0] == 0
    code, text = small.run("logs", "specs/small.yaml", "third")
    assert code == 0 and text.splitlines()[0].endswith("third  SKIPPED  not chosen: first took good"), text


def test_a_line_that_goes_on_is_printed_when_it_is_complete() -> None:
    def new(seen: SeenLines, text: str, *, over: bool, query: str = "q", instance: int = 0) -> list[str]:
        lines = [LogLine(line, instance) for line in text.split("\n")] if text else []
        return [line.text for line in seen.new_lines(query, lines, is_complete=over)]

    seen = SeenLines()
    assert new(seen, "on", over=False) == []
    assert new(seen, "one\ntw", over=False) == ["one"]
    assert new(seen, "one\ntwo\n\n", over=False) == ["two", ""]
    assert new(seen, "one\ntwo\n\nthree", over=True) == ["three"]
    assert new(seen, "one\ntwo\n\nthree", over=True) == []
    assert new(seen, "again", over=True, query="retried") == ["again"]
    assert new(seen, "there", over=True, instance=1) == ["there"]
    last = SeenLines(tail=1)
    assert new(last, "one\ntwo\n", over=False) == ["two"]
    assert new(last, "one\ntwo\nthree\nfour\n", over=False) == ["three", "four"]
    assert new(SeenLines(tail=0), "", over=True) == []


def test_lines_of_several_instances_come_in_their_order_and_late_ones_are_not_lost() -> None:
    seen = SeenLines()
    first = [LogLine("a", 0), LogLine("x", 1), LogLine("b", 0)]
    assert seen.new_lines("q", first, is_complete=False) == [LogLine("a", 0)]
    # The event table of an account gets a line of the other instance late.
    later = [LogLine("a", 0), LogLine("x", 1), LogLine("y", 1), LogLine("b", 0), LogLine("c", 0)]
    assert seen.new_lines("q", later, is_complete=True) == [later[1], later[2], later[3], later[4]]


def test_each_line_of_several_instances_says_which_wrote_it(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    assert small.run("run", "specs/small.yaml")[0] == 0
    rows = small.local.sql(
        "SELECT NAME, QUERY_ID FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'SMALL$FIRST'))"
        f" WHERE DATABASE_NAME = '{small.local.database}'"
    )
    (query,) = {str(row["QUERY_ID"]) for row in rows}
    folder = small.local.server.account.logs_folder
    (folder / f"{query}.log").write_text("[local server] made ready\nfitting\n", encoding="utf-8")
    (folder / f"{query}.1.log").write_text("a worker\n", encoding="utf-8")

    def log(*arguments: str) -> list[str]:
        code, text = small.run("logs", "specs/small.yaml", "first", *arguments)
        assert code == 0, text
        return text.splitlines()

    left_out = "(1 line of what runs your code left out: --all)"
    assert sorted(log()[1:]) == sorted(["0 │ fitting", "1 │ a worker", left_out])
    assert log("--instance", "0")[1:] == ["fitting", left_out]
    assert log("--instance", "1")[1:] == ["a worker"]
    assert "0 │ [local server] made ready" in log("--all") and left_out not in log("--all")
    assert sorted(log("--follow")[:-1]) == ["first │ 0 │ fitting", "first │ 1 │ a worker"]
    found = json.loads("\n".join(log("-o", "json")))
    validate(found, json.loads(SCHEMA.read_text(encoding="utf-8")))
    (task,) = found["tasks"]
    assert task["instances"] == [{"instance": 0, "log": "fitting"}, {"instance": 1, "log": "a worker"}]
    assert task["left_out"] == 1
    code, text = small.run("logs", "specs/small.yaml", "second", "--instance", "0")
    assert code == 2 and "`second` is no job: it has no instances" in text and "leave out --instance" in text
    assert small.run("logs", "specs/small.yaml", "--follow", "--instance", "0")[0] == 2
    for wrong in ("x", "-1"):
        assert small.run("logs", "specs/small.yaml", "--instance", wrong)[0] == 2


WITH_RAY = """import os
import pathlib

from sfml_steps import Context, step


@step
def train(ctx: Context) -> int:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    print("the head begins")
    assert b"supervisor.py" in pathlib.Path(f"/proc/{os.getppid()}/cmdline").read_bytes(), "it is forked"
    ray.init(address="auto", ignore_reinit_error=True)
    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]

    @ray.remote(num_cpus=1)
    def share(number):
        print("share", number, "is done")
        return number

    there = [NodeAffinitySchedulingStrategy(node, soft=False) for node in nodes]
    answers = ray.get([share.options(scheduling_strategy=one).remote(at) for at, one in enumerate(there)])
    print("the head has", sum(answers))
    return len(nodes)
"""


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_a_job_on_two_instances_of_ray_has_the_lines_of_both(small: Small) -> None:
    step = small.folder / "steps" / "own" / "work.py"
    step.parent.mkdir()
    (step.parent / "__init__.py").touch()
    step.write_text(WITH_RAY, encoding="utf-8")
    # Python reads this variable when it starts, so that not even the head is forked.
    place = "run_on: {pool: P, instances: 2}, env_vars: {PYTHONHASHSEED: '0'}"
    small.edit("{sql: 'select 1'}", f"{{step: own.work.train, {place}, timeout: 10m}}")
    assert small.run(*APPLY)[0] == 0
    assert small.run("run", "specs/small.yaml")[0] == 0, small.run(
        "logs", "specs/small.yaml", "first", "--all"
    )[1]

    def log(*arguments: str) -> str:
        code, text = small.run("logs", "specs/small.yaml", "first", *arguments)
        assert code == 0 and "\\x1b" not in text, text
        return text

    for arguments in ((), ("--instance", "0")):
        found = log(*arguments)
        # Whichever node a share ran on, Ray passes its lines on to the head.
        for line in ("the head begins", ") share 0 is done", ") share 1 is done", "the head has 1"):
            assert line in found, found
        assert "INFO" not in found and "Worker node started" not in found and "left out: --all" in found
    assert "head" not in log("--instance", "1") and "Worker node started" in log("--instance", "1", "--all")
    assert "(wrote nothing; there are lines of instance 0 and 1)" in log("--instance", "2")
    every = log("--all")
    assert "0 │ ML job started" in every and "1 │ Worker node started" in every
