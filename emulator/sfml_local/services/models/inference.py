"""`MODEL(name, version)!METHOD(…)` in a query: one DuckDB function that calls the version's predictor process.

https://docs.snowflake.com/en/sql-reference/commands-model-function
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import ref

import pyarrow as pa
from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.interpreter_errors import _MARK, raised
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import substitute
from sfml_local.grammar.model_calls import method_name
from sfml_local.grammar.tokens import Name
from sfml_local.processes.predictor import JSON_TEXT, PLAIN, WIDE
from sfml_local.services.models import predictors
from sfml_local.services.models.files import Field, Method, methods_of
from sfml_local.services.models.store import Model, Version, get_model

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.rewriting import Rewriting
    from sfml_local.core.session import Session

FUNCTION = "_sfml_predict"
"""The name of the DuckDB function; it gets a text that names the method, and the method's arguments."""


# DuckDB's names of the types in manifests; structured values are sent as JSON text. Snowflake's integer
# types are all one type, so a BYTEINT can be 200.
# https://docs.snowflake.com/en/sql-reference/data-types-numeric
_DUCKDB_TYPES = {
    "BOOLEAN": "BOOLEAN",
    **dict.fromkeys(("BYTEINT", "TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT", "NUMBER"), "BIGINT"),
    "FLOAT": "DOUBLE",
    "DOUBLE": "DOUBLE",
    "REAL": "DOUBLE",
    "STRING": "VARCHAR",
    "VARCHAR": "VARCHAR",
    "TEXT": "VARCHAR",
    "BINARY": "BLOB",
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP": "TIMESTAMP",
    "TIMESTAMP_NTZ": "TIMESTAMP",
}

WIDE_INPUT = (Field("INPUT", "OBJECT"),)
"""The inputs of a method with more than 500 arguments, which come in one object."""


@dataclass(frozen=True, slots=True)
class MethodCall:
    """A call of a version's method, with its arguments cast to the types of the process."""

    model: Model
    version: Version
    method: Method
    arguments: tuple[Expr, ...]

    @property
    def columns(self) -> list[str]:
        """A column name for each argument, whose prefix says how its values are encoded."""
        if self.method.inputs == WIDE_INPUT:
            return [WIDE]
        return [
            f"{JSON_TEXT if is_structured(field) else PLAIN}{index}"
            for index, field in enumerate(self.method.inputs)
        ]


@looks_for(exp.ModelAttribute)
def model_calls(tree: Expr, rewriting: Rewriting) -> Expr:
    """The tree with every call of a model's method replaced by a call of the DuckDB function."""
    in_view = isinstance(tree, exp.Create) and str(tree.args.get("kind")).upper() == "VIEW"
    for node in reversed(list(tree.find_all(exp.ModelAttribute))):  # inner calls first
        if isinstance(node.expression, exp.Anonymous):
            call = method_call(rewriting.account, rewriting.session, node, node.expression)
            if call.method.is_table_function:
                raise SqlError(
                    f"SQL compilation error:\nFunction {call.method.name} of model {call.model.name.name} is a table"
                    " function: call it in FROM, as TABLE(…).",
                    2141,
                    "42601",
                )
            tree = substitute(tree, node, _called(call, in_view, rewriting.describe_only))
    return tree


@looks_for(exp.Bracket, exp.JSONExtract)
def binary_values(tree: Expr, rewriting: Rewriting) -> Expr:
    """`prediction['field']::BINARY`: the bytes from the hexadecimal text in a VARIANT.

    https://docs.snowflake.com/en/sql-reference/binary-input-output
    """
    for cast in list(tree.find_all(exp.Cast)):
        if cast.is_type("BINARY", "VARBINARY") and isinstance(cast.this, exp.Bracket | exp.JSONExtract):
            cast.replace(exp.Unhex(this=exp.cast(cast.this.copy(), "VARCHAR")))
    return tree


def method_call(
    account: Account, session: Session, node: exp.ModelAttribute, call: exp.Anonymous
) -> MethodCall:
    """The method of a call in a parsed tree; raises SqlError if the version does not have it."""
    written, version_name = _subject(node.this)
    model = get_model(account, resolve(written, session))
    version = model.version(version_name)
    name = method_name(call.this)
    method = next((method for method in methods_of(version) if method.name == name), None)
    if method is None:
        raise SqlError(
            f"SQL compilation error:\nUnknown function {name} of model {written.last}.", 2141, "42601"
        )
    given: list[Expr] = call.expressions
    if any(argument.find(exp.Star) for argument in given):
        raise not_emulated(
            f"{name}(*) of a model; name the columns: {', '.join(f.name for f in method.inputs)}"
        )
    optional = sum(field.default is not None for field in method.inputs)
    if not len(method.inputs) - optional <= len(given) <= len(method.inputs):
        wanted = ", ".join(field.type for field in method.inputs)
        raise SqlError(
            f"SQL compilation error:\nInvalid argument types for function '{name}': it takes ({wanted}),"
            f" got {len(given)} arguments.",
            1044,
            "42P13",
        )
    defaults = [exp.null() for _ in method.inputs[len(given) :]]
    typed = tuple(
        exp.cast(_unnamed(argument), duckdb_type(field), dialect="duckdb")
        for argument, field in zip([*given, *defaults], method.inputs, strict=True)
    )
    return MethodCall(model, version, method, typed)


def _unnamed(argument: Expr) -> Expr:
    """The value of an argument, which may be passed by name: `NAME => 1`."""
    return argument.expression.copy() if isinstance(argument, exp.Kwarg) else argument.copy()


def _called(call: MethodCall, in_view: bool, describe_only: bool) -> Expr:
    if describe_only:
        text: Expr = exp.cast(exp.null(), "VARCHAR")
    else:
        target = json.dumps(_target(call, in_view), ensure_ascii=False)
        text = exp.Anonymous(this=FUNCTION, expressions=[exp.Literal.string(target), *call.arguments])
    parsed = exp.ParseJSON(this=text)
    if call.method.returns.upper().startswith("OBJECT"):
        return parsed
    return exp.cast(parsed, call.method.returns, dialect="snowflake")


def _target(call: MethodCall, in_view: bool) -> dict[str, Any]:
    """The request for the function: folder and handler, or in a view, which outlives folders, the names."""
    if not in_view:
        return {"folder": call.version.folder.name, "handler": call.method.handler, "columns": call.columns}
    name = call.model.name
    is_default = call.version.id == call.model.default_id
    return {
        "model": [name.database, name.schema, name.name],
        "version": None if is_default else call.version.name,
        "method": call.method.name,
        "columns": call.columns,
    }


def _subject(node: Any) -> tuple[Name, str | None]:
    """The names of the model and the version, from MODEL(name [, version]) or from a bare name."""
    if isinstance(node, exp.Anonymous) and str(node.this).upper() == "MODEL":
        name, *version = node.expressions
        return Name(_parts(name)), _folded(version[0]) if version else None
    return Name(_parts(node)), None


def _parts(node: Any) -> tuple[str, ...]:
    if isinstance(node, exp.Dot):
        return (*_parts(node.this), *_parts(node.expression))
    if isinstance(node, exp.Column):
        return tuple(_folded(part) for part in node.parts)
    return (_folded(node),)


def _folded(node: Any) -> str:
    if isinstance(node, exp.Column):
        node = node.this
    if isinstance(node, exp.Identifier):
        return node.name if node.quoted else node.name.upper()
    if isinstance(node, exp.Literal):
        return str(node.this)
    return str(node).upper()


def is_structured(field: Field) -> bool:
    """Whether values of this type are Python lists and mappings."""
    return field.type.upper().partition("(")[0].strip() in ("ARRAY", "OBJECT", "VARIANT", "MAP", "VECTOR")


def duckdb_type(field: Field) -> str:
    """The type of an argument in the call of the model's function."""
    base, _, sizes = field.type.upper().partition("(")
    if base == "NUMBER" and sizes and not sizes.rstrip(")").endswith("0") and "," in sizes:
        return f"DECIMAL({sizes}"
    return _DUCKDB_TYPES.get(base.strip(), "VARCHAR")


def register(account: Account) -> None:
    """Register the function for all sessions of the account, so that views with calls work after a restart."""
    of = ref(account)

    def predict(target: Any, *columns: Any) -> Any:
        owner = of()
        assert owner is not None
        if not len(target):
            return pa.array([], pa.string())
        asked = json.loads(target[0].as_py())
        table = pa.table(dict(zip(asked["columns"], columns, strict=True)))
        folder, handler = _found(owner, asked)
        with owner.part(predictors.Predictors).of(folder) as predictor:
            try:
                return predictor.call(owner, handler, table).column("result")
            except predictors.PredictionError as cause:
                raise RuntimeError(raised(cause, handler)) from cause

    def function(*columns: Any) -> Any:
        return predict(*columns)

    account.engine.define_function(FUNCTION, function, volatile=False)


def _found(account: Account, asked: Mapping[str, Any]) -> tuple[Any, str]:
    if "folder" in asked:
        return account.models_folder / asked["folder"], asked["handler"]
    version = get_model(account, ObjectName(*asked["model"])).version(asked["version"])
    for method in methods_of(version):
        if method.name == asked["method"]:
            return version.folder, method.handler
    raise RuntimeError(f"{_MARK}\nversion {version.name} has no method {asked['method']}")
