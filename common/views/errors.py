"""What is answered where no view answers: a page to people, JSON to programs."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import defaults

API = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a request that Django itself refuses."""
    if request.path.startswith(API):
        return _json(400, _("The request cannot be read."))
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such address, or nothing there."""
    if request.path.startswith(API):
        return _json(404, _("Not found."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a defect of ours, without what it was."""
    if request.path.startswith(API):
        return _json(500, _("Something broke on our side; nothing was carried out."))
    return defaults.server_error(request)


def _json(status: int, sentence: str | Promise) -> JsonResponse:
    return JsonResponse({"detail": str(sentence)}, status=status)
