"""How sure the local Snowflake is of roles, grants, and objects that graphs name without making them."""

from __future__ import annotations

from sfml.local.behaviour import Behaviour, Evidence

_D, _A, _X = Evidence.DOCUMENTED, Evidence.ASSUMED, Evidence.DIFFERENT
_GRANTS = "sql-reference/sql/show-grants"

ACCESS: tuple[Behaviour, ...] = (
    Behaviour(
        "access", "Every role may do everything, and USE ROLE takes any name", _X, "nothing is enforced"
    ),
    Behaviour("access", "GRANT and REVOKE are kept, and shown by SHOW GRANTS TO ROLE or USER", _D, _GRANTS),
    Behaviour("access", "A role that was given to a role is a USAGE on ROLE", _D, _GRANTS),
    Behaviour(
        "access",
        "Of OWNERSHIP, SHOW GRANTS tells that of databases and schemas alone",
        _X,
        "what is looked for",
    ),
    Behaviour("access", "ON ALL, ON FUTURE and SHOW GRANTS ON are refused", _X, "not emulated, and said so"),
    Behaviour(
        "access", "Columns of SHOW INTEGRATIONS, SECRETS and IMAGE REPOSITORIES", _D, "sql-reference/sql/show"
    ),
    Behaviour("access", "The category of an external access integration is EXTERNAL_ACCESS", _A, "not seen"),
    Behaviour(
        "access", "Integrations and secrets hold nothing; a secret's value is not kept", _X, "names alone"
    ),
)
