"""Statements on kinds of objects that the local Snowflake lacks; they are recognized last.

https://docs.snowflake.com/en/sql-reference/sql-all
"""

from __future__ import annotations

from dataclasses import dataclass

from sfml_local.grammar.tokens import Tokens

__all__ = ["Absent", "parse"]


@dataclass(frozen=True, slots=True)
class Absent:
    """A statement on a kind of object; `verb` is its first word."""

    verb: str
    kind: str


KINDS = (
    *("AGENT", "AGGREGATION POLICY", "APPLICATION PACKAGE", "APPLICATION ROLE", "APPLICATION"),
    *("ARTIFACT REPOSITORY", "AUTHENTICATION POLICY", "BACKUP POLICY", "BACKUP SET", "CODE BUNDLE"),
    *("CATALOG INTEGRATION", "CONNECTION", "CONTACT", "CORTEX SEARCH SERVICE", "DATA METRIC FUNCTION"),
    *("DATABASE ROLE", "DBT PROJECT", "DYNAMIC ICEBERG TABLE", "DYNAMIC TABLE", "EVENT TABLE", "EXPERIMENT"),
    *(
        "EXTERNAL FUNCTION",
        "EXTERNAL TABLE",
        "EXTERNAL VOLUME",
        "FAILOVER GROUP",
        "FEATURE POLICY",
        "GATEWAY",
    ),
    *(
        "GIT REPOSITORY",
        "HYBRID TABLE",
        "ICEBERG TABLE",
        "INDEX",
        "INFERENCE JOB",
        "JOB SERVICE",
        "INTERACTIVE TABLE",
    ),
    *("INTERACTIVE WAREHOUSE", "JOIN POLICY", "LISTING", "MANAGED ACCOUNT", "MASKING POLICY"),
    *("MATERIALIZED VIEW", "MCP SERVER", "MODEL MONITOR", "NETWORK POLICY"),
    *("NOTEBOOK PROJECT", "NOTEBOOK", "ONLINE FEATURE TABLE", "ORGANIZATION ACCOUNT", "ORGANIZATION PROFILE"),
    *("PACKAGES POLICY", "PASSWORD POLICY", "PIPE", "POSTGRES INSTANCE", "PRIVACY POLICY"),
    *("PROJECTION POLICY", "PROVISIONED THROUGHPUT", "REPLICATION GROUP", "RESOURCE MONITOR"),
    *(
        "ROW ACCESS POLICY",
        "SEMANTIC VIEW",
        "SERVICE CLASS",
        "SERVICE",
        "SESSION POLICY",
        "SHARE",
        "SNAPSHOT",
    ),
    *("STORAGE LIFECYCLE POLICY", "STREAMLIT", "TASK GRAPH", "TYPE", "WORKSPACE"),
)
_PLURAL_ENDS = {"POLICY": "POLICIES", "REPOSITORY": "REPOSITORIES", "INDEX": "INDEXES", "CLASS": "CLASSES"}
_ONLY_SHOWN = (
    *("LOCKS", "DELEGATED AUTHORIZATIONS", "FUTURE GRANTS", "REGIONS", "ACCOUNTS"),
    *("ORGANIZATION ACCOUNTS", "CHANNELS", "CLASSES", "REPLICATION ACCOUNTS", "REPLICATION DATABASES"),
    *("OFFERS", "PRICING PLANS", "SHARED CONTENT", "USER PROGRAMMATIC ACCESS TOKENS", "CERTIFICATES"),
    *("GRANTS", "INSTANCE FAMILIES", "COMPUTE POOL INSTANCE FAMILIES", "PROCEDURES IN", "SPECIFICATIONS"),
    *("BUILTIN FUNCTIONS", "EXTERNAL STAGES", "ORGANIZATION USERS", "ORGANIZATION USER GROUPS"),
)
_VERBS = ("CREATE", "ALTER", "DROP", "DESCRIBE", "DESC", "UNDROP", "EXECUTE")
_BEFORE_KIND = (
    ("SECURE",),
    ("TRANSIENT",),
    ("TEMPORARY",),
    ("TEMP",),
    ("RECURSIVE",),
    ("LOCAL",),
    ("GLOBAL",),
)
_OR_ALTER = (
    *("TABLE", "VIEW", "SCHEMA", "DATABASE", "STAGE", "ROLE", "FUNCTION", "PROCEDURE", "SEQUENCE", "TAG"),
    *("FILE FORMAT", "STREAM", "COMPUTE POOL"),
)
"""Kinds that an account creates or alters in one statement, and this server only creates."""


def parse(tokens: Tokens) -> Absent | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("SHOW"):
        tokens.match_words("TERSE")
        found = _first(tokens, _PLURALS) or _first(tokens, _ONLY_SHOWN)
        if found is not None:
            tokens.rest()
            return Absent("SHOW", found)
        return None
    verb = next((verb for verb in _VERBS if tokens.match_words(verb)), None)
    if verb is None:
        return None
    or_alter = tokens.match_words("OR", "ALTER")
    tokens.match_words("OR", "REPLACE")
    while any(tokens.match_words(*words) for words in _BEFORE_KIND):
        pass
    found = _first(tokens, KINDS)
    if found is None and or_alter:
        found, verb = _first(tokens, _OR_ALTER), "CREATE OR ALTER"
    if found is None and verb == "UNDROP":
        found = _first(tokens, ("TABLE", "SCHEMA", "DATABASE", "TAG", "VIEW"))
    if found is None:
        return None
    tokens.rest()
    return Absent("DESCRIBE" if verb == "DESC" else verb, found)


_CLONED = ("STAGE", "FILE FORMAT", "SEQUENCE", "VIEW")
"""Kinds whose families would take CLONE for something else."""


def cloned(tokens: Tokens) -> Absent | None:
    """CREATE … CLONE, or LIKE, of an object that cannot be copied here; None for all other statements."""
    if not tokens.match_words("CREATE"):
        return None
    tokens.match_words("OR", "REPLACE")
    while any(tokens.match_words(*words) for words in _BEFORE_KIND):
        pass
    kind = _first(tokens, _CLONED)
    if kind is None:
        return None
    tokens.if_not_exists()
    tokens.name()
    word = next((word for word in ("CLONE", "LIKE") if tokens.is_words(word)), None)
    if word is None:
        return None
    tokens.rest()
    return Absent("CREATE", f"{kind} … {word}")


def _first(tokens: Tokens, kinds: tuple[str, ...]) -> str | None:
    token = tokens.peek()
    words = token.text.upper().split() if token is not None else []
    start = words[0] if words else ""
    return next((kind for kind in kinds if kind.startswith(start) and tokens.match_phrase(kind)), None)


def plural(kind: str) -> str:
    *words, last = kind.split()
    return " ".join((*words, _PLURAL_ENDS.get(last, f"{last}S")))


_PLURALS = tuple(map(plural, KINDS))
