"""Supervises a process for the server: records its output, and leaves no process behind.

Run as a script, as `supervisor.py LIFELINE LOG LIMIT COMMAND…`. LIFELINE is the file descriptor of a pipe whose other
end only the server holds: one byte asks the command to end, and its closing, which the kernel does however
the server dies, kills the command with all that it started. LOG is the file for the command's output, of which
LIMIT bytes are kept, or `-` to leave its output alone.

Uses only the standard library, and is started with `-I -S`, because every start of a command waits for it.
`warm_parent` is itself a `Supervisor`, of all that it forks.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Collection, Mapping

SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What a supervisor waits for, or survives."""

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
        self._path_of_times = path.removesuffix(".log") + ".times"
        self._times = -1
        self._size = os.fstat(self._log).st_size
        self._limit = limit
        self._last = 0.0

    def write(self, data: bytes) -> None:
        """Write output up to the limit of the log, then once a note that it is cut."""
        if self._size > self._limit:
            return
        now = time.time()
        if now - self._last >= CLOCK_STEP:
            self._write_time(now)
            self._last = now
        room = self._limit - self._size
        if len(data) > room:
            data = data[:room] + CUT.format(limit=self._limit).encode()
        _write(self._log, data)
        self._size += len(data)

    def _write_time(self, now: float) -> None:
        """Note the time of the next byte, in a file that most commands, which print nothing, do without."""
        with contextlib.suppress(OSError):
            if self._times < 0:
                self._times = os.open(self._path_of_times, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            _write(self._times, f"{self._size} {int(now * 1_000_000)}\n".encode())

    def close(self) -> None:
        """Let go of the files."""
        os.close(self._log)
        if self._times >= 0:
            os.close(self._times)


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
    supervisor, command = Supervisor(), Command(lifeline, recorder)
    supervisor.start(work, command, env)
    if recorder is None:
        _let_go_of_standard_streams()
    while command.code is None:
        supervisor.attend(select.select(supervisor.watched, [], [])[0])
    return command.code


class Command:
    """One command: its lifeline, its log, if the supervisor keeps it, and the pipe for its exit code, if it has one."""

    def __init__(self, lifeline: int, recorder: Recorder | None, told: int = -1) -> None:
        self.lifeline, self.recorder, self.told = lifeline, recorder, told
        self.pid = 0
        self.code: int | None = None
        self.status: int | None = None
        """How it ended; processes that it started may still have to."""
        self.output, self.sink = os.pipe() if recorder else (-1, -1)
        self.watched = [lifeline, *([self.output] if recorder else [])]

    def attend(self, ready: Collection[int]) -> None:
        """Record what it has written, and do what its lifeline asks for."""
        if self.recorder and self.output in ready and self.output in self.watched:
            data = os.read(self.output, CHUNK)
            if data:
                self.recorder.write(data)
            else:
                self.watched.remove(self.output)
        if self.lifeline in ready and self.lifeline in self.watched:
            if os.read(self.lifeline, 1):
                self.signal(signal.SIGTERM)
            else:
                self.watched.remove(self.lifeline)
                self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def finish(self) -> None:
        """Record what is left of its output, and tell how it ended."""
        assert self.status is not None
        self.code = os.waitstatus_to_exitcode(self.status)
        if self.recorder:
            _drain(self.output, self.recorder)
        self.tell(self.code)
        self.close()

    def tell(self, number: int) -> None:
        """Write a line to the pipe: its process id, later its exit code."""
        if self.told >= 0:
            _write(self.told, f"{number}\n".encode())

    def close(self) -> None:
        """Let go of its descriptors, also in a process that is forked beside it."""
        os.close(self.lifeline)
        if self.told >= 0:
            os.close(self.told)
        if self.recorder:
            os.close(self.output)
            self.recorder.close()


class Supervisor:
    """Follows the commands that this process forks, each to its end and to that of all that it started.

    Orphans of a command become children of this process, which can then end them. With several commands, each
    takes in its orphans itself while it runs, so that an orphan that arrives here is of one that has ended.
    """

    def __init__(self, *, has_several: bool = False) -> None:
        self._libc = _libc()
        self._has_several = has_several
        self._commands: dict[int, Command] = {}
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        _prctl(self._libc, PR_SET_CHILD_SUBREAPER, 1)
        for number in SIGNALS:
            signal.signal(number, lambda number, frame: None)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)

    @property
    def is_idle(self) -> bool:
        """Whether all commands have ended."""
        return not self._commands

    @property
    def watched(self) -> list[int]:
        """The descriptors of which `attend` needs to know whether there is something to read."""
        return [self._wake, *(one for command in self._commands.values() for one in command.watched)]

    def start(self, work: Callable[[], None], command: Command, env: Mapping[str, str]) -> None:
        """Fork a process that does the work in its own session and group."""
        supervisor = os.getpid()
        try:
            command.pid = os.fork()
            if command.pid == 0:
                self._become(work, command, env, supervisor)
        except OSError:
            command.close()
            raise
        finally:
            if command.recorder:
                os.close(command.sink)
        self._commands[command.pid] = command
        command.tell(command.pid)

    def attend(self, ready: Collection[int]) -> None:
        """Do what is to be done about what can be read."""
        for command in self._commands.values():
            command.attend(ready)
        if self._wake in ready:
            os.read(self._wake, CHUNK)
            self._bury()

    def _bury(self) -> None:
        """Reap what has ended, and finish the commands of which nothing is left."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] in self._commands:
                    self._commands[ended[0]].status = ended[1]
                    self._commands[ended[0]].signal(signal.SIGKILL)
        over = [command for command in self._commands.values() if command.status is not None]
        if over and not self._end_orphans():
            for command in over:
                del self._commands[command.pid]
                command.finish()

    def _end_orphans(self) -> bool:
        """Kill what ended commands have left, generation by generation; whether there is anything."""
        running = {pid for pid, command in self._commands.items() if command.status is None}
        orphans = [child for child in _children() if child not in running]
        for child in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return bool(orphans)

    def _become(
        self, work: Callable[[], None], command: Command, env: Mapping[str, str], supervisor: int
    ) -> None:
        """Do the work in the forked process."""
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            if self._has_several:
                _prctl(self._libc, PR_SET_CHILD_SUBREAPER, 1)
            _prctl(self._libc, PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != supervisor:
                os._exit(137)
            if command.recorder:
                os.dup2(command.sink, 1)
                os.dup2(command.sink, 2)
                os.close(command.sink)
            for one in (command, *self._commands.values()):
                one.close()
            os.close(self._wake)
            os.close(self._waker)
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
