"""Actions from the page: shown first, confirmed by a form, then done in the background."""

from __future__ import annotations

import shlex
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from sfml.base.errors import ConflictingState, InvalidSpec, SfmlError, UsageError
from sfml.base.record import record
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.target_account import TargetAccount
from sfml.ui.activities import Activities, Activity
from sfml.ui.pages import Page, frame
from sfml.ui.places import action_place, pipeline_place
from sfml.ui.proposals import ACTIONS, Action, Done, Form, Proposal, Scene, Tell
from sfml.ui.readings import Readings
from sfml.ui.specs import Spec

FORM, MARK = "form", "mark"
"""The fields of a form that say that it is the page's own, and what was shown above it."""

_MOST_BYTES = 64_000


@record
class AskedAction:
    """An action on a pipeline that somebody wants to see or do."""

    spec: Spec
    name: str
    subject: str = ""

    @property
    def action(self) -> Action:
        return ACTIONS[self.name]

    @property
    def place(self) -> str:
        return action_place(self.spec.name, self.name, self.subject)


class Acting:
    """Shows what actions would do, and does them, one after another for each pipeline's lease."""

    def __init__(self, readings: Readings, user: str) -> None:
        self.activities = Activities()
        self._readings = readings
        self._user = user

    def page(self, asked: AskedAction, form_secret: str) -> Page:
        """The page that shows what an action would do, with the form that confirms it."""
        proposal, error = None, None
        try:
            proposal = self._proposal(asked)
        except SfmlError as refusal:
            error = refusal
        title = proposal.title if proposal is not None else f"{asked.name} {asked.spec.name}"
        values = {
            **frame(asked.spec, None, [(asked.name, None)]),
            "heading": title,
            "proposal": proposal,
            "error": error,
            "place": asked.place,
            "back": pipeline_place(asked.spec.name),
            "form_secret": form_secret,
            "legend": "Config of this run; what is empty stays as it is"
            if asked.name == "run"
            else "Optional",
        }
        return Page("plan.html", title, values, status=409 if error is not None else 200)

    def begin(self, asked: AskedAction, form: Form) -> Activity:
        """Do what was shown, in a thread of its own; it is not done if it would do something else by now."""
        shown = form.get(MARK, "")

        def perform(tell: Tell) -> Done:
            placed = self._placed(asked)
            with self._readings.accounts.acting(placed) as target:
                scene = self._scene(asked, placed, target)
                proposal = asked.action.propose(scene)
                if proposal.mark != shown:
                    raise ConflictingState(
                        "what this would do has changed since it was shown; nothing was done",
                        help="look again",
                    )
                if proposal.is_nothing:
                    raise UsageError("there is nothing to do")
                try:
                    return asked.action.perform(scene, form, tell)
                finally:
                    self._readings.changed(asked.spec)

        return self.activities.begin(f"{asked.name} {asked.spec.name}", asked.place, perform)

    def _proposal(self, asked: AskedAction) -> Proposal:
        placed = self._placed(asked)
        accounts = self._readings.accounts
        try:
            return asked.action.propose(self._scene(asked, placed, accounts.planning(placed)))
        except SfmlError as error:
            raise accounts.failed(placed, error) from error

    def _placed(self, asked: AskedAction) -> CompiledSpec:
        """The pipeline in its target; raises `InvalidSpec` if an action needs a spec that compiles."""
        spec = asked.spec
        placed = spec.placed
        if placed is not None and not (asked.action.needs_compiled and spec.error is not None):
            return placed
        if isinstance(spec.error, InvalidSpec):
            raise spec.error.advised(f"sfml validate {shlex.quote(spec.file)}")
        raise UsageError("the spec cannot be read", help=f"sfml validate {shlex.quote(spec.file)}")

    def _scene(self, asked: AskedAction, placed: CompiledSpec, target: TargetAccount) -> Scene:
        return Scene(asked.spec.name, placed, target, self._user, asked.subject)


async def form_of(request: Request) -> Form:
    """The fields of a form that was sent; the last one counts of those with the same name."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise HTTPException(413, "The form is too large.")
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise HTTPException(415, "This is not a form of the page.")
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
