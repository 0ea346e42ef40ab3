"""VALIDATE: all errors of the files that an earlier COPY INTO has loaded.

https://docs.snowflake.com/en/sql-reference/functions/validate
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from sfml_local.core.account import TableFunction
from sfml_local.core.arguments import Args
from sfml_local.core.errors import SqlError, does_not_exist, not_emulated
from sfml_local.core.names import resolve
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.result import Result, table
from sfml_local.services.stages.copy_jobs import CopyJob, CopyJobs, LastCopy
from sfml_local.services.stages.copying import ERRORS, error_rows

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.rewriting import Rewriting
    from sfml_local.core.session import Session


@looks_for(exp.TableFromRows)
def tables_of_validate(tree: Expr, rewriting: Rewriting) -> Expr:
    """The table of VALIDATE(table, …), which is a name, as a text."""
    for node in tree.find_all(exp.Anonymous):
        if (
            str(node.this).upper() == "VALIDATE"
            and node.expressions
            and node.find_ancestor(exp.TableFromRows)
        ):
            first = node.expressions[0]
            if isinstance(first, exp.Column | exp.Dot):
                first.replace(exp.Literal.string(first.sql(dialect="snowflake")))
    return tree


def validate(account: Account, session: Session, arguments: Args) -> Result:
    given = arguments.by_name("VALIDATE", "TABLE_NAME JOB_ID")
    name = resolve(str(given.get("TABLE_NAME", "")), session)
    if not account.engine.columns(session, name):
        raise does_not_exist("Table", name.fqn())
    asked = str(given.get("JOB_ID", ""))
    is_last = asked.lower() == "_last"
    job = session.part(LastCopy).job if is_last else account.part(CopyJobs).by_id.get(asked)
    if job is None or (job.copy.target != name and not is_last):
        raise SqlError("The specified Job UUID does not load into the specified table.", 1008, "22023")
    return table(ERRORS, _rows(account, session, job))


def _rows(account: Account, session: Session, job: CopyJob) -> list[tuple[object, ...]]:
    """None of a COPY that ends at the first error."""
    copy = job.copy
    if copy.statement.projection is not None:
        raise not_emulated("VALIDATE of a COPY INTO with a query", "accounts refuse it, too")
    if copy.options.on_error.aborts:
        return []
    there = set(copy.place.paths())
    return [row for key in job.keys if key in there for row in error_rows(account, session, copy, key)]


TABLE_FUNCTIONS: Mapping[str, TableFunction] = {"VALIDATE": validate}
