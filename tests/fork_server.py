"""Processes of this project, forked from one that has imported what they import: as if started, in a tenth of the time.

`Popen` stands for `subprocess.Popen` where a test runs many commands. What it starts is a process of its own, with its
own environment, folder, streams and signals. Before it is forked, only imports are done, of some seconds, and what a
server makes once for all servers of its process. What
depends on imports or on the interpreter's settings is started from nothing, and so are
commands that a test of the installed command runs by `subprocess`. A command with Snowflake settings of its own is
forked from one that has imported nothing of Snowflake's.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import errno
import fcntl
import functools
import gc
import hashlib
import importlib
import json
import mimetypes
import os
import pkgutil
import runpy
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import types
import typing
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

SFML = str(Path(sys.executable).with_name("sfml"))
COMMAND, SERVER, WARM_PARENT = "sfml", "sfml_local", "sfml_local.processes.warm_parent"
LIGHT_PARENT, PYTEST, PROGRAM, SNOW, LIGHT = "light_parent", "pytest", "program", "snow", "light"
PARENTS = (WARM_PARENT, LIGHT_PARENT)
FORKED = "forked="
"""An option of `-X` with the kind of process that a program of `-c` is forked from; Python itself ignores it."""
TESTS = Path(__file__).parent
WITHOUT_MODELS = (
    *("tests/deploying/", "tests/browser/", "tests/local/test_", "tests/local/tasks/"),
    *("tests/local/procedures/", "tests/local/random_graphs/"),
)
"""Where hardly a procedure trains or logs a model; what libraries of models need is copied at each fork."""

OF_PROCEDURES = (
    *("snowflake.connector", "snowflake.snowpark", "pandas", "snowflake.ml.jobs"),
    "snowflake.connector.converter_snowsql",
    *("snowflake.connector.file_transfer_agent", "snowflake.snowpark._internal.compiler.plan_compiler"),
    *("opentelemetry.trace.propagation.tracecontext", "pyarrow.pandas_compat", "encodings.cp437"),
)
MODULES: Mapping[str, tuple[str, ...]] = {
    COMMAND: (
        *("sfml.cli.entry", "jsonschema", "referencing", "jinja2", "snowflake.snowpark"),
        *("snowflake.core.task.dagv1", "opentelemetry.trace.propagation.tracecontext"),
        *("snowflake.connector.converter_snowsql", "snowflake.connector.file_transfer_agent"),
        *("cryptography.hazmat.backends.openssl.backend", "encodings.ascii"),
    ),
    SERVER: (
        *(
            "sfml_local.http.app",
            "sfml_local.services.routines.procedures",
            "sfml_local.services.tasks.execution",
            "sqlglot.dialects.duckdb",
        ),
        *("uvicorn.lifespan.off", "uvicorn.loops.asyncio", "pyarrow.pandas_compat"),
    ),
    WARM_PARENT: (
        *OF_PROCEDURES,
        *("snowflake.ml.registry", "sklearn.linear_model", "sklearn.ensemble", "xgboost", "lightgbm"),
        *("snowflake.core.task.context", "snowflake.core.task.dagv1"),
    ),
    LIGHT_PARENT: OF_PROCEDURES,
    PYTEST: (
        "pytest",
        "sfml.pytest_plugin",
        "sfml_local.http.app",
        "sfml.snowflake.tasks",
        "snowflake.snowpark",
    ),
    PROGRAM: (
        "snowflake.core.task.dagv1",
        "snowflake.ml.jobs",
        "snowflake.ml.registry",
        "lightgbm",
        "xgboost",
    ),
    SNOW: ("snowflake.cli._app.cli_app", "snowflake.cli._app.snow_connector"),
    LIGHT: (
        *("sfml.cli.entry", "jsonschema", "referencing", "jinja2", "requests", "filelock", "tomlkit", "pytz"),
        *("cryptography.hazmat.primitives.serialization", "OpenSSL.SSL", "jwt", "asn1crypto.ocsp"),
        *("platformdirs", "sortedcontainers", "packaging.requirements"),
    ),
}
"""What each kind of process imports by itself, of Snowflake's clients and other libraries.

A program is one of Python's `-W ignore FILE`; `snow` is Snowflake's own command, in an environment of its own. A file
of the tests is forked as a command is. `light` has what the connector needs of others, and nothing of Snowflake's.
"""
OF_THE_SERVER = ("sfml_local", "sfml.testing", "sfml.pytest_plugin")
"""Packages that a command imports only where it is a server itself; it finds all others imported."""
CLIENT = "sfml.snowflake.client_root"
"""The one module that is written upon Snowflake's client, and imports it."""
OF_OWN_SETTINGS = (PROGRAM, SNOW)
"""Kinds of which a fork server is started for each different settings of an environment."""

FROM_NOTHING = "SFML_TEST_FROM_NOTHING"
"""The variable that is set where parents of procedures are to be children of what starts them."""

LENGTH = struct.Struct(">I")
FOLDER = "SFML_TEST_RUN"
"""The folder of the run, in the environment of its workers and of what they start."""
LIFELINE = "lifeline"
PREFIX = "sfml-t-"
BEGINNING = 60.0
"""Seconds within which a run has opened its lifeline."""


class Popen(subprocess.Popen):  # type: ignore[type-arg]
    """A process of ours from a fork server; anything else is started as usual."""

    _report: socket.socket | None = None
    _chosen: str | None = None
    """The kind of a parent of procedures that was chosen for the test that started it."""

    def poll(self) -> int | None:
        """The exit code; ends a parent of procedures that a server keeps from tests that needed one of another kind."""
        test = os.environ.get("PYTEST_CURRENT_TEST")  # none between two tests
        if self.returncode is None and self._chosen and test and self._chosen != _parent_of(test):
            os.kill(self.pid, signal.SIGKILL)
            self.wait()
        return super().poll()

    def _execute_child(self, args: Any, *others: Any) -> None:
        names = (
            "executable preexec_fn close_fds pass_fds cwd env startupinfo creationflags shell"
            " p2cread p2cwrite c2pread c2pwrite errread errwrite"
            " restore_signals gid gids uid umask start_new_session process_group"
        )
        given = dict(zip(names.split(), others, strict=True))
        words = [os.fspath(word) for word in args] if not isinstance(args, (str, bytes)) else []
        env = dict(os.environ if given["env"] is None else given["env"])
        kind, arguments = _kind(words)
        if kind == COMMAND and _names_snowflake(_differing(env)):
            kind = LIGHT
        address = None if kind is None else _address(kind, env)
        if kind is None or address is None:
            super()._execute_child(args, *others)  # type: ignore[misc]
            return
        streams = [given[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        descriptors = [number if at == -1 else at for number, at in enumerate(streams)]
        order = {
            "kind": kind,
            "arguments": arguments,
            "env": {**env, FOLDER: str(_folder())},
            "cwd": os.fspath(given["cwd"] or Path.cwd()),
            "targets": [0, 1, 2, *given["pass_fds"]],
            "session": given["start_new_session"],
            "umask": given["umask"],
        }
        if kind in PARENTS and not words[4:]:
            self._chosen = kind
        self._report = _connected(kind, address, words[0], env)
        text = json.dumps(order).encode()
        socket.send_fds(self._report, [LENGTH.pack(len(text))], [*descriptors, *given["pass_fds"]])
        self._report.sendall(text)
        self._lines = self._report.makefile("rb")
        self.pid = int(self._lines.readline())
        with contextlib.suppress(ProcessLookupError):
            # Until then it is of the fork server's group, which a caller that asks now would kill with it.
            while given["start_new_session"] and os.getsid(self.pid) != self.pid:
                time.sleep(0.001)
        self._child_created = True
        self._close_pipe_fds(*(given[name] for name in names.split()[9:15]))  # type: ignore[attr-defined]

    def _internal_poll(self, *args: Any, **kwargs: Any) -> int | None:
        if self._report is None:
            code: int | None = super()._internal_poll(*args, **kwargs)  # type: ignore[misc]
            return code
        # `subprocess` asks for processes that nobody holds any more at each start, in any thread.
        if not self._waitpid_lock.acquire(blocking=False):  # type: ignore[attr-defined]
            return None
        try:
            return self._ended(0)
        finally:
            self._waitpid_lock.release()  # type: ignore[attr-defined]

    def _wait(self, timeout: float | None) -> int:
        if self._report is None:
            return int(super()._wait(timeout))  # type: ignore[misc]
        with self._waitpid_lock:  # type: ignore[attr-defined]
            code = self._ended(timeout)
        if code is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)
        return code

    def _ended(self, seconds: float | None) -> int | None:
        """The exit code as the fork server tells it, which buries the process; None when it still runs."""
        assert self._report is not None
        if self.returncode is None:
            with selectors.DefaultSelector() as selector:
                selector.register(self._report, selectors.EVENT_READ)
                if selector.select(seconds):
                    line = self._lines.readline()
                    # Without a line the fork server is gone, and nobody knows.
                    self.returncode = int(line) if line else -signal.SIGKILL
                    self._lines.close()
                    self._report.close()
        return self.returncode


def run(
    words: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """`subprocess.run` with nothing to read, for what is written."""
    with Popen(
        words,
        cwd=cwd,
        env=env,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(list(words), process.returncode, out, err)


def _kind(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Which kind of fork server has such a process, and its arguments."""
    if sys.platform != "linux" or not words:
        return None, []
    if words[0] == SFML:
        return COMMAND, list(words[1:])
    if words[0] == sys.executable and _is_of_the_tests(words[1:2]):
        return COMMAND, list(words[1:])
    if Path(words[0]).name == SNOW:
        return SNOW, list(words[1:])
    if words[0] == sys.executable and words[1:3] == ["-m", WARM_PARENT]:
        test = os.environ.get("PYTEST_CURRENT_TEST", "")
        return WARM_PARENT if words[4:] else _parent_of(test), list(words[3:])
    if words[0] == sys.executable and words[1:2] == ["-m"] and words[2] in (SERVER, PYTEST):
        return words[2], list(words[3:])
    if words[0] == sys.executable and words[1:2] == ["-X"] and words[2].startswith(FORKED):
        return words[2].removeprefix(FORKED), list(words[3:])
    if words[0] == sys.executable and words[1:3] == ["-W", "ignore"] and words[3].endswith(".py"):
        return PROGRAM, list(words[3:])
    return None, []


def _parent_of(test: str) -> str:
    """The kind of parent for the procedures of a test, which may need libraries of models."""
    return LIGHT_PARENT if test.startswith(WITHOUT_MODELS) else WARM_PARENT


def _is_of_the_tests(words: Sequence[str]) -> bool:
    return any(word.endswith(".py") and Path(word).is_relative_to(TESTS) for word in words[:1])


def _address(kind: str, env: Mapping[str, str]) -> Path | None:
    """The socket of the fork server for such an environment; None where the process is started from nothing."""
    if kind in PARENTS and env.get(FROM_NOTHING):
        return None
    differing = _differing(env)
    if not differing or (kind == LIGHT and _names_snowflake(differing)):
        return _folder() / kind
    if kind not in OF_OWN_SETTINGS:
        return None
    return _folder() / f"{kind}-{hashlib.sha256(repr(differing).encode()).hexdigest()[:8]}"


def _differing(env: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """What the interpreter, or Snowflake's clients when they are imported, would read other than here."""
    found: list[tuple[str, str | None]] = []
    for name in sorted({*env, *os.environ}):
        if name.startswith(("PYTHON", "LC_", "LANG", "SNOWFLAKE_", "XDG_")) and name not in (
            "PYTHONDONTWRITEBYTECODE",
            "PYTHONUNBUFFERED",
            "SNOWFLAKE_DISABLE_PLATFORM_DETECTION",
            "XDG_DATA_HOME",
        ):
            if name == "SNOWFLAKE_HOME" and name in env and not any(Path(env[name]).glob("*.toml")):
                continue
            if env.get(name) != os.environ.get(name):
                found.append((name, env.get(name)))
    home = Path(env.get("HOME", "/nowhere"))
    # Clients look into the one where it exists, and into the other for settings: one without any is as if not there.
    if (home / ".snowflake").exists() or any((home / ".config" / "snowflake").glob("*.toml")):
        found.append(("HOME", str(home)))
    return found


def _names_snowflake(differing: Sequence[tuple[str, str | None]]) -> bool:
    """Whether nothing differs but what Snowflake's clients read when they are imported."""
    return bool(differing) and all(name == "HOME" or name.startswith("SNOWFLAKE_") for name, _ in differing)


# -- where the fork servers are


@functools.cache
def _folder() -> Path:
    """The folder of the run, which the process that began it has made."""
    return Path(os.environ[FOLDER])


def make_folder() -> None:
    """Make the folder of a run: sockets that all its workers share, and whatever is temporary in any of its processes.

    It goes with the run, or, where that was killed, with the first fork server to see it gone or with the next run.
    """
    remove_folders_of_the_dead(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    os.mkfifo(folder / LIFELINE)
    # No other process has it open for writing: once this one is gone, all others read its end.
    os.open(folder / LIFELINE, os.O_RDWR | os.O_CLOEXEC)
    os.environ[FOLDER] = str(folder)
    # What pytest itself keeps of the last runs stays where it was.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder / "t")
    Path(tempfile.tempdir).mkdir()


def remove_folders_of_the_dead(place: Path) -> None:
    """Remove what killed runs have left in a folder: none of their processes has the lifeline open any more."""
    for lifeline in place.glob(f"{PREFIX}*/{LIFELINE}"):
        try:
            os.close(os.open(lifeline, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            # A run that is just beginning has made its lifeline and not opened it.
            if error.errno == errno.ENXIO and time.time() - lifeline.stat().st_mtime > BEGINNING:
                shutil.rmtree(lifeline.parent, ignore_errors=True)


def remove_folder() -> None:
    shutil.rmtree(_folder(), ignore_errors=True)


def _connected(kind: str, address: Path, program: str, env: Mapping[str, str]) -> socket.socket:
    with (_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not address.exists():
            _start(kind, address, program, env)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(address))
    return connection


def _start(kind: str, address: Path, program: str, env: Mapping[str, str]) -> None:
    home, output = (address.with_name(f"{address.name}.{what}") for what in ("home", "log"))
    home.mkdir()
    python = str(Path(program).with_name("python")) if kind == SNOW else sys.executable
    settings = dict(env) if kind in OF_OWN_SETTINGS else {**os.environ, "HOME": str(home)}
    ready, theirs = os.pipe()
    with output.open("wb") as log:
        subprocess.Popen(
            [python, __file__, kind, str(address), str(theirs)],
            pass_fds=(theirs,),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**settings, FOLDER: str(_folder())},
            start_new_session=True,
        )
    os.close(theirs)
    with os.fdopen(ready, "rb") as stream:
        assert stream.read() == b"ready", output.read_text()


# -- in a fork server


def main(kind: str, address: str, ready: int) -> None:
    """Serve until the process of the tests is gone. Only a forked process returns, to be what it was forked for."""
    lifeline = os.open(_folder() / LIFELINE, os.O_RDONLY | os.O_NONBLOCK)
    sys.path[0] = str(Path(sys.executable).parent)
    gc.disable()  # hardly anything that imports make is garbage, and looking for it takes a third of their time
    for module in (*MODULES[kind], *(_own_modules() if kind in (COMMAND, LIGHT) else ())):
        if (kind, module) != (LIGHT, CLIENT):
            importlib.import_module(module)
    if "pytz" in sys.modules:
        sys.modules["pytz"].timezone("Etc/UTC")  # its first zone opens the files of all 600
    typing._cleanups.clear()  # type: ignore[attr-defined]  # nanobind, a library of the connector, does so at each exit
    mimetypes.knownfiles.clear()  # the connector reads the machine's list of types at each PUT and GET
    if kind in (COMMAND, LIGHT, SERVER, PYTEST):
        for module in ("sfml_local.control", *(("sfml_local.processes.warm",) if kind != LIGHT else ())):
            use_fork_servers(importlib.import_module(module))
    if kind in (SERVER, PYTEST):
        _serve_once()
    if kind in PARENTS:
        importlib.import_module("sfml_local.processes.zipped_modules").compiled()
    if kind == SNOW:
        _make_commands_of_snow()
    assert threading.active_count() == 1, threading.enumerate()
    # The package alone is there where an environment declares its namespace.
    assert kind != LIGHT or not any(module.startswith("snowflake.") for module in sys.modules)
    with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as selector:
        listener.bind(address)
        listener.listen(64)
        woken, wakes = socket.socketpair()
        wakes.setblocking(False)
        signal.set_wakeup_fd(wakes.fileno())
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for source in (listener, woken, lifeline):
            selector.register(source, selectors.EVENT_READ)
        os.write(ready, b"ready")
        os.close(ready)
        gc.freeze()  # the collector of a child would copy every page that it marks
        gc.enable()
        if kind in (COMMAND, *PARENTS):  # hundreds are forked
            _use_huge_pages()
        running: dict[int, socket.socket] = {}
        while True:
            sources = {key.fileobj for key, _ in selector.select()}
            if lifeline in sources:
                remove_folder()
                os._exit(0)
            if woken in sources:
                woken.recv(4096)
                _bury(running)
            if listener not in sources:
                continue
            connection, _ = listener.accept()
            order, descriptors = _received(connection)
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for report in (*running.values(), connection, woken, wakes):
                    report.close()
                os.close(lifeline)
                break
            for descriptor in descriptors:
                os.close(descriptor)
            connection.sendall(f"{pid}\n".encode())
            running[pid] = connection
    _become(order, descriptors)


def _serve_once() -> None:
    """Have what a server makes at its start and keeps for the others of its process: macros, and empty databases."""
    from sfml_local.core.database_maker import MAKER
    from sfml_local.http.app import LocalServer

    with tempfile.TemporaryDirectory() as folder, LocalServer(Path(folder)):
        pass
    MAKER.end_instance()  # its threads would not be in a forked process


def _make_commands_of_snow() -> None:
    """Have the commands of `snow` that it makes of its plugins at each start, in three quarters of its time."""
    plugins = importlib.import_module("snowflake.cli._app.commands_registration.builtin_plugins")
    for plugin in plugins.get_builtin_plugin_name_to_plugin_spec().values():
        plugin.command_spec = functools.cache(plugin.command_spec)
        plugin.command_spec().full_command_path  # noqa: B018


HUGE, MADV_COLLAPSE = 2 * 2**20, 25


def _use_huge_pages() -> None:
    """Put private memory on huge pages where the kernel can: a fork copies one entry for each, and not 512."""
    libc = ctypes.CDLL(None)
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, _, _, inode, *_ = line.split()
        first, end = (int(part, 16) for part in span.split("-"))
        if inode == "0" and rights.startswith("rw"):
            for at in range(-(-first // HUGE) * HUGE, end - HUGE + 1, HUGE):
                libc.madvise(ctypes.c_void_p(at), ctypes.c_size_t(HUGE), MADV_COLLAPSE)


def _own_modules() -> list[str]:
    import sfml

    found = (module.name for module in pkgutil.walk_packages(sfml.__path__, "sfml."))
    return [name for name in found if not name.startswith(OF_THE_SERVER) and not name.endswith("__main__")]


def _bury(running: dict[int, socket.socket]) -> None:
    for pid in list(running):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with running.pop(pid) as report, contextlib.suppress(OSError):
                report.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _received(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    header, descriptors, _, _ = socket.recv_fds(connection, LENGTH.size, 16)
    with connection.makefile("rb", buffering=0) as stream:
        wanted, text = LENGTH.unpack(header)[0], b""
        while len(text) < wanted:
            text += stream.read(wanted - len(text)) or b""
    return json.loads(text), descriptors


def _become(order: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    """Take over what the process has of its own, and run it to its end."""
    if order["session"]:
        os.setsid()
    if order["umask"] >= 0:
        os.umask(order["umask"])
    above = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 500) for descriptor in descriptors]
    for descriptor, at, target in zip(descriptors, above, order["targets"], strict=True):
        os.close(descriptor)
        os.dup2(at, target)
        os.close(at)
    os.environ.clear()
    os.environ.update(order["env"])
    tempfile.tempdir = None
    for name in ("routines.procedures", "models.files"):
        if module := sys.modules.get(f"sfml_local.services.{name}"):
            module._PROCESS_STARTED = time.time()  # what is older was left by another process
    os.chdir(order["cwd"])
    unbuffered = "PYTHONUNBUFFERED" in os.environ
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = open(  # noqa: SIM115
            number,
            "r" if number == 0 else "w",
            closefd=False,
            errors="backslashreplace" if number == 2 else "strict",
        )
        if number:
            stream.reconfigure(line_buffering=number == 2 or os.isatty(number), write_through=unbuffered)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)  # a program may let go of the other
    _end(partial(_run, order["kind"], order["arguments"]))


def _end(run: Callable[[], None]) -> NoReturn:
    """Run it, and end as the interpreter does, but for taking every module apart, which would copy all their pages."""
    code = 0
    try:
        run()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        code = 1
        if isinstance(error, KeyboardInterrupt):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or 120
    os._exit(code & 0xFF)


def _run(kind: str, arguments: list[str]) -> None:
    """Run what such a process runs, as its `__main__`."""
    if arguments[:1] == ["-c"]:
        sys.argv, sys.path[0] = ["-c", *arguments[2:]], ""
        sys.modules["__main__"] = main = types.ModuleType("__main__")
        exec(compile(arguments[1], "<string>", "exec", dont_inherit=True), vars(main))
    elif kind in (COMMAND, LIGHT) and _is_of_the_tests(arguments):
        sys.argv, sys.path[0] = arguments, str(Path(arguments[0]).parent)
        runpy.run_path(arguments[0], run_name="__main__")
    elif kind in (COMMAND, LIGHT):
        sys.argv = [SFML, *arguments]
        from sfml_snowflake import main as command

        sys.exit(command())
    elif kind == SNOW:
        sys.argv = [SNOW, *arguments]
        runpy.run_module("snowflake.cli._app", run_name="__main__", alter_sys=True)
    elif kind == PROGRAM:
        sys.argv, sys.path[0] = arguments, str(Path(arguments[0]).parent)
        warnings.simplefilter("ignore")
        runpy.run_path(arguments[0], run_name="__main__")
    else:
        if kind == PYTEST:
            sys.path[0] = str(Path.cwd())
        sys.argv = ["-m", *arguments]
        runpy.run_module(WARM_PARENT if kind in PARENTS else kind, run_name="__main__", alter_sys=True)


def use_fork_servers(module: types.ModuleType) -> None:
    """Let a module of the product start processes of ours here."""
    namespace = types.SimpleNamespace(**vars(subprocess))
    namespace.Popen = Popen
    module.subprocess = namespace  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.modules["fork_server"] = sys.modules["__main__"]
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
