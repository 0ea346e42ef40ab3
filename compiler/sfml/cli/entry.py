"""The start of `sfml`: finds the command, runs it, and turns exceptions into messages and an exit code."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType

import click

from sfml.base.release import VERSION
from sfml.cli import ending, output
from sfml.cli.command_group import CommandGroup
from sfml.cli.heard_interrupts import hear_every_interrupt

GROUPS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Write and check": {
            "init": "Make a new project that validates and runs locally.",
            "validate": "Check specs: every finding, with file, line and column.",
            "test": "Execute the tests of graphs: which tasks run, and when.",
            "simulate": "List every way through a graph, and which of them the tests cover.",
            "cost": "Estimate the credits that pipelines use in a month; no account is asked.",
            "policies": "List and explain the team's policies, execute their tests, trust those in Python.",
            "compile": "Compile a spec into files: manifest, SQL, diagram, step archives.",
            "explain": "Explain a finding's code, or show where a value comes from.",
            "schema": "Print the JSON Schemas for editors.",
            "describe": "Describe the project for programs: pipelines, steps, targets, schemas.",
            "lsp": "Serve an editor: findings as one types, completion, navigation, renaming.",
        },
        "Review and deploy": {
            "diff": "Show what a branch changes in the task graphs; reads git only.",
            "plan": "Show what apply would change in the target.",
            "apply": "Make the target match the spec; --run runs it once.",
            "drift": "Show what was changed in the account; accept it into the spec, or revert it.",
            "rollback": "Go back to an earlier deployment, without its YAML.",
            "destroy": "Remove a pipeline's tasks and its files on the stage; tables and models stay.",
            "import": "Write a spec from a graph that is already deployed.",
        },
        "Operate": {
            "run": "Run a deployed pipeline once, and wait for its end.",
            "backfill": "Run a deployed pipeline once for each value of a range or list.",
            "status": "Show what is deployed, its schedule and its last run.",
            "history": "List the last runs, or the deployments that a rollback can go back to.",
            "logs": "Show the logs of the last run's tasks.",
            "retry": "Retry the failed tasks of the last run.",
            "cancel": "Cancel the runs that are executing.",
            "suspend": "Turn a pipeline's schedule off.",
            "resume": "Turn a pipeline's schedule on.",
            "models": "List, show, compare and promote model versions; go back to the previous one; set aliases.",
            "ui": "Show pipelines in a browser: live graphs, runs, logs, models, deployments.",
            "trace": "Trace a model version to its run, commit and data; or a run to what it made.",
        },
        "Account and laptop": {
            "doctor": "Check whether a target is ready: clients, connection, account, privileges.",
            "grants": "List the least privileges that a spec needs, as SQL; compare a role.",
            "seed": "Load a spec's seed tables from their files.",
            "local": "Start, stop, inspect and query the local Snowflake.",
            "conformance": "Compare the behaviour of an account with that of the local Snowflake.",
        },
    }
)
"""Every command with its line of help, in groups. They are here so that --help imports no command."""

COMMANDS = MappingProxyType({name: line for group in GROUPS.values() for name, line in group.items()})


class _Commands(CommandGroup):
    """Loads the module of a command when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        # Not `test_command`: pytest would collect a module of this name.
        module = importlib.import_module(
            f"sfml.cli.{'graph_test' if cmd_name == 'test' else cmd_name}_command"
        )
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Where to begin:  sfml      Help on a command:  sfml COMMAND --help",
)
@click.version_option(VERSION, prog_name="sfml", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Reviewed YAML compiled into Snowflake task graphs for machine learning."""
    if context.invoked_subcommand is None:
        from sfml.cli.welcome import welcome_text

        output.say(welcome_text())


def main() -> None:
    """Run the command line and exit: 0 done, 1 findings or failure, 2 wrong usage."""
    prepare_process()
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # pressed again while the outcome was told
        code = 130
    ending.keep_exit_code(code)
    sys.exit(code)


def prepare_process() -> None:
    """Set what a process needs once, before its first command."""
    # Imported modules and specs stay alive to the end; collecting garbage among them takes a tenth of the time.
    gc.set_threshold(50_000, 20, 100)
    ending.ignore_interrupts_at_last()
    hear_every_interrupt()
    output.escape_unencodable()


def run(arguments: list[str]) -> int:
    """Run a command; returns its exit code. Errors are printed on standard error."""
    try:
        result = cli.main(arguments, prog_name="sfml", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.UsageError as error:
        error.show(sys.stderr)
        return 2
    except click.Abort as abort:
        from sfml.cli.interrupts import TooLate

        if isinstance(abort.__cause__, TooLate):
            output.note("done")
            return 0
        output.say_error("stopped: nothing more was changed")
        return 130
    except click.ClickException as error:
        error.show(sys.stderr)
        return 1
    except KeyboardInterrupt:
        output.say_error("stopped")
        return 130
    except BrokenPipeError:
        # The reader closed the pipe (`sfml … | head`). Redirect the final flush, which would print an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("SFML_TRACEBACK"):
            raise
        return output.report(error)
