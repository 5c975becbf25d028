"""Not the user's fault and no defect: somebody else holds what is wanted, or the database is gone.

A page answers with a calm sentence, 409 or 503, and keeps what was typed so that one press sends
it again; htmx gets the sentence as a toast and leaves the page as it is; a program gets JSON.
"""

import json
import logging
from dataclasses import dataclass

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

API = "/api/"
logger = logging.getLogger(__name__)

# "HX-Trigger" of htmx: static/js/toasts.js shows it instead of its own general sentence.
TOAST_HEADER = "HX-Trigger"
# lock_not_available, deadlock_detected, serialization_failure
_BUSY = frozenset({"55P03", "40P01", "40001"})
# Classes connection exception, insufficient resources, operator intervention, system error; and
# the end of a session that was idle for too long.
_LOST_CLASSES = ("08", "53", "57", "58", "25P03")


@dataclass(frozen=True)
class Trouble:
    """What to answer, and after how many seconds it is worth another try (None: at once)."""

    status: int
    sentence: str | Promise
    retry_after: int | None = None


BUSY = Trouble(409, _("Somebody else is changing this right now. Send it again."))
LOST = Trouble(503, _("The database does not answer right now. Try again in a moment."), 5)


def of(error: BaseException | None) -> Trouble | None:
    """What kind of trouble the error is; None for anything else, such as a defect of ours."""
    if not isinstance(error, OperationalError | InterfaceError | InternalError):
        return None
    state: str | None = getattr(error.__cause__, "sqlstate", None)
    if state in _BUSY:
        return BUSY
    if state is None:
        # PostgreSQL had no chance to say anything: no connection, or none that works.
        return None if isinstance(error, InternalError) else LOST
    return LOST if state.startswith(_LOST_CLASSES) else None


def answer(request: HttpRequest, trouble: Trouble, *, framed: bool = True) -> HttpResponse:
    """The answer to a request for a page; ``framed`` False where nothing may ask the database."""
    logger.warning("%s %s: %s", request.method, request.path, trouble.status, exc_info=True)
    response = _answer(request, trouble, framed and trouble is not LOST)
    if trouble.retry_after is not None:
        response["Retry-After"] = str(trouble.retry_after)
    return response


def unreachable(request: HttpRequest, error: BaseException) -> HttpResponse:
    """The answer where the user is not known, or must not be asked for; raise what is a defect."""
    found = of(error)
    if found is None:
        raise error
    with translation.override(translation.get_language_from_request(request)):
        if not request.path.startswith(API):
            return answer(request, found, framed=False)
        response = JsonResponse({"detail": str(found.sentence)}, status=found.status)
    if found.retry_after is not None:
        response["Retry-After"] = str(found.retry_after)
    return response


def _answer(request: HttpRequest, trouble: Trouble, framed: bool) -> HttpResponse:
    sentence = str(trouble.sentence)
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(sentence, status=trouble.status, content_type="text/plain")
        response[TOAST_HEADER] = json.dumps({"toast": {"text": sentence, "tone": "error"}})
        return response
    if not request.accepts("text/html"):
        return JsonResponse({"detail": sentence}, status=trouble.status)
    context = {
        "trouble": trouble,
        "kept": kept(request),
        "is_post": request.method == "POST",
        "token": get_token(request),
    }
    if framed:
        return render(request, "trouble.html", context, status=trouble.status)
    text = render_to_string("trouble_bare.html", context | {"request": request})
    return HttpResponse(text, status=trouble.status)


def kept(request: HttpRequest) -> list[tuple[str, str]]:
    """The typed fields that the page may send again; none where one is a secret or a file."""
    if request.method != "POST" or request.FILES or request.path.startswith("/accounts/"):
        return []
    pairs = [(name, str(value)) for name, values in request.POST.lists() for value in values]
    if any("password" in name for name, _value in pairs):
        return []
    return [pair for pair in pairs if pair[0] != "csrfmiddlewaretoken"]
