"""What a SPEC argument stands for: a pipeline's name, or without any the whole project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sfml.base.errors import UsageError
from sfml.frontend.entry_files import entry_files, misspelt, narrowed, pipeline_name
from sfml.frontend.entry_text import is_entry_text


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for path in ("sfml.yaml", "nested/sfml.yaml"):
        _write(tmp_path / path, "version: 1\n")
    _write(tmp_path / "specs/clv.yaml", "version: 1\npipeline: clv\n")
    _write(tmp_path / "specs/churn_weekly.yml", "pipeline: churn\n")
    _write(tmp_path / "specs/clv/job_config.yaml", "version: 1\ntasks: {}\n")
    _write(tmp_path / "nested/other.yaml", "pipeline: other\n")
    return tmp_path


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("here", "arguments", "files"),
    [
        (".", (), ["specs/churn_weekly.yml", "specs/clv.yaml"]),
        ("specs", (), ["churn_weekly.yml", "clv.yaml"]),
        ("nested", (), ["other.yaml"]),
        (".", ("churn",), ["specs/churn_weekly.yml"]),
        (".", ("clv", "churn", "specs"), ["specs/clv.yaml", "specs/churn_weekly.yml"]),
        ("specs/clv", ("clv",), ["../clv.yaml"]),
        ("specs", ("clv",), ["clv.yaml"]),  # a folder without pipelines has the name too
    ],
)
def test_names_and_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, here: str, arguments: tuple[str, ...], files: list[str]
) -> None:
    monkeypatch.chdir(folder / here)
    assert [path.as_posix() for path in entry_files(arguments)] == files


def test_the_suffix_of_an_entry_file_may_be_in_any_case(folder: Path) -> None:
    for name in ("upper.YAML", "mixed.Yml"):
        _write(folder / "specs" / name, f"pipeline: {name.partition('.')[0]}\n")
    assert [path.name for path in entry_files(["specs"])] == [
        *("churn_weekly.yml", "clv.yaml", "mixed.Yml", "upper.YAML")
    ]
    assert [path.as_posix() for path in entry_files(["upper"])] == ["specs/upper.YAML"]


def test_a_path_from_the_root_of_the_project_is_taken_below_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As commands name specs, wherever they are run."""
    monkeypatch.chdir(folder / "specs" / "clv")
    assert [path.as_posix() for path in entry_files(["specs/clv.yaml"])] == ["../clv.yaml"]
    assert misspelt("specs/clv.yaml") is None
    monkeypatch.chdir(folder / "nested")
    with pytest.raises(UsageError):
        entry_files(["specs/clv.yaml"])


@pytest.mark.parametrize(
    ("argument", "help"),
    [
        ("clw", "did you mean `clv`?"),
        ("specs/clw.yaml", "did you mean `specs/clv.yaml`?"),
        ("zzzzzz", "pipelines of this project: `churn`, `clv`"),
        ("other", "pipelines of this project: `churn`, `clv`"),  # of a project below
    ],
)
def test_unknown_names_get_a_suggestion(argument: str, help: str) -> None:
    with pytest.raises(UsageError, match="there is no file, folder or pipeline") as raised:
        entry_files((argument,))
    assert raised.value.help == help


def test_a_name_of_two_pipelines_is_refused(folder: Path) -> None:
    _write(folder / "specs/again.yaml", "pipeline: clv\n")
    with pytest.raises(UsageError, match=r"specs/again\.yaml and specs/clv\.yaml"):
        entry_files(("clv",))


def test_none_needs_a_project_with_pipelines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "nested/other.yaml").unlink()
    monkeypatch.chdir(folder / "nested")
    with pytest.raises(UsageError, match=r"the project of `sfml\.yaml` has no pipeline"):
        entry_files(())
    (folder / "nested/sfml.yaml").unlink()
    (folder / "sfml.yaml").unlink()
    with pytest.raises(UsageError, match="no spec is named"):
        entry_files(())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("version: 1\npipeline: clv # weekly\n", "clv"),
        ("'pipeline': \"clv\"\n", "clv"),
        ("{version: 1, pipeline: clv}\n", "clv"),
        ("graph: {pipeline: inner}\npipeline: clv\n", "clv"),
        ("tasks:\n  pipeline: inner\n", None),
        ("# pipeline: inner\n", None),
        ("pipeline: 1\n", None),
    ],
)
def test_the_name_is_that_of_the_top_level_key(folder: Path, text: str, name: str | None) -> None:
    _write(folder / "spec.yaml", text)
    assert pipeline_name(folder / "spec.yaml") == name


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfpipeline: found\n",
        b'{\n  "version": 1,\n  "graph": {"pipeline": "no"},\n  "pipeline": "found"\n}\n',
        b"# {\nversion: 1\rpipeline: found\r",
        b"%YAML 1.2\n--- {version: 1, pipeline: found}\n",
        b"--- # a comment\n  version: 1\n  pipeline: 'found'\n",
        b'version: 1\r\n"pipeline" : found\r\n',
        "pipeline: found\n".encode("utf-16"),
    ],
    ids=["mark", "json", "returns", "directive", "indented", "quoted", "utf-16"],
)
def test_entry_files_in_any_notation_are_found(folder: Path, content: bytes) -> None:
    (folder / "specs/odd.yaml").write_bytes(content)
    assert Path("specs/odd.yaml") in entry_files(())
    assert [path.as_posix() for path in entry_files(("found",))] == ["specs/odd.yaml"]


@pytest.mark.parametrize(
    "text",
    [
        "tasks:\n  pipeline: {sql: SELECT 1}\n",
        "{tasks: {pipeline: 1}, text: 'pipeline: no'} # {pipeline: no}\n",
        "[pipeline: a]\n",
        "pipeline:no\n",
        "pipelines: []\n",
        "# pipeline: no\ntasks: {}\n",
        "  tasks:\n    pipeline: a\n",
    ],
)
def test_keys_of_that_name_elsewhere_make_no_entry_file(folder: Path, text: str) -> None:
    _write(folder / "specs/odd.yaml", text)
    assert Path("specs/odd.yaml") not in entry_files(())


def test_links_to_nothing_are_not_passed_over(folder: Path) -> None:
    for name, target in (("broken.yaml", "nowhere.yaml"), ("cycle.yaml", "cycle.yaml"), (".#a.yaml", "none")):
        (folder / "specs" / name).symlink_to(target)
    names = [path.name for path in entry_files(())]
    assert names == ["broken.yaml", "churn_weekly.yml", "clv.yaml", "cycle.yaml"]
    assert entry_files(("specs/broken.yaml",)) == (Path("specs/broken.yaml"),)


def test_folders_that_are_linked_from_outside_are_not_passed_over(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    _write(outside / "outer.yaml", "pipeline: outer\n")
    (folder / "specs/team").symlink_to(outside)
    (folder / "again").symlink_to(folder / "specs")  # leads to what is found anyway
    names = [path.as_posix() for path in entry_files(())]
    assert names == ["specs/churn_weekly.yml", "specs/clv.yaml", "specs/team/outer.yaml"]


def test_pipes_are_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "specs/pipe.yaml")
    assert len(entry_files(())) == 2


def test_a_project_or_folder_with_one_pipeline_stands_for_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert narrowed(()) == () and narrowed(("specs",)) == ("specs",)
    assert narrowed(("clv",)) == ("clv",) and narrowed(("p.json", "clv")) == ("p.json", "clv")
    assert narrowed(("nested",)) == ("nested/other.yaml",)
    monkeypatch.chdir(folder / "nested")
    assert narrowed(()) == ("other.yaml",)


def test_texts_that_never_end_are_read_once() -> None:
    for text in (b'"\\', b"'\"", b"{", b"'a\n"):
        assert not is_entry_text(b"{pipeline " + text * 200_000)
