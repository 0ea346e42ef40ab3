"""The application: addresses → pages. Everything that is asked passes the guard first."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from sfml.base.errors import SfmlError
from sfml.ui.acting import FORM, Acting, AskedAction, form_of
from sfml.ui.guard import Guard, Secrets
from sfml.ui.pages import Look, Page, Pages
from sfml.ui.proposals import ACTIONS
from sfml.ui.rendering import Renderer, Site
from sfml.ui.specs import Spec
from sfml.ui.styles import page_script, page_style

LIVE = "x-live"
"""The header with which the script asks for what may have changed, and with what it has; `?` at first."""


def address(place: str) -> str:
    """The address of a page that is served."""
    return f"/{place}"


def application(pages: Pages, site: Site, keys: Secrets, port: int) -> ASGIApp:
    """The pages behind their guard."""
    acting = Acting(pages.readings, pages.specs.options.user)
    served = _Served(pages, acting, Renderer(site), keys)
    app = Starlette(routes=served.routes())
    app.add_exception_handler(HTTPException, served.unknown)
    app.add_exception_handler(SfmlError, served.failed)
    app.add_exception_handler(Exception, served.broken)
    return Guard(app, keys, port, read_only=site.read_only)


class _Served:
    """Answers requests with pages."""

    def __init__(self, pages: Pages, acting: Acting, renderer: Renderer, keys: Secrets) -> None:
        self._pages = pages
        self._acting = acting
        self._renderer = renderer
        self._keys = keys
        self._files = {
            "page.css": (page_style().encode(), "text/css"),
            "page.js": (page_script().encode(), "text/javascript"),
        }

    def routes(self) -> list[BaseRoute]:
        pages = self._pages
        return [
            Route("/", self._of_project(pages.fleet)),
            Route("/next/", self._of_project(pages.next_runs)),
            Route("/static/{file}", self._file),
            Route("/p/{pipeline}/", self._of_pipeline(pages.pipeline)),
            Route("/p/{pipeline}/runs/", self._of_pipeline(pages.history)),
            Route("/p/{pipeline}/runs/{run}/", self._of_pipeline(pages.run, "run")),
            Route("/p/{pipeline}/runs/{run}/{task}/", self._of_pipeline(pages.task, "run", "task")),
            Route("/p/{pipeline}/models/", self._of_pipeline(pages.models)),
            Route("/p/{pipeline}/deployments/", self._of_pipeline(pages.deployments)),
            Route("/p/{pipeline}/deployments/{number:int}/", self._of_pipeline(pages.deployment, "number")),
            *(
                Route(f"/p/{{pipeline}}/do/{{action}}/{more}", endpoint, methods=[method])
                for more in ("", "{subject:path}/")
                for method, endpoint in (("GET", self._proposed), ("POST", self._begun))
            ),
            Route("/activity/{id}/", self._activity),
        ]

    def _of_project(self, make: Callable[[Look], Page]) -> Callable[[Request], Response]:
        return lambda request: self._answer(request, make)

    def _of_pipeline(self, make: Callable[..., Page], *names: str) -> Callable[[Request], Response]:
        def page(request: Request) -> Response:
            spec = self._spec(request)
            return self._answer(
                request, lambda look: make(spec, *(request.path_params[name] for name in names), look)
            )

        return page

    def _spec(self, request: Request) -> Spec:
        spec = self._pages.specs.named(request.path_params["pipeline"])
        if spec is None:
            raise HTTPException(404, "The project has no such pipeline.")
        return spec

    def _answer(self, request: Request, make: Callable[[Look], Page]) -> Response:
        known = request.headers.get(LIVE)
        partial = known is not None
        look = Look(address, partial=partial, acts=not self._renderer.site.read_only)
        if partial:
            look = Look(address, 0, partial=True, acts=look.acts)
        page = make(look)
        text = self._renderer.html(page, address, partial=partial)
        if not partial:
            return Response(text, page.status, media_type="text/html")
        tag = hashlib.sha256(text.encode()).hexdigest()[:16]
        if tag == known:
            return Response(status_code=204)
        return Response(text, media_type="text/html", headers={LIVE: tag})

    # -- actions

    def _proposed(self, request: Request) -> Response:
        """What an action would do, with the form that confirms it."""
        if self._renderer.site.read_only:
            raise HTTPException(403, "This page was started with --read-only.")
        page = self._acting.page(self._asked(request), self._keys.form)
        return Response(self._renderer.html(page, address), page.status, media_type="text/html")

    async def _begun(self, request: Request) -> Response:
        """Do what was shown. The guard has looked at where the request comes from."""
        form = await form_of(request)
        if not hmac.compare_digest(form.get(FORM, "").encode(), self._keys.form.encode()):
            raise HTTPException(403, "The form is not of this page. Open the page again, and do it there.")
        asked = await run_in_threadpool(self._asked, request)
        return RedirectResponse(address(f"activity/{self._acting.begin(asked, form).id}/"), 303)

    def _asked(self, request: Request) -> AskedAction:
        name = request.path_params["action"]
        if name not in ACTIONS:
            raise HTTPException(404, "The page knows no such action.")
        return AskedAction(self._spec(request), name, request.path_params.get("subject", ""))

    def _activity(self, request: Request) -> Response:
        activity = self._acting.activities.of(request.path_params["id"])
        if activity is None:
            raise HTTPException(404, "This action is not known any more.")
        every = 0 if activity.is_over else 0.5
        return self._answer(
            request, lambda look: Page("activity.html", activity.title, {"activity": activity}, every)
        )

    def _file(self, request: Request) -> Response:
        found = self._files.get(request.path_params["file"])
        if found is None:
            raise HTTPException(404, "There is no such file.")
        content, kind = found
        return Response(content, media_type=kind, headers={"cache-control": "no-cache"})

    def unknown(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        words = {404: "There is nothing here", 405: "The page knows no such request"}
        detail = (
            error.detail
            if error.detail not in ("Not Found", "Method Not Allowed")
            else "The address leads nowhere."
        )
        return self._message(
            words.get(error.status_code, "This does not work"), detail, "", error.status_code
        )

    def failed(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, SfmlError)
        return self._message("This does not work", error.message, error.help or "", 409)

    def broken(self, request: Request, error: Exception) -> Response:
        words = f"internal error: {type(error).__name__}: {error}"
        return self._message("This does not work", words, "This is a bug of sfml; report it.", 500)

    def _message(self, title: str, message: str, help: str, status: int) -> Response:
        values: dict[str, Any] = {"message": message, "help": help}
        page = Page("message.html", title, values, status=status)
        return Response(self._renderer.html(page, address), status, media_type="text/html")
