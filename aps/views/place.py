"""The site that planning pages look at."""

from typing import TYPE_CHECKING, TypeAlias

from django.http import HttpRequest

from common import place
from masterdata import selectors as masterdata

if TYPE_CHECKING:
    from masterdata.models import Site

Place: TypeAlias = "place.Place[Site]"

__all__ = ["Place", "place_of", "site_id", "tells_of_idle_sites"]

tells_of_idle_sites = place.tells_of_idle_sites(masterdata.sites, masterdata.sites_with_units)


def place_of(request: HttpRequest) -> "Place":
    """The chosen one of the sites with machines, as ``common.place`` says; one query.

    What the page sends itself names the site then, so that a window goes on where it was opened
    whatever another one chose: ``request.GET`` has it, which links and forms are made of.
    """
    found = place.place_of(request, masterdata.sites_with_units())
    if found.code and request.GET.get("site") != found.code:
        asked = request.GET.copy()
        asked["site"] = found.code
        request.GET = asked  # type: ignore[assignment]  # the stubs know it unchangeable
    return found


def site_id(request: HttpRequest) -> int | None:
    """Its id; None while no master data is there."""
    return place_of(request).pk
