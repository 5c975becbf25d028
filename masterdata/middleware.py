"""Moments are shown in the site's zone, whoever looks from wherever."""

import zoneinfo
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from common import trouble
from masterdata import selectors


class SiteZoneMiddleware:
    """Activate the zone of the site for who is logged in; UTC while there is no site.

    The health checks ask nobody who they are, and so they do not need the database here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Known only here: whether the path has a view that asks who it is."""
        try:
            if "sessionid" not in request.COOKIES or not request.user.is_authenticated:
                return None
            zone = selectors.default_zone()
        except (OperationalError, InterfaceError) as error:
            # What fails outside of views comes to no process_exception.
            return trouble.unreachable(request, error)
        if zone is not None:
            timezone.activate(zoneinfo.ZoneInfo(zone))
        return None
