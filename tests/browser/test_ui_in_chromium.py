"""The page of `sfml ui` in a browser: a run is watched, a log followed, a failure retried, a model put back.

The registry's client reads annotations, which must not be texts.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from snowflake.ml.model import custom_model
from snowflake.ml.registry import Registry
from tests.browser.conftest import Browser, Opened

from sfml.cli import entry
from sfml.testing.local_snowflake import LocalSnowflake
from sfml.ui.rendering import Site
from sfml.ui.server import serving
from sfml.ui.specs import SpecOptions

PROJECT = (
    "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true, database: %s, schema: S}\n"
)
SIXTY = "\n".join(
    (
        "version: 1\npipeline: sixty\ngraph:\n  version: 1\n  tasks:",
        *(f"    t{at:02}: {{sql: 'SELECT {at}'}}" for at in range(6)),
        *(f"    t{at:02}: {{sql: 'SELECT {at}', after: [t{at - 6:02}]}}" for at in range(6, 60)),
        "",
    )
)
SMALL = """version: 1
pipeline: small
description: <img src=x onerror=alert(1)>
graph:
  version: 1
  config: {breaks: true, word: "<script>alert(2)</script>"}
  tasks:
    first: {step: mine.first, with: {model_name: SCORER}}
    second: {step: mine.second, after: [first]}
"""
STEPS = """import time
from sfml_steps import Context, step


@step
def first(ctx: Context, model_name: str) -> str:
    for at in range(20):
        print(f"line {at} <script>alert(3)</script>", flush=True)
        time.sleep(0.1)
    return "</pre><script>alert(4)</script>"


@step
def second(ctx: Context) -> int:
    if ctx.config["breaks"] and not ctx.session.sql("SHOW TABLES LIKE 'BROKEN'").collect():
        ctx.session.sql("CREATE TABLE BROKEN (A INT)").collect()
        raise ValueError("no rows <svg onload=alert(5)>")
    return 2
"""
PATIENCE = 240_000
"""Milliseconds for what takes a run."""


@pytest.fixture
def address(local_snowflake: LocalSnowflake, tmp_path: Path) -> Iterator[str]:
    """The page of a project with a pipeline of sixty tasks and one that fails once."""
    with served(local_snowflake, tmp_path, {"sixty": SIXTY, "small": SMALL}) as address:
        yield address


@pytest.fixture
def small_address(local_snowflake: LocalSnowflake, tmp_path: Path) -> Iterator[str]:
    """The page of a project with the pipeline that fails once, which is soon deployed."""
    with served(local_snowflake, tmp_path, {"small": SMALL}) as address:
        yield address


@contextmanager
def served(local_snowflake: LocalSnowflake, folder: Path, specs: Mapping[str, str]) -> Iterator[str]:
    """The address of the page of a project with these specs, which are deployed."""
    files = {f"specs/{name}.yaml": text for name, text in specs.items()}
    for name, text in {
        "sfml.yaml": PROJECT % local_snowflake.database,
        "steps/mine.py": STEPS,
        **files,
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    with ExitStack() as stack:
        stack.enter_context(local_snowflake.serving(folder))
        stack.enter_context(chdir(folder))
        with redirect_stdout(StringIO()) as said, redirect_stderr(said):
            assert entry.run(["apply", "--auto-approve"]) == 0, said.getvalue()
        site = Site("project", None, read_only=False)
        yield stack.enter_context(serving(SpecOptions((), None, {}, "ada"), site)).address


def confirmed(page: Any, button: str) -> None:
    page.get_by_role("button", name=button).click()
    page.get_by_role("link", name="Look at it").click(timeout=PATIENCE)


def run_of(page: Any, name: str) -> None:
    """Run a pipeline from its page, and look at the run."""
    page.get_by_role("link", name="Pipelines", exact=True).first.click()
    page.get_by_role("link", name=name).click()
    page.get_by_role("link", name="Run …").click()
    confirmed(page, "Run it now")


def is_quiet(found: Opened, address: str) -> None:
    """Nothing was said in the console, no dialog opened, and nothing was asked of another address."""
    assert found.said == []
    base = address.partition("?")[0]
    assert [url for url in found.asked if not url.startswith((base, "data:"))] == []


def test_a_run_of_sixty_tasks_is_watched_to_its_end(browser: Browser, address: str) -> None:
    with browser.open(address) as found:
        page = found.page
        page.wait_for_url(address.partition("?")[0])  # the token does not stay in the address
        run_of(page, "sixty")
        page.evaluate("window.stays = true")  # the script changes the page, and does not load it again
        page.get_by_text("60 succeeded").wait_for(timeout=PATIENCE)
        assert page.evaluate("window.stays")
        assert page.locator("td.bar rect.SUCCEEDED").count() == 60
        page.get_by_role("link", name="sixty").click()
        page.locator("#states .SUCCEEDED").nth(59).wait_for(state="attached", timeout=PATIENCE)
        page.wait_for_load_state()  # with its styles: without them the picture is as wide as it is drawn
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        is_quiet(found, address)


def test_a_log_follows_and_a_failure_is_retried(browser: Browser, small_address: str) -> None:
    with browser.open(small_address) as found:
        page = found.page
        run_of(page, "small")
        page.get_by_role("link", name="first", exact=True).click()
        log = page.locator("#log")
        page.locator("#log", has_text="line 3 <").wait_for(timeout=PATIENCE)
        page.evaluate("window.stays = document.querySelector('#log')")
        page.locator("#log", has_text="line 19 <").wait_for(timeout=PATIENCE)
        assert page.evaluate("window.stays === document.querySelector('#log')")  # it went on in its place
        assert log.inner_text().count("line 7 <script>alert(3)</script>") == 1
        page.get_by_role("navigation", name="Where this is").get_by_role("link").nth(3).click()
        page.get_by_role("link", name="Retry …").click(timeout=PATIENCE)
        assert "Runs again: second." in page.locator("pre.value").inner_text()
        confirmed(page, "Retry it")
        page.locator("#run-facts").get_by_text("succeeded", exact=False).first.wait_for(timeout=PATIENCE)
        page.get_by_text("2 succeeded").wait_for(timeout=PATIENCE)
        page.get_by_role("link", name="first", exact=True).click()
        assert "</pre><script>alert(4)</script>" in page.locator("#result").inner_text()
        is_quiet(found, small_address)


def test_a_model_is_put_back_with_keys_alone(
    browser: Browser, small_address: str, local_snowflake: LocalSnowflake
) -> None:
    scorers(local_snowflake)
    with browser.open(small_address) as found:
        page = found.page
        page.goto(f"{small_address.partition('?')[0]}p/small/models/")
        page.get_by_role("link", name="Roll SCORER back …").focus()
        page.keyboard.press("Enter")
        page.get_by_label("Reason").focus()
        page.keyboard.type("worse on <Sundays>")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Look at it").focus(timeout=PATIENCE)
        page.keyboard.press("Enter")
        page.get_by_text("put back by ada, after V2: worse on <Sundays>").first.wait_for(timeout=PATIENCE)
        row = page.get_by_role("row").filter(has=page.get_by_text("V1", exact=True))
        assert "✓ default" in row.inner_text()
        is_quiet(found, small_address)


PLACES = ("", "next/", "p/small/", "p/sixty/", "p/small/runs/", "p/small/deployments/1/", "p/small/do/run/")


def test_no_page_is_wider_than_the_screen(browser: Browser, address: str) -> None:
    base = address.partition("?")[0]
    for width, scheme, ground in (
        (390, "light", "rgb(255, 255, 255)"),
        (390, "dark", "rgb(13, 17, 23)"),
        (1280, "dark", "rgb(13, 17, 23)"),
    ):
        view = {"width": width, "height": 800}
        with browser.open(address, viewport=view, color_scheme=scheme) as found:
            page = found.page
            for place in PLACES:
                page.goto(base + place)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
                assert page.locator("h1").count() == 1
                assert page.locator("main").count() == 1
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
            is_quiet(found, address)


def test_without_its_script_a_page_is_whole_and_looks_again_by_itself(browser: Browser, address: str) -> None:
    with browser.open(address, java_script_enabled=False) as found:
        page = found.page
        assert page.locator("noscript").count() == 1
        run_of(page, "sixty")
        page.get_by_text("60 succeeded").wait_for(timeout=PATIENCE)


def test_a_hidden_page_asks_for_nothing(browser: Browser, small_address: str) -> None:
    with browser.open(small_address) as found:
        page = found.page
        with page.expect_request(lambda request: request.resource_type == "fetch"):
            pass
        page.evaluate("Object.defineProperty(document, 'hidden', {get: () => true})")
        page.wait_for_timeout(300)
        asked = len(found.asked)
        page.wait_for_timeout(2500)
        assert len(found.asked) <= asked + 1  # one may have been on its way


def test_exported_pages_open_from_disk(browser: Browser, small_address: str, tmp_path: Path) -> None:
    with redirect_stdout(StringIO()) as said, redirect_stderr(said):
        assert entry.run(["ui", "--export", "out"]) == 0, said.getvalue()
    with browser.open(tmp_path / "out" / "index.html", java_script_enabled=False) as found:
        page = found.page
        page.get_by_role("link", name="small").click()
        assert page.locator("svg.picture a.card").count() == 3
        assert page.evaluate("getComputedStyle(document.body).margin") == "0px"  # its style sheet is there
        page.get_by_role("link", name="Runs", exact=True).click()
        page.get_by_role("link", name="Pipelines").first.click()
        assert page.url == (tmp_path / "out" / "index.html").as_uri()
        assert found.said == []
        assert [url for url in found.asked if not url.startswith(("file:", "data:"))] == []


class Scorer(custom_model.CustomModel):
    @custom_model.inference_api
    def predict(self, input_df: pd.DataFrame) -> pd.DataFrame:
        return input_df


def scorers(local_snowflake: LocalSnowflake) -> None:
    """Two versions of a model, of which the second one is the default."""
    registry = Registry(local_snowflake.session(schema="S"), options={"enable_monitoring": False})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        registry.log_model(
            Scorer(custom_model.ModelContext()),
            model_name="SCORER",
            version_name="V1",
            metrics={"auc": 0.8},
            sample_input_data=pd.DataFrame({"X": [1.0]}),
            target_platforms=["WAREHOUSE"],
            options={"enable_explainability": False},
        )
    model = f"{local_snowflake.database}.S.SCORER"
    local_snowflake.sql(f"ALTER MODEL {model} ADD VERSION V2 FROM MODEL {model} VERSION V1")
    local_snowflake.sql(f"ALTER MODEL {model} SET DEFAULT_VERSION = V2")
