"""The site that planning pages look at."""

from django.core.exceptions import ObjectDoesNotExist

from masterdata import selectors as masterdata


def site_id() -> int | None:
    """The site of orders; None while no master data is there."""
    try:
        return masterdata.default_site().pk
    except ObjectDoesNotExist:
        return None
