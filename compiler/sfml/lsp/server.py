"""`sfml lsp`: the language server on standard input and output."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

from sfml.base.release import VERSION
from sfml.base.source import is_yaml
from sfml.lsp.completion import TRIGGERS, completions
from sfml.lsp.cursor import Cursor, cursor_at
from sfml.lsp.fixes import ALL, actions
from sfml.lsp.hover import hover
from sfml.lsp.lenses import COMMANDS, lenses
from sfml.lsp.navigation import definitions, highlights, references
from sfml.lsp.outline import flat_symbols, folds, symbols
from sfml.lsp.positions import UTF16
from sfml.lsp.renaming import CannotRename, rename, renameable
from sfml.lsp.session import Session
from sfml.lsp.tokens import LEGEND, tokens

Params = TypeVar("Params")
Result = TypeVar("Result")

_CONVERTER = default_converter()  # type: ignore[no-untyped-call]


class Server(LanguageServer):
    """The server; what it knows is in its session, which begins when the editor has said what it can show."""

    def __init__(self) -> None:
        super().__init__(
            "sfml", VERSION, text_document_sync_kind=types.TextDocumentSyncKind.Full, max_workers=2
        )
        self.session = Session(self._publish, self.report)
        self.was_shut_down = False
        self.was_told_to_exit = False
        self._working: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin to work, with what the client can show."""
        capabilities = self.client_capabilities
        document = capabilities.text_document
        shows = document.publish_diagnostics if document is not None else None
        self.session.relates = bool(shows and shows.related_information)
        self.session.encoding = _word(self.server_capabilities.position_encoding) or UTF16
        self._working = asyncio.ensure_future(self.session.work())

    def report(self, error: BaseException) -> None:
        """Tell of a bug of ours in the log of the editor; what the user sees goes on."""
        if os.environ.get("SFML_TRACEBACK"):
            traceback.print_exception(error, file=sys.stderr)
        self._log(f"{type(error).__name__}: {error}")

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Tell of a message that could not be read; the library would show a window."""
        self._log(f"a message was not understood: {type(error).__name__}")

    def _log(self, text: str) -> None:
        message = types.LogMessageParams(type=types.MessageType.Error, message=f"sfml: {text}")
        self.window_log_message(message)

    def _publish(self, uri: str, version: int | None, diagnostics: list[types.Diagnostic]) -> None:
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, version=version, diagnostics=diagnostics)
        )


def _word(value: object) -> str:
    """A value of the protocol that may be one of an enumeration, as text."""
    return str(getattr(value, "value", value) or "")


def guarded(work: Callable[[Server, Params], Result]) -> Callable[[Server, Params], Result | None]:
    """The handler of a request, whose bugs are reported and answered with nothing."""

    @functools.wraps(work)
    def handler(ls: Server, params: Params) -> Result | None:
        try:
            return work(ls, params)
        except JsonRpcException:
            raise  # an answer that says why
        except Exception as error:
            ls.report(error)
            return None

    return handler


def make_server() -> Server:
    """The server with all that it can do."""
    server = Server()
    for method, work, options in FEATURES:
        server.feature(method, options)(guarded(work))
    _add_commands(server)
    return server


def serve() -> int:
    """Serve an editor until it says exit, or goes away; the exit code, which is 1 for an exit without a shutdown.

    https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#exit
    """
    logging.disable(logging.CRITICAL)  # the protocol's library would print tracebacks
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # The thread that reads standard input ends with its next line, which Ctrl-C would wait for.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing but messages may be printed there
    server = make_server()
    server.start_io(stdin, stdout)
    return 1 if server.was_told_to_exit and not server.was_shut_down else 0


# The end.


def _shutdown(ls: Server, params: None) -> None:
    ls.was_shut_down = True


def _exit(ls: Server, params: None) -> None:
    ls.was_told_to_exit = True


# Documents.


def _initialized(ls: Server, params: types.InitializedParams) -> None:
    ls.begin()
    workspace = ls.client_capabilities.workspace
    watching = workspace.did_change_watched_files if workspace is not None else None
    if watching is not None and watching.dynamic_registration:
        watchers = [
            types.FileSystemWatcher(glob_pattern=f"**/*.{kind}") for kind in ("yaml", "yml", "py", "sql")
        ]
        ls.client_register_capability(
            types.RegistrationParams(
                [
                    types.Registration(
                        id="files",
                        method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
                        register_options=types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers),
                    )
                ]
            )
        )


def _did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    document = params.text_document
    ls.session.opened(document.uri, document.version, document.text)


def _did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    text = params.content_changes[-1].text if params.content_changes else None
    if text is not None:
        ls.session.changed(params.text_document.uri, params.text_document.version, text)


def _did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    ls.session.closed(params.text_document.uri)


def _did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
    ls.session.saved()


def _files_changed(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
    ls.session.saved()


# Names.


def _at(ls: Server, params: Any) -> Cursor | None:
    return cursor_at(ls.session, params.text_document.uri, params.position)


def _definition(ls: Server, params: types.DefinitionParams) -> list[types.Location] | None:
    cursor = _at(ls, params)
    return definitions(cursor) if cursor else None


def _references(ls: Server, params: types.ReferenceParams) -> list[types.Location] | None:
    cursor = _at(ls, params)
    return references(cursor, with_definition=params.context.include_declaration) if cursor else None


def _highlights(ls: Server, params: types.DocumentHighlightParams) -> list[types.DocumentHighlight] | None:
    cursor = _at(ls, params)
    return highlights(cursor) if cursor else None


def _prepare_rename(ls: Server, params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder | None:
    cursor = _at(ls, params)
    symbol = renameable(cursor) if cursor else None
    if cursor is None or symbol is None:
        return None
    name, _ = symbol
    return types.PrepareRenamePlaceholder(cursor.places.range_of(name.start, name.end), name.name)


def _rename(ls: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
    cursor = _at(ls, params)
    try:
        return rename(cursor, params.new_name) if cursor else None
    except CannotRename as reason:
        raise JsonRpcException(str(reason), code=types.LSPErrorCodes.RequestFailed.value) from reason


# Words.


def _completion(ls: Server, params: types.CompletionParams) -> types.CompletionList | None:
    cursor = _at(ls, params)
    return completions(cursor) if cursor else None


def _hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
    cursor = _at(ls, params)
    return hover(cursor) if cursor else None


# The document as a whole.


def _of(ls: Server, params: Any) -> Cursor | None:
    cursor = cursor_at(ls.session, params.text_document.uri)
    return cursor if cursor is not None and is_yaml(cursor.path.name) else None


def _symbols(
    ls: Server, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol] | list[types.SymbolInformation] | None:
    cursor = _of(ls, params)
    document = ls.client_capabilities.text_document
    shows = document.document_symbol if document is not None else None
    if cursor is None:
        return None
    as_tree = shows is not None and shows.hierarchical_document_symbol_support
    return symbols(cursor) if as_tree else flat_symbols(cursor)


def _folds(ls: Server, params: types.FoldingRangeParams) -> list[types.FoldingRange] | None:
    cursor = _of(ls, params)
    return folds(cursor) if cursor else None


def _lenses(ls: Server, params: types.CodeLensParams) -> list[types.CodeLens] | None:
    cursor = _of(ls, params)
    return lenses(cursor) if cursor else None


def _tokens(ls: Server, params: types.SemanticTokensParams) -> types.SemanticTokens | None:
    cursor = _of(ls, params)
    return tokens(cursor) if cursor else None


def _actions(
    ls: Server, params: types.CodeActionParams
) -> list[types.CodeAction] | list[types.Command] | None:
    cursor = _of(ls, params)
    if cursor is None:
        return None
    result = actions(cursor, params)
    document = ls.client_capabilities.text_document
    takes = document.code_action if document is not None else None
    if takes is not None and takes.code_action_literal_support is not None:
        return result
    return [types.Command(one.title, APPLY, arguments=[_CONVERTER.unstructure(one.edit)]) for one in result]


# Commands.

APPLY = "sfml.apply"
"""Makes the edits of a quick fix, for clients that know only commands."""


def _carry_out(ls: Server, command: str, arguments: tuple[Any, ...]) -> str | None:
    """Do what a lens says for a document, and show what comes of it; returns the whole text."""
    cursor = cursor_at(ls.session, str(arguments[0])) if arguments else None
    if cursor is None:
        return None
    outcome = COMMANDS[command](cursor, *map(str, arguments[1:]))
    ls.window_show_message(types.ShowMessageParams(type=types.MessageType.Info, message=outcome.line))
    ls.window_log_message(types.LogMessageParams(type=types.MessageType.Info, message=outcome.text))
    window = ls.client_capabilities.window
    if outcome.file is not None and window is not None and window.show_document is not None:
        uri = outcome.file.as_uri()
        ls.window_show_document(types.ShowDocumentParams(uri=uri, external=True), lambda _: None)
    return outcome.text


def _command(server: Server, name: str) -> Callable[..., str | None]:
    def run(*arguments: Any) -> str | None:
        try:
            return _carry_out(server, name, arguments)
        except Exception as error:
            server.report(error)
            return None

    return run


def _add_commands(server: Server) -> None:
    for name in COMMANDS:
        server.command(name)(_command(server, name))

    def apply(*arguments: Any) -> None:
        edit = _CONVERTER.structure(arguments[0], types.WorkspaceEdit)
        server.workspace_apply_edit(types.ApplyWorkspaceEditParams(edit), lambda _: None)

    server.command(APPLY)(apply)


FEATURES: tuple[tuple[str, Callable[[Server, Any], Any], Any], ...] = (
    (types.INITIALIZED, _initialized, None),
    (types.SHUTDOWN, _shutdown, None),
    (types.EXIT, _exit, None),
    (types.TEXT_DOCUMENT_DID_OPEN, _did_open, None),
    (types.TEXT_DOCUMENT_DID_CHANGE, _did_change, None),
    (types.TEXT_DOCUMENT_DID_CLOSE, _did_close, None),
    (types.TEXT_DOCUMENT_DID_SAVE, _did_save, None),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, _files_changed, None),
    (types.TEXT_DOCUMENT_DEFINITION, _definition, None),
    (types.TEXT_DOCUMENT_REFERENCES, _references, None),
    (types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, _highlights, None),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, _prepare_rename, None),
    (types.TEXT_DOCUMENT_COMPLETION, _completion, types.CompletionOptions(trigger_characters=TRIGGERS)),
    (types.TEXT_DOCUMENT_HOVER, _hover, None),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, _symbols, None),
    (types.TEXT_DOCUMENT_FOLDING_RANGE, _folds, None),
    (types.TEXT_DOCUMENT_CODE_LENS, _lenses, None),
    (types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, _tokens, LEGEND),
    (
        types.TEXT_DOCUMENT_CODE_ACTION,
        _actions,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, ALL]),
    ),
    (types.TEXT_DOCUMENT_RENAME, _rename, types.RenameOptions(prepare_provider=True)),
)
"""Method of the protocol, what answers it, and its options."""
