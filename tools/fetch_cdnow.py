"""Write the CDNOW transactions to `data/cdnow.csv`: `python tools/fetch_cdnow.py [FILE]`.

The 23,570 customers who first bought at CDNOW in early 1997, with all their purchases until June 1998. The
data lies as a text file in the wheel of an old package, which is fetched alone, without its dependencies,
checked against a pinned hash and never imported. Doing it again with the file in place does nothing.

Needs only the standard library, and `pip` in this Python or `uv` on the path.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WHEEL = "lifetimes==0.11.3"
WHEEL_SHA256 = "261e3dc89977c2b60767ca6728aaa29d429de0c814635070a749c36555895da8"
MEMBER = "lifetimes/datasets/CDNOW_master.txt"
MEMBER_SHA256 = "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef"
CSV_SHA256 = "06442a269c23dded03ce620ba074bbefaf7979c31c969248b913bc0d8c0628e4"
HEADER = ("CUSTOMER_ID", "PURCHASED_ON", "UNITS", "AMOUNT")
ROWS, CUSTOMERS = 69_659, 23_570
DEFAULT = Path(__file__).resolve().parent.parent / "data" / "cdnow.csv"


class FetchError(Exception):
    """The data could not be had; the message says why and what to do."""


def main(arguments: list[str]) -> int:
    """Fetch, check, convert; 0 when the file is there."""
    target = Path(arguments[0]) if arguments else DEFAULT
    try:
        say(fetch(target))
    except FetchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def fetch(target: Path) -> str:
    """Put the transactions at `target` unless they are there; what was done, as a sentence."""
    if target.is_file() and sha256(target.read_bytes()) == CSV_SHA256:
        return f"{shown(target)} is there already ({ROWS:,} purchases of {CUSTOMERS:,} customers)"
    with tempfile.TemporaryDirectory(prefix="cdnow-") as folder:
        say(f"fetching the wheel {WHEEL} for the CDNOW transactions in it")
        text = master_text(Path(folder))
    if sha256(text) != MEMBER_SHA256:
        raise FetchError(f"{MEMBER} in {WHEEL} is not the expected file (sha256 {sha256(text)})")
    content = as_csv(text.decode("ascii"))
    if sha256(content) != CSV_SHA256:
        raise FetchError(
            "the converted file differs from what was expected: this is a bug in tools/fetch_cdnow.py"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    partial.write_bytes(content)
    partial.replace(target)
    return f"wrote {shown(target)} ({ROWS:,} purchases of {CUSTOMERS:,} customers)"


def master_text(folder: Path) -> bytes:
    """The text file out of the wheel, which pip downloads, or uv unpacks where pip is missing."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n", encoding="ascii")
    # Both installers check the hash before they keep anything.
    common = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(requirements), "--quiet"]
    if importlib.util.find_spec("pip") is not None:
        quiet = ["--disable-pip-version-check", "--no-input"]
        run([sys.executable, "-m", "pip", "download", *quiet, *common, "--dest", str(folder)])
        return member_of(folder)
    if uv := shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent)):
        run([uv, "pip", "install", "--python", sys.executable, *common, "--target", str(folder / "unpacked")])
        return (folder / "unpacked" / MEMBER).read_bytes()
    raise FetchError("neither pip in this Python nor uv on the path: install one of them, then try again")


def member_of(folder: Path) -> bytes:
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1 or sha256(wheels[0].read_bytes()) != WHEEL_SHA256:
        raise FetchError(f"the downloaded wheel of {WHEEL} does not have the pinned hash {WHEEL_SHA256}")
    with zipfile.ZipFile(wheels[0]) as wheel:
        return wheel.read(MEMBER)


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        output = (done.stderr.strip() or done.stdout.strip()).splitlines()
        detail = "\n".join("  " + line for line in output[-6:])
        raise FetchError(
            f"could not fetch {WHEEL}; is this machine online, or its package index configured?\n{detail}\n"
            f"  Or copy {shown(DEFAULT)} from a machine that has it."
        )


def as_csv(text: str) -> bytes:
    """Columns of `00001 19970101  1   11.77`, under a line of headings, as CSV with ISO dates."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(HEADER)
    for line in text.splitlines()[1:]:
        if line.strip():
            customer, day, units, amount = line.split()
            writer.writerow((int(customer), f"{day[:4]}-{day[4:6]}-{day[6:]}", int(units), amount))
    return written.getvalue().encode("ascii")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def say(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
