"""The catalogue of a project's step functions: found by name, each module parsed once and never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import MappingProxyType

from sfml.base.diagnostic import Diagnostic
from sfml.base.record import record
from sfml.catalog.data_files import contents, data_files, listed_modules
from sfml.catalog.functions import step_function
from sfml.catalog.model import SourceFile, StepFunction
from sfml.catalog.modules import (
    MAIN,
    MAX_WEIGHT,
    RUNTIME,
    Module,
    StepsRoot,
    is_package_folder,
    module_file,
    read_module,
    steps_roots,
    weight,
)
from sfml.catalog.package_data import named_files
from sfml.catalog.step_definitions import step_definition

APART = "alerting"
"""The folder of the step runtime that sends alerts; archives of other steps do without it."""


class StepAbsence(Enum):
    """Why a step is not found: no such module, no such function, or a module that cannot be parsed."""

    MODULE = "module"
    FUNCTION = "function"
    BROKEN = "broken"


@record
class NotFound:
    """A step that is not found; `known` are the names that exist instead, `error` the finding of a broken module."""

    reason: StepAbsence
    known: tuple[str, ...] = ()
    error: Diagnostic | None = None


class StepCatalog:
    """The step functions under the steps roots of a project, and the files that each needs.

    `given` maps Python files to contents that are not saved.
    """

    def __init__(
        self, root: Path, folders: tuple[str, ...], given: Mapping[Path, bytes] = MappingProxyType({})
    ) -> None:
        self.root = root
        self._given = given
        self._roots: tuple[StepsRoot, ...] = steps_roots(root, folders)
        runtime = module_file(self._roots, RUNTIME)
        self._has_installed_runtime = runtime is not None and runtime[0].only == RUNTIME
        self._allowance = MAX_WEIGHT
        self._modules: dict[str, Module | None] = {}
        self._steps: dict[str, StepFunction | NotFound] = {}
        self._closures: dict[str, tuple[Module, ...]] = {}
        self._programs: dict[tuple[str, str, tuple[str, ...]], StepCatalog] = {}
        self._runtime: Mapping[str, bytes] | None = None

    def find(self, step: str) -> StepFunction | None:
        """The function named `package.module.function`, or None."""
        function = self.look_up(step)
        return function if isinstance(function, StepFunction) else None

    def look_up(self, step: str) -> StepFunction | NotFound:
        """The function named `package.module.function`, or why it is not found."""
        if step not in self._steps:
            self._steps[step] = self._look_up(step)
        return self._steps[step]

    def _look_up(self, step: str) -> StepFunction | NotFound:
        module_name, _, function = step.rpartition(".")
        module = self.module(module_name)
        if module is None:
            return NotFound(StepAbsence.MODULE, tuple(self._known_modules(module_name)))
        if module.tree is None:
            return NotFound(StepAbsence.BROKEN, error=module.error)
        defined = step_definition(function, module, self.module)
        if defined is None:
            return NotFound(StepAbsence.FUNCTION, tuple(_functions(module.tree)))
        return step_function(step, defined, self.module)

    def module(self, name: str) -> Module | None:
        """The parsed module of that name under the roots; None when there is none."""
        if name not in self._modules:
            located = module_file(self._roots, name)
            module = read_module(name, *located, self._allowance, self._given) if located else None
            if module is not None and module.tree is not None:
                self._allowance -= weight(module.content)
            self._modules[name] = module
        return self._modules[name]

    def modules(self) -> tuple[Module, ...]:
        """The modules that were read."""
        return tuple(module for module in self._modules.values() if module is not None)

    def _known_modules(self, wanted: str) -> Iterator[str]:
        """The modules of the package that `wanted` names, for "did you mean"."""
        package = wanted.rpartition(".")[0]
        for root in self._roots:
            if root.only is not None and package.split(".")[0] != root.only:
                continue
            folder = root.folder.joinpath(*package.split(".")) if package else root.folder
            if not folder.is_dir():  # the package itself is misspelt, so every module may be meant
                for path in sorted(root.folder.rglob("*.py"))[:500]:
                    parts = path.relative_to(root.folder).with_suffix("").parts
                    if "__init__" not in parts:
                        yield ".".join(parts)
            else:
                for path in sorted(folder.iterdir()):
                    name = path.stem if path.suffix == ".py" else path.name if path.is_dir() else ""
                    if name.isidentifier() and not name.startswith("__"):
                        yield f"{package}.{name}" if package else name

    def steps(self) -> Iterator[StepFunction]:
        """Every step function under the roots, the project's first; of each root at most 500 modules are read."""
        seen: set[str] = set()
        for root in sorted(self._roots, key=lambda one: one.only is not None):
            folder = root.folder if root.only is None else root.folder / root.only
            for path in sorted(folder.rglob("*.py"))[:500]:
                parts = path.relative_to(root.folder).with_suffix("").parts
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                module = self.module(name) if name and all(part.isidentifier() for part in parts) else None
                # A module that another root has first is that one's.
                if (
                    module is None
                    or module.tree is None
                    or name in seen
                    or module.path.resolve() != path.resolve()
                ):
                    continue
                seen.add(name)
                for function in _functions(module.tree):
                    step = self.find(f"{name}.{function}")
                    if step is not None and step.is_step:
                        yield step

    def file(self, archive_path: str) -> str | None:
        """The project's file behind a path in a step archive, relative to the project; None for any other file."""
        if ".." in archive_path.split("/"):
            return None
        for root in self._roots:
            if root.only is None and (root.folder / archive_path).is_file():
                return f"{root.shown}/{archive_path}" if root.shown not in ("", ".") else archive_path
        return None

    @property
    def folders(self) -> tuple[str, ...]:
        """The project's steps roots, as `sfml.yaml` names them."""
        return tuple(root.shown for root in self._roots if root.only is None)

    @property
    def sources(self) -> Mapping[str, str]:
        """File → text of every module that was read."""
        texts = {module.file: module.text for module in self._modules.values() if module is not None}
        for program in self._programs.values():
            texts.update(program.sources)
        return texts

    def closure(self, step: str) -> tuple[SourceFile, ...]:
        """Every file that the step needs, sorted by path.

        These are its module, the modules that it imports under the roots, data files of their packages, and the step
        runtime; its part that sends alerts comes only with the steps in it. Raises `UsageError` when
        they are too large together.
        """
        modules = {module.archive_path: module for module in self._closure(step.rpartition(".")[0])}
        files = {path: module.content for path, module in modules.items()}
        for module in modules.values():
            if module.is_package:
                files.update(data_files(module))
            resources = named_files(module, self.module, self.is_ours)
            files.update(contents((name, path) for name, path in resources if name not in files))
        files.update(self._runtime_files(with_apart=step.startswith(f"{RUNTIME}.{APART}.")))
        return tuple(SourceFile(path, files[path]) for path in sorted(files))

    def program(self, folder: str, entrypoint: str, imports: tuple[str, ...] = ()) -> StepCatalog:
        """The catalogue of a job's modules, found as its entry point finds them; the program itself is `__main__`."""
        key = (folder, entrypoint, imports)
        if key not in self._programs:
            self._programs[key] = _program(self.root, *key, self._given)
        return self._programs[key]

    def forget_programs(self) -> None:
        """Read the modules of jobs again when they are asked for, because files may have changed."""
        self._programs.clear()

    def has(self, name: str) -> bool:
        """Whether there is a module of that name, or a folder that can be imported as a package."""
        return module_file(self._roots, name) is not None or is_package_folder(self._roots, name)

    def known_modules(self, wanted: str) -> tuple[str, ...]:
        """The modules of the package that `wanted` names."""
        return tuple(self._known_modules(wanted))

    def modules_of(self, step: str) -> tuple[Module, ...]:
        """The modules of the step's closure, without those of the step runtime."""
        return self._closure(step.rpartition(".")[0])

    def is_ours(self, top: str) -> bool:
        """Whether the top-level name is a package or module under the steps roots."""
        return self.module(top) is not None or is_package_folder(self._roots, top)

    def _closure(self, start: str) -> tuple[Module, ...]:
        if start not in self._closures:
            seen: dict[str, Module] = {}
            todo = [start]
            visited: set[str] = set()
            while todo:
                for part in _with_parents(todo.pop()):
                    if part in visited:
                        continue
                    visited.add(part)
                    if self._has_installed_runtime and part != start and part.split(".")[0] == RUNTIME:
                        continue  # the whole runtime is added later, and it imports no module of the project
                    module = self.module(part)
                    if module is not None:
                        seen[part] = module
                        todo.extend(_needed_by(module))
            self._closures[start] = tuple(seen[name] for name in sorted(seen))
        return self._closures[start]

    def _runtime_files(self, *, with_apart: bool) -> Mapping[str, bytes]:
        if self._runtime is None:
            module = self.module(RUNTIME)
            self._runtime = _files_of(module.path.parent) if module is not None else {}
        apart = f"{RUNTIME}/{APART}/"
        return {
            path: content
            for path, content in self._runtime.items()
            if with_apart or not path.startswith(apart)
        }


def _program(
    root: Path, folder: str, entrypoint: str, imports: tuple[str, ...], given: Mapping[Path, bytes]
) -> StepCatalog:
    catalog = StepCatalog(root, (), given)
    base = root / folder
    script = base / entrypoint
    roots = [StepsRoot(base, folder, root)]
    if script.parent != base:  # modules beside the script can be imported as well
        roots.insert(0, StepsRoot(script.parent, script.parent.relative_to(root).as_posix(), root))
    for path in imports:
        above, _, name = path.rpartition("/")
        roots.append(StepsRoot(root / above, above, root, only=name.removesuffix(".py")))
    catalog._roots = tuple(roots)
    if script.is_file() and script.resolve().is_relative_to(root.resolve()):
        catalog._modules[MAIN] = read_module(MAIN, roots[0], script, given=given)
    return catalog


def _files_of(folder: Path) -> dict[str, bytes]:
    return {
        f"{RUNTIME}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*.py"))
        if "__pycache__" not in path.parts
    }


def _needed_by(module: Module) -> Iterator[str]:
    if module.is_package:
        yield from listed_modules(module)
    for import_ in module.imports:
        yield import_.module
        for name, _ in import_.names:
            yield f"{import_.module}.{name}"  # may be a module, or only a name in a module


def _with_parents(name: str) -> tuple[str, ...]:
    parts = name.split(".")
    return tuple(".".join(parts[: count + 1]) for count in range(len(parts)))


def _functions(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and not statement.name.startswith("_"):
            yield statement.name
