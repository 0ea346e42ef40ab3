"""`MODEL(name, version)!METHOD(…)` in a query: a DuckDB function that asks the version's predictor process.

https://docs.snowflake.com/en/sql-reference/commands-model-function
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from sqlglot import Expr, exp

from sfml.grammar import Name
from sfml.local.errors import SqlError, not_emulated
from sfml.local.models import predictors
from sfml.local.models.files import Field, Method, methods_of
from sfml.local.models.store import Version, get_model
from sfml.local.names import resolve
from sfml.local.predictor import JSON_COLUMN

if TYPE_CHECKING:
    from sfml.local.account import Account
    from sfml.local.rewriting import Rewriting
    from sfml.local.session import Session

_MARK = "Python Interpreter Error:"

# DuckDB's word for the types that a manifest uses; what is structured travels as JSON text.
_DUCKDB_TYPES = {
    "BOOLEAN": "BOOLEAN",
    "BYTEINT": "TINYINT",
    "TINYINT": "TINYINT",
    "SMALLINT": "SMALLINT",
    "INT": "INTEGER",
    "INTEGER": "INTEGER",
    "BIGINT": "BIGINT",
    "NUMBER": "BIGINT",
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


def model_calls(tree: Expr, rewriting: Rewriting) -> Expr:
    """The tree with every call of a model's method replaced by a call of a function that DuckDB has."""
    # `rewrites` asks `dispatch` for the families, of which this is one.
    from sfml.local.rewriting import substitute

    for node in list(tree.find_all(exp.ModelAttribute)):
        if isinstance(node.expression, exp.Anonymous):
            tree = substitute(tree, node, _call(rewriting.account, rewriting.session, node))
    return tree


def _call(account: Account, session: Session, node: exp.ModelAttribute) -> Expr:
    model_name, version_name = _subject(node.this)
    version = get_model(account, resolve(model_name, session)).version(version_name)
    name = _folded(node.expression.this)
    method = next((method for method in methods_of(version) if method.name == name), None)
    if method is None:
        raise SqlError(
            f"SQL compilation error:\nUnknown function {name} of model {model_name.last}.", 2141, "42601"
        )
    if method.is_table_function:
        raise not_emulated(f"table function {node.sql(dialect='snowflake')}")
    if method.inputs == (Field("INPUT", "OBJECT"),):
        raise not_emulated(f"a model of more than 500 features: {node.sql(dialect='snowflake')}")
    arguments = node.expression.expressions
    if len(arguments) != len(method.inputs):
        wanted = ", ".join(field.type for field in method.inputs)
        raise SqlError(
            f"SQL compilation error:\nInvalid argument types for function '{name}': it takes ({wanted}),"
            f" got {len(arguments)} arguments.",
            1044,
            "42P13",
        )
    function = _function(account, session, version, method)
    typed = [
        exp.cast(argument.copy(), duckdb_type(field), dialect="duckdb")
        for argument, field in zip(arguments, method.inputs, strict=True)
    ]
    parsed = exp.ParseJSON(this=exp.Anonymous(this=function, expressions=typed))
    if method.returns.upper().startswith("OBJECT"):
        return parsed
    return exp.cast(parsed, method.returns, dialect="snowflake")


def _subject(node: Any) -> tuple[Name, str | None]:
    """The model's name and the version's: of MODEL(name [, version]), or of a bare name."""
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
    """The type in which an argument reaches the model's function."""
    base, _, sizes = field.type.upper().partition("(")
    if base == "NUMBER" and sizes and not sizes.rstrip(")").endswith("0") and "," in sizes:
        return f"DECIMAL({sizes}"
    return _DUCKDB_TYPES.get(base.strip(), "VARCHAR")


def _function(account: Account, session: Session, version: Version, method: Method) -> str:
    """The name of the DuckDB function for a version's method; made at its first use.

    It is named after the version's folder, so a version made again under an old name has a new function.
    """
    name = "_sfml_model_" + re.sub(r"\W", "_", f"{version.folder.name}_{method.name}").lower()
    log = account.folder / "predictors.log"

    # The predictor takes columns whose names begin with this letter as JSON texts.
    names = [
        f"{JSON_COLUMN if is_structured(field) else 'a'}{index}" for index, field in enumerate(method.inputs)
    ]

    def predict(*columns: Any) -> Any:
        table = pa.table(dict(zip(names, columns, strict=True)))
        predictor = predictors.predictor_for(version.folder, method.handler, log)
        try:
            return predictor.predict(table)
        except predictors.PredictionError as cause:
            where = f" in function {method.name} with handler {method.handler}"
            raise RuntimeError(f"{_MARK}\n{cause}\n{where}") from cause

    types: list[Any] = [duckdb_type(field) for field in method.inputs]
    duck: Any = session.connection._duck_conn
    try:
        duck.create_function(
            name, _with_arity(predict, len(types)), types, "VARCHAR", type="arrow", null_handling="special"
        )
    except duckdb.CatalogException:
        return name  # made by an earlier query: functions belong to the whole DuckDB instance
    except duckdb.NotImplementedException:
        return name
    return name


def _with_arity(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """The function with exactly `count` parameters: DuckDB counts them."""
    names = ", ".join(f"a{index}" for index in range(count))
    made: Callable[..., Any] = eval(f"lambda {names}: function({names})", {"function": function})
    return made


def interpreter_error(cause: Exception) -> SqlError | None:
    """The error of a model's code that DuckDB wrapped in one of its own."""
    _, mark, text = str(cause).partition(_MARK)
    return SqlError(f"{mark}{text}", 100357, "P0000") if mark else None
