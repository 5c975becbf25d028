"""What a ticket is about, who says it, and which site it belongs to."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from crm import selectors_products as products
from crm.enums import TicketPriority
from crm.policies_tickets import CannotOpen
from masterdata import selectors as masterdata

if TYPE_CHECKING:
    from masterdata.models import Site


@dataclass(frozen=True, slots=True)
class About:
    """What a ticket is about. ``thing`` is a lot or unit; else the typed number is looked up."""

    customer_id: int | None = None
    item_id: int | None = None
    serial: str = ""
    thing: int | None = None
    symptom_id: int | None = None
    priority: TicketPriority = TicketPriority.NORMAL


@dataclass(frozen=True, slots=True)
class Contact:
    """Who wrote."""

    name: str = ""
    email: str = ""


def site_for(about: About, *, code: str, now: datetime) -> int:
    """The site of that code, else the only one, or where the product is made.

    Raise CannotTellSite, CannotOpen.
    """
    found = product_of(about)
    item_id = found.item_id if found else about.item_id
    items = [item_id] if item_id else []
    return masterdata.site_meant(code, item_ids=items, on=now.date()).pk


def site_of(item_id: int | None, now: datetime, *, site_id: int | None) -> "Site":
    """The one named, else where the item is made, else the first: who writes cannot be asked."""
    if site_id:
        return masterdata.site(site_id)
    try:
        return masterdata.site_meant("", item_ids=[item_id] if item_id else [], on=now.date())
    except masterdata.CannotTellSite:
        return masterdata.default_site()


def product_of(about: About) -> products.Product | None:
    """A number that is one product's alone is that product; raise CannotOpen for one gone."""
    found = products.product(about.thing)
    if about.thing is not None and found is None:
        raise CannotOpen(_("There is no such product any more."))
    serial = products.typed_number(about.serial)
    if found is None and serial:
        known = [one for one in products.named(serial) if about.item_id in (None, one.item_id)]
        found = known[0] if len(known) == 1 else None
    return found
