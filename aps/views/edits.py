"""The planner's draft on the board as JSON: each step, and what the plan would be with it.

Every answer holds the whole draft, so a page that missed one is right again with the next.
"""

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from aps import selectors
from aps.models import ScheduledOperation
from aps.services import edits, staleness
from aps.services.changes import CannotApply, CannotRead
from aps.services.scenarios import StaleBase
from aps.views import draft_state
from aps.views.place import site_id as chosen_site
from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from mes import selectors as mes
from mes.enums import OperationState

MOST_BYTES = 20_000
CONFLICT = 409
Step = Callable[..., Any]


@requires("aps.plan")
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: AuthenticatedRequest) -> JsonResponse:
    """GET: the draft as it is. POST ``{"change": …, "version": 7}``: one more step in it.

    ``{"changes": […], "version": 7}``: one more step for each, all of them or none.
    """
    if request.method != "POST":
        return _answer(request, **_staleness(request))
    changes, version = _read(request)
    if not changes:
        return _answer(request, _("This change could not be read."), status=400)
    return _step(request, edits.apply_all, changes=changes, base_version=version)


def _read(request: HttpRequest) -> tuple[list[dict[str, Any]], int | None]:
    """The changes and the version of the body; none where it is not what a board sends."""
    body = request.body
    if len(body) > MOST_BYTES:
        return [], None
    try:
        told = json.loads(body)
        changes = told["changes"] if "changes" in told else [told["change"]]
        version = told.get("version")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return [], None
    # A version that is no number would pass for none, and a stale board for a fresh one.
    if version is not None and type(version) is not int:
        return [], None
    is_list = isinstance(changes, list) and len(changes) <= edits.MOST_AT_ONCE
    return (changes if is_list and all(isinstance(one, dict) for one in changes) else []), version


@requires("aps.plan")
@require_POST
def undo(request: AuthenticatedRequest) -> JsonResponse:
    """Take the last step back."""
    return _step(request, edits.undo)


@requires("aps.plan")
@require_POST
def redo(request: AuthenticatedRequest) -> JsonResponse:
    """Do the step again that was taken back."""
    return _step(request, edits.redo)


@requires("aps.plan")
@require_POST
def rebase(request: AuthenticatedRequest) -> JsonResponse:
    """Put the draft on the plan in force; what no longer fits is told."""
    return _step(request, edits.rebase)


@requires("aps.plan")
@require_POST
def publish(request: AuthenticatedRequest) -> JsonResponse:
    """Make the draft the live plan."""
    return _step(request, edits.publish)


@requires("aps.plan")
@require_POST
def discard(request: AuthenticatedRequest) -> JsonResponse:
    """Throw the draft away."""
    return _step(request, edits.discard)


@requires("aps.plan")
@require_safe
def eligible(request: HttpRequest) -> JsonResponse:
    """``?operation=7`` → the work units that may do it, and why it cannot be moved ("" if it can).

    An operation outside has no units and moves in time only.
    """
    text = request.GET.get("operation", "")
    site_id = chosen_site(request)
    run = selectors.current_run(site_id) if site_id is not None else None
    row = (
        ScheduledOperation.objects.filter(run=run, operation=int(text))
        .select_related("operation")
        .first()
        if text.isdecimal() and len(text) < 18 and run is not None
        else None
    )
    if row is None:
        return JsonResponse({"units": [], "reason": _("It is not in the schedule any more.")})
    if row.operation.state in OperationState.started():
        return JsonResponse({"units": [], "reason": _("It has started; what runs stays there.")})
    if row.operation.state not in OperationState.open():
        return JsonResponse({"units": [], "reason": _("It is done.")})
    units = [] if row.work_unit_id is None else sorted(mes.eligible_units(row.operation))
    return JsonResponse({"units": units, "reason": ""})


def _step(request: AuthenticatedRequest, step: Step, **facts: Any) -> JsonResponse:
    """Do it and answer the draft; a refusal leaves the draft as it was and says why."""
    site_id = chosen_site(request)
    if site_id is None:
        return _answer(request, _("There is no plant yet."), status=422)
    try:
        done = step(site_id=site_id, by=request.user, now=timezone.now(), **facts)
    except (edits.StaleDraft, StaleBase) as error:
        return _answer(request, str(error), status=CONFLICT)
    except (CannotRead, CannotApply, Refused) as error:
        return _answer(request, str(error), status=422)
    violations = done.violations if isinstance(done, edits.Edited) else ()
    return _answer(request, violations=violations)


def _answer(
    request: AuthenticatedRequest,
    message: str = "",
    *,
    violations: tuple[str, ...] = (),
    status: int = 200,
    is_stale: bool = False,
) -> JsonResponse:
    told = {
        "violations": list(violations),
        "message": message,
        "stale": is_stale or status == CONFLICT,
    }
    return JsonResponse(_state(request) | told, status=status)


def _staleness(request: AuthenticatedRequest) -> dict[str, Any]:
    """Whether the plan has moved under the draft, before a step finds out."""
    site_id = chosen_site(request)
    found = edits.draft(site_id=site_id, by=request.user) if site_id is not None else None
    if found is None:
        return {}
    since = staleness.since(found)
    return {"message": since.sentence(), "is_stale": True} if since.is_stale else {}


def _state(request: AuthenticatedRequest) -> dict[str, Any]:
    site_id = chosen_site(request)
    if site_id is None:
        return draft_state.NOTHING
    return draft_state.state(
        draft=edits.draft(site_id=site_id, by=request.user), live=selectors.current_run(site_id)
    )
