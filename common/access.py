"""Declare who may open a view; ``common.middleware.AccessMiddleware`` refuses a view without.

    @requires("crm.view_order")
    def order_list(request): ...

    @requires({"GET": "crm.view_order", "POST": "crm.edit_order"})
    class OrderEdit(View): ...

An API view (``common.api.ApiView``) states the same in its ``required_permission``.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest
from django.urls import ResolverMatch

from common import permissions
from common.models import User

V = TypeVar("V", bound=Callable[..., Any])

# One right for the whole view, or one per HTTP method or (viewsets) action.
Requirement = str | Mapping[str, str]
PUBLIC = "public"

# Views we did not write and cannot decorate, by the beginning of their route; the longest wins.
THIRD_PARTY: dict[str, str] = {
    "accounts/login/": PUBLIC,
    "accounts/logout/": PUBLIC,
    "accounts/inactive/": PUBLIC,
    # The second step of a login: allauth lets in nobody who has not passed the first.
    "accounts/2fa/authenticate/": PUBLIC,
    "accounts/": "common.use_account",
    "admin/": "common.manage_users",
}


class AuthenticatedRequest(HttpRequest):
    """What a view behind ``requires`` gets: a request whose user is one of ours."""

    user: User


def requires(requirement: Requirement) -> Callable[[V], V]:
    """Mark a view, function or class, as open to the roles of this permission code.

    Raises KeyError, when the module is loaded, for a code that is not in the table.
    """
    for code in _codes(requirement):
        permissions.PERMISSIONS[code]

    def mark(view: V) -> V:
        view.required_permission = requirement  # type: ignore[attr-defined]
        return view

    return mark


def public(view: V) -> V:
    """Mark a view as open to everybody, logged in or not."""
    view.required_permission = PUBLIC  # type: ignore[attr-defined]
    return view


def check(user: User | AnonymousUser, code: str) -> None:
    """Raise PermissionDenied unless the user holds the right."""
    if not permissions.allowed(user, code):
        raise PermissionDenied(code)


def api_class(view: Callable[..., Any]) -> type[Any] | None:
    """The API class behind a URL's callback, None for a page."""
    found = getattr(view, "cls", None)
    return found if isinstance(found, type) and hasattr(found, "permission_classes") else None


def declared(view: Callable[..., Any], match: ResolverMatch | None = None) -> Requirement:
    """What the view declares, or the table of third-party views for it.

    Raises ImproperlyConfigured, naming the view, where nobody said who may open it.
    """
    for holder in (view, getattr(view, "view_class", None), api_class(view)):
        requirement: Requirement | None = getattr(holder, "required_permission", None)
        if requirement:
            return requirement
    route = str(match.route) if match else ""
    prefixes = [prefix for prefix in THIRD_PARTY if route.startswith(prefix)]
    if prefixes:
        return THIRD_PARTY[max(prefixes, key=len)]
    shown = getattr(view, "view_class", None) or api_class(view) or view
    name = f"{getattr(shown, '__module__', '')}.{getattr(shown, '__qualname__', shown)}"
    raise ImproperlyConfigured(f"{name} does not declare who may open it: use @requires.")


def code_for(requirement: Requirement, *names: str) -> str | None:
    """The code that counts for a method or action, None where the view names none for it."""
    if isinstance(requirement, str):
        return requirement
    for name in names:
        if name in requirement:
            return requirement[name]
    # Whoever may read may also ask for the headers.
    return requirement.get("GET") if {"HEAD", "OPTIONS"} & set(names) else None


def may_open(
    user: User | AnonymousUser,
    view: Callable[..., Any],
    match: ResolverMatch | None = None,
    method: str = "GET",
) -> bool:
    """Whether this user gets past the door of a view; third-party views need their ``match``."""
    code = code_for(declared(view, match), method)
    if code == PUBLIC:
        return True
    return code is not None and permissions.allowed(user, code)


def _codes(requirement: Requirement) -> list[str]:
    return [requirement] if isinstance(requirement, str) else list(requirement.values())
