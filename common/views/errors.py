"""What is answered where no view answers: a page to people, JSON to programs."""

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import defaults

from common import trouble


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a request that Django itself refuses."""
    if request.path.startswith(trouble.API):
        return _json(400, _("The request cannot be read."))
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such address, or nothing there."""
    if request.path.startswith(trouble.API):
        return _json(404, _("Not found."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a defect of ours, without what it was; 503 and 409 where the database was the matter.

    What views raise is answered before (``common.middleware``, ``common.api``); here come errors
    on the way to the view, such as reading the session.
    """
    error = sys.exc_info()[1]
    if error is not None and trouble.of(error) is not None:
        return trouble.unreachable(request, error)
    if request.path.startswith(trouble.API):
        return _json(500, _("Something broke on our side; nothing was carried out."))
    return defaults.server_error(request)


def _json(status: int, sentence: str | Promise) -> JsonResponse:
    return JsonResponse({"detail": str(sentence)}, status=status)
