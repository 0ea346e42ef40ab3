"""Files beside step code and modules loaded by name, read where steps and jobs really run."""

from __future__ import annotations

import json

from small import APPLY, Small

STEP = """import importlib
import pkgutil
from importlib import resources

from sfml_steps import Context, step


@step
def read(ctx: Context, region: str) -> list[str]:
    package = resources.files(__package__)
    with resources.as_file(package / "prices.csv") as path:
        prices = path.read_text()
    return [
        package.joinpath("queries", "customers.sql").read_text(),
        (package / "regions" / f"{region}.txt").read_text(),
        pkgutil.get_data(__name__, "prices.csv").decode(),
        prices,
        (resources.files("shop.texts") / region).read_text(),
        importlib.import_module(f"shop.kinds.{region}").KIND,
        importlib.import_module(".plain", __package__).KIND,
    ]
"""
FILES = {
    "steps/shop/__init__.py": "",
    "steps/shop/read.py": STEP,
    "steps/shop/queries/customers.sql": "select 1",
    "steps/shop/regions/north.txt": "north of it",
    "steps/shop/prices.csv": "1,2",
    "steps/shop/texts/__init__.py": "__data_files__ = ['north']\n",
    "steps/shop/texts/north": "a text",
    "steps/shop/kinds/__init__.py": "__data_files__ = ['*.py']\n",
    "steps/shop/kinds/north.py": "from shop.plain import KIND\n",
    "steps/shop/plain.py": "KIND = 'plain'\n",
    "jobs/report/main.py": (
        "from pathlib import Path\nprint('READ', (Path(__file__).parent / 'data' / 'x.csv').read_text())\n"
    ),
    "jobs/report/data/x.csv": "a,b",
}
READ = ["select 1", "north of it", "1,2", "1,2", "a text", "plain", "plain"]
TASK = "{step: shop.read.read, with: {region: north}"


def test_steps_and_jobs_read_their_files_wherever_they_run(small: Small) -> None:
    for name, text in FILES.items():
        path = small.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    pool = "run_on: {pool: ML_POOL}, timeout: 10m, after: [first]"
    small.edit("first: {sql: 'select 1'}", f"first: {TASK}, run_on: {{warehouse: W}}, timeout: 10m}}")
    small.edit(
        "second: {sql: 'select 2', after: [first]}",
        f"second: {TASK}, {pool}}}\n    third: {{job: {{folder: ../jobs/report, entrypoint: main.py}}, {pool}}}",
    )
    code, text = small.run(*APPLY)
    assert code == 0, text
    code, text = small.run("run", "specs/small.yaml", "-o", "json")
    assert code == 0, text
    returned = {task["name"]: task["return_value"] for task in json.loads(text)["tasks"]}
    assert (returned["first"], returned["second"]) == (READ, READ)
    code, text = small.run("logs", "specs/small.yaml", "third")
    assert "READ a,b" in text
