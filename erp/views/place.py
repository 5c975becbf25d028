"""The site whose store a page shows: chosen once, kept until another one is chosen."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest

from masterdata import selectors as masterdata

if TYPE_CHECKING:
    from masterdata.models import Site

# The code of the site that somebody works in, in the session.
KEPT = "store_site"


def site_id() -> int | None:
    """The site that is planned and bought for; None while no master data is there."""
    try:
        return masterdata.default_site().pk
    except ObjectDoesNotExist:
        return None


@dataclass(frozen=True, slots=True)
class Place:
    """The site whose store a page shows, and which there are to choose from."""

    site: "Site | None"
    sites: "list[Site]"

    @property
    def pk(self) -> int | None:
        return self.site.pk if self.site else None

    @property
    def code(self) -> str:
        """What URLs and forms say about it: nothing while there is one site only."""
        return self.site.code if self.site and self.has_choice else ""

    @property
    def has_choice(self) -> bool:
        return len(self.sites) > 1


def place_of(request: HttpRequest) -> Place:
    """The site that the form or ``?site=`` names, else the last choice, else the first site.

    A form names its site, so that it books where it was opened, whatever another window chose
    since. Raise Http404 for a site that is not there. One query.
    """
    sites = masterdata.sites()
    named = (request.POST.get("site") or request.GET.get("site", "")).replace("\x00", "")
    found = _of(sites, named or request.session.get(KEPT, ""))
    if named and found is None:
        raise Http404
    if named and found is not None and request.method == "GET":
        keep(request, found)
    return Place(found or (sites[0] if sites else None), sites)


def place_or_404(request: HttpRequest) -> tuple[Place, int]:
    """The same, with the site's id; raise Http404 while there is no site."""
    place = place_of(request)
    if place.pk is None:
        raise Http404
    return place, place.pk


def keep(request: HttpRequest, site: "Site") -> None:
    """Let the pages that come show this site's store."""
    if request.session.get(KEPT) != site.code:
        request.session[KEPT] = site.code


def site_or_404() -> int:
    """The site that is planned and bought for; raise Http404 while there is none."""
    found = site_id()
    if found is None:
        raise Http404
    return found


def _of(sites: "list[Site]", code: str) -> "Site | None":
    return next((site for site in sites if site.code == code), None)
