"""Passes over a statement's tree before fakesnow gets it, for features of Snowflake that DuckDB lacks.

Each pass takes the tree and a `Rewriting` and returns the tree; `PASSES` is their order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import Expr, exp

from sfml_local.core import relational
from sfml_local.core.absent_functions import ABSENT
from sfml_local.core.account import TableFunction
from sfml_local.core.arguments import Args
from sfml_local.core.column_defaults import column_defaults
from sfml_local.core.comments import comments
from sfml_local.core.declared_types import declared_types, sequences
from sfml_local.core.errors import SqlError, does_not_exist, no_current_database, not_emulated
from sfml_local.core.expressions.dialect import WRITTEN
from sfml_local.core.foreign_clauses import foreign_clauses
from sfml_local.core.foreign_relations import OF_CATALOGUE, place_foreign_view, refuse_file
from sfml_local.core.lateral_aliases import lateral_aliases
from sfml_local.core.merges_by_name import merges_by_name
from sfml_local.core.misplaced_distinct import misplaced_distinct
from sfml_local.core.named_columns import named_columns
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.nested_statements import has_owners_rights, variable_of_owner
from sfml_local.core.outer_marks import outer_marks
from sfml_local.core.positional_columns import positional_columns
from sfml_local.core.queries import Queries
from sfml_local.core.reserved_words import reserved_words
from sfml_local.core.result import Result
from sfml_local.core.rewriting import Pass, Rewriting, dotted, literal, qualified, substitute, value_of
from sfml_local.core.session_variables import SessionVariable
from sfml_local.core.temporaries import renames, temporary_tables
from sfml_local.core.type_names import type_names
from sfml_local.core.typed_constants import constant
from sfml_local.core.unknown_references import unknown_variable
from sfml_local.core.volatile import generated_rows, random_numbers, volatile_values

_NAMED = (exp.Alias, exp.Aliases, exp.Column, exp.Star, exp.Placeholder)


def column_names(tree: Expr, rewriting: Rewriting) -> Expr:
    """Name columns without alias by their text in upper case: `COUNT(*)`, `1 + 1`, `V:ID`."""
    is_made = isinstance(tree, exp.Create) and isinstance(tree.expression, exp.Query)
    is_read = isinstance(tree, exp.Insert) and isinstance(tree.expression, exp.Query)
    _name_columns(tree.expression if is_made or is_read else tree, is_made=is_made)
    return tree


def _name_columns(query: Expr, *, is_made: bool = False) -> None:
    """Name the columns of a query, and of those that it reads: a star shows them.

    `is_made` is whether they become those of a table or view, where `(n)` is named `N`.
    """
    if (common := query.args.get("with_")) is not None:
        for cte in common.expressions:
            _name_columns(cte.this)
    match query:
        case exp.Subquery():
            _name_columns(query.this, is_made=is_made)
        case exp.SetOperation():
            _name_columns(query.this, is_made=is_made)
            _name_columns(query.expression)
        case exp.Select():
            query.set("expressions", [_named_column(one, is_made) for one in query.expressions])
            for read in (query.args.get("from_"), *query.args.get("joins", ())):
                if isinstance(read, exp.From | exp.Join) and isinstance(read.this, exp.Subquery):
                    _name_columns(read.this)


def _named_column(projection: Expr, is_made: bool) -> Expr:
    if isinstance(projection, _NAMED) or projection.is_star:
        return projection
    name = _name_of(projection)
    inner = projection
    while is_made and isinstance(inner, exp.Paren):
        inner, name = inner.this, name[1:-1].strip()
    return projection if isinstance(inner, exp.Column) else exp.alias_(projection, name, quoted=True)


def _name_of(projection: Expr) -> str:
    """The text in upper case; CURRENT_DATE() keeps its parentheses, otherwise DuckDB takes it for a column."""
    if (written := projection.meta.get(WRITTEN)) is not None:
        return str(written).upper()
    text = projection.sql(dialect="snowflake").upper()
    is_call = isinstance(projection, exp.CurrentDate | exp.CurrentTime | exp.CurrentTimestamp)
    return f"{text}()" if is_call and "(" not in text else text


@looks_for(exp.Create)
def starred_table(tree: Expr, rewriting: Rewriting) -> Expr:
    """`CREATE TABLE t (a INT) AS SELECT * FROM …` with its columns by name.

    fakesnow expands the star with SQL of no dialect, which breaks functions such as DATEDIFF.
    """
    query = tree.expression if isinstance(tree, exp.Create) and isinstance(tree.this, exp.Schema) else None
    if isinstance(query, exp.Query) and all(isinstance(one, exp.Identifier) for one in tree.this.expressions):
        names = [one.name if one.quoted else one.name.upper() for one in tree.this.expressions]
        tree.set("expression", exp.select("*").from_(_named(query, names)))
        tree.set("this", tree.this.this)
        return tree
    if isinstance(query, exp.Query) and query.is_star and tree.this.expressions:
        names = [f"column_{number}" for number, _ in enumerate(tree.this.expressions, 1)]
        columns = [exp.column(exp.to_identifier(name, quoted=True)) for name in names]
        tree.set("expression", exp.select(*columns).from_(_named(query, names)))
    return tree


def _named(query: exp.Query, names: list[str]) -> exp.Subquery:
    alias = exp.TableAlias(
        this=exp.to_identifier("query", quoted=True),
        columns=[exp.to_identifier(name, quoted=True) for name in names],
    )
    return exp.Subquery(this=query.copy(), alias=alias)


# -- functions ----------------------------------------------------------------------------------------------


@looks_for(exp.Anonymous)
def system_functions(tree: Expr, rewriting: Rewriting) -> Expr:
    """SYSTEM$… and other functions of the account, called now and replaced by their value."""
    while (found := _first_system_function(tree, rewriting)) is not None:
        node, top, function = found
        if rewriting.describe_only:
            value: Any = None
        else:
            arguments = tuple(value_of(argument, rewriting) for argument in node.expressions)
            value = function(rewriting.account, rewriting.session, arguments)
        tree = substitute(tree, top, literal(value))
    return tree


def _first_system_function(tree: Expr, rewriting: Rewriting) -> tuple[exp.Anonymous, Expr, Any] | None:
    for node in tree.find_all(exp.Anonymous):
        top, name = qualified(node)
        function = rewriting.account.system_functions.get(name)
        if function is not None:
            return node, top, function
        if name in ABSENT:
            raise not_emulated(name)
        if name.startswith("SYSTEM$"):
            raise SqlError(f"SQL compilation error:\nUnknown function {name}", 2141, "42601")
    return None


CONTEXT: dict[type[Expr], Callable[[Rewriting], Any]] = {
    exp.CurrentWarehouse: lambda r: r.session.warehouse,
    exp.CurrentRole: lambda r: r.session.role,
    exp.CurrentUser: lambda r: r.session.user,
    exp.CurrentAccount: lambda r: r.account.name,
    exp.CurrentAccountName: lambda r: r.account.name,
    exp.CurrentOrganizationName: lambda r: "LOCAL",
    exp.CurrentRegion: lambda r: "LOCAL",
    exp.CurrentSession: lambda r: str(r.session.id),
    exp.CurrentClient: lambda r: r.session.client,
    exp.CurrentTransaction: lambda r: None if r.session.transaction is None else str(r.session.transaction),
    exp.CurrentDatabase: lambda r: r.session.database,
    exp.CurrentSchema: lambda r: r.session.schema,
    exp.CurrentSecondaryRoles: lambda r: {"roles": "", "value": r.session.secondary_roles},
    exp.CurrentAvailableRoles: lambda r: sorted({r.session.role, "PUBLIC", "SYSADMIN"}),
}


@looks_for(*CONTEXT, exp.Anonymous)
def context_functions(tree: Expr, rewriting: Rewriting) -> Expr:
    """CURRENT_ROLE() and other context functions, from the session."""
    for node in list(tree.find_all(*CONTEXT, exp.Anonymous)):
        if isinstance(node, exp.Anonymous):
            if str(node.this).upper() != "LAST_QUERY_ID":
                continue
            value: Any = _last_query_id(node, rewriting)
        else:
            value = CONTEXT[type(node)](rewriting)
        tree = substitute(tree, node, literal(value))
    return tree


def _last_query_id(call: exp.Anonymous, rewriting: Rewriting) -> str | None:
    """LAST_QUERY_ID([number])."""
    arguments = [value_of(one, rewriting) for one in call.expressions] or [-1]
    if len(arguments) > 1:
        words = f"too many arguments for function [{call.sql(dialect='snowflake')}] expected 1"
        raise SqlError(f"SQL compilation error:\n{words}, got {len(arguments)}", 939, "22023")
    try:
        number = int(arguments[0])
    except (TypeError, ValueError) as cause:
        raise SqlError(f"Numeric value '{arguments[0]}' is not recognized", 100038, "22018") from cause
    return rewriting.session.query_id(number)


@looks_for(exp.Parameter, exp.Anonymous)
def variables(tree: Expr, rewriting: Rewriting) -> Expr:
    """Replace `$name` by the session's variable, and GETVARIABLE('NAME') by its text."""
    is_owners = has_owners_rights(rewriting.session)
    held = {} if is_owners else rewriting.session.variables
    for node in list(tree.find_all(exp.Parameter, exp.Anonymous)):
        if isinstance(node, exp.Anonymous):
            if str(node.this).upper() == "GETVARIABLE" and len(node.expressions) == 1:
                tree = substitute(tree, node, _text_of_variable(node, held, rewriting))
            continue
        if not isinstance(node.this, exp.Var):
            continue
        name = node.this.name.upper()
        if name not in held:
            raise variable_of_owner(name) if is_owners else unknown_variable(name)
        tree = substitute(tree, node, constant(held[name].value, held[name].column))
    return tree


def _text_of_variable(call: exp.Anonymous, held: Mapping[str, SessionVariable], rewriting: Rewriting) -> Expr:
    """https://docs.snowflake.com/en/sql-reference/functions/getvariable: the name is not folded."""
    variable = held.get(str(value_of(call.expressions[0], rewriting)))
    if variable is None:
        return literal(None)
    return exp.cast(constant(variable.value, variable.column), "VARCHAR")


# -- relations ------------------------------------------------------------------------------------------------


@looks_for(exp.TableFromRows)
def table_functions(tree: Expr, rewriting: Rewriting) -> Expr:
    """TABLE(INFORMATION_SCHEMA.TASK_HISTORY(…)) and other table functions, answered by services."""
    for node in list(tree.find_all(exp.TableFromRows)):
        call, name, subject = _table_call(node.this)
        if call is None:
            continue
        last = name.rsplit(".", 1)[-1]
        function = (
            rewriting.account.table_functions.get("!" + last)
            if subject is not None
            else (rewriting.account.table_functions.get(name) if "." in name else None)
            or _of_information_schema(name, rewriting)
        )
        if last == "RESULT_SCAN":
            result = result_scan(rewriting, _arguments(call, rewriting, subject))
        elif function is not None:
            result = function(rewriting.account, rewriting.session, _arguments(call, rewriting, subject))
        elif subject is None and (query := _of_users(node, rewriting)) is not None:
            node.replace(query)
            continue
        elif "." in name or subject is not None:
            raise not_emulated(node.sql(dialect="snowflake"))
        elif name in _OF_SNOWFLAKE:
            continue
        else:
            raise SqlError(f"SQL compilation error:\nUnknown table function {name}", 2141, "42601")
        node.replace(rewriting.relation(result, node.args.get("alias")))
    return tree


def _of_users(node: exp.TableFromRows, rewriting: Rewriting) -> Expr | None:
    """The relation of a user-defined table function, or the rows of a procedure that returns a table."""
    found = (call(node, rewriting) for call in rewriting.table_calls)
    return next((one for one in found if one is not None), None)


_OF_SNOWFLAKE = frozenset(
    {"GENERATOR", "FLATTEN", "EXPLODE", "UNNEST", "SPLIT_TO_TABLE", "STRTOK_SPLIT_TO_TABLE"}
    | {"CORTEX_SEARCH_DATA_SCAN", "FILE_ACTION_HISTORY", "SEARCH_PREVIEW", "GET_OBJECT_REFERENCES"}
)
"""Table functions that a later pass reads, or that are not here."""

OF_NO_SCHEMA = frozenset({"INFER_SCHEMA", "VALIDATE"})
"""Built-in table functions such as RESULT_SCAN."""


def _of_information_schema(name: str, rewriting: Rewriting) -> TableFunction | None:
    """Table functions such as TASK_HISTORY, in the INFORMATION_SCHEMA of any existing database, and in no other schema.

    https://docs.snowflake.com/en/sql-reference/info-schema
    """
    *place, last = name.split(".")
    function = rewriting.account.table_functions.get(last)
    if function is None or last in OF_NO_SCHEMA:
        return function
    session, engine = rewriting.session, rewriting.account.engine
    schema = place[-1] if place else session.schema
    database = place[-2] if len(place) > 1 else session.database
    if schema not in ("INFORMATION_SCHEMA", "_FS_INFORMATION_SCHEMA"):
        raise SqlError(f"SQL compilation error:\nUnknown user-defined table function {name}", 2141, "42601")
    if database is None:
        raise no_current_database("SELECT")
    if not engine.has_database(database):
        raise does_not_exist("Database", database)
    return function


def _table_call(node: Any) -> tuple[exp.Anonymous | None, str, str | None]:
    if isinstance(node, exp.ModelAttribute) and isinstance(node.expression, exp.Anonymous):
        return node.expression, str(node.expression.this).upper(), dotted(node.this)
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Anonymous):
        return node.expression, qualified(node.expression)[1], None
    if isinstance(node, exp.Anonymous):
        return node, str(node.this).upper(), None
    return None, "", None


def _arguments(call: exp.Anonymous, rewriting: Rewriting, subject: str | None) -> Args:
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for argument in call.expressions:
        if isinstance(argument, exp.Kwarg):
            named[argument.this.name.upper()] = value_of(argument.expression, rewriting)
        else:
            positional.append(value_of(argument, rewriting))
    return Args(tuple(positional), named, subject)


def result_scan(rewriting: Rewriting, args: Args) -> Result:
    """The rows of an earlier statement of this user."""
    query_id = str(args.positional[0]) if args.positional else ""
    return rewriting.account.part(Queries).result(rewriting.session, query_id)


@looks_for(exp.Table)
def relations(tree: Expr, rewriting: Rewriting) -> Expr:
    """SNOWFLAKE.TELEMETRY.EVENTS and other tables that the account generates."""
    for node in list(tree.find_all(exp.Table)):
        if not isinstance(node.this, exp.Identifier):
            refuse_file(node)
            continue
        parts = [dotted(part) for part in node.parts]
        if parts[-1].startswith(OF_CATALOGUE):
            place_foreign_view(node, parts, tree, rewriting.session)
        relation = rewriting.account.relations.get(".".join(parts)) or (
            # Every database has its own INFORMATION_SCHEMA.
            rewriting.account.relations.get(".".join(parts[-2:]))
            if parts[-2:-1] == ["INFORMATION_SCHEMA"]
            else None
        )
        if relation is not None:
            database = parts[-3] if len(parts) > 2 else rewriting.session.database
            result = relation(rewriting.account, rewriting.session, database)
            node.replace(rewriting.relation(result, node.args.get("alias")))
    return tree


_ORDERED = (
    *(exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile),
    *(exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue),
)
"""Window functions whose window must have an order."""


def _demand_order(window: exp.Window) -> None:
    function = window.this
    while isinstance(function, exp.IgnoreNulls | exp.RespectNulls):
        function = function.this
    if isinstance(function, _ORDERED) and not window.args.get("alias"):
        words = f"Window function type [{function.sql_name()}] requires ORDER BY in window specification."
        raise SqlError(f"SQL compilation error:\n{words}", 2303, "42601")


def _from_first(window: exp.Window) -> None:
    """NTH_VALUE(…) FROM LAST over all rows as the one from the first in the opposite order."""
    function = window.this
    while isinstance(function, exp.IgnoreNulls | exp.RespectNulls):
        function = function.this
    if not isinstance(function, exp.NthValue) or function.args.get("from_first") is not False:
        return
    spec, order = window.args.get("spec"), window.args.get("order")
    ends = {str(spec.args.get(one)).upper() for one in ("start", "end")} if spec is not None else set()
    if ends != {"UNBOUNDED"} or order is None:
        raise not_emulated("NTH_VALUE … FROM LAST over a frame")
    function.set("from_first", None)
    for ordered in order.expressions:
        ordered.set("desc", not ordered.args.get("desc"))
        ordered.set("nulls_first", not ordered.args.get("nulls_first"))


@looks_for(exp.Window)
def sequence_windows(tree: Expr, rewriting: Rewriting) -> Expr:
    """`ROW_NUMBER() OVER (ORDER BY SEQ8())`: any order, because DuckDB allows no window inside a window."""
    for window in tree.find_all(exp.Window):
        order = window.args.get("order")
        _from_first(window)
        if order is None:
            _demand_order(window)
        elif order.find(exp.Seq1, exp.Seq2, exp.Seq4, exp.Seq8):
            window.set("order", None)
    return tree


@looks_for(exp.Bracket, exp.JSONExtract)
def variant_comparisons(tree: Expr, rewriting: Rewriting) -> Expr:
    """`attributes['key'] = 'text'`: a VARIANT compared with a text is compared as text."""
    for node in tree.find_all(exp.EQ, exp.NEQ, exp.In, exp.Like, exp.ILike):
        other = node.expressions[:1] if isinstance(node, exp.In) else [node.expression]
        pairs = [(node.this, *other), *((one, node.this) for one in other)]
        for variant, text in [pair for pair in pairs if len(pair) == 2]:
            is_path = isinstance(variant, exp.Bracket | exp.JSONExtract)
            if is_path and isinstance(text, exp.Literal) and text.is_string:
                variant.replace(exp.cast(variant.copy(), "VARCHAR"))
                break
    return tree


PASSES: tuple[Pass, ...] = (
    misplaced_distinct,
    outer_marks,
    lateral_aliases,
    foreign_clauses,
    merges_by_name,
    named_columns,
    column_defaults,
    declared_types,
    sequences,
    reserved_words,
    *relational.PASSES,
    comments,
    column_names,
    volatile_values,
    generated_rows,
    starred_table,
    type_names,
    system_functions,
    table_functions,
    relations,
    context_functions,
    variables,
    positional_columns,
    sequence_windows,
    variant_comparisons,
    renames,
    temporary_tables,
    random_numbers,
)
