"""SF342, SF343, SF370: whether the modules that steps and jobs load exist and travel."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sfml.base.diagnostic import Diagnostic, did_you_mean
from sfml.base.record import record
from sfml.base.source import Span
from sfml.catalog import StepCatalog
from sfml.catalog.code import Load, ModuleUse, loads, module_uses
from sfml.catalog.data_files import listed_modules
from sfml.catalog.defined import defined_names
from sfml.catalog.modules import MAIN, Module
from sfml.check.case import Case, listed
from sfml.check.programs import Program, programs_of

_CAUGHT = ("ImportError", "ModuleNotFoundError")


@record
class ImportProblem:
    """What is wrong with an import, as the end of a sentence, and the help."""

    message: str
    help: str | None


def missing_imports(case: Case) -> Iterator[Diagnostic]:
    """SF342: code imports a module of this project, or a name of one, that does not exist.

    What: modules and names that steps and jobs import from their own folders, by an import statement or a constant
    name, exist there. Relative imports stay inside their package. An import below `TYPE_CHECKING`, or whose
    `ImportError` is caught, may fail. Under a condition it is a warning. Functions that the step does not call are not
    checked.
    Why: the task would fail when it runs.
    Instead: correct the name, write the module, or catch the `ImportError` if the code can do without it.
    """
    seen: set[object] = set()
    problems: dict[object, ImportProblem | None] = {}  # steps share modules
    for program in programs_of(case):
        for module in program.modules:
            for load in loads(module, program.is_script):
                if load.is_optional or load.around.catches(*_CAUGHT):
                    continue
                key = (id(program.catalog), module.name, program.is_script, id(load.node))
                if key not in problems:
                    problems[key] = import_problem(program.catalog, module, load)
                problem = problems[key]
                severity = program.severity(load.around) if problem is not None else None
                if problem is None or severity is None:
                    continue
                message = f"`{_shown(module)}` {problem.message}"
                span = module.span(load.node)
                if (span, message) not in seen:
                    seen.add((span, message))
                    yield Diagnostic("SF342", severity, message, span, help=problem.help)


def unloaded_modules(case: Case) -> Iterator[Diagnostic]:
    """SF370: code uses a module of this project that nothing imports.

    What: after `import package`, a module of the package can be used as `package.module` only if the package, or other
    code that travels with the step, imports it.
    Why: the task would fail with an AttributeError, even where a test passes because it imports more. Python does not
    import a module when it is used.
    Instead: import the module itself.
    """
    seen: set[Span] = set()
    for program in programs_of(case):
        loaded = _loaded_modules(program)
        for module in program.modules:
            for use in module_uses(module):
                name = f"{use.package}.{use.name}"
                if not _is_unloaded(program.catalog, use, name, loaded):
                    continue
                severity, span = program.severity(use.around), module.span(use.node)
                if severity is not None and span not in seen:
                    seen.add(span)
                    message = f"`{_shown(module)}` uses `{name}`, which nothing imports"
                    yield Diagnostic("SF370", severity, message, span, help=f"import it: `import {name}`")


def _loaded_modules(program: Program) -> frozenset[str]:
    """The modules that the code of a program imports anywhere, with the packages above them."""
    names: set[str] = set()
    for module in program.modules:
        for load in loads(module, program.is_script):
            if load.module is not None and not load.is_optional:
                names |= {load.module, *(f"{load.module}.{name}" for name in load.names)}
    return frozenset(above for name in names for above in _with_packages(name))


def _with_packages(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]


def _is_unloaded(catalog: StepCatalog, use: ModuleUse, name: str, loaded: frozenset[str]) -> bool:
    if name in loaded or not catalog.is_ours(use.package.partition(".")[0]) or not catalog.has(name):
        return False
    package = catalog.module(use.package)
    known = defined_names(package, catalog.module) if package is not None else frozenset()
    return known is not None and use.name not in known


def unknown_modules(case: Case) -> Iterator[Diagnostic]:
    """SF343: a step loads modules by a name that is computed at run time.

    What: a module travels when code imports it, by an import statement or a constant name, or when `__data_files__` of
    its package lists it. The modules behind a name such as `f"plugins.{kind}"` are not known from the code.
    Why: a module that does not travel cannot be loaded where the task runs.
    Instead: import the modules, or list them in the `__init__.py` of their package: `__data_files__ = ["*.py"]`.
    """
    seen: set[object] = set()
    for program in programs_of(case):
        if program.is_script:
            continue  # the whole folder of a job travels
        for module in program.modules:
            for load in loads(module):
                if not load.is_computed or program.severity(load.around) is None:
                    continue
                package = _loaded_package(program.catalog, module, load)
                span = module.span(load.node)
                if package is None or span in seen or _is_listed(package, load, program.modules):
                    continue
                seen.add(span)
                yield Diagnostic.warning(
                    "SF343",
                    f"`{_shown(module)}` loads modules by a name that is computed at run time: `{load.written}`",
                    at=span,
                    why="only modules that are imported or listed travel with the code",
                    help=_listing_help(package),
                )


def _shown(module: Module) -> str:
    return module.file if module.name == MAIN else module.name


def import_problem(catalog: StepCatalog, module: Module, load: Load) -> ImportProblem | None:
    """The problem of an import; None when its module and names exist, or are not of this project."""
    if load.is_computed:
        return _no_package(catalog, load)
    if load.module is None:
        return _beyond(module, load)
    top = load.module.partition(".")[0]
    is_relative = load.written.startswith(".")
    if not is_relative and (top in sys.stdlib_module_names or not catalog.is_ours(top)):
        return None
    if not catalog.has(load.module):
        path = f"{load.module.replace('.', '/')}.py"
        close = did_you_mean(load.module, catalog.known_modules(load.module))
        return ImportProblem(
            f"imports `{load.module}`, which is not a module of this project",
            close or f"write {path} under {_folders(catalog)}, or remove the import",
        )
    missing, known = _missing_names(catalog, load)
    if not missing:
        return None
    return ImportProblem(
        f"imports {listed(missing)} from `{load.module}`, which has no such name",
        did_you_mean(missing[0], known) or _where_to_define(catalog, load.module, missing[0]),
    )


def _no_package(catalog: StepCatalog, load: Load) -> ImportProblem | None:
    """The problem of the package that a computed name begins with; None when the package exists."""
    package = load.prefix.rpartition(".")[0]
    if not package or catalog.has(package) or not catalog.is_ours(package.partition(".")[0]):
        return None
    return ImportProblem(
        f"loads modules of `{package}`, which is not a package of this project",
        did_you_mean(package, catalog.known_modules(package)) or f"write it under {_folders(catalog)}",
    )


def _where_to_define(catalog: StepCatalog, module: str, name: str) -> str:
    path = module.replace(".", "/")
    source = catalog.module(module)
    if source is not None and not source.is_package:
        return f"define it in {path}.py, or remove the import"
    define = f"define it in {path}/__init__.py, " if source is not None else ""
    return f"{define}write {path}/{name}.py, or remove the import"


def _missing_names(catalog: StepCatalog, load: Load) -> tuple[tuple[str, ...], frozenset[str]]:
    """The names of `from … import` that do not exist in the module, and the names that do."""
    assert load.module is not None
    names = [name for name in load.names if name != "*" and not catalog.has(f"{load.module}.{name}")]
    source = catalog.module(load.module) if names else None
    if not names or (source is not None and source.tree is None):
        return (), frozenset()
    known = defined_names(source, catalog.module) if source is not None else frozenset()
    if known is None:
        return (), frozenset()
    missing = tuple(name for name in names if name not in known)
    if not missing:
        return (), known
    below = (name.rpartition(".")[2] for name in catalog.known_modules(f"{load.module}.x"))
    return missing, known.union(below)


def _beyond(module: Module, load: Load) -> ImportProblem:
    if "." not in module.name and not module.is_package:
        return ImportProblem(
            f"imports `{load.written}`, but is not in a package, which a relative import needs",
            f"import it by its own name: `{load.written.lstrip('.') or load.names[0]}`",
        )
    return ImportProblem(
        f"imports `{load.written}`, which leads beyond its package", "import it by its whole name"
    )


def _folders(catalog: StepCatalog) -> str:
    return listed(tuple(f"{folder}/" for folder in catalog.folders), "or") or "the folder of the job"


def _loaded_package(catalog: StepCatalog, module: Module, load: Load) -> str | None:
    """The package whose modules a computed name loads; None if it is not one of the project."""
    if not load.prefix:
        return module.name if module.is_package else module.name.rpartition(".")[0]
    package = load.prefix.rpartition(".")[0]
    return package if catalog.has(package) else None


def _is_listed(package: str, load: Load, modules: tuple[Module, ...]) -> bool:
    return any(
        bool(listed_modules(other))
        for other in modules
        if other.is_package and (not load.prefix or f"{package}.".startswith(f"{other.name}."))
    )


def _listing_help(package: str) -> str:
    if not package:
        return "import the modules where they are used"
    init = f"{package.replace('.', '/')}/__init__.py"
    return f'import the modules, or list them in {init}: `__data_files__ = ["*.py"]`'
