"""All rules over graph drafts, in one tuple. Rules need no account, and never run step code."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sfml.base.diagnostic import MAX_FINDINGS, Diagnostic, first_of
from sfml.catalog import StepCatalog
from sfml.check import (
    alerts,
    branches,
    compute,
    conditions,
    containers,
    data,
    data_flow,
    edges,
    expectations,
    imported,
    names,
    notifications,
    production,
    schedule,
    statements,
    steps,
    streams,
    tests,
    travel,
)
from sfml.check.case import Case, case_of
from sfml.graph.draft import GraphDraft
from sfml.semantics.limits import MAX_TASKS_PER_GRAPH

__all__ = ["CHECKS", "Case", "Rule", "findings"]


Rule = Callable[[Case], Iterator[Diagnostic]]

CHECKS: tuple[Rule, ...] = (
    names.invalid_task_names,
    names.clashing_names,
    names.wrong_moves,
    edges.unknown_predecessors,
    edges.cyclic_tasks,
    edges.self_references,
    edges.too_many,
    edges.finalizer_neighbours,
    edges.no_tasks,
    names.invalid_identifiers,
    names.names_given_twice,
    names.invalid_targets,
    steps.missing_modules,
    steps.missing_functions,
    steps.broken_modules,
    steps.other_decorators,
    branches.unknown_outcome_tasks,
    branches.outcomes_and_code,
    steps.unknown_arguments,
    steps.missing_arguments,
    steps.wrong_arguments,
    data_flow.unknown_sources,
    data_flow.unknown_config_keys,
    data_flow.unknown_fields,
    branches.never_joined,
    branches.two_branch_parents,
    data_flow.finalizer_reads,
    branches.never_all,
    branches.misplaced_run_if,
    data_flow.nothing_returned,
    data_flow.unknown_run_keys,
    branches.conditions_beside_branches,
    branches.branches_that_cannot_choose,
    steps.misplaced_arguments,
    conditions.forbidden_conditions,
    conditions.broken_conditions,
    conditions.constant_conditions,
    conditions.unknown_tasks_in_conditions,
    data_flow.unread_references,
    statements.several_statements,
    statements.transfers,
    statements.large_results,
    notifications.unfit_notifications,
    notifications.unescaped_text,
    steps.unrequested_packages,
    imported.missing_imports,
    imported.unknown_modules,
    imported.unloaded_modules,
    data.missing_resources,
    data.unlisted_resources,
    data.listed_in_vain,
    data.files_by_path,
    travel.bad_links,
    travel.hidden_files,
    data_flow.job_arguments,
    compute.wrong_compute,
    compute.shorter_graphs,
    compute.serverless_sizes,
    compute.target_completion,
    compute.triggered_without_target,
    compute.useless_settings,
    compute.instances,
    compute.pool_nodes,
    compute.timeouts,
    compute.training_in_an_hour,
    statements.refused_parameters,
    compute.packages_given_twice,
    compute.misspelt_packages,
    compute.tag_values,
    containers.wrong_variables,
    containers.secrets_without_access,
    containers.clashing_imports,
    schedule.crons,
    schedule.time_zones,
    schedule.intervals,
    schedule.never_fires,
    schedule.triggers,
    schedule.daylight_saving,
    schedule.triggered_unawares,
    streams.unconsumed_streams,
    expectations.more_nodes_than_the_pool,
    expectations.longer_than_allowed,
    expectations.runs_said_twice,
    production.no_alerts,
    production.plain_secrets,
    production.unpinned_packages,
    production.unpinned_runtimes,
    production.unknown_overridable,
    notifications.alerts_of_the_wrong_type,
    alerts.events_that_never_happen,
    alerts.unknown_gates,
    alerts.clashing_channels,
    alerts.wrong_recipients,
    alerts.incidents_by_recovery,
    alerts.wrong_freshness,
    alerts.reserved_names,
    tests.unknown_tasks_in_tests,
    tests.impossible_ends,
    tests.contradicting_expectations,
    tests.unread_facts,
)


def findings(draft: GraphDraft, catalog: StepCatalog) -> tuple[Diagnostic, ...]:
    """The findings of all rules, in the order of the rules; beyond `MAX_FINDINGS` of one rule they are counted only."""
    if len(draft.tasks) > 2 * MAX_TASKS_PER_GRAPH:  # checking so many tasks could take long
        return (edges.far_too_many(draft),)
    case = case_of(draft, catalog)
    return tuple(finding for rule in CHECKS for finding in first_of(rule(case), MAX_FINDINGS))
