"""The site whose store, planning and purchasing pages show: chosen once, kept until changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

# The code of the site that somebody works in, in the session.
KEPT = "store_site"


class Located(Protocol):
    """What a page needs to know of a site; masterdata has them."""

    pk: Any
    code: Any

    @property
    def label(self) -> str: ...


P = ParamSpec("P")
R = TypeVar("R", bound=HttpRequest)
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


def chosen(request: HttpRequest, sites: Sequence[Located]) -> str:
    """The code of the site that ``?site=`` names or that was chosen; empty where nobody chose."""
    code = request.GET.get("site") or request.session.get(KEPT, "")
    found = _of(sites, code)
    return found.code if found else ""


def tells_of_idle_sites(
    every: Callable[[], Sequence[S]], working: Callable[[], Sequence[S]]
) -> Callable[
    [Callable[Concatenate[R, P], HttpResponse]], Callable[Concatenate[R, P], HttpResponse]
]:
    """For pages of the ``working`` sites: opened for another one of ``every``, they say so.

    What is sent there, and parts of pages, go on answering 404.
    """

    def decorate(
        view: Callable[Concatenate[R, P], HttpResponse],
    ) -> Callable[Concatenate[R, P], HttpResponse]:
        @wraps(view)
        def page(request: R, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except Http404:
                code, there = request.GET.get("site", ""), working()
                site = _of(every(), code)
                is_part = request.method not in ("GET", "HEAD") or "HX-Request" in request.headers
                if is_part or site is None or _of(there, code):
                    raise
                context = {"site": site, "place": Place(None, there), "url": request.path}
                return render(request, "common/idle_site.html", context)

        return page

    return decorate


def keep(request: HttpRequest, site: Located) -> None:
    """Let the pages that come show this site."""
    if request.session.get(KEPT) != site.code:
        request.session[KEPT] = site.code


def _of(sites: Sequence[S], code: str) -> S | None:
    return next((site for site in sites if site.code == code), None)
