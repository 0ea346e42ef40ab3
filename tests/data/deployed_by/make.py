"""Record an account as one version of sfml leaves it, for the tests of every later version.

    python tests/data/deployed_by/make.py VERSION

Run it with the Python of the environment in which exactly that version is installed, best with the oldest DuckDB that
it supports, and commit what it writes: `VERSION/account.tar.xz`. `VERSION/project` holds the specs and steps; for a
new version copy the folder of the one before and add what the version can do that no fixture shows yet. A folder that
is committed is never changed again.

Only `killed` uses names of the package's inside: the server has to be told when to kill the command. Adapt it when the
version at hand has moved them.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
LEFT_OUT = ("server.", "runs", "imports", "models-cache", "__pycache__")
"""What belongs to a running server or can be made again: tokens, logs, processes, unpacked code."""

COMMAND = "import socket; socket.gethostname = lambda: 'laptop'; from sfml.cli import main; main()"
"""The command, on a machine whose name says nothing."""

EARLIER = (
    (
        ("specs/orders.yaml", ", (3, 30)", ""),
        ("steps/orders/steps.py", "Sum the purchases up.", "Sum the purchases."),
    ),
    (("specs/orders.yaml", "0 6 * * 1", "0 7 * * 1"),),
    (),
)
"""The deployments of `orders`, each as what differs from the project: the last is the project itself."""

BEFORE_THE_CUT = ("specs/returns.yaml", "select 22", "select 2")


def sfml(project: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen((sys.executable, "-c", COMMAND, *arguments), cwd=project)


def done(project: Path, *arguments: str) -> None:
    code = sfml(project, *arguments).wait()
    if code:
        raise SystemExit(f"sfml {' '.join(arguments)} ended with {code}")


def with_edits(source: Path, project: Path, edits: tuple[tuple[str, str, str], ...]) -> None:
    """Write the project's files, less what was different then."""
    shutil.copytree(source, project, dirs_exist_ok=True)
    for name, now, then in edits:
        text = (project / name).read_text(encoding="utf-8")
        assert now in text, (name, now)
        (project / name).write_text(text.replace(now, then), encoding="utf-8")


def killed(project: Path, words: str, *arguments: str) -> None:
    """Run a command against a server of this process that kills it once a call with these words was made."""
    from sfml_local.control import ServerInfo, lock, write_info
    from sfml_local.http.app import LocalServer
    from sfml_local.http.faults import Call, Faults

    folder = project / ".sfml" / "local"
    descriptor = lock(folder)
    assert descriptor is not None
    faults = Faults()
    with LocalServer(folder, faults=faults) as server:
        connection = server.connect_args()
        keys = ("account", "host", "port", "protocol", "user", "password", "database", "schema")
        write_info(folder, ServerInfo(True, **{key: connection[key] for key in keys}))
        started: list[subprocess.Popen[bytes]] = []

        def kill(call: Call) -> None:
            started[0].send_signal(signal.SIGKILL)

        faults.do(kill, words, when="after")
        started.append(sfml(project, *arguments))
        assert started[0].wait() == -signal.SIGKILL
    (folder / "server.json").unlink()
    os.close(descriptor)


def packed(folder: Path) -> bytes:
    """The files below a folder as an archive that is the same for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz", preset=9, format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            if any(part.startswith(LEFT_OUT) for part in parts) or path.is_socket():
                continue
            entry = tarfile.TarInfo("/".join(parts))
            if path.is_dir():
                entry.type, entry.mode = tarfile.DIRTYPE, 0o700
                archive.addfile(entry)
            else:
                content = path.read_bytes()
                entry.size, entry.mode = len(content), 0o600
                archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def record(version: str) -> None:
    from sfml import __version__

    assert __version__ == version, f"this environment has sfml {__version__}"
    source = HERE / version / "project"
    # The account remembers where it was made, so that place says nothing about a machine.
    project = Path(tempfile.gettempdir()) / "shop"
    project.mkdir()
    try:
        for edits in EARLIER:
            with_edits(source, project, edits)
            done(project, "apply", "specs/orders.yaml", "--auto-approve", "--user", "ada")
        done(project, "run", "specs/orders.yaml")
        with_edits(source, project, (BEFORE_THE_CUT,))
        done(project, "apply", "specs/returns.yaml", "--auto-approve", "--user", "ada")
        with_edits(source, project, ())
        apply = ("apply", "specs/returns.yaml", "--auto-approve", "--user", "ada")
        killed(project, "PUT /tasks/RETURNS$SECOND", *apply)
        (HERE / version / "account.tar.xz").write_bytes(packed(project / ".sfml" / "local"))
    finally:
        shutil.rmtree(project)


if __name__ == "__main__":
    record(sys.argv[1])
