"""Which of fakesnow's steps a statement needs: each walks through the whole tree, and most look for what is not in it.

`tests/foreign/test_foreign_steps.py` holds that a step looks at no other nodes than those named here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Any

from sqlglot import Expr, exp

from sfml_local.core.fast_trees import below
from sfml_local.core.known_trees import contents

Nodes = tuple[type[Expr], ...]

_BY_NODES: tuple[tuple[Nodes, str], ...] = (
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
    ((exp.DataType,), "semi_structured_types timestamp_ntz float_to_double integer_precision"),
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

ONLY_BESIDE: MappingProxyType[str, Nodes] = MappingProxyType(
    {
        "alias_in_join": (exp.Join,),
        "alias_in_where": (exp.Where,),
        "identifier": (exp.Anonymous, exp.DynamicIdentifier),
        "json_extract_cast_as_varchar": (exp.JSONExtract,),
        "random": (exp.Rand,),
        "result_scan": (exp.TableFromRows,),
        "values_columns": (exp.Select,),
    }
)
"""Steps that also change nothing in a tree that has none of these nodes."""


UNCHANGING = frozenset(
    {
        *("flatten_value_cast_as_varchar", "haversine", "information_schema_databases", "integer_precision"),
        *("semi_structured_types", "sequence_nextval", "sha256", "timestamp_ntz", "to_date", "to_timestamp"),
        *("try_parse_json", "upper_case_unquoted_identifiers"),
    }
)
"""Steps that leave each node as it is, and return another where they change something."""


class NeededSteps:
    """Takes the place of a tree on which fakesnow calls `transform` for each step; leaves out those that find nothing.

    A step is called for the nodes that it looks at. The tree is looked through again after each step that may have
    put other nodes in.
    """

    def __init__(self, tree: Expr) -> None:
        self.tree = tree
        self._look_through()

    def transform(self, step: Callable[..., Expr], **options: Any) -> NeededSteps:
        """Take the step if the tree has a node that it looks at, or if nothing is known of it."""
        name = _name_of(step.__code__)
        if name in self._idle:
            return self
        options.pop("copy", None)
        take: Callable[[Expr], Expr] = partial(step, **options) if options else step
        if name is None:
            self.tree = self.tree.transform(take, copy=False)
            self._look_through()
        elif name not in UNCHANGING or self._is_changed_by(take, LOOKS_FOR[name]):
            self._take(take, LOOKS_FOR[name])
        return self

    def _take(self, take: Callable[[Expr], Expr], nodes: Nodes) -> None:
        """Take a step that looks at these nodes; no more than the one is looked at where there is only one of them."""
        met = [node for node in self._nodes if isinstance(node, nodes)]
        if len(met) > 1:
            self.tree, is_replaced = _transformed(self.tree, [self.tree], take, nodes), True
        else:
            self.tree, is_replaced = _applied(self.tree, met[0], take)
        self._look_through()
        if not is_replaced and sum(isinstance(node, nodes) for node in self._nodes) > 1:
            # The step has put others into the one.
            self.tree = _transformed(self.tree, below(met[0])[::-1], take, nodes)
            self._look_through()

    def _is_changed_by(self, take: Callable[[Expr], Expr], nodes: Nodes) -> bool:
        return any(take(node) is not node for node in self._nodes if isinstance(node, nodes))

    def _look_through(self) -> None:
        found = contents(self.tree)
        self._nodes, self._idle = found.nodes, _idle_steps(found.kinds)


@functools.lru_cache(maxsize=2048)
def _idle_steps(kinds: frozenset[type]) -> frozenset[str]:
    """The steps that change nothing in a tree of these kinds of nodes."""
    return frozenset(
        name
        for name, nodes in LOOKS_FOR.items()
        if kinds.isdisjoint(nodes) or (name in ONLY_BESIDE and kinds.isdisjoint(ONLY_BESIDE[name]))
    )


def _transformed(tree: Expr, left: list[Expr], take: Callable[[Expr], Expr], nodes: Nodes) -> Expr:
    """What `tree.transform(take, copy=False)` returns, where `take` returns all but these nodes as they are.

    `left` is where to begin, the last one first.
    """
    while left:
        node, before = left.pop(), tree
        is_replaced = False
        if isinstance(node, nodes):
            tree, is_replaced = _applied(tree, node, take)
            if is_replaced and node is before:
                return tree
        if not is_replaced:
            left.extend(reversed(below(node)))
    return tree


def _applied(tree: Expr, node: Expr, take: Callable[[Expr], Expr]) -> tuple[Expr, bool]:
    """The tree after a step for one of its nodes, and whether another is in its place."""
    parent, key, index = node.parent, node.arg_key, node.index
    new = take(node)
    if new is node:
        return tree, False
    if node is tree:
        return new, True
    if parent and key:
        parent.set(key, new, index)
    return tree, True


@functools.lru_cache(maxsize=256)
def _name_of(code: Any) -> str | None:
    """The name of a known step: that of its own function, or of the one that a lambda calls with further arguments."""
    names = code.co_names if code.co_name == "<lambda>" else (code.co_name,)
    return next((name for name in names if name in LOOKS_FOR), None)
