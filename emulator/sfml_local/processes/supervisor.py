"""Supervises a process for the server: records its output, and leaves no process behind.

Run as a script, as `supervisor.py LIFELINE LOG LIMIT COMMAND…`. LIFELINE is the file descriptor of a pipe whose other
end only the server holds: one byte asks the command to end, and its closing, which the kernel does however
the server dies, kills the command with all that it started. LOG is the file for the command's output, of which
LIMIT bytes are kept, or `-` to leave its output alone.

Uses only the standard library, and is started with `-I -S`, because every start of a command waits for it.
`warm_parent` calls `supervise` in a process that it forked.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
CHUNK = 65536
CLOCK_STEP = 0.01
"""Output within this many seconds gets the same time."""

DRAIN_SECONDS = 2.0
MEMORY_SETTING, CORES_SETTING = "SFML_LOCAL_PROCESS_MEMORY_MB", "SFML_LOCAL_PROCESS_CORES"
CUT = "\n[local server] the log is cut here: {limit} bytes of it are kept, and more was written\n"


class Recorder:
    """The log of one command, and a file with the times of its bytes (`events` reads both)."""

    def __init__(self, path: str, limit: int) -> None:
        self._log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        times = path.removesuffix(".log") + ".times"
        self._times = os.open(times, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = os.fstat(self._log).st_size
        self._limit = limit
        self._last = 0.0

    def write(self, data: bytes) -> None:
        """Write output up to the limit of the log, then once a note that it is cut."""
        if self._size > self._limit:
            return
        now = time.time()
        if now - self._last >= CLOCK_STEP:
            _write(self._times, f"{self._size} {int(now * 1_000_000)}\n".encode())
            self._last = now
        room = self._limit - self._size
        if len(data) > room:
            data = data[:room] + CUT.format(limit=self._limit).encode()
        _write(self._log, data)
        self._size += len(data)


def main(arguments: list[str]) -> int:
    lifeline, log, limit, *command = arguments

    def execute() -> None:
        try:
            os.execvp(command[0], command)
        except OSError as error:
            os.write(2, f"{command[0]}: {error.strerror}\n".encode())

    recorder = None if log == "-" else Recorder(log, int(limit))
    return _exit_as(supervise(int(lifeline), recorder, os.environ, execute))


def supervise(
    lifeline: int, recorder: Recorder | None, env: Mapping[str, str], work: Callable[[], None]
) -> int:
    """Run `work` in a forked process, and follow it to its end; returns its exit code."""
    libc = _libc()
    # Orphans of the command become children of this process, which can then end them.
    _prctl(libc, PR_SET_CHILD_SUBREAPER, 1)
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, frame: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    output, sink = os.pipe() if recorder else (-1, -1)
    supervisor = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(work, lifeline, sink, supervisor, libc, env)
    if recorder:
        os.close(sink)
    else:
        _let_go_of_standard_streams()
    status = _follow(pid, lifeline, wake, output, recorder)
    _end_all(pid)
    if recorder:
        _drain(output, recorder)
    return os.waitstatus_to_exitcode(status)


def _become(
    work: Callable[[], None],
    lifeline: int,
    sink: int,
    supervisor: int,
    libc: ctypes.CDLL | None,
    env: Mapping[str, str],
) -> None:
    """Do the work in the forked process, in its own session and group."""
    try:
        os.setsid()
        os.close(lifeline)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        _prctl(libc, PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:
            os._exit(137)
        if sink >= 0:
            os.dup2(sink, 1)
            os.dup2(sink, 2)
        _bound(env)
        work()
    finally:
        os._exit(127)


def _bound(env: Mapping[str, str]) -> None:
    """Limit the process, and each process that it starts, to the memory and cores of the settings."""
    memory, cores = env.get(MEMORY_SETTING, ""), env.get(CORES_SETTING, "")
    with contextlib.suppress(ImportError, OSError, ValueError, AttributeError):
        if memory.isdigit():
            import resource

            # Not the address space, which libraries reserve by the gigabyte without using it.
            resource.setrlimit(resource.RLIMIT_DATA, (int(memory) * 2**20,) * 2)
    with contextlib.suppress(OSError, AttributeError):
        if cores.isdigit() and int(cores):
            free = sorted(os.sched_getaffinity(0))
            first = os.getpid() % len(free)  # so that processes use different cores
            os.sched_setaffinity(0, [*free, *free][first : first + int(cores)])


def _follow(pid: int, lifeline: int, wake: int, output: int, recorder: Recorder | None) -> int:
    """The wait status of the command, after it ended by itself, on request of the server, or with the server."""
    watched = [lifeline, wake] + ([output] if recorder else [])
    while True:
        ready = select.select(watched, [], [])[0]
        if output in ready and recorder:
            data = os.read(output, CHUNK)
            if data:
                recorder.write(data)
            else:
                watched.remove(output)
        if lifeline in ready:
            if os.read(lifeline, 1):
                _signal_group(pid, signal.SIGTERM)
            else:
                watched.remove(lifeline)
                _signal_group(pid, signal.SIGKILL)
        if wake in ready:
            os.read(wake, CHUNK)
            status = _buried(pid)
            if status is not None:
                return status


def _buried(pid: int) -> int | None:
    """Reap every process that has ended; returns the wait status of the command if it is among them."""
    found = None
    with contextlib.suppress(ChildProcessError):
        while True:
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended == 0:
                break
            if ended == pid:
                found = status
    return found


def _end_all(pid: int) -> None:
    """Kill the command's group and all processes that became children of this one, generation by generation."""
    _signal_group(pid, signal.SIGKILL)
    while True:
        for child in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    try:
        file = os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY)
    except OSError:
        return []
    try:
        return [int(child) for child in os.read(file, CHUNK).split()]
    finally:
        os.close(file)


def _drain(output: int, recorder: Recorder) -> None:
    """Read the rest of the pipe; no process can write to it any more, unless the kernel lacks subreapers."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline and select.select([output], [], [], 0.1)[0]:
        data = os.read(output, CHUNK)
        if not data:
            return
        recorder.write(data)


def _exit_as(code: int) -> int:
    """End as the command ended, by the same signal if it was one."""
    if code < 0:
        with contextlib.suppress(ImportError, OSError, ValueError):
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _let_go_of_standard_streams() -> None:
    """Close our ends of the command's pipes, so that readers see their end when the command ends."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nothing, stream)


def _libc() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(None)
    except OSError:
        return None


def _prctl(libc: ctypes.CDLL | None, option: int, value: int) -> None:
    """Become a subreaper on Linux; on other systems, only the process group is known."""
    with contextlib.suppress(AttributeError):
        if libc is not None:
            libc.prctl(option, int(value), 0, 0, 0)


def _write(descriptor: int, data: bytes) -> None:
    """Write everything, or nothing more once the disk is full; the command continues in both cases."""
    view = memoryview(data)
    with contextlib.suppress(OSError):
        while view:
            view = view[os.write(descriptor, view) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
