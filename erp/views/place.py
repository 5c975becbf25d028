"""The site that a page of the store, of planning or of purchasing shows."""

from typing import TYPE_CHECKING, TypeAlias

from django.http import Http404, HttpRequest

from common import place
from common.place import keep
from masterdata import selectors as masterdata

if TYPE_CHECKING:
    from masterdata.models import Site

Place: TypeAlias = "place.Place[Site]"

__all__ = ["Place", "keep", "place_of", "place_or_404", "stay"]


def place_of(request: HttpRequest) -> "Place":
    """The chosen site, as ``common.place`` says; one query."""
    return place.place_of(request, masterdata.sites())


def place_or_404(request: HttpRequest) -> "tuple[Place, int]":
    """The same, with the site's id; raise Http404 while there is no site."""
    found = place_of(request)
    if found.pk is None:
        raise Http404
    return found, found.pk


def stay(request: HttpRequest, site: "Site") -> "Place":
    """The site of what is opened; whoever opens it goes on there. One query."""
    keep(request, site)
    return place.Place(site, masterdata.sites())
