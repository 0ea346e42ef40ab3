"""Procedures forked from a warm parent: the same as any process of a procedure, and gone as surely.

Parents start from nothing where what they fork could be different for it, and not where they only come and go.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import signal
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fork_server
import pytest
from snowflake.connector import SnowflakeConnection, connect

from sfml_local import control
from sfml_local.core.errors import SqlError
from sfml_local.http.app import LocalServer
from sfml_local.processes import warm
from sfml_local.services.routines import procedures
from sfml_local.services.routines.procedures import expects_processes, warm_parent_of

FROM_NOTHING = True

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")

PARENT = "os.getppid()"
GRANDPARENT = "next(int(l.split()[1]) for l in open(f'/proc/{os.getppid()}/status') if l.startswith('PPid'))"


def procedure(body: str, imports: str = "", head: str = "import json, os") -> str:
    """A procedure that answers what the Python expression or function body says, as JSON."""
    lines = body.splitlines()
    code = "\n".join([*(f"    {line}" for line in lines[:-1]), f"    return json.dumps({lines[-1]})"])
    imported = f"IMPORTS = ('{imports}') " if imports else ""
    return (
        "WITH P AS PROCEDURE () RETURNS STRING LANGUAGE PYTHON RUNTIME_VERSION = '3.11'"
        f" PACKAGES = ('snowflake-snowpark-python') {imported}HANDLER = 'main' AS $$\n"
        f"{head}\ndef main(session):\n{code}\n$$ CALL P()"
    )


def call(server: LocalServer, *statements: str) -> Any:
    """What the last of the statements answers."""
    session = server.account.sessions.open(database="SFML", schema="PUBLIC")
    try:
        *_, answer = [server.account.execute(session, statement) for statement in statements]
        return json.loads(answer.rows[0][0])
    finally:
        server.account.sessions.close(session)


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


@pytest.fixture
def forked_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parents and servers that the test starts are forked themselves."""
    for module in (control, warm):
        monkeypatch.setattr(module, "subprocess", module.subprocess)
        fork_server.use_fork_servers(module)


def test_procedures_are_forked_from_one_parent(server: LocalServer) -> None:
    seen = [call(server, procedure(f"[{PARENT}, os.getpid(), os.getpgid(0)]")) for _ in range(3)]
    parent = warm_parent_of(server.account).pid
    assert [one[0] for one in seen] == [parent] * 3
    assert len({one[1] for one in seen}) == 3
    assert all(pid == group for _, pid, group in seen)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE FUNCTION plus_one(x INT) RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION = '3.11' HANDLER = 'f'"
        " AS 'f = lambda x: x + 1'",
        f"CREATE TASK t AS {procedure('1')}",
        """CREATE TASK j AS CALL SYSTEM$EXECUTE_ML_JOB('P', '@S/p', '{}', '{}')""",
    ],
    ids=["function", "task", "job"],
)
def test_a_kept_server_starts_the_parent_only_where_something_will_need_it(
    folder: Path, statement: str
) -> None:
    with LocalServer(folder) as server:
        session = server.account.sessions.open(database="SFML", schema="PUBLIC")
        server.account.execute(session, "CREATE TASK s AS SELECT 'py'")
        assert not expects_processes(server.account)
        server.account.execute(session, statement)
        assert expects_processes(server.account)


@pytest.mark.usefixtures("forked_starts")
def test_a_server_of_its_own_starts_the_parent_before_the_first_call(folder: Path) -> None:
    info = control.start(folder)
    try:
        arguments = {
            key: getattr(info, key) for key in ("host", "port", "protocol", "account", "user", "password")
        }
        with connect(**arguments, database="SFML", schema="PUBLIC") as connection:
            connection.cursor().execute("CREATE TASK s AS SELECT 1")
            assert not (folder / "warm").exists()
            connection.cursor().execute(f"CREATE TASK t AS {procedure('1')}")
            wait_for((folder / "warm").exists)
    finally:
        control.stop(folder)


def test_each_has_an_environment_and_a_chance_of_its_own(server: LocalServer) -> None:
    body = "import random, numpy, uuid\n" + (
        "[os.environ['HOME'], os.environ['SNOWFLAKE_PASSWORD'], os.getcwd(), random.random(),"
        " float(numpy.random.random()), str(uuid.uuid4())]"
    )
    first, second = (call(server, procedure(body)) for _ in range(2))
    assert all(one != other for one, other in zip(first, second, strict=True))


def test_it_has_what_a_process_of_its_own_has(
    server: LocalServer, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (
        "import logging, signal, sys, threading\n"
        "found = {'main': sys.modules['__main__'].__spec__.name if sys.modules['__main__'].__spec__ else None}\n"
        "found['handlers'] = [str(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGCHLD, signal.SIGTERM)]\n"
        "found['loggers'] = [type(h).__name__ for h in logging.getLogger().handlers]\n"
        "found['levels'] = [logging.getLogger(name).level for name in ('', 'snowflake.connector')]\n"
        "found['path'] = sys.path[1:]\n"
        "found['streams'] = [s.write_through for s in (sys.stdout, sys.stderr)]\n"
        "found['open'] = sorted(int(fd) for fd in os.listdir('/proc/self/fd') if int(fd) < 3)\n"
        "found['environment'] = sorted(set(os.environ) - {'LC_CTYPE'})\n"
        "found['group'] = os.getpgid(0) == os.getsid(0) == os.getpid()\n"
        "found"
    )
    forked = call(server, procedure(body))
    monkeypatch.setenv("SFML_LOCAL_WARM", "0")
    with LocalServer(tmp_path_factory.mktemp("cold")) as cold:
        started = call(cold, procedure(body))
        assert warm_parent_of(cold.account).pid is None
    started["environment"].remove("SFML_LOCAL_WARM")
    assert forked == started


def test_the_types_of_files_are_read_once_for_all(server: LocalServer) -> None:
    assert call(server, procedure("import mimetypes\nmimetypes.inited")) is True


STRAYS = """
import subprocess, sys
daemon = '''
import os, subprocess, time
if os.fork(): os._exit(0)
os.setsid()
child = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL, start_new_session=True)
print(os.getpid(), child.pid, flush=True)
os.close(1)
time.sleep(600)
'''
strays = [*map(int, subprocess.run([sys.executable, "-c", daemon], stdout=subprocess.PIPE).stdout.split())]
"""
"""Starts a process that leaves its session and its parent, as daemons do, with a child of its own."""


def test_what_one_leaves_ends_with_it_and_what_another_has_started_goes_on(
    server: LocalServer, tmp_path: Path
) -> None:
    marker, gate = tmp_path / "strays", tmp_path / "gate"
    head = f"import json, os, time\n{STRAYS}"
    body = (
        f"open({str(marker)!r}, 'w').write(f'{{strays[0]}} {{strays[1]}}\\n')\n"
        f"while not os.path.exists({str(gate)!r}): time.sleep(0.02)\nstrays"
    )
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(call, server, procedure(body, head=head))
        try:
            wait_for(lambda: marker.exists() and marker.read_text().endswith("\n"))
            kept = [int(pid) for pid in marker.read_text().split()]
            left = call(server, procedure("strays", head=head))
            assert len(left) == 2
            assert not any(map(is_alive, left))
            assert all(map(is_alive, kept))
        finally:
            gate.touch()
        assert slow.result(30) == kept
    assert not any(map(is_alive, kept))


def test_a_parent_keeps_nothing_of_what_it_has_forked(server: LocalServer) -> None:
    parent = call(server, procedure(PARENT))

    def descriptors() -> set[str]:
        return {one.name for one in Path(f"/proc/{parent}/fd").iterdir()}

    def children() -> str:
        return Path(f"/proc/{parent}/task/{parent}/children").read_text()

    before = descriptors()  # perhaps with those of the first call, which has been answered and not yet closed
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: call(server, procedure("1")), range(8))) == [1] * 8
    wait_for(lambda: descriptors() <= before and not children())


def test_none_has_descriptors_of_another(server: LocalServer, tmp_path: Path) -> None:
    marker, gate = tmp_path / "began", tmp_path / "gate"
    slow_body = f"import time\nopen({str(marker)!r}, 'w')\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.02)\n1"
    ask = procedure(
        "sorted(os.readlink(f'/proc/self/fd/{fd}').partition(':')[0] for fd in os.listdir('/proc/self/fd')"
        " if os.path.exists(f'/proc/self/fd/{fd}'))"
    )
    alone = call(server, ask)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(call, server, procedure(slow_body))
        wait_for(marker.exists)
        try:
            assert call(server, ask) == alone
        finally:
            gate.touch()
        assert slow.result(30) == 1


def test_an_imported_module_wins_over_a_warm_one(
    server: LocalServer, connection: SnowflakeConnection, tmp_path: Path
) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("idna/__init__.py", "MINE = 'the own'")
    file = tmp_path / "own.zip"
    file.write_bytes(content.getvalue())
    connection.cursor().execute("CREATE STAGE CODE")
    connection.cursor().execute(f"PUT 'file://{file}' '@CODE' AUTO_COMPRESS=FALSE")
    assert call(server, procedure("import idna\nidna.MINE", "@CODE/own.zip")) == "the own"
    assert call(server, procedure("import idna\nhasattr(idna, 'MINE')")) is False


FUNCTION = """CREATE OR REPLACE FUNCTION F(x INT) RETURNS STRING LANGUAGE PYTHON RUNTIME_VERSION = '3.11'
{imports} HANDLER = 'f' AS $$
import json, os
def f(x):
    {code}
$$"""


def of_function(server: LocalServer, code: str, imports: str = "") -> Any:
    """What a function answers, as JSON; without code, the function that is there."""
    made = [FUNCTION.format(code=code, imports=imports)] if code else []
    return call(server, *made, "SELECT F(1)")


@pytest.mark.usefixtures("forked_starts")
@pytest.mark.parametrize("is_warm", ["1", "0"])
def test_functions_are_forked_from_the_parent_of_procedures_where_there_is_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, is_warm: str
) -> None:
    monkeypatch.setenv("SFML_LOCAL_WARM", is_warm)
    with LocalServer(folder) as server:
        parent, pid = of_function(server, f"return json.dumps([{PARENT}, os.getpid()])")
        assert of_function(server, "")[1] == pid
        assert (parent == warm_parent_of(server.account).pid) is (is_warm == "1")
        assert not list((folder / "runs").glob("sfml-function-*"))
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not is_alive(pid))
        assert of_function(server, "")[1] != pid
        with pytest.raises(SqlError, match="ended with exit code 3"):
            of_function(server, "os._exit(3)")
        # One that has answered is not known to be at fault: another process repeats the call, and ends alike.
        assert of_function(server, "x == 2 and os._exit(4); return json.dumps(x)") == 1
        with pytest.raises(SqlError, match="ended with exit code 4"):
            call(server, "SELECT F(2)")
        assert of_function(server, "") == 1


def test_a_function_logs_at_the_levels_of_a_new_interpreter(server: LocalServer) -> None:
    call(server, procedure("1"))
    names = ("", "snowflake.connector", "snowflake.snowpark", "snowflake.ml")
    levels = f"[logging.getLogger(name).level for name in {names}]"
    found = of_function(server, f"import logging; return json.dumps([{PARENT}, {levels}])")
    assert found == [warm_parent_of(server.account).pid, [logging.WARNING, 0, 0, 0]]


def test_an_imported_module_of_a_function_wins_over_a_warm_one(
    server: LocalServer, connection: SnowflakeConnection, tmp_path: Path
) -> None:
    (tmp_path / "idna.py").write_text("MINE = 'the own'")
    connection.cursor().execute("CREATE STAGE FUNCTIONS")
    connection.cursor().execute(f"PUT 'file://{tmp_path}/idna.py' '@FUNCTIONS' AUTO_COMPRESS=FALSE")
    code = "import idna; return json.dumps(getattr(idna, 'MINE', 'theirs'))"
    assert of_function(server, code, "IMPORTS = ('@FUNCTIONS/idna.py')") == "the own"
    assert of_function(server, code) == "theirs"


@pytest.mark.usefixtures("forked_starts")
def test_a_parent_that_dies_is_replaced(server: LocalServer) -> None:
    first = call(server, procedure(PARENT))
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: warm_parent_of(server.account).pid is None)
    second = call(server, procedure(PARENT))
    assert second not in (first, os.getpid())
    assert second == warm_parent_of(server.account).pid


@pytest.mark.usefixtures("forked_starts")
def test_an_order_that_dies_with_the_parent_is_carried_out_without_one(server: LocalServer) -> None:
    parent = call(server, procedure(PARENT))
    os.kill(parent, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call, server, procedure(f"[{PARENT}, {GRANDPARENT}]"))
        wait_for(lambda: bool(server.account.children))
        os.kill(parent, signal.SIGKILL)
        of_its_own, of_another = answer.result(30)
        assert of_another == os.getpid()
        assert of_its_own != parent


@pytest.mark.usefixtures("forked_starts")
def test_what_runs_ends_with_its_parent_and_says_so(server: LocalServer, tmp_path: Path) -> None:
    marker = tmp_path / "began"
    body = f"import time\nopen({str(marker)!r}, 'w').write(f'{{os.getpid()}}\\n')\ntime.sleep(600)"
    parent = call(server, procedure(PARENT))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call, server, procedure(body))
        wait_for(lambda: marker.exists() and marker.read_text().endswith("\n"))
        os.kill(parent, signal.SIGKILL)
        with pytest.raises(SqlError, match="ended with exit code -9"):
            answer.result(30)
    wait_for(lambda: not is_alive(int(marker.read_text())))
    assert call(server, procedure("'next'")) == "next"


SERVE = """
import subprocess, sys
from pathlib import Path
from sfml_local.http.app import LocalServer
from sfml_local.processes import warm
from sfml_local.services.routines.procedures import warm_parent_of
warm.subprocess = subprocess  # its parent is a child of its own
with LocalServer(Path(sys.argv[1])) as server:
    session = server.account.sessions.open(database="SFML", schema="PUBLIC")
    warm_parent_of(server.account).warm_up()
    Path(sys.argv[3]).write_text(f"{warm_parent_of(server.account).pid}\\n")
    server.account.execute(session, sys.argv[2])
"""


def test_nothing_survives_a_server_that_is_killed(tmp_path: Path) -> None:
    pids, parent = tmp_path / "pids", tmp_path / "parent"
    body = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}} {{child.pid}}\\n')\n"
        "time.sleep(600)"
    )
    arguments = [str(tmp_path / "local"), procedure(body), str(parent)]
    forked = f"forked={fork_server.SERVER}"
    server = fork_server.Popen([sys.executable, "-X", forked, "-c", SERVE, *arguments])
    wait_for(lambda: pids.exists() and pids.read_text().endswith("\n"), 60)
    all_pids = [int(pid) for pid in (pids.read_text() + parent.read_text()).split()]
    assert len(set(all_pids)) == 3  # the parent is what the procedure was forked from
    assert all(is_alive(pid) for pid in all_pids)
    server.kill()
    server.wait()
    wait_for(lambda: not any(is_alive(pid) for pid in all_pids))


@pytest.mark.usefixtures("forked_starts")
def test_a_server_that_stops_ends_the_parent(tmp_path: Path) -> None:
    with LocalServer(tmp_path / "local") as server:
        parent = call(server, procedure(PARENT))
        assert is_alive(parent)
    wait_for(lambda: not is_alive(parent))
    assert not (tmp_path / "local" / "warm").exists()


@pytest.fixture
def one_place(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(server.account.part(procedures.ProcedureProcesses), "places", threading.Semaphore(1))
    yield


def test_no_more_run_at_once_than_there_are_places(
    server: LocalServer, tmp_path: Path, one_place: None
) -> None:
    busy = tmp_path / "busy"
    body = (
        f"import time\nos.mkdir({str(busy)!r})\ntime.sleep(0.2)\nos.rmdir({str(busy)!r})\n"
        "True"  # a second one at the same time could not make the folder
    )
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: call(server, procedure(body)), range(3))) == [True] * 3


def test_what_a_procedure_calls_needs_no_place(server: LocalServer, one_place: None) -> None:
    inner = procedure("'inner'").replace("$$", "''")
    inner = procedure("'inner'").replace("AS $$", "AS '").replace("$$ CALL", "' CALL")
    inner = inner.replace("'inner'", "''inner''")
    body = f"session.sql({inner!r}).collect()[0][0]"
    assert call(server, procedure(body)) == '"inner"'


def test_settings_bound_memory_and_cores(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFML_LOCAL_PROCESS_MEMORY_MB", "600")
    monkeypatch.setenv("SFML_LOCAL_PROCESS_CORES", "1")
    body = "assert len(os.sched_getaffinity(0)) == 1, 'more cores'\nlen(bytearray(2**30))"
    with pytest.raises(SqlError, match="MemoryError"):
        call(server, procedure(body))
