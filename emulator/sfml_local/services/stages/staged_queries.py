"""SELECT from staged files: `SELECT $1, t.$2 FROM @stage/path (FILE_FORMAT => f, PATTERN => '…') t`.

https://docs.snowflake.com/en/user-guide/querying-stage
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import dotted
from sfml_local.services.stages.file_formats import format_options
from sfml_local.services.stages.locations import locate
from sfml_local.services.stages.staged_files import (
    concatenated,
    keys_of,
    kind_of,
    metadata_in,
    over_staged,
    read_file,
    staged_tables,
)

if TYPE_CHECKING:
    from sfml_local.core.rewriting import Rewriting


@looks_for(exp.Table)
def queries_of_stages(tree: Expr, rewriting: Rewriting) -> Expr:
    """Let queries of a stage read the rows of its files."""
    for table in list(staged_tables(tree)):
        select = table.find_ancestor(exp.Select)
        if select is None:
            raise not_emulated(tree.sql(dialect="snowflake"))
        _read(table, select, rewriting)
    return tree


def _read(table: exp.Table, select: exp.Select, rewriting: Rewriting) -> None:
    account, session = rewriting.account, rewriting.session
    given = table.args.get("format")
    place = locate(account, session, str(table.this.this))
    options = format_options(account, session, None if given is None else _name(given), place)
    pattern = table.args.get("pattern")
    keys = keys_of(place, None, None if pattern is None else str(pattern.name))
    if not keys:
        raise SqlError(f"Remote file '{table.this.this}' was not found.", 100016, "22000")
    wanted = metadata_in(select)
    rows = concatenated(
        [read_file(account, place, key, options, ragged=True, metadata=wanted) for key in keys]
    )
    alias = table.args.get("alias")
    name = table.alias or None
    for argument, value in list(select.args.items()):
        if argument in ("from_", "from", "with_", "with"):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Expr):
                found, rows = over_staged(_named(part, argument), rows, kind_of(options), name)
                part.replace(found)
    table.replace(rewriting.relation(rows, alias))


def _named(part: Expr, argument: str) -> Expr:
    """A projection with Snowflake's name: `$1`."""
    is_bare = argument == "expressions" and not isinstance(part, exp.Alias | exp.Star)
    return (
        exp.alias_(part.copy(), part.sql(dialect="snowflake").upper(), quoted=True)
        if is_bare
        else part.copy()
    )


def _name(node: Any) -> str:
    return (
        str(node.name)
        if isinstance(node, exp.Literal)
        else ".".join(f'"{dotted(part)}"' for part in (node.parts if isinstance(node, exp.Table) else [node]))
    )


# Before `$1` is treated as a column of VALUES.
