"""No request is read that is larger than anything of ours needs."""

import json
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from common import trouble
from common.trouble import Trouble

# Eight photos of eight megabytes and what stands beside them; the proxy takes as much
# (deploy/Caddyfile).
LARGEST_BODY = 70_000_000


class BodySizeMiddleware:
    """Refuse by its head what says that it is too large, before anything of it is read.

    Django writes uploaded files to the disk, whoever sends them, before a view is asked; what does
    not say how long it is, Django reads as empty. Without a session: nothing of it may be read.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length[:20]) <= LARGEST_BODY:
            return self.get_response(request)
        with translation.override(translation.get_language_from_request(request)):
            return _refuse(request)


def _refuse(request: HttpRequest) -> HttpResponse:
    sentence = _("This is more than can be sent at once: send fewer or smaller files.")
    if request.path.startswith(trouble.API) or not request.accepts("text/html"):
        return JsonResponse({"detail": sentence}, status=413)
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(sentence, status=413, content_type="text/plain")
        toast = {"toast": {"text": sentence, "tone": "error"}}
        response[trouble.TOAST_HEADER] = json.dumps(toast)
        return response
    context = {"trouble": Trouble(413, sentence), "kept": [], "is_post": True}
    return HttpResponse(render_to_string("trouble_bare.html", context), status=413)
