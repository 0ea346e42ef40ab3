"""Behaviours of roles, grants, and objects that graphs name but do not create."""

from __future__ import annotations

from sfml_local.evidence.behaviour import Behaviour, Evidence
from sfml_local.evidence.objects import RECORDED

_D, _C, _A, _X = Evidence.DOCUMENTED, Evidence.CHECKED, Evidence.ASSUMED, Evidence.DIFFERENT
_GRANTS = "sql-reference/sql/show-grants"

ACCESS: tuple[Behaviour, ...] = (
    Behaviour(
        "access", "Every role may do everything, and USE ROLE takes any name", _X, "nothing is enforced"
    ),
    Behaviour("access", "GRANT and REVOKE are kept, and shown by SHOW GRANTS TO ROLE or USER", _D, _GRANTS),
    Behaviour("access", "A role that was given to a role is a USAGE on ROLE", _D, _GRANTS),
    Behaviour("access", "OWNERSHIP is kept and shown; GRANT OWNERSHIP suspends a started task", _C, RECORDED),
    Behaviour("access", "SHOW GRANTS ON, OF, TO and without words", _D, _GRANTS),
    Behaviour(
        "access", "ON ALL grants on each object that is there", _D, "sql-reference/sql/grant-privilege"
    ),
    Behaviour(
        "access", "ON FUTURE is kept and shown, and grants nothing on what comes", _X, "nothing is enforced"
    ),
    Behaviour(
        "access", "Users are the one who asks, and those that were granted something", _X, "no objects here"
    ),
    Behaviour(
        "access", "Columns of SHOW INTEGRATIONS, SECRETS and IMAGE REPOSITORIES", _D, "sql-reference/sql/show"
    ),
    Behaviour("access", "The category of an external access integration is EXTERNAL_ACCESS", _A, "not seen"),
    Behaviour(
        "access", "Integrations and secrets have no effect; a secret's value is not stored", _X, "names alone"
    ),
)
