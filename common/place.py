"""The site whose store, planning and purchasing pages show: chosen once, kept until changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urlencode

from django.http import Http404, HttpRequest

# The code of the site that somebody works in, in the session.
KEPT = "store_site"


class Located(Protocol):
    """What a page needs to know of a site; masterdata has them."""

    pk: Any
    code: Any

    @property
    def label(self) -> str: ...


S = TypeVar("S", bound=Located)


@dataclass(frozen=True, slots=True)
class Place(Generic[S]):
    """The site that a page shows, and which there are to choose from."""

    site: S | None
    sites: Sequence[S]

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

    def at(self, url: str) -> str:
        """The address, naming the site."""
        if not self.code:
            return url
        return f"{url}{'&' if '?' in url else '?'}{urlencode({'site': self.code})}"


def place_of(request: HttpRequest, sites: Sequence[S]) -> Place[S]:
    """The site that the form or ``?site=`` names, else the last choice, else the first site.

    A form names its site, so that it books where it was opened, whatever another window chose
    since. Raise Http404 for a site that is not there.
    """
    named = (request.POST.get("site") or request.GET.get("site", "")).replace("\x00", "")
    found = _of(sites, named or request.session.get(KEPT, ""))
    if named and found is None:
        raise Http404
    if named and found is not None and request.method == "GET":
        keep(request, found)
    return Place(found or (sites[0] if sites else None), sites)


def keep(request: HttpRequest, site: Located) -> None:
    """Let the pages that come show this site."""
    if request.session.get(KEPT) != site.code:
        request.session[KEPT] = site.code


def _of(sites: Sequence[S], code: str) -> S | None:
    return next((site for site in sites if site.code == code), None)
