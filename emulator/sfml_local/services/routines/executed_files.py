"""EXECUTE IMMEDIATE FROM: the statements of a file on a stage, which may be a Jinja2 template.

https://docs.snowflake.com/en/sql-reference/sql/execute-immediate-from
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.nested_statements import nested
from sfml_local.grammar.several import statements_of
from sfml_local.grammar.tokens import Tokens
from sfml_local.services.stages.locations import locate

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.result import Result
    from sfml_local.core.session import Session
    from sfml_local.grammar.scripting import ExecuteFile

_TEMPLATES = SandboxedEnvironment(undefined=StrictUndefined)
_OF_EXPRESSIONS = (ArithmeticError, AttributeError, LookupError, OverflowError, TypeError, ValueError)
"""What the expressions of a template may raise."""
_DIRECTIVE = re.compile(r"\ufeff?\s{0,10}(?:--|#)!jinja2?\b[^\n]*\n?")
"""What makes a file a template; the rest of its line is left out."""


def execute(account: Account, session: Session, statement: ExecuteFile) -> Result:
    """The result of the file's last statement; the first one that fails ends it, and those before it stay."""
    if statement.dry_run:
        raise not_emulated("EXECUTE IMMEDIATE FROM … DRY_RUN")
    text = _rendered(account, session, statement, _read(account, session, statement.location))
    statements = [one for one in statements_of(text) if not Tokens(one).at_end]
    if not statements:
        raise SqlError("SQL compilation error:\nEmpty SQL statement.", 900, "42601")
    for one in statements:
        with nested():
            result = account.execute(session, one, (), query_id=account.query_id)
    return result


def _read(account: Account, session: Session, location: str) -> str:
    if not location.startswith("@"):
        raise not_emulated(f"EXECUTE IMMEDIATE FROM '{location}'", "paths from another file; name the stage")
    try:
        return locate(account, session, location).file().read_text(encoding="utf-8")
    except OSError:
        raise SqlError(
            f"SQL compilation error:\nStage file '{location}' does not exist or not authorized.",
            2003,
            "02000",
        ) from None
    except UnicodeDecodeError:
        raise SqlError(f"The file '{location}' is not valid UTF-8.", 100183, "22000") from None


def _rendered(account: Account, session: Session, statement: ExecuteFile, text: str) -> str:
    """The text, as a template where its first line or USING says that it is one."""
    directive = _DIRECTIVE.match(text)
    if directive is None and not statement.values:
        return text
    values = {name: _value(account, session, written) for name, written in statement.values}
    try:
        return _TEMPLATES.from_string(text[directive.end() :] if directive else text).render(values)
    except (TemplateError, *_OF_EXPRESSIONS) as error:
        raise SqlError(f"Error in the template '{statement.location}': {error}", 1008, "22023") from error


def _value(account: Account, session: Session, written: str) -> Any:
    [row] = account.execute(session, f"SELECT {written}", (), query_id=account.query_id).rows
    return row[0]
