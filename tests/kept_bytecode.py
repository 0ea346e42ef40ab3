"""Modules that the tests' own environment has compiled, for a new environment with the same packages.

Compiling what the packages of an example import takes more processor time than its tests, linking a tenth of that.
"""

from __future__ import annotations

import csv
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SUFFIX = f".{sys.implementation.cache_tag}.pyc"


def link_compiled(packages: Path) -> int:
    """Link modules of new packages, with their bytecode, to the same ones that are compiled here; answers how many.

    Bytecode names the time of its module, so both are linked. A new bytecode replaces its file, as Python writes it.
    """
    pairs = (*_modules_of_others(packages), *_own_modules(packages))
    return sum(_linked(module, known) for module, known in pairs)


def _modules_of_others(packages: Path) -> Iterator[tuple[Path, Path]]:
    """The modules that installers wrote in both with the same hash."""
    spec = importlib.util.find_spec("pytest")
    assert spec is not None and spec.origin is not None
    own = Path(spec.origin).parents[1]
    for path, _ in _recorded(packages) & _recorded(own):
        yield packages / path, own / path


def _recorded(packages: Path) -> set[tuple[str, str]]:
    """Path and hash of every module: https://packaging.python.org/en/latest/specifications/recording-installed-packages/"""
    return {
        (path, digest)
        for record in packages.glob("*.dist-info/RECORD")
        for path, digest, _ in csv.reader(record.read_text(encoding="utf-8").splitlines())
        if path.endswith(".py") and digest
    }


def _own_modules(packages: Path) -> Iterator[tuple[Path, Path]]:
    for folder in (ROOT / "compiler", ROOT / "emulator", ROOT / "steps"):
        for known in folder.rglob("*.py"):
            module = packages / known.relative_to(folder)
            if module.is_file() and module.read_bytes() == known.read_bytes():
                yield module, known


def _linked(module: Path, known: Path) -> bool:
    code = known.parent / "__pycache__" / f"{known.stem}{SUFFIX}"
    if not code.exists():
        return False
    (module.parent / "__pycache__").mkdir(exist_ok=True)
    try:
        if not module.samefile(known):
            _link(known, module)
        _link(code, module.parent / "__pycache__" / code.name)
    except OSError:  # on another disk, where modules are compiled as usual
        return False
    return True


def _link(file: Path, link: Path) -> None:
    """Put a link where a file may be."""
    beside = link.with_name(f"{link.name}.link")
    beside.hardlink_to(file)
    beside.replace(link)
