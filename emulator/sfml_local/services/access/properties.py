"""The properties that integrations, secrets, image repositories and network rules may have.

They are kept and shown as DESCRIBE shows them, without an effect; what a secret holds is not kept.
https://docs.snowflake.com/en/sql-reference/sql/create-integration · /create-secret · /create-image-repository ·
/create-network-rule
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sfml_local.core.errors import SqlError, invalid_value, not_emulated
from sfml_local.services.databases.properties import labels_not_emulated

Types = Mapping[str, tuple[str, Any]]
"""The type and the default of each property, as DESCRIBE INTEGRATION shows them."""

_ENABLED: Types = {"ENABLED": ("Boolean", True)}
_COMMENT: Types = {"COMMENT": ("String", "")}
_EMAIL: Types = {
    "ALLOWED_RECIPIENTS": ("List", []),
    "DEFAULT_RECIPIENTS": ("List", []),
    "DEFAULT_SUBJECT": ("String", ""),
}
_WEBHOOK: Types = {
    "WEBHOOK_URL": ("String", ""),
    "WEBHOOK_SECRET": ("String", ""),
    "WEBHOOK_BODY_TEMPLATE": ("String", ""),
    "WEBHOOK_HEADERS": ("Map", {}),
}
_QUEUE: Types = dict.fromkeys(
    (
        *("NOTIFICATION_PROVIDER", "DIRECTION", "AWS_SNS_TOPIC_ARN", "AWS_SNS_ROLE_ARN"),
        *("AZURE_STORAGE_QUEUE_PRIMARY_URI", "AZURE_EVENT_GRID_TOPIC_ENDPOINT", "AZURE_TENANT_ID"),
        *("GCP_PUBSUB_SUBSCRIPTION_NAME", "GCP_PUBSUB_TOPIC_NAME"),
    ),
    ("String", ""),
)
_EXTERNAL_ACCESS: Types = {
    "ALLOWED_NETWORK_RULES": ("List", []),
    "ALLOWED_API_AUTHENTICATION_INTEGRATIONS": ("List", []),
    "ALLOWED_AUTHENTICATION_SECRETS": ("List", []),
}
_NOTIFICATIONS: Mapping[str, Types] = {"EMAIL": _EMAIL, "WEBHOOK": _WEBHOOK, "QUEUE": _QUEUE}

SECRETS: Mapping[str, frozenset[str]] = {
    "GENERIC_STRING": frozenset({"SECRET_STRING"}),
    "PASSWORD": frozenset({"USERNAME", "PASSWORD"}),
    "OAUTH2": frozenset(
        {"API_AUTHENTICATION", "OAUTH_SCOPES", "OAUTH_REFRESH_TOKEN", "OAUTH_REFRESH_TOKEN_EXPIRY_TIME"}
    ),
    "CLOUD_PROVIDER_TOKEN": frozenset({"API_AUTHENTICATION", "ENABLED"}),
    "SYMMETRIC_KEY": frozenset({"ALGORITHM"}),
}
"""The properties of each type of secret, besides its type and comment."""
HIDDEN = frozenset({"SECRET_STRING", "PASSWORD", "OAUTH_REFRESH_TOKEN"})

RULE_TYPES = frozenset(
    {"IPV4", "AWSVPCEID", "AZURELINKID", "GCPPSCID", "HOST_PORT", "PRIVATE_HOST_PORT", "COMPUTE_POOL"}
)
RULE_MODES = frozenset(
    {
        "INGRESS",
        "EGRESS",
        "INTERNAL_STAGE",
        "POSTGRES_INGRESS",
        "POSTGRES_EGRESS",
        "SNOWFLAKE_MANAGED_STORAGE_VOLUME",
    }
)
_ENCRYPTIONS = frozenset({"SNOWFLAKE_FULL", "SNOWFLAKE_SSE"})


def of_integration(category: str, type: str) -> Types | None:
    """The properties of an integration of a category, None where all are taken."""
    if category == "EXTERNAL_ACCESS":
        return {**_ENABLED, **_EXTERNAL_ACCESS, **_COMMENT}
    if category == "NOTIFICATION":
        return {**_ENABLED, **_NOTIFICATIONS.get(type.partition(" ")[0], {}), **_COMMENT}
    return None


def checked(kind: str, category: str, type: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that are kept; refuses unknown ones, and values that are none."""
    for key in given.keys() & {"TAG", "CONTACT"}:
        raise labels_not_emulated(kind, key)
    known = _known(kind, category, type)
    for key, value in given.items():
        if known is not None and key not in known:
            raise SqlError(f"SQL compilation error:\ninvalid property '{key}' for '{kind}'", 1420, "42601")
        if key == "COMMENT" and not isinstance(value, str):
            raise invalid_value(value, key)
        if key == "ENABLED" and not isinstance(value, bool):
            raise invalid_value(value, key)
    kept = {key: value for key, value in given.items() if key not in HIDDEN | {"TYPE", "COMMENT"}}
    if kind == "IMAGE REPOSITORY" and "ENCRYPTION" in kept:
        kept["ENCRYPTION"] = _encryption(kept["ENCRYPTION"])
    if kind == "NETWORK RULE":
        _check_rule(type, kept)
    return kept


def _known(kind: str, category: str, type: str) -> frozenset[str] | None:
    common = {"COMMENT", "TYPE"}
    match kind:
        case "INTEGRATION":
            types = of_integration(category, type)
            return None if types is None else frozenset(types) | common
        case "SECRET":
            if type not in SECRETS:
                raise invalid_value(type or "null", "TYPE")
            return SECRETS[type] | common
        case "IMAGE REPOSITORY":
            return frozenset({"ENCRYPTION", "COMMENT"})
        case "NETWORK RULE":
            return frozenset({"VALUE_LIST", "MODE"}) | common
        case _:
            return frozenset({"COMMENT"})


def _encryption(given: Any) -> str:
    value = str(given.get("TYPE", "") if isinstance(given, dict) else given).upper()
    if value not in _ENCRYPTIONS:
        raise invalid_value(value, "TYPE")
    return value


def _check_rule(type: str, kept: dict[str, Any]) -> None:
    if type not in RULE_TYPES:
        raise invalid_value(type or "null", "TYPE")
    if "MODE" in kept:
        kept["MODE"] = str(kept["MODE"]).upper()
        if kept["MODE"] not in RULE_MODES:
            raise invalid_value(kept["MODE"], "MODE")
    values = kept.get("VALUE_LIST", [])
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise invalid_value(values, "VALUE_LIST")


def described(types: Types | None, kept: Mapping[str, Any], comment: str) -> list[tuple[str, str, str, str]]:
    """The rows of DESCRIBE INTEGRATION: property, type, value, default."""
    told = types or {**_ENABLED, **{key: (_type(value), "") for key, value in kept.items()}, **_COMMENT}
    values = {**kept, "COMMENT": comment}
    return [
        (key, kind, shown(key, values.get(key, default)), "[]" if kind == "List" else shown(key, default))
        for key, (kind, default) in told.items()
        if key in values or key not in _QUEUE
    ]


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    return "List" if isinstance(value, list) else "String"


def shown(key: str, value: Any) -> str:
    """A property as DESCRIBE shows it: recipients without brackets, other lists within them."""
    match value:
        case bool():
            return str(value).lower()
        case list():
            text = ", ".join(map(str, value))
            return text if key.endswith("RECIPIENTS") else f"[{text}]"
        case dict():
            return "{" + ", ".join(f"{name}={one}" for name, one in value.items()) + "}"
    return str(value)


def demand_unset(kind: str, category: str, type: str, names: tuple[str, ...]) -> None:
    """Refuse UNSET where accounts do: of image repositories, and of notification integrations for queues."""
    if kind == "IMAGE REPOSITORY" or (category == "NOTIFICATION" and type.startswith("QUEUE")):
        raise SqlError("Unsupported feature 'UNSET'.", 2, "0A000")
    known = _known(kind, category, type)
    for name in names:
        if name == "TAG":
            raise not_emulated(f"ALTER {kind} … UNSET TAG")
        if known is not None and name not in known:
            raise SqlError(f"SQL compilation error:\ninvalid property '{name}' for '{kind}'", 1420, "42601")
