"""The site that stock pages look at."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest

from masterdata import selectors as masterdata

if TYPE_CHECKING:
    from masterdata.models import Site


def site_id() -> int | None:
    """The site of the store; None while no master data is there."""
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
        """What the URL says about it: nothing for the first site, which is meant without a word."""
        return self.site.code if self.site and self.site != self.sites[0] else ""

    @property
    def has_choice(self) -> bool:
        return len(self.sites) > 1


def place_of(request: HttpRequest) -> Place:
    """The site that ``?site=`` names, else the first one; raise Http404 for one that is not there.

    One query.
    """
    sites = masterdata.sites()
    code = request.GET.get("site", "").replace("\x00", "")
    if not code:
        return Place(sites[0] if sites else None, sites)
    found = next((site for site in sites if site.code == code), None)
    if found is None:
        raise Http404
    return Place(found, sites)


def site_or_404() -> int:
    """The site; raise Http404 while there is none."""
    found = site_id()
    if found is None:
        raise Http404
    return found
