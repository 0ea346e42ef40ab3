"""`make bench`: measures commands, reviews, deployments, operating, tasks and more for docs/performance.md.

Takes about half an hour, most of it dagster's, dagv1's and that of twenty large runs.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import dagster_runs
import editor
import growth
import page
import reads
import reviews
import task_runs
from generated import large_graph, many_pipelines
from page import ROOT
from processes import Sample, medians

PYTHON = sys.executable
SFML = str(Path(sys.executable).with_name("sfml"))
IMPORTS, VALIDATE, COMPILE, DAGV1 = "imports", "validate", "compile", "dagv1"


def main() -> None:
    """Measure, print the tables, and put them into the page with `--write`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only",
        choices=(
            "commands",
            "editor",
            "reviews",
            "reads",
            "page",
            "deployments",
            "operating",
            "tasks",
            "growth",
        ),
        help="measure and write one part",
    )
    parser.add_argument("--write", action="store_true", help="write the tables into docs/performance.md")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of the small commands")
    parser.add_argument("--sizes", type=int, nargs="+", default=task_runs.SIZES, help="steps in a graph")
    parser.add_argument("--dagster", metavar="PYTHON", help="a Python that has dagster; else one is made")
    parser.add_argument("--without-dagster", action="store_true", help="measure nothing beside")
    options = parser.parse_args()
    if options.only in (None, "commands"):
        with tempfile.TemporaryDirectory() as folder:
            _shown("measured", _commands(Path(folder), options.rounds), write=options.write)
    if options.only in (None, "editor"):
        with tempfile.TemporaryDirectory() as folder:
            _shown("editor", (_machine(), "", *editor.measured(Path(folder))), write=options.write)
    if options.only in (None, "reviews"):
        with tempfile.TemporaryDirectory() as folder:
            _shown("reviews", (_machine(), "", *reviews.measured(Path(folder))), write=options.write)
    if options.only in (None, "reads"):
        with tempfile.TemporaryDirectory() as folder:
            _shown(
                "reads", (_machine(), "", *reads.measured(Path(folder), options.rounds)), write=options.write
            )
    if options.only in (None, "page"):
        import served_page  # it loads the local server

        with tempfile.TemporaryDirectory() as folder:
            _shown("page", (_machine(), "", *served_page.measured(Path(folder))), write=options.write)
    if options.only in (None, "deployments"):
        # Not before: a process that this one starts is told to have as much memory as this one had.
        import deployments

        with tempfile.TemporaryDirectory() as folder:
            _shown("deployments", deployments.measured(Path(folder)), write=options.write)
    if options.only in (None, "operating"):
        import operating

        with tempfile.TemporaryDirectory() as folder:
            _shown("operating", operating.measured(Path(folder), options.rounds), write=options.write)
    if options.only in (None, "tasks"):
        beside = None if options.without_dagster else options.dagster or dagster_runs.cached_python()
        with tempfile.TemporaryDirectory() as folder:
            lines = task_runs.measured(Path(folder), tuple(options.sizes), beside)
            _shown("task runs", lines, write=options.write)
    if options.only in (None, "growth"):
        with tempfile.TemporaryDirectory() as folder:
            _shown("growth", growth.measured(Path(folder)), write=options.write)


def _shown(name: str, lines: Iterable[str], *, write: bool) -> None:
    text = "\n".join(lines)
    print(text)
    if write:
        page.write(name, text)


def _commands(folder: Path, rounds: int) -> Iterator[str]:
    yield from (_machine(), "")
    yield from _own_pipeline(folder, rounds)
    yield ""
    yield from _growth(folder)


def _machine() -> str:
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("pyyaml", "jsonschema", "jinja2", "snowflake.core")
    )
    return (
        f"Measured on {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, at a load of {os.getloadavg()[0]:.0f}; {packages}."
    )


def _own_pipeline(folder: Path, rounds: int) -> Iterator[str]:
    """`sfml` on our own pipeline beside what it is made of, and beside what it replaces."""
    shutil.copytree(ROOT / "specs", folder / "own" / "specs")
    shutil.copytree(ROOT / "steps" / "clv", folder / "own" / "steps" / "clv")
    shutil.copy(ROOT / "sfml.yaml", folder / "own")
    commands = {
        IMPORTS: (PYTHON, "-c", "import yaml, jsonschema, jinja2"),
        VALIDATE: (SFML, "validate", "specs/clv.yaml"),
        COMPILE: (SFML, "compile", "specs/clv.yaml", "--quiet"),
        DAGV1: (PYTHON, str(ROOT / "benchmarks" / "clv_in_dagv1.py")),
    }
    taken = medians(commands, folder / "own", rounds)
    shown = {
        IMPORTS: '`python -c "import yaml, jsonschema, jinja2"`',
        VALIDATE: "`sfml validate specs/clv.yaml`",
        COMPILE: "`sfml compile specs/clv.yaml`",
        DAGV1: "the same graph built with dagv1",
    }
    yield "| process | time | CPU | beside the imports | beside dagv1 | memory |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, one in taken.items():
        to_imports = f"{one.wall / taken[IMPORTS].wall:.2f} ×"
        to_dagv1 = f"1/{taken[DAGV1].wall / one.wall:.0f}" if name != DAGV1 else "1"
        yield f"| {shown[name]} | {_times(one)} | {to_imports} | {to_dagv1} | {_memory(one)} |"


def _growth(folder: Path) -> Iterator[str]:
    """Large graphs and many pipelines: time and memory, and what a task or pipeline more costs."""
    yield "| project | command | time | CPU | memory |"
    yield "|---|---|---:|---:|---:|"
    for tasks in (250, 500, 1000):
        entry = large_graph(folder / f"large_{tasks}", tasks)
        what = f"{tasks} tasks, {3 * tasks:,} edges"
        yield from _rows(what, entry.parent, {"validate": entry.name, "compile": entry.name})
    for pipelines in (50, 100, 200):
        specs = many_pipelines(folder / f"many_{pipelines}", pipelines)
        yield from _rows(f"{pipelines} pipelines of 10 tasks", specs.parent, {"validate": specs.name})


def _rows(what: str, folder: Path, verbs: dict[str, str]) -> Iterator[str]:
    commands: dict[str, Sequence[str]] = {
        verb: (SFML, verb, argument, "--quiet") for verb, argument in verbs.items()
    }
    for verb, one in medians(commands, folder, 3).items():
        yield f"| {what} | `sfml {verb}` | {_times(one)} | {_memory(one)} |"


def _times(one: Sample) -> str:
    return f"{one.wall:.2f} s | {one.cpu:.2f} s"


def _memory(one: Sample) -> str:
    return f"{one.memory / 1e6:.0f} MB"


if __name__ == "__main__":
    main()
