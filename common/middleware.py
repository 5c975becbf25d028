"""The door of every page, and the reader's language."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, ImproperlyConfigured, PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
)
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

from common import access, permissions, trouble
from common.errors import Refused
from common.models import User

# Browsers' forms and links know no others.
PAGE_METHODS = ["GET", "HEAD", "OPTIONS", "POST"]
# Seconds: the session's row is not written on every request.
_SEEN_EVERY = 20
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class AccessMiddleware:
    """Deny by default: only a view that declares its permission runs, only for who holds it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Answer instead of the view where the user may not open it."""
        if any("\x00" in value for value in kwargs.values() if isinstance(value, str)):
            # PostgreSQL stores no NUL, so nothing can be named so.
            raise Http404
        requirement = access.declared(view, request.resolver_match)
        api = access.api_class(view)
        if api is not None:
            # Tokens are read inside the view; its permission class asks the same table there.
            _check_api(api)
            return None
        if request.method not in PAGE_METHODS:
            return HttpResponseNotAllowed(PAGE_METHODS)
        if any("\x00" in value for _name, values in request.POST.lists() for value in values):
            # Nor can it be typed: whoever sends it is no person with our form.
            raise BadRequest
        code = access.code_for(requirement, request.method or "GET")
        if code == access.PUBLIC:
            return None
        if not request.user.is_authenticated:
            return _ask_to_log_in(request)
        if code is None:
            # The view names no right for this method: it does not answer it.
            return HttpResponse(status=405)
        if not permissions.allowed(request.user, code):
            raise PermissionDenied(code)
        return None

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Say what a view could not do: a refusal as a message where the user came from, a lock
        or a lost database as a page (``common.trouble``)."""
        found = trouble.of(exception)
        if found is not None:
            return trouble.answer(request, found)
        if not isinstance(exception, Refused):
            return None
        messages.error(request, str(exception))
        target = _came_from(request)
        if getattr(request, "htmx", False):
            response = HttpResponse(status=200)
            response["HX-Redirect"] = target
            return response
        return redirect(target)


class LimitedSessionMiddleware:
    """A session that was opened by less than a login may do less, and ends sooner.

    ``limit`` in the session names the rights that it has at most (``permissions.LIMITS``),
    ``limit_seconds`` how long it lives without a request that somebody made: what a page asks by
    itself carries the header ``X-By-Itself``.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            self._apply(request)
        except (OperationalError, InterfaceError) as error:
            return trouble.unreachable(request, error)
        return self.get_response(request)

    def _apply(self, request: HttpRequest) -> None:
        limit = request.session.get("limit")
        if not limit:
            return
        now = timezone.now().timestamp()
        idle = now - request.session.get("limit_seen", now)
        if idle > request.session["limit_seconds"]:
            logout(request)
            return
        if idle > _SEEN_EVERY and "X-By-Itself" not in request.headers:
            request.session["limit_seen"] = now
        if isinstance(request.user, User):
            request.user.limit = limit


class UserLocaleMiddleware:
    """Speak the user's language; before login the cookie's, else the browser's."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            language = _language(request)
        except (OperationalError, InterfaceError) as error:
            # The session is read here first of all.
            return trouble.unreachable(request, error)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or language)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


def _language(request: HttpRequest) -> str:
    if isinstance(request.user, User) and translation.check_for_language(request.user.language):
        return request.user.language
    return translation.get_language_from_request(request)


def _check_api(api: type[Any]) -> None:
    from common.api_access import HasRequiredPermission

    if not any(
        isinstance(permission, type) and issubclass(permission, HasRequiredPermission)
        for permission in api.permission_classes
    ):
        raise ImproperlyConfigured(
            f"{api.__module__}.{api.__qualname__} does not ask HasRequiredPermission."
        )


def _ask_to_log_in(request: HttpRequest) -> HttpResponseBase:
    htmx = getattr(request, "htmx", None)
    if htmx:
        response = HttpResponse(status=200)
        page = htmx.current_url_abs_path or "/"
        response["HX-Redirect"] = redirect_to_login(page)["Location"]
        return response
    return redirect_to_login(request.get_full_path())


def _came_from(request: HttpRequest) -> str:
    """The page the request was sent from, the start page where that is unknown or itself."""
    htmx = getattr(request, "htmx", None)
    url = (htmx.current_url if htmx else None) or request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()})
    itself = request.method == "GET" and url == request.build_absolute_uri()
    return url if safe and not itself else "/"
