"""The front door: what SPEC arguments mean, and that nothing a file says can raise."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine_speed import SLOWNESS

from sfml.base.errors import UsageError
from sfml.frontend.entry_files import entry_files
from sfml.frontend.reading import read

ROOT = Path(__file__).parents[3]


def test_files_folders_and_globs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("specs/b.yaml", "specs/a.yml", "specs/.hidden/c.yaml", "specs/deep/d.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("# a spec\nversion: 1\npipeline: x\n")
    (tmp_path / "specs/job_config.yaml").write_text("version: 1\ntasks: {}\n")
    files = [Path("specs/a.yml"), Path("specs/b.yaml"), Path("specs/deep/d.yaml")]
    assert list(entry_files(("specs",))) == files
    assert list(entry_files(("specs/*.yaml", "specs"))) == [files[1], files[0], files[2]]
    assert list(entry_files(("specs/job_config.yaml",))) == [Path("specs/job_config.yaml")]
    (tmp_path / "empty").mkdir()
    for argument in ("nowhere.yaml", "empty", "*.toml"):
        with pytest.raises(UsageError):
            entry_files((argument,))


def test_findings_name_files_as_seen_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project" / "specs").mkdir(parents=True)
    (tmp_path / "project" / "sfml.yaml").write_text("version: 1\n")
    (tmp_path / "project" / "specs" / "p.yaml").write_text("version: 1\npipeline: p\n")
    for folder, shown in (
        ("", "project/specs/p.yaml"),
        ("project", "specs/p.yaml"),
        ("project/specs", "p.yaml"),
    ):
        monkeypatch.chdir(tmp_path / folder)
        reading = read(Path(shown))
        assert reading.graph is None
        (finding,) = reading.diagnostics
        assert finding.span is not None
        assert (tmp_path / folder / finding.span.file).resolve() == tmp_path / "project" / "specs" / "p.yaml"
        assert finding.span.file in reading.sources


def test_reading_needs_no_snowflake_and_no_heavy_module() -> None:
    heavy = (
        "snowflake.core",
        "snowflake.connector",
        "snowflake.snowpark",
        "jinja2",
        "clv",
        "rich",
    )
    code = (
        "import sys; from sfml.frontend.reading import read; r = read('specs/clv.yaml'); assert r.graph, r.diagnostics;"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


SOUP = st.lists(
    st.sampled_from(
        [
            *(
                "version: 1\n",
                "pipeline: p\n",
                "graph:\n",
                "  tasks:\n",
                "    a: {sql: select 1}\n",
                "  config: {k: 1}\n",
            ),
            *(
                "    b: {step: x.y.z, after: a, with: {v: '${a.b}'}}\n",
                "    c: {outcomes: [a, b], sql: x}\n",
                "\t",
                "- ",
                "? ",
            ),
            *(
                "schedule: {cron: '* * * * *'}\n",
                "{{ var.x }}",
                "'{{ 1 }}'",
                "&a ",
                "*a",
                "!!int ",
                "[",
                "]",
                "{",
                "}",
                ": ",
            ),
            *(
                "targets: {local: {tasks: {a: null}}}\n",
                "variables: {x: 1}\n",
                "\0",
                "é",
                "'",
                '"',
                "|\n",
                "\r",
                "\u2028",
            ),
            *(
                "include: {tasks: p.yaml}\n",
                "for_each: {s: [1, 2]}\n",
                "null",
                "~",
                "<<: {}\n",
                "finalizer: {f: {sql: x}}\n",
            ),
        ]
    ),
    max_size=25,
).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.one_of(
        SOUP, SOUP.map(lambda soup: f"version: 1\npipeline: p\ngraph:\n  tasks:\n{soup}"), st.text()
    )
)
def test_whatever_a_file_says_gives_a_graph_or_findings(tmp_path: Path, text: str) -> None:
    (tmp_path / "sfml.yaml").write_text("version: 1\n")
    (tmp_path / "p.yaml").write_bytes(text.encode("utf-8", errors="surrogatepass"))
    began = time.process_time()
    reading = read(tmp_path / "p.yaml", user="tester")
    assert time.process_time() - began < 2 * SLOWNESS
    assert reading.graph is not None or any(finding.is_error for finding in reading.diagnostics)
    assert all("\n" not in finding.message for finding in reading.diagnostics)


def test_a_thousand_tasks_are_read_in_time(tmp_path: Path) -> None:
    (tmp_path / "sfml.yaml").write_text("version: 1\n")
    tasks = "".join(
        f"    t{i}: {{sql: select 1, after: [{', '.join(f't{j}' for j in range(max(0, i - 3), i))}]}}\n"
        for i in range(999)
    )
    (tmp_path / "p.yaml").write_text(f"version: 1\npipeline: p\ngraph:\n  tasks:\n{tasks}")
    began = time.process_time()
    reading = read(tmp_path / "p.yaml")
    assert reading.graph is not None, reading.diagnostics
    assert len(reading.graph.tasks) == 999
    assert time.process_time() - began < 5 * SLOWNESS
