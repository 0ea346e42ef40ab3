"""Which of fakesnow's steps a statement needs: each walks through the whole tree, and most look for what is not in it.

`tests/foreign/test_foreign_steps.py` holds that a step looks at no other nodes than those named here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from sqlglot import Expr, exp

_BY_NODES: tuple[tuple[tuple[type[Expr], ...], str], ...] = (
    ((exp.Alias, exp.Set), "update_variables"),
    ((exp.Alter,), "alter_session extract_comment_on_columns"),
    ((exp.Alter, exp.Command), "alter_table_strip_cluster_by"),
    ((exp.Alter, exp.Command, exp.Create, exp.Drop), "tag"),
    ((exp.Alter, exp.Comment, exp.Create), "extract_comment_on_table"),
    ((exp.Alter, exp.Create), "extract_text_length"),
    ((exp.Anonymous,), "try_parse_json to_date haversine"),
    ((exp.Anonymous, exp.Cast, exp.UnixToTime), "to_timestamp"),
    ((exp.Anonymous, exp.SHA2, exp.SHA2Digest), "sha256"),
    ((exp.Array, exp.ArrayConcat, exp.ArrayConstructCompact), "array_construct_etc"),
    ((exp.ArrayAgg, exp.Window), "array_agg"),
    ((exp.ArraySize,), "array_size"),
    (
        (
            *(exp.Avg, exp.Median, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Sum),
            exp.Variance,
            exp.VariancePop,
        ),
        "numeric_agg_implicit_cast",
    ),
    ((exp.Bracket,), "indices_to_json_extract"),
    ((exp.Cast,), "json_extract_cast_as_varchar flatten_value_cast_as_varchar timestamp_offsets"),
    ((exp.Column,), "sequence_nextval"),
    ((exp.Command,), "show_parameters create_user"),
    ((exp.Command, exp.Show), "show_functions"),
    ((exp.Create,), "create_database create_clone create_stage create_file_format create_table_as"),
    ((exp.CurrentVersion,), "current_version"),
    ((exp.DataType,), "semi_structured_types timestamp_ntz float_to_double"),
    ((exp.DateAdd,), "dateadd_date_cast dateadd_string_literal_timestamp_cast"),
    ((exp.DateDiff,), "datediff_string_literal_timestamp_cast"),
    ((exp.Drop,), "drop_schema_cascade"),
    ((exp.HexString,), "hex_string"),
    ((exp.Identifier,), "upper_case_unquoted_identifiers"),
    ((exp.JSONExtract, exp.JSONExtractScalar), "json_extract_precedence"),
    ((exp.JSONObject, exp.StarMap, exp.Struct), "object_construct"),
    ((exp.Lateral, exp.TableFromRows), "flatten"),
    ((exp.ListStage,), "list_stage"),
    ((exp.Lower, exp.Upper), "json_extract_cased_as_varchar"),
    ((exp.ObjectAgg,), "object_agg"),
    ((exp.Put,), "put_stage"),
    ((exp.RegexpExtract,), "regex_substr"),
    ((exp.RegexpReplace,), "regex_replace"),
    ((exp.Select,), "result_scan random alias_in_join alias_in_where"),
    (
        (exp.Show,),
        "show_databases show_procedures show_warehouses show_schemas show_tables_etc show_columns show_stages"
        " show_sequences show_keys show_users",
    ),
    ((exp.Split,), "split"),
    ((exp.Table,), "identifier information_schema_fs information_schema_databases"),
    ((exp.TableSample,), "sample"),
    ((exp.ToNumber,), "to_decimal"),
    ((exp.ToVariant,), "to_variant"),
    ((exp.Trim,), "trim_cast_varchar"),
    ((exp.Use,), "set_schema"),
    ((exp.Values,), "values_columns"),
    ((exp.WithinGroup,), "array_agg_within_group"),
)

LOOKS_FOR = MappingProxyType({name: nodes for nodes, names in _BY_NODES for name in names.split()})
"""Steps of fakesnow by name, each with the nodes that it looks at; it returns all others as they are."""


class NeededSteps:
    """Takes the place of a tree on which fakesnow calls `transform` for each step; leaves out those that find nothing.

    A tree is looked through again after each step that was taken, because it may have put other nodes in.
    """

    def __init__(self, tree: Expr) -> None:
        self.tree = tree
        self._kinds = _kinds_in(tree)

    def transform(self, step: Callable[..., Expr], *given: Any, **options: Any) -> NeededSteps:
        """Take the step if the tree has a node that it looks at, or if nothing is known of it."""
        nodes = _nodes_of(step.__code__)
        if nodes is None or not self._kinds.isdisjoint(nodes):
            self.tree = self.tree.transform(step, *given, **options)
            self._kinds = _kinds_in(self.tree)
        return self


@functools.lru_cache(maxsize=256)
def _nodes_of(code: Any) -> tuple[type[Expr], ...] | None:
    """The nodes that a step looks at: a function of fakesnow's, or a lambda that calls one with further arguments."""
    named = LOOKS_FOR.get(code.co_name)
    called = (LOOKS_FOR[name] for name in code.co_names if name in LOOKS_FOR)
    return named if code.co_name != "<lambda>" else next(called, None)


def _kinds_in(tree: Expr) -> frozenset[type]:
    """The types of all nodes, and the types that these are derived from."""
    found: set[type] = set()
    left = [tree]
    while left:
        node = left.pop()
        found.add(type(node))
        for value in node.args.values():
            if isinstance(value, list):
                left.extend(one for one in value if isinstance(one, Expr))
            elif isinstance(value, Expr):
                left.append(value)
    return frozenset().union(*map(_lineage, found))


@functools.lru_cache(maxsize=2048)
def _lineage(kind: type) -> tuple[type, ...]:
    return kind.__mro__
