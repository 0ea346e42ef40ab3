"""What `sfml logs` says of a task that failed: its exception once, with the lines of the project's own files."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import validate
from small import APPLY, Small

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
