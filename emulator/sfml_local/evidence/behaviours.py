"""All behaviours of the local Snowflake with their certainty, one row each, also for the documentation.

documented  described on a page of Snowflake's documentation
checked     seen on a real account, by its own messages or by tests that ran against one
assumed     neither; the most likely behaviour, to be checked by the same scenario on an account
different   this server deviates on purpose, or refuses
"""

from __future__ import annotations

from sfml_local.evidence.access import ACCESS
from sfml_local.evidence.behaviour import Behaviour, Evidence
from sfml_local.evidence.code import CODE
from sfml_local.evidence.dynamic_tables import DYNAMIC_TABLES
from sfml_local.evidence.models import DATASETS, MODELS
from sfml_local.evidence.objects import OBJECTS
from sfml_local.evidence.tasks import STREAMS, TASKS

__all__ = ["BEHAVIOURS", "Behaviour", "Evidence"]

_D, _C, _A, _X = Evidence.DOCUMENTED, Evidence.CHECKED, Evidence.ASSUMED, Evidence.DIFFERENT
_ML_JOBS = "developer-guide/snowflake-ml/ml-jobs/overview"
_ML_CLIENT = "snowflake-ml-python 2.6, read and run"

_JOB_CLIENT = f"{_ML_CLIENT}; its startup.sh does so in the container"
JOBS: tuple[Behaviour, ...] = (
    Behaviour("jobs", "The statement waits for its job, unless ASYNC, and fails with it", _D, _ML_JOBS),
    Behaviour("jobs", "Code and sentence of a failed job", _A, "not seen"),
    Behaviour("jobs", "Submit, status, wait, logs, result, list, cancel, delete", _C, _ML_CLIENT),
    Behaviour("jobs", "An exception is raised again at the client, as the cause of its own", _C, _ML_CLIENT),
    Behaviour("jobs", "Task functions work in a job of a task", _D, _ML_JOBS),
    Behaviour(
        "jobs", "Processes of this machine and no containers; any pool name is a pool", _X, "on purpose"
    ),
    Behaviour("jobs", "A job is PENDING until its pool has MIN_INSTANCES nodes free", _D, _ML_JOBS),
    Behaviour("jobs", "Jobs get nodes in the order in which they came", _A, "not said"),
    Behaviour(
        "jobs",
        "Pools that were not created have twice the number of cores as nodes, at least 8",
        _X,
        "on purpose",
    ),
    Behaviour(
        "jobs", "Several instances are nodes of one Ray cluster; the first runs the code", _C, _JOB_CLIENT
    ),
    Behaviour(
        "jobs", "Each instance has a log of its own; without a number, the first one's", _C, _ML_CLIENT
    ),
    Behaviour(
        "jobs",
        "A job of one instance has no Ray until its code asks for one",
        _X,
        "a cluster takes seconds to start",
    ),
    Behaviour("jobs", "An instance that ends early leaves the job running", _A, "Ray goes on without it"),
    Behaviour("jobs", "pip installs what this Python lacks, for the job alone", _C, _JOB_CLIENT),
    Behaviour("jobs", "What was installed is kept by content for a month", _X, "an account has containers"),
    Behaviour("jobs", "A job whose requirements cannot be installed is FAILED", _C, _JOB_CLIENT),
    Behaviour("jobs", "EXTERNAL_ACCESS_INTEGRATIONS restrict nothing", _X, "said in the log"),
    Behaviour(
        "jobs", "A job has no endpoints: get_ray_dashboard_url answers None", _X, "nothing is published"
    ),
    Behaviour("jobs", "A module of the payload wins over an installed one", _C, _ML_CLIENT),
    Behaviour("jobs", "enable_metrics measures nothing; no runtime image is chosen", _X, "no containers"),
    Behaviour(
        "jobs", "parallel, spec_overrides, artifact_repositories are refused", _X, "not emulated, and said so"
    ),
    Behaviour(
        "jobs", "A statement's timeout ends the job that it waits for, which is then FAILED", _A, "not said"
    ),
    Behaviour(
        "jobs", "A job that runs when the server ends is INTERNAL_ERROR", _A, "an account does not end"
    ),
)

SERVER: tuple[Behaviour, ...] = (
    Behaviour(
        "server",
        "A statement that comes again with its request id is answered with its first outcome",
        _A,
        "the connector sends it again when a connection breaks, and counts on it",
    ),
    Behaviour(
        "server",
        "Statements over 8 MB are refused",
        _X,
        "user-guide/query-size-limits: an account recommends 1 MB and takes more",
    ),
    Behaviour(
        "server", "A session ends after four hours without a request", _D, "user-guide/session-policies"
    ),
    Behaviour(
        "server",
        "Names of databases are letters, digits, _ and $, and do not differ in case alone",
        _X,
        "what the SQL engine can hold",
    ),
    Behaviour(
        "logs",
        "Each line that a task's process writes is a LOG record of its time in the event table",
        _A,
        "developer-guide/logging-tracing/event-table-columns: accounts hold what loggers write",
    ),
    Behaviour("logs", "A log keeps its first 16 MB and says so", _X, "an account has limits of its own"),
    Behaviour("logs", "The oldest logs go, beyond SFML_LOCAL_LOGS of them", _X, "an account keeps its own"),
)

BEHAVIOURS: tuple[Behaviour, ...] = (
    TASKS + STREAMS + CODE + JOBS + MODELS + DATASETS + DYNAMIC_TABLES + OBJECTS + ACCESS + SERVER
)
