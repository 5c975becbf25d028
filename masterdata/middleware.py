"""Moments are shown in the site's zone, whoever looks from wherever."""

import zoneinfo
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

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

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Known only here: whether the path has a view that asks who it is."""
        if "sessionid" not in request.COOKIES or not request.user.is_authenticated:
            return
        zone = selectors.default_zone()
        if zone is not None:
            timezone.activate(zoneinfo.ZoneInfo(zone))
