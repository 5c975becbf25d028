"""The site that stock pages look at."""

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404

from masterdata import selectors as masterdata


def site_id() -> int | None:
    """The site of the store; None while no master data is there."""
    try:
        return masterdata.default_site().pk
    except ObjectDoesNotExist:
        return None


def site_or_404() -> int:
    """The site; raise Http404 while there is none."""
    found = site_id()
    if found is None:
        raise Http404
    return found
