"""What holds for every test: profiles of properties, the order of files, and bounds for workers."""

from __future__ import annotations

import gc
import mimetypes
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from compiled_ahead import compile_ahead
from fork_server import make_folder, remove_folder, use_fork_servers
from property_settings import register_profiles
from quick_logs import catch_logs_quickly
from worker_cores import cores, keep_to_a_core
from worker_reports import FileScheduling, be_brief
from worker_watch import WorkerWatch, report_worker

register_profiles()
catch_logs_quickly()

MEMORY_GB = "6" if sys.version_info < (3, 13) else "12"
"""From 3.13 on, a thread that nobody joins keeps its stack of 8 MB until its object is collected.

They are hardly touched. The connector starts one for each statement, hundreds between two looks for garbage.
"""

MEMORY = int(float(os.environ.get("SFML_TEST_MEMORY_GB", MEMORY_GB)) * 2**30)
"""What one process of the tests may have of private memory; 0 leaves it unbounded."""

GARBAGE = (50_000, 20, 20)
"""After how many new objects, and how many rounds, the garbage collector looks at each generation."""

LOCAL = ("127.0.0.1", "localhost")

LONG_FILES = (
    "tests/deploying/test_fault_matrix.py",
    "tests/acceptance/test_clv.py",
    "tests/deploying/test_parts.py",
    "tests/deploying/test_alerts.py",
    "tests/deploying/test_backfill.py",
    "tests/local/jobs/",
    "tests/acceptance/test_examples.py",
    "tests/browser/",
    "tests/acceptance/test_action.py",
    "tests/acceptance/test_example.py",
    "tests/acceptance/test_gitlab_job.py",
    "tests/acceptance/test_notebook.py",
    "tests/deploying/test_watching.py",
    "tests/clients/",
    "tests/local/test_killed.py",
    "tests/local/test_defining_at_once.py",
    "tests/unit/test_hostile_processes.py",
    "tests/local/random_graphs/",
)
"""What takes longest goes first: a worker that gets it last keeps the others waiting."""

WAITING_FILES = (
    "tests/deploying/test_ui.py",
    "tests/deploying/test_situations.py",
    "tests/deploying/test_operating.py",
    "tests/deploying/test_logs.py",
    "tests/local/test_conformance.py",
    "tests/local/test_damaged_files.py",
    "tests/local/test_children.py",
    "tests/local/test_warm_processes.py",
    "tests/contract/test_unreachable_hosts.py",
    "tests/acceptance/test_features_example.py",
    "tests/acceptance/test_local_alone.py",
    "tests/acceptance/test_local_page.py",
    "tests/acceptance/test_make_lock.py",
    "tests/acceptance/test_init.py",
    "tests/plugin/",
)
"""What waits most goes next, while others still compute: at the end, all workers would wait at once."""


def pytest_configure(config: pytest.Config) -> None:
    _bound_memory()
    # A shell starts what runs in the background with Ctrl-C switched off, for every process below it, too.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Set, each new process would compile this project's modules again, and each run the tests.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    mimetypes.knownfiles.clear()  # the connector reads the machine's list of types at each PUT and GET
    # Each process's first login would ask the clouds where it is, and wait for their silence.
    os.environ["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] = "true"
    # Each request would look for proxies in every variable, which takes a third of a client's time for it.
    os.environ["NO_PROXY"] = ",".join(
        dict.fromkeys([*os.environ.get("NO_PROXY", "").split(","), *LOCAL])
    ).strip(",")
    # No test cuts the power, and each waited for the disk half of its time.
    os.environ.setdefault("SFML_LOCAL_DURABLE", "0")
    # The workers share the cores already, and waking a thread for a few rows takes longer than reading them.
    os.environ.setdefault("SFML_LOCAL_THREADS", "1")
    # Threads of a small training spin while they wait for one that a worker's neighbour keeps from its core.
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(threads, "1")
    if hasattr(config, "workerinput"):
        report_worker(config.workerinput)
        keep_to_a_core(config, config.workerinput["workerid"])
        be_brief(config)
        return
    make_folder()
    config.add_cleanup(remove_folder)
    if config.getoption("numprocesses", None):
        config.pluginmanager.register(WorkerWatch())
        be_brief(config)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile before xdist starts workers, which does so last of all: it is registered later."""
    if session.config.getoption("numprocesses", None):
        compile_ahead(session.config, session.config.rootpath, len(cores()))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than there are cores: tests wait for processes, too."""
    return len(cores()) + 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FileScheduling | None:
    return FileScheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _turn(item.nodeid))


def _turn(name: str) -> int:
    return 0 if name.startswith(LONG_FILES) else 1 if name.startswith(WAITING_FILES) else 2


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave the garbage collector off meanwhile: what is collected stays, and it took a quarter of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Hide what was collected from the garbage collector, which would walk through all of it again and again.

    It looks as rarely as in the command itself: parsing a module took four times as long with Python's own thresholds.
    """
    gc.freeze()  # with what little of it is garbage: to find that takes 0.7 s in each worker
    gc.set_threshold(*GARBAGE)


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """Look for garbage once: pytest does five times, to tell of errors in `__del__`, through all that there is."""
    gc.collect()
    gc.freeze()


def _bound_memory() -> None:
    """Let a process that runs away fail with a MemoryError, and not take the machine down.

    Private data is bounded and not addresses: DuckDB, Ray and browsers reserve many that they never touch.
    """
    if sys.platform != "linux" or not MEMORY:
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


@pytest.fixture(scope="session", autouse=True)
def _fork_servers() -> None:
    """Fork local servers, and the parents of their Python processes, from what has imported the clients already."""
    from sfml_local import control
    from sfml_local.processes import warm

    for module in (control, warm):
        use_fork_servers(module)


@pytest.fixture(scope="module", autouse=True)
def _from_nothing(request: pytest.FixtureRequest, _fork_servers: None) -> Iterator[None]:
    """Start the processes of a module that says `FROM_NOTHING` as users do: how they start is what it tests."""
    from sfml_local import control
    from sfml_local.processes import warm

    if not getattr(request.module, "FROM_NOTHING", False):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        for module in (control, warm):
            patch.setattr(module, "subprocess", subprocess)
        yield


@pytest.fixture(scope="module", autouse=True)
def _no_snowpark_session_is_left() -> Iterator[None]:
    """Fail where a module's tests leave a Snowpark session behind: `snowflake.ml` would go on with it.

    With the server of that session gone, `snowflake.ml` 2.6.0 doubles a list at each call until memory ends.
    """
    yield
    snowpark = sys.modules.get("snowflake.snowpark.session")
    assert snowpark is None or not snowpark._active_sessions
