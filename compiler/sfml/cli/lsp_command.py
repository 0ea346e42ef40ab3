"""`sfml lsp`"""

from __future__ import annotations

import sys

import click


@click.command()
@click.option(
    "--stdio",
    is_flag=True,
    expose_value=False,
    help="Accepted because editors pass it; there is no other way.",
)
def command() -> int:
    """Serve an editor: findings as one types, completion, hover, navigation, renaming, quick fixes.

    The server speaks the language server protocol on standard input and output, and is started by the editor. Set-up
    for VS Code, Neovim, Helix, Zed and Emacs: docs/editors.md.
    """
    try:
        from sfml.lsp.server import serve
    except ImportError as cause:
        from sfml.base.errors import UsageError

        name = (cause.name or "").partition(".")[0]
        if name not in ("pygls", "lsprotocol", "attrs", "cattrs"):
            raise
        raise UsageError(
            f"`{name}` is not installed", help="install the extra: pip install 'sfml-snowflake[lsp]'"
        ) from cause
    if sys.stdin.isatty():
        click.echo("sfml lsp speaks with an editor, which starts it; see docs/editors.md", err=True)
    return serve()
