"""A command with subcommands: its help lists each with a whole sentence, and a mistyped one gets a suggestion."""

from __future__ import annotations

import inspect

import click


class CommandGroup(click.Group):
    """Subcommands by name. click alone cuts their sentences short, and proposes none."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from sfml.base.diagnostic import did_you_mean

        names = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in names:
            hint = did_you_mean(args[0], names)
            raise click.UsageError(f"No such command '{args[0]}'." + (f" {hint}" if hint else ""), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, first_sentence(self.commands[name])) for name in self.list_commands(ctx)]
            )


def first_sentence(command: click.Command) -> str:
    """The first sentence of a command's help, on one line."""
    paragraph = inspect.cleandoc(command.help or "").partition("\n\n")[0]
    sentence, stop, _ = " ".join(paragraph.split()).partition(". ")
    return sentence + stop.strip()
