"""`FROM t, TABLE(f(…) OVER (PARTITION BY …))`: the rows of a table function in Python.

The function runs before the rest of the statement; relations with its rows, and with those of the table beside it,
replace both.
https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-tabular-functions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import Expr, exp

from sfml_local.core.arrow import as_table
from sfml_local.core.errors import not_emulated
from sfml_local.core.lateral_calls import LateralCall, LateralInput, input_of, lateral_call, replace_both
from sfml_local.core.needed_passes import looks_for
from sfml_local.processes.handler_classes import PARTITION, ROW
from sfml_local.services.routines import python_functions
from sfml_local.services.routines.functions import chosen_function, in_order, overloads_of
from sfml_local.services.routines.table_results import table_columns

if TYPE_CHECKING:
    from sfml_local.core.rewriting import Rewriting
    from sfml_local.services.routines.store import Routine


@looks_for(exp.TableFromRows)
def table_calls(tree: Expr, rewriting: Rewriting) -> Expr:
    """The tree with every call of a table function in Python replaced by its rows."""
    for node in list(tree.find_all(exp.TableFromRows)):
        window = node.this if isinstance(node.this, exp.Window) else None
        called = window.this if window is not None else node.this
        call = called.expression if isinstance(called, exp.Dot) else called
        overloads = overloads_of(call, rewriting) if isinstance(call, exp.Anonymous) else []
        tables = [one for one in overloads if one.returns.startswith("TABLE")]
        if tables and tables[0].definition.language == "PYTHON":
            if isinstance(tree, exp.Create) and tree.kind == "VIEW":
                raise not_emulated(f"a view of the Python table function {tables[0].signature}")
            _replace(node, call, window, chosen_function(call, overloads, rewriting), rewriting)
    return tree


def _replace(
    node: exp.TableFromRows,
    call: exp.Anonymous,
    window: exp.Window | None,
    routine: Routine,
    rewriting: Rewriting,
) -> None:
    arguments = python_functions.typed_arguments(routine, in_order(call, routine))
    if _is_alone(node, window, arguments):
        answer = _answer(routine, _constants(arguments, rewriting), [0], rewriting)
        _replace_alone(node, _rows(routine, answer, node, rewriting))
        return
    lateral = lateral_call(node, window)
    names = [f"a{index}" for index, _ in enumerate(arguments)]
    given = input_of(lateral, arguments, names, rewriting)
    numbers = [number for number, length in enumerate(given.partitions) for _ in range(length)]
    answer = _answer(routine, given.arguments, numbers, rewriting)
    replace_both(lateral, _before(lateral, given, answer), _rows(routine, answer, node, rewriting), rewriting)


def _replace_alone(node: exp.TableFromRows, rows: exp.Subquery) -> None:
    """DuckDB allows no parentheses around a subquery: `FROM (TABLE(f()))`."""
    brackets = node.parent
    if not isinstance(brackets, exp.Subquery) or node.args.get("joins"):
        node.replace(rows)
        return
    if isinstance(alias := brackets.args.get("alias"), exp.TableAlias):
        rows.set("alias", alias.copy())
    brackets.replace(rows)


def _is_alone(node: exp.TableFromRows, window: exp.Window | None, arguments: list[Expr]) -> bool:
    """Whether the call reads no other table: it is the first in FROM, or its arguments have no columns."""
    if not isinstance(node.parent, exp.Join):
        return True
    has_columns = any(argument.find(exp.Column) is not None for argument in arguments)
    return not has_columns and window is None and node.parent.args.get("on") is not None


def _constants(arguments: list[Expr], rewriting: Rewriting) -> pa.Table:
    if not arguments:
        return pa.table({})
    named = [exp.alias_(one.copy(), f"a{index}", quoted=True) for index, one in enumerate(arguments)]
    return as_table(rewriting.account.run_tree(rewriting.session, exp.select(*named)))


def _answer(routine: Routine, arguments: pa.Table, partitions: list[int], rewriting: Rewriting) -> pa.Table:
    """A column of texts for each declared column, beside the row and the partition of each row."""
    if rewriting.describe_only or not partitions:
        declared = table_columns(routine.definition.returns) or ()
        texts = {f"c{index}": pa.array([], pa.string()) for index, _ in enumerate(declared)}
        numbers = dict.fromkeys((ROW, PARTITION), pa.array([], pa.int64()))
        return pa.table({**numbers, **texts})
    numbered = pa.array(partitions, pa.int64())
    table = (
        arguments.append_column(PARTITION, numbered)
        if arguments.num_columns
        else pa.table({PARTITION: numbered})
    )
    return python_functions.called_with(rewriting, routine, table)


def _before(lateral: LateralCall, given: LateralInput, answer: pa.Table) -> pa.Table:
    """The columns of the table beside the function, for each row of the answer."""
    rows = answer.column(ROW)
    if not rows.null_count:
        return given.rows.take(rows)
    return lateral.rows_beside(given, rows.to_pylist(), answer.column(PARTITION).to_pylist())


def _rows(routine: Routine, answer: pa.Table, node: exp.TableFromRows, rewriting: Rewriting) -> exp.Subquery:
    """The declared columns in their types."""
    columns = table_columns(routine.definition.returns) or ()
    texts = answer.select([f"c{index}" for index, _ in enumerate(columns)])
    query = exp.select().from_(rewriting.relation(texts))
    for index, column in enumerate(columns):
        text = exp.column(f"c{index}", quoted=True)
        value = python_functions.declared_value(text, column.type)
        query = query.select(exp.alias_(value, column.name, quoted=True))
    alias = node.args.get("alias")
    named = alias.copy() if isinstance(alias, exp.TableAlias) else exp.TableAlias(this=_name(routine))
    return exp.Subquery(this=query, alias=named)


def _name(routine: Routine) -> exp.Identifier:
    return exp.to_identifier(routine.name.name, quoted=True)
