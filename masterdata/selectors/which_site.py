"""Which site is meant where several are there."""

from collections.abc import Collection
from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _

from common.errors import Refused
from masterdata.models import RoutingOperation, Site
from masterdata.selectors.lookup import default_site, sites


class CannotTellSite(Refused):
    """There are several sites, and nothing says which one is meant; or the one named is not."""


def site_meant(code: str, *, item_ids: Collection[int], on: date) -> Site:
    """The site of that code; without one the only site, else that which makes all of the items.

    Items that are not made say nothing. Raise CannotTellSite, and NoSite while there is none.
    """
    known = sites()
    if code:
        named = next((site for site in known if site.code == code), None)
        if named is None:
            raise CannotTellSite(_("There is no “%(code)s”.") % {"code": code})
        return named
    if len(known) < 2:
        return default_site()
    found = made_at(item_ids, on=on)
    if len(found) != 1:
        raise CannotTellSite(
            _("Name the site: there are several, and the items do not tell which one is meant.")
        )
    return next(site for site in known if site.pk in found)


def made_at(item_ids: Collection[int], *, on: date) -> set[int]:
    """The sites at which each of the items that are made can be made on a day; one query."""
    rows = RoutingOperation.objects.filter(
        Q(routing__valid_to__isnull=True) | Q(routing__valid_to__gt=on),
        routing__item__in=list(item_ids),
        routing__valid_from__lte=on,
    )
    by_item: dict[int, set[int]] = {}
    for item_id, site_id in rows.values_list("routing__item", "work_center__site").distinct():
        by_item.setdefault(item_id, set()).add(site_id)
    return set.intersection(*by_item.values()) if by_item else set()
