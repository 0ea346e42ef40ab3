"""Which test holds each documented behaviour of the local server that no conformance scenario tries.

A path below `tests/` and a function in it; a sentence without `::` says why the behaviour cannot be tried.
"""

from __future__ import annotations

from collections.abc import Mapping

_SCHEDULES = "local/tasks/test_schedules.py::test_"
_RUNS = "local/tasks/test_runs.py::test_"
_TRIGGERS = "local/tasks/test_triggers.py::test_"
_TASK_SQL = "local/rest/test_task_sql.py::test_"
_SCRIPTING = "local/tasks/test_scripting.py::test_"
_STREAMS = "local/test_streams.py::test_"
_PROCEDURES = "local/procedures/test_named_procedures.py::test_"
_ANONYMOUS = "local/procedures/test_anonymous_procedures.py::test_"
_FUNCTIONS = "local/procedures/test_functions.py::test_"
_SNOWPARK = "local/test_snowpark_tables.py::test_"
_FILES = "local/test_staged_files.py::test_"
_MODEL_SQL = "local/models/test_model_sql.py::test_"
_MODEL_VALUES = "local/models/test_model_values.py::test_"
_REGISTRY = "local/models/test_registry.py::test_"
_DYNAMIC = "local/dynamic_tables/test_dynamic_tables.py::test_"
_DOCUMENTED = "local/test_documented_rows.py::test_"

_VALUES = "local/test_documented_values.py::test_an_expression_answers_what_is_documented"
_STATEMENTS = "local/test_documented_statements.py::test_statements_answer_what_is_documented"
_NUMBERS = "local/test_number_types.py::test_"

HELD: Mapping[str, str] = {
    "SYSTEM$TYPEOF of whole numbers, texts and NULL: the type's name and its size": (
        "local/test_type_names.py::test_a_literal_has_a_type_and_a_size"
    ),
    "`/` of NUMBERs is a NUMBER with six more places, at most twelve": f"{_NUMBERS}numbers_stay_numbers",
    "DATE_TRUNC of a DATE is a DATE": f"{_NUMBERS}dates_stay_dates",
    "Functions and conversions by name answer what their pages tell, with types and errors": _VALUES,
    "A function sees a VARIANT, a text or a number as what it needs": _STATEMENTS,
    "INSERT ALL and FIRST; INSERT OVERWRITE into several tables is refused": _STATEMENTS,
    "TIMEZONE, WEEK_START, input and output formats apply in a session and in the run of a task": _STATEMENTS,
    "CREATE OR ALTER refuses TAG and CONTACT": "local/tasks/test_task_rules.py::test_refusals",
    "1000 tasks a graph, 100 predecessors and 100 children a task": f"{_DOCUMENTED}graphs_have_limits",
    "An hour left out in spring does not fire, one repeated in autumn fires twice": (
        "unit/semantics/test_schedules_walked.py::test_clock_changes"
    ),
    "The first run comes strictly after RESUME, none is early": (
        f"{_SCHEDULES}a_resume_within_the_matching_minute_waits_for_the_next"
    ),
    "A scheduled run takes the version that RESUME fixed": (
        f"{_SCHEDULES}a_run_keeps_the_version_that_resume_fixed"
    ),
    "RUN_ID is the scheduled time in milliseconds since 1970": (
        f"{_SCHEDULES}what_the_history_says_of_a_scheduled_run"
    ),
    "The next run is in the history as SCHEDULED, up to 8 days before": (
        f"{_SCHEDULES}only_the_next_eight_days_are_shown_beforehand"
    ),
    "Suspending cancels what is scheduled; resuming begins anew": (
        f"{_SCHEDULES}suspending_cancels_what_is_scheduled_and_resuming_begins_anew"
    ),
    "NO_OVERLAP passes over times that come while a run executes": (
        f"{_SCHEDULES}what_a_schedule_does_while_a_run_executes"
    ),
    "ALLOW_CHILD_OVERLAP: a run begins beside children, never beside its root": (
        f"{_SCHEDULES}a_waiting_run_begins_when_the_root_has_ended"
    ),
    "ALLOW_ALL_OVERLAP: any number of runs side by side": (
        f"{_SCHEDULES}what_a_schedule_does_while_a_run_executes"
    ),
    "Manual runs follow the same policy, and wait where they may not begin": (
        f"{_SCHEDULES}execute_task_while_a_scheduled_run_executes"
    ),
    "A root without a schedule whose WHEN checks streams runs when the condition is true": (
        f"{_TRIGGERS}it_runs_when_there_is_data_and_once_it_is_consumed_no_more"
    ),
    "At most every 30 seconds, or what the parameter says": (
        f"{_TRIGGERS}it_runs_no_more_often_than_the_minimum_interval"
    ),
    "Twelve hours without a run bring one, which WHEN may skip": (
        f"{_TRIGGERS}twelve_hours_without_a_run_bring_a_health_check"
    ),
    "WHEN may call four SYSTEM$ functions and casts, nothing else": (
        "unit/semantics/test_graph_config.py::test_forbidden_functions"
    ),
    "A skipped root starts no finalizer": f"{_RUNS}a_skipped_root_starts_nothing_and_is_no_graph",
    "EXECUTE TASK while executing: one run waits, the latest asked for": (
        f"{_RUNS}executing_while_executing_keeps_the_latest_to_run_after"
    ),
    "TASK_AUTO_RETRY_ATTEMPTS retries as RETRY LAST does": f"{_RUNS}automatic_retries_run_only_what_failed",
    "A failure counts once its retries are used up": f"{_RUNS}failures_in_a_row_suspend_the_root",
    "The root's timeout is the graph's; a child's own wins for that child": (
        f"{_RUNS}the_timeout_of_the_root_is_that_of_the_graph"
    ),
    "Cancelling cancels one task's run, not the others of its graph": (
        f"{_RUNS}cancelling_one_task_leaves_the_others"
    ),
    "TASK_HISTORY refuses a time range that leaves the last seven days": (
        f"{_TASK_SQL}arguments_of_task_history"
    ),
    "The functions are those of any database's INFORMATION_SCHEMA, each for the whole account": (
        f"{_TASK_SQL}the_information_schema_of_any_database"
    ),
    "SHOW … LIMIT … FROM begins after the first name that starts with the text": (
        "local/tasks/test_task_rules.py::test_show_filters"
    ),
    "Variables, IF, RETURN, SELECT INTO and statements in blocks": f"{_SCRIPTING}blocks",
    "CASE and the four loops, with labels": f"{_SCRIPTING}loops_cursors_and_handlers",
    "Cursors, result sets and RETURN TABLE": f"{_PROCEDURES}a_sql_procedure_loops_and_returns_a_table",
    "RAISE, and handlers by name, STATEMENT_ERROR, EXPRESSION_ERROR and OTHER": (
        f"{_SCRIPTING}loops_cursors_and_handlers"
    ),
    "SYSTEM$WAIT takes its time and ends when its task does": (
        f"{_TASK_SQL}a_wait_ends_when_its_task_is_cancelled"
    ),
    "JSON of USER_TASK_FAILED and GRAPH_SUCCEEDED": f"{_RUNS}failures_are_told_to_the_error_integration",
    "A standard stream shows the net change of each row since its offset": f"{_STREAMS}what_a_stream_shows",
    "An update is a DELETE and an INSERT with METADATA$ISUPDATE and one row id": (
        f"{_STREAMS}what_a_stream_shows"
    ),
    "An append-only stream shows inserts alone, deleted since or not": f"{_STREAMS}what_a_stream_shows",
    "DML and CREATE TABLE AS that read a stream consume it, even for no rows": (
        f"{_STREAMS}what_consumes_a_stream"
    ),
    "The offset moves when the transaction commits; a rollback takes it back": (
        f"{_STREAMS}a_rollback_takes_consumption_back"
    ),
    "A transaction reads one state of a stream, without its own changes": (
        f"{_STREAMS}within_a_transaction_a_stream_stands_still"
    ),
    "SHOW_INITIAL_ROWS shows the rows that were there": f"{_STREAMS}rows_at_the_beginning_on_request",
    "Anonymous ones run with the caller's rights, in its place": (
        f"{_ANONYMOUS}the_session_is_the_callers_place_and_role"
    ),
    "Imported files are in snowflake_import_directory, which ends in a slash": (
        f"{_ANONYMOUS}a_step_reads_its_archive_and_returns"
    ),
    "Named ones in PYTHON and SQL: OR REPLACE, IF NOT EXISTS, TEMPORARY, defaults, STRICT, COMMENT": (
        f"{_PROCEDURES}procedures_are_shown_described_changed_and_dropped"
    ),
    "Several of one name differ in the types of their parameters": (
        f"{_PROCEDURES}the_types_of_the_arguments_choose_among_procedures"
    ),
    "OWNER's rights work in the procedure's schema, CALLER's in the caller's": (
        f"{_PROCEDURES}rights_tell_where_a_procedure_works"
    ),
    "RETURNS TABLE: rows by position, cast to the declared types; in FROM TABLE(…) too": (
        f"{_PROCEDURES}a_table_comes_back_under_the_declared_columns"
    ),
    "A SQL function is its body with the arguments for the parameters, cast to the declared type": (
        f"{_FUNCTIONS}a_sql_function_takes_the_place_of_its_call"
    ),
    "A SQL table function is its query": f"{_FUNCTIONS}a_sql_table_function_is_a_query",
    "Python functions, row by row and vectorized, with IMPORTS and PACKAGES": (
        f"{_FUNCTIONS}snowpark_registers_functions"
    ),
    "MERGE: columns of either side unqualified; counts of what it may do": (
        f"{_SNOWPARK}merge_updates_and_inserts"
    ),
    "MERGE refuses two source rows for one target row (100090)": (
        "local/test_merging.py::test_a_row_that_would_be_changed_twice_stops_the_merge"
    ),
    "PIVOT … IN (ANY) takes the values that are there, sorted, without NULL": (
        f"{_SNOWPARK}pivots_of_any_values"
    ),
    "ASOF JOIN keeps rows without a match": f"{_SNOWPARK}asof_joins_keep_rows_without_a_match",
    "Columns declared as ARRAY or OBJECT, and functions that return them, have these types": (
        "local/test_semi_structured.py::test_queries_tell_arrays_and_objects"
    ),
    "$1, $2 of CSV, $1:path of JSON and Parquet, METADATA$FILENAME and $FILE_ROW_NUMBER": (
        f"{_FILES}json_and_parquet_files_are_queried_by_path"
    ),
    "Files of a location, PATTERN on the whole path": f"{_FILES}csv_files_are_queried_by_position",
    "ON_ERROR = CONTINUE, SKIP_FILE, ABORT_STATEMENT, with the first error's file, row and column": (
        f"{_FILES}bad_rows_are_passed_over_or_abort"
    ),
    "COPY INTO loads an unchanged file into a table once, unless FORCE; TRUNCATE forgets": (
        "local/test_load_history.py::test_an_unchanged_file_is_loaded_once"
    ),
    "MATCH_BY_COLUMN_NAME for CSV with PARSE_HEADER, JSON and Parquet": (
        f"{_FILES}json_is_loaded_by_names_and_whole"
    ),
    "Unloading: CSV, JSON, Parquet; SINGLE, HEADER, OVERWRITE; data_0_0_0 otherwise": (
        f"{_FILES}rows_are_unloaded_and_read_again"
    ),
    "The statement waits for its job, unless ASYNC, and fails with it": (
        "local/jobs/test_ml_jobs.py::test_a_failing_job_fails_its_statement_with_its_last_words"
    ),
    "Task functions work in a job of a task": "local/jobs/test_ml_jobs.py::test_a_definition_runs_as_a_statement",
    "A job is PENDING until its pool has MIN_INSTANCES nodes free": (
        "local/jobs/test_job_instances.py::test_a_job_waits_until_its_pool_has_a_node"
    ),
    "The first version becomes the default, later ones do not": (
        f"{_REGISTRY}the_first_version_is_the_default_and_later_ones_are_not"
    ),
    "The default version is never dropped, not even as the only one": (
        f"{_REGISTRY}the_default_is_never_deleted"
    ),
    "FIRST and LAST go by time of creation": f"{_MODEL_SQL}calls",
    "An alias names one version; setting it again moves it": f"{_REGISTRY}aliases_tags_and_comments",
    "A method is the function that the client packed for warehouses": f"{_REGISTRY}inference_in_sql",
    "MODEL(name, version)!METHOD(…), name!METHOD(…), WITH alias AS MODEL": f"{_MODEL_SQL}calls",
    "Arguments arrive in the types of the signature, missing ones as missing": (
        f"{_MODEL_VALUES}columns_of_a_table_arrive_in_the_signatures_types"
    ),
    "More than 500 arguments come in one object, by name": (
        f"{_MODEL_VALUES}more_than_500_features_come_in_one_object"
    ),
    "A partitioned method answers for each partition by itself": (
        f"{_MODEL_SQL}partitions_are_answered_one_by_one"
    ),
    "A method that works by row answers a row for each": (
        f"{_MODEL_SQL}a_method_that_works_by_row_keeps_its_row"
    ),
    "Columns of INFORMATION_SCHEMA.MODEL_VERSIONS": f"{_MODEL_SQL}what_is_shown",
    "ALLOWED_VALUES bind what is set on a model": f"{_MODEL_SQL}tags_allow_what_they_were_created_for",
    "A version keeps the rows of its query for good": (
        "local/test_datasets.py::test_a_version_keeps_the_rows_of_its_query"
    ),
    "CREATE, ALTER … ADD and DROP VERSION, DROP, SHOW": (
        "local/test_datasets.py::test_versions_go_with_their_dataset_and_it_with_its_schema"
    ),
    "INITIALIZE: ON_CREATE fills a table at once, ON_SCHEDULE within its target lag": (
        f"{_DYNAMIC}one_that_waits_for_its_schedule_cannot_be_read_before"
    ),
    "A lag is at least a minute, and no shorter than that of what the table reads": (
        f"{_DYNAMIC}a_lag_shorter_than_that_of_what_it_reads_is_refused"
    ),
    "DOWNSTREAM: refreshed with what reads it, and never by itself": (
        f"{_DYNAMIC}a_downstream_table_is_refreshed_with_what_reads_it"
    ),
    "REFRESH refreshes what the table reads first, all as of one moment": (
        f"{_DYNAMIC}a_refresh_by_hand_refreshes_what_the_table_reads"
    ),
    "SUSPEND also suspends the tables that read it; RESUME resumes those that were not suspended by hand": (
        f"{_DYNAMIC}suspending_takes_what_reads_it_along_and_resuming_brings_it_back"
    ),
    "Five failed refreshes in a row suspend a table": f"{_DYNAMIC}five_failures_in_a_row_suspend_it",
    "A table whose upstream failed is UPSTREAM_FAILED, and keeps its rows": (
        f"{_DYNAMIC}the_failure_of_what_it_reads_is_told_of_it"
    ),
    "NO_DATA, FULL, INCREMENTAL; CREATION, SCHEDULED, MANUAL in the history": (
        f"{_DYNAMIC}the_history_tells_the_refreshes_apart"
    ),
    "DYNAMIC_TABLE_GRAPH_HISTORY: descriptions with their times and inputs": (
        f"{_DYNAMIC}its_settings_can_be_changed"
    ),
    "LAST_ALTERED of a table follows what changes its rows, once it is committed": (
        f"{_DYNAMIC}last_altered_follows_what_changes_rows"
    ),
    "ON ALL grants on each object that is there": (
        "local/feature_store/test_feature_store.py::test_what_is_there_is_granted_at_once"
    ),
    "A FILE_FORMAT of a stage is that of what reads and writes it": (
        "local/test_account_facts.py::test_as_on_an_account"
    ),
    "SHOW GRANTS ON, OF, TO and without words": "local/test_account_facts.py::test_as_on_an_account",
    "GRANT and REVOKE are kept, and shown by SHOW GRANTS TO ROLE or USER": f"{_DOCUMENTED}grants_come_and_go",
    "A role that was given to a role is a USAGE on ROLE": f"{_DOCUMENTED}grants_come_and_go",
    "Columns of SHOW INTEGRATIONS, SECRETS and IMAGE REPOSITORIES": (
        f"{_DOCUMENTED}columns_of_what_access_needs"
    ),
    "A session ends after four hours without a request": "local/test_safety.py::test_sessions_without_a_word_end",
}
