"""Behaviours of tasks, graphs, their history and notifications, and of streams."""

from __future__ import annotations

from sfml_local.evidence.behaviour import Behaviour, Evidence

_D, _C, _A, _X = Evidence.DOCUMENTED, Evidence.CHECKED, Evidence.ASSUMED, Evidence.DIFFERENT
_CREATE = "sql-reference/sql/create-task"
_ALTER = "sql-reference/sql/alter-task"
_DROP = "sql-reference/sql/drop-task"
_EXECUTE = "sql-reference/sql/execute-task"
_SHOW = "sql-reference/sql/show-tasks"
_GRAPHS = "user-guide/tasks-graphs"
_INTRO = "user-guide/tasks-intro"
_TRIGGERED = "user-guide/tasks-triggered"
_STREAMS = "user-guide/streams-intro"
_CREATE_STREAM = "sql-reference/sql/create-stream"
_HISTORY = "sql-reference/functions/task_history"
_PREDECESSORS = "sql-reference/functions/system_predecessors_state"
_ERRORS = "user-guide/tasks-errors-integrate"
_CANCEL = "sql-reference/functions/system_user_task_cancel_ongoing_executions"
_CLIENT = "snowflake-core 1.13, read and run"
_MESSAGES = "messages that accounts gave"
_RECORDED = "recorded on accounts: tests/local/facts/tasks.yaml"

TASKS: tuple[Behaviour, ...] = (
    Behaviour("create", "A new, cloned or replaced task is suspended", _D, _CREATE),
    Behaviour("create", "OR REPLACE gives a new id and restarts GRAPH_VERSION at 1", _D, _HISTORY),
    Behaviour(
        "create", "Replacing a task keeps the links of its children and finalizer", _A, "links are names"
    ),
    Behaviour("create", "CREATE OR ALTER sets what it does not name back to its default", _D, _CREATE),
    Behaviour(
        "create", "CREATE OR ALTER leaves LOG_LEVEL and tags alone", _A, f"{_CREATE}: it lacks the clauses"
    ),
    Behaviour(
        "create",
        "Any warehouse may be named, unless SFML_LOCAL_UNKNOWN_COMPUTE is `refuse`",
        _X,
        "so that what names an account's own runs here",
    ),
    Behaviour("create", "The sentence about a nonexistent warehouse", _C, _MESSAGES),
    Behaviour("create", "Any integration or user may be named", _X, "they are no objects here"),
    Behaviour("create", "Any contact may be named", _X, "they are no objects here"),
    Behaviour("create", "CREATE OR ALTER refuses TAG and CONTACT", _D, f"{_CREATE}: it lacks the clauses"),
    Behaviour("rules", "Nothing in a graph changes while its root is started (091421)", _C, _MESSAGES),
    Behaviour("rules", "Sentences of the other refusals", _C, _RECORDED),
    Behaviour("rules", "A property named twice, unknown, or of another kind is refused", _C, _RECORDED),
    Behaviour(
        "rules", "Ranges and words of parameters; IF NOT EXISTS looks at them for new tasks", _C, _RECORDED
    ),
    Behaviour(
        "rules",
        "A session parameter that is not followed here fails the run, and not CREATE TASK",
        _X,
        "the value is not ignored",
    ),
    Behaviour("rules", "Codes of the other refusals (001008)", _A, "only the sentences are known"),
    Behaviour("rules", "Cycles and second roots pass the DDL and are refused at RESUME", _C, _MESSAGES),
    Behaviour(
        "rules", "EXECUTE TASK refuses cycles and second roots too", _A, "it fixes a version as RESUME does"
    ),
    Behaviour("rules", "1000 tasks a graph, 100 predecessors and 100 children a task", _D, _GRAPHS),
    Behaviour("rules", "The sentences about those three limits", _A, "not seen"),
    Behaviour(
        "rules",
        "A started root with children or a finalizer cannot be dropped",
        _A,
        "sql-reference/sql/drop-task",
    ),
    Behaviour("rules", "Tasks that lose all predecessors become suspended roots, with a reason", _D, _SHOW),
    Behaviour(
        "versions", "RESUME and EXECUTE fix a version of the whole graph; runs keep theirs", _D, _GRAPHS
    ),
    Behaviour("versions", "GRAPH_VERSION grows only when something changed", _D, _HISTORY),
    Behaviour(
        "versions",
        "Whether children are suspended is part of a version, the root's state is not",
        _A,
        _GRAPHS,
    ),
    Behaviour("schedule", "Five cron fields and a region's time zone; what else is refused", _C, _MESSAGES),
    Behaviour(
        "schedule",
        "An hour left out in spring does not fire, one repeated in autumn fires twice",
        _D,
        _CREATE,
    ),
    Behaviour(
        "schedule", "An interval counts from RESUME or SET SCHEDULE, 10 seconds to 8 days", _D, _CREATE
    ),
    Behaviour("schedule", "The first run comes strictly after RESUME, none is early", _D, _CREATE),
    Behaviour("schedule", "A scheduled run takes the version that RESUME fixed", _D, _GRAPHS),
    Behaviour("schedule", "RUN_ID is the scheduled time in milliseconds since 1970", _D, _HISTORY),
    Behaviour("schedule", "The next run is in the history as SCHEDULED, up to 8 days before", _D, _HISTORY),
    Behaviour("schedule", "That row and the run have the same run group", _A, "not said"),
    Behaviour(
        "schedule", "It is there while a run executes, not while one waits", _A, f"{_EXECUTE}: replaced"
    ),
    Behaviour(
        "schedule", "NEXT_SCHEDULED_TIME is the time after that run's, NULL when suspended", _A, _HISTORY
    ),
    Behaviour("schedule", "Suspending cancels what is scheduled; resuming begins anew", _D, _GRAPHS),
    Behaviour("schedule", "A manual run leaves the times of the schedule as they are", _A, _EXECUTE),
    Behaviour(
        "schedule",
        "A scheduled time at which no server fired is missed: SKIPPED with a message, and never repeated",
        _A,
        "an account is never down",
    ),
    Behaviour(
        "schedule",
        "More than a minute late is missed; of missed times, the last 100 of 7 days have rows",
        _X,
        "a machine sleeps",
    ),
    Behaviour(
        "schedule",
        "A server that a command started for itself fires no schedules",
        _X,
        "`sfml plan` runs no tasks",
    ),
    Behaviour("overlap", "NO_OVERLAP passes over times that come while a run executes", _D, _CREATE),
    Behaviour("overlap", "A time passed over has no row in the history", _A, "not said"),
    Behaviour(
        "overlap", "ALLOW_CHILD_OVERLAP: a run begins beside children, never beside its root", _D, _CREATE
    ),
    Behaviour(
        "overlap", "After a failed root, the next run waits until the whole run has ended", _A, "not said"
    ),
    Behaviour("overlap", "ALLOW_ALL_OVERLAP: any number of runs side by side", _D, _CREATE),
    Behaviour(
        "overlap", "Manual runs follow the same policy, and wait where they may not begin", _D, _EXECUTE
    ),
    Behaviour(
        "trigger",
        "A root without a schedule whose WHEN checks streams runs when the condition is true",
        _D,
        _TRIGGERED,
    ),
    Behaviour("trigger", "At most every 30 seconds, or what the parameter says", _D, _TRIGGERED),
    Behaviour("trigger", "That interval counts from the last triggered run's scheduled time", _A, "not said"),
    Behaviour("trigger", "Twelve hours without a run bring one, which WHEN may skip", _D, _TRIGGERED),
    Behaviour(
        "trigger", "A WHEN that cannot be evaluated triggers a run, which fails with it", _A, "not seen"
    ),
    Behaviour("trigger", "A serverless one needs no TARGET_COMPLETION_INTERVAL", _X, "nothing is resized"),
    Behaviour("runs", "A task runs when all its predecessors succeeded", _D, _GRAPHS),
    Behaviour("runs", "A suspended predecessor counts as succeeded when another one is resumed", _D, _GRAPHS),
    Behaviour(
        "runs", "A task whose predecessors are all suspended never runs", _C, "a quickstart of Snowflake's"
    ),
    Behaviour(
        "runs",
        "WHEN false: SKIPPED, and nothing below runs, joins included",
        _D,
        _PREDECESSORS,
    ),
    Behaviour(
        "runs", "A task that never ran has no row in TASK_HISTORY", _A, "NOT_EXECUTED is no state there"
    ),
    Behaviour("runs", "SYSTEM$PREDECESSORS_STATE replaces the default condition", _D, _PREDECESSORS),
    Behaviour(
        "runs", "SYSTEM$TASK_COMPLETION_STATE replaces it too", _A, "its page: branch on one task's outcome"
    ),
    Behaviour(
        "runs", "ALL_DONE is true for predecessors that never ran; suspended ones are ignored", _A, "not said"
    ),
    Behaviour(
        "runs",
        "NONE_FAILED is true for predecessors that never ran, not for cancelled ones",
        _A,
        _PREDECESSORS,
    ),
    Behaviour(
        "runs", "A WHEN that cannot be evaluated fails the task", _A, "a wrong name fails the graph (091451)"
    ),
    Behaviour("runs", "WHEN may call four SYSTEM$ functions and casts, nothing else", _D, _CREATE),
    Behaviour(
        "runs", "A refused function in WHEN is found when the task runs, not by the DDL", _A, "not seen"
    ),
    Behaviour("runs", "The finalizer runs when nothing else runs or waits, in every attempt", _D, _GRAPHS),
    Behaviour("runs", "A skipped root starts no finalizer", _D, _GRAPHS),
    Behaviour("runs", "A failed finalizer fails the graph", _A, "one or more task runs failed"),
    Behaviour("runs", "Executing a suspended root runs it without resuming it", _D, _EXECUTE),
    Behaviour("runs", "EXECUTE TASK while executing: one run waits, the latest asked for", _D, _EXECUTE),
    Behaviour("runs", "SCHEDULED_TIME of every task is that of the attempt", _A, "not said for children"),
    Behaviour("config", "USING CONFIG merges objects at every depth, for one run", _D, _EXECUTE),
    Behaviour(
        "values", "Values of all ancestors can be read; 091451 for other or suspended tasks", _C, _MESSAGES
    ),
    Behaviour("values", "An ancestor that set nothing or was skipped reads as NULL", _A, "not said"),
    Behaviour("values", "A finalizer has no ancestors to read", _A, "it has no predecessors"),
    Behaviour(
        "values", "At most 10,000 bytes of UTF-8", _D, "sql-reference/functions/system_set_return_value"
    ),
    Behaviour(
        "values", "TASK_RUNTIME_INFO gives qualified names", _A, "TaskContext of snowflake-core needs them"
    ),
    Behaviour(
        "retry",
        "A retry runs failed and cancelled tasks and those below, in the same run group",
        _D,
        _EXECUTE,
    ),
    Behaviour("retry", "TASK_AUTO_RETRY_ATTEMPTS retries as RETRY LAST does", _D, _INTRO),
    Behaviour("retry", "A cancelled run is not retried by itself", _A, "the parameter speaks of FAILED"),
    Behaviour("retry", "A modified graph, or one older than 14 days, is not retried", _D, _EXECUTE),
    Behaviour("retry", "Sentences of those refusals", _A, "not seen"),
    Behaviour(
        "suspension", "N failures in a row of one task suspend the root; suspending resets", _D, _CREATE
    ),
    Behaviour("suspension", "A failure counts once its retries are used up", _D, _INTRO),
    Behaviour(
        "suspension",
        "Skipped and cancelled runs neither count nor reset",
        _A,
        f"{_CREATE}: they do not count",
    ),
    Behaviour(
        "timeouts", "The root's timeout is the graph's; a child's own wins for that child", _D, _GRAPHS
    ),
    Behaviour("timeouts", "A timed-out run is FAILED", _D, _HISTORY),
    Behaviour(
        "timeouts", "Its code and sentence are those of a statement's timeout (000630)", _A, "not seen"
    ),
    Behaviour(
        "timeouts", "Out of time, tasks that have not begun never run, the finalizer does", _A, "not said"
    ),
    Behaviour(
        "cancel",
        "Cancelling cancels one task's run, not the others of its graph",
        _D,
        "sql-reference/functions/system_user_task_cancel_ongoing_executions",
    ),
    Behaviour("cancel", "The finalizer runs after a cancelled task", _A, "it runs when nothing else does"),
    Behaviour(
        "history",
        "Columns of the graph functions in order, RESULT_LIMIT, TASK_DEPENDENTS of none",
        _C,
        _RECORDED,
    ),
    Behaviour("history", "Arguments and order of the table functions; columns of TASK_HISTORY", _D, _HISTORY),
    Behaviour("history", "SHOW PARAMETERS IN TASK: every parameter, with defaults and levels", _C, _RECORDED),
    Behaviour(
        "history", "The account's TIMEZONE is Etc/UTC", _X, "machines keep UTC; new accounts have Los Angeles"
    ),
    Behaviour("history", "Columns of SHOW TASKS", _C, _RECORDED),
    Behaviour("history", "TASK_HISTORY refuses a time range that leaves the last seven days", _D, _HISTORY),
    Behaviour("history", "The sentence of that refusal", _A, "not seen"),
    Behaviour(
        "history",
        "The functions are those of any database's INFORMATION_SCHEMA, each for the whole account",
        _D,
        "sql-reference/info-schema",
    ),
    Behaviour(
        "history", "SHOW … LIMIT … FROM begins after the first name that starts with the text", _D, _SHOW
    ),
    Behaviour("history", "TASK_DEPENDENTS includes the finalizer", _C, "seen on an account"),
    Behaviour(
        "history",
        "NEXT_SCHEDULED_TIME is NULL without a schedule; REST gives the scheduled time",
        _A,
        _CLIENT,
    ),
    Behaviour("rest", "Paths, options, bodies and statuses", _D, "Snowflake's OpenAPI specification 10.10"),
    Behaviour("rest", "What clients send: capitalised booleans, percent-encoded names", _C, _CLIENT),
    Behaviour(
        "rest",
        "404 for PATCH, 405, 415, and 400 without a message for bodies that are not JSON; asyncExec",
        _C,
        "recorded on accounts: frostlake docs/rest-api.md @58fc77f1",
    ),
    Behaviour(
        "rest", "A graph that is not suspended (091421) and every other refusal is 400", _A, "not seen"
    ),
    Behaviour(
        "rest", "Fields that the specification does not know are refused", _A, "none is passed over unseen"
    ),
    Behaviour(
        "rest",
        "Lists of more than 1000 rows come in pages, SFML_LOCAL_REST_PAGE",
        _A,
        "no size is documented",
    ),
    Behaviour(
        "rest",
        "asyncExec is answered 202 with a handle; nothing else is",
        _A,
        "how long an account waits is not said",
    ),
    Behaviour("rest", "The server's token is a bearer token too", _X, "there are no key pairs here"),
    Behaviour("rest", "Resources besides these are refused as not emulated", _X, "not emulated, and said so"),
    Behaviour(
        "scripting",
        "SELECT INTO of no row makes the variables NULL; of several it is an error",
        _A,
        "the task of a Feature Store's append-only view counts on it",
    ),
    Behaviour(
        "scripting",
        "Variables, IF, RETURN, SELECT INTO and statements in blocks",
        _D,
        "developer-guide/snowflake-scripting/blocks",
    ),
    Behaviour(
        "scripting", "CASE and the four loops, with labels", _D, "developer-guide/snowflake-scripting/loops"
    ),
    Behaviour(
        "scripting",
        "Cursors, result sets and RETURN TABLE",
        _D,
        "developer-guide/snowflake-scripting/cursors",
    ),
    Behaviour(
        "scripting",
        "RAISE, and handlers by name, STATEMENT_ERROR, EXPRESSION_ERROR and OTHER",
        _D,
        "developer-guide/snowflake-scripting/exceptions",
    ),
    Behaviour(
        "scripting",
        "The message of an unhandled exception names no line",
        _X,
        "lines are not kept",
    ),
    Behaviour("scripting", "Handlers hide no error about what is not emulated", _X, "it would seem to work"),
    Behaviour(
        "scripting",
        "ASYNC, AWAIT and handlers that continue are refused before the block begins",
        _X,
        "not emulated, and said so",
    ),
    Behaviour(
        "waiting",
        "SYSTEM$WAIT takes its time and ends when its task does",
        _D,
        "sql-reference/functions/system_wait",
    ),
    Behaviour(
        "compute",
        "Warehouses and compute pools are kept with their settings; nothing runs on them",
        _X,
        "this machine does the work",
    ),
    Behaviour("compute", "LOCAL_WH and LOCAL_POOL exist from the start", _X, "something has to"),
    Behaviour(
        "compute",
        "Columns of SHOW WAREHOUSES and SHOW COMPUTE POOLS",
        _C,
        "recorded on accounts: tests/local/facts/objects.yaml",
    ),
    Behaviour(
        "notifications",
        "Messages go to an outbox; no integration and no recipient is checked",
        _X,
        "not emulated, and said so",
    ),
    Behaviour(
        "notifications",
        "JSON of USER_TASK_FAILED and GRAPH_SUCCEEDED",
        _D,
        "user-guide/tasks-errors-integrate",
    ),
    Behaviour(
        "server",
        "Runs that a dead server left executing are FAILED when it starts again",
        _A,
        "an account does not end",
    ),
)
"""Tasks, graphs, their history and their notifications."""

STREAMS: tuple[Behaviour, ...] = (
    Behaviour("streams", "A standard stream shows the net change of each row since its offset", _D, _STREAMS),
    Behaviour(
        "streams", "An update is a DELETE and an INSERT with METADATA$ISUPDATE and one row id", _D, _STREAMS
    ),
    Behaviour("streams", "An append-only stream shows inserts alone, deleted since or not", _D, _STREAMS),
    Behaviour(
        "streams", "DML and CREATE TABLE AS that read a stream consume it, even for no rows", _D, _STREAMS
    ),
    Behaviour(
        "streams", "The offset moves when the transaction commits; a rollback takes it back", _D, _STREAMS
    ),
    Behaviour("streams", "A transaction reads one state of a stream, without its own changes", _D, _STREAMS),
    Behaviour("streams", "SHOW_INITIAL_ROWS shows the rows that were there", _D, _CREATE_STREAM),
    Behaviour(
        "streams", "091901 for a stream whose table was dropped or replaced", _A, "its sentence is common"
    ),
    Behaviour("streams", "A stream and a table of one schema cannot have one name", _A, "not said"),
    Behaviour("streams", "A row set back to what it was is shown as updated", _A, "not said"),
    Behaviour(
        "streams",
        "SYSTEM$STREAM_HAS_DATA is never true for an empty stream",
        _X,
        "accounts allow themselves that",
    ),
    Behaviour(
        "streams", "An UPDATE that sets what was there already is no change", _X, "tables are compared"
    ),
    Behaviour(
        "streams",
        "METADATA$ROW_ID is valid for one stream, until it is consumed",
        _X,
        "rows are found by value",
    ),
    Behaviour(
        "streams",
        "MERGE that updates an ARRAY or a key: a delete and an insert",
        _X,
        "so DuckDB carries it out",
    ),
    Behaviour(
        "streams", "A column dropped or renamed later reads as NULL in earlier changes", _X, "kept by name"
    ),
    Behaviour(
        "streams", "Streams never become stale by age (STALE_AFTER is NULL)", _X, "nothing expires here"
    ),
    Behaviour("streams", "On views, stages and external tables; AT, BEFORE, CLONE", _X, "not emulated"),
    Behaviour(
        "streams",
        "Stream, table and what consumes it in several databases",
        _X,
        "not emulated, one file each",
    ),
)
