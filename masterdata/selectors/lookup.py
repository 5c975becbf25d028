"""One object by its code, or by who asks."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from decimal import Decimal

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from common.errors import Refused
from common.models import User
from masterdata.models import (
    Customer,
    CustomerUser,
    Item,
    Site,
    Supplier,
    SupplierPrice,
    Tool,
    WorkUnit,
)
from masterdata.selectors.exchange import exchange


class NoSite(Refused, ObjectDoesNotExist):
    """Nothing can be ordered, stored or planned before there is a site."""


def has_sites() -> bool:
    """Whether any site has been entered."""
    return Site.objects.exists()


def sites_with_units() -> list[Site]:
    """Sites with machines, the first one first; the first of all while no site has any."""
    units = WorkUnit.objects.filter(is_active=True, work_center__site=OuterRef("pk"))
    found = list(Site.objects.filter(Exists(units)).order_by("pk"))
    return found or sites()[:1]


def default_site() -> Site:
    """The site that orders go to until a customer or item says otherwise: the first one.

    Raise NoSite while there is none.
    """
    first = Site.objects.order_by("pk").first()
    if first is None:
        raise NoSite(_("There is no site yet: enter one, or import the master data."))
    return first


_SITES: ContextVar[dict[int, Site] | None] = ContextVar("sites", default=None)


def site(site_id: int) -> Site:
    """The site; raise Site.DoesNotExist."""
    known = _SITES.get()
    if known is None:
        return Site.objects.get(pk=site_id)
    if site_id not in known:
        known[site_id] = Site.objects.get(pk=site_id)
    return known[site_id]


@contextmanager
def sites_once() -> Iterator[None]:
    """Within it ``site`` reads each site once: for an act whose parts all ask for its day and
    currency. For nothing longer than a transaction; what it gives is not to be changed."""
    if _SITES.get() is not None:
        yield
        return
    token = _SITES.set({})
    try:
        yield
    finally:
        _SITES.reset(token)


def sites() -> list[Site]:
    """Every site, the first one first."""
    return list(Site.objects.order_by("pk"))


def time_zones() -> dict[int, str]:
    """Time zone by the id of the site, the first site first; one query."""
    return dict(Site.objects.order_by("pk").values_list("pk", "time_zone"))


def site_ids() -> list[int]:
    """Every site's id, the first one first."""
    return list(Site.objects.order_by("pk").values_list("pk", flat=True))


def item_by_code(code: str) -> Item | None:
    """The item of a code, however its letters are cased."""
    return Item.objects.filter(code__iexact=code.strip()).first() if code.strip() else None


def items_by_codes(codes: Iterable[str]) -> dict[str, Item]:
    """The items of codes however cased, by the code in small letters; one query."""
    asked = {code.strip().lower() for code in codes}
    rows = Item.objects.annotate(small=Lower("code")).filter(small__in=asked)
    return {item.code.lower(): item for item in rows}


def items_by_id(ids: Iterable[int]) -> dict[int, Item]:
    """The items that exist among the ids."""
    return Item.objects.in_bulk(list(ids))


def customer_by_code(code: str) -> Customer | None:
    """The customer of a code, however its letters are cased."""
    return Customer.objects.filter(code__iexact=code.strip()).first() if code.strip() else None


def customer_by_email(email: str) -> Customer | None:
    """The active customer whose address, or whose portal user's, this is; None where it is nobody's
    or that of several."""
    if not email.strip():
        return None
    users = CustomerUser.objects.filter(
        user__email__iexact=email.strip(), user__is_active=True
    ).values("customer_id")
    theirs = Q(email__iexact=email.strip()) | Q(pk__in=users)
    found = list(Customer.objects.filter(theirs, is_active=True)[:2])
    return found[0] if len(found) == 1 else None


def customer_labels() -> dict[str, str]:
    """Every customer's name in the active language, by code in order; one query."""
    rows = Customer.objects.order_by("code").only("code", "name", "name_zh")
    return {customer.code: customer.label for customer in rows}


def customer_transit_days(customer_id: int) -> int:
    """How many days a shipment takes to the customer's door; raise Customer.DoesNotExist."""
    return Customer.objects.values_list("transit_days", flat=True).get(pk=customer_id)


def transit_days_of(customer_ids: Iterable[int]) -> dict[int, int]:
    """Days on the way by customer id; unknown ones are left out. One query."""
    rows = Customer.objects.filter(pk__in=set(customer_ids))
    return dict(rows.values_list("pk", "transit_days"))


def transit_days(codes: Iterable[str]) -> dict[str, int]:
    """How many days shipments take to each customer's door, by code; one query."""
    rows = Customer.objects.filter(code__in=set(codes))
    return dict(rows.values_list("code", "transit_days"))


def customer_id_of(user_id: int) -> int | None:
    """The customer that a portal user belongs to."""
    return (
        CustomerUser.objects.filter(user_id=user_id).values_list("customer_id", flat=True).first()
    )


def portal_users(customer_id: int) -> list[User]:
    """The active accounts of a customer in the portal."""
    ids = CustomerUser.objects.filter(customer_id=customer_id).values("user_id")
    return list(User.objects.filter(pk__in=ids, is_active=True).order_by("pk"))


def items() -> list[Item]:
    """All active items by code."""
    return list(Item.objects.filter(is_active=True).order_by("code"))


def work_unit_by_code(code: str) -> WorkUnit | None:
    """The active work unit of a code."""
    return WorkUnit.objects.filter(code=code.strip(), is_active=True).first()


def work_unit(work_unit_id: int) -> WorkUnit:
    """The work unit with its work center; raise WorkUnit.DoesNotExist."""
    return WorkUnit.objects.select_related("work_center__site").get(pk=work_unit_id)


def work_units_by_id(ids: Iterable[int]) -> dict[int, WorkUnit]:
    """Work units by id; one query."""
    return WorkUnit.objects.in_bulk(list(ids))


def work_unit_choices() -> QuerySet[WorkUnit]:
    """All work units by code, those out of use too: history names them."""
    return WorkUnit.objects.order_by("code")


def tools_by_id(ids: Iterable[int]) -> dict[int, Tool]:
    """Tools by id; one query."""
    return Tool.objects.in_bulk(list(ids))


def supplier_by_code(code: str) -> Supplier:
    """The supplier of a code; raise Supplier.DoesNotExist."""
    return Supplier.objects.get(code=code)


def supplier_as_typed(code: str) -> Supplier | None:
    """The supplier of a code however its letters are cased, the one written so before others."""
    asked = code.strip()
    found = list(Supplier.objects.filter(code__iexact=asked)[:10]) if asked else []
    return next((row for row in found if row.code == asked), found[0] if found else None)


def supplier(supplier_id: int) -> Supplier:
    """The supplier, active or not; raise Supplier.DoesNotExist."""
    return Supplier.objects.get(pk=supplier_id)


def supplier_currency(*, supplier_id: int, on: date) -> str | None:
    """What most of the supplier's valid prices are in; None where it has none. One query."""
    prices = SupplierPrice.objects.filter(supplier=supplier_id, valid_from__lte=on)
    newest = prices.order_by("item_id", "-valid_from").distinct("item_id")
    counted = Counter(newest.values_list("currency", flat=True))
    return max(counted, key=lambda code: (counted[code], code)) if counted else None


def supplier_labels(ids: Iterable[int]) -> dict[int, str]:
    """Suppliers' codes and names in the active language, by id; one query."""
    rows = Supplier.objects.filter(pk__in=list(ids))
    return {row.pk: f"{row.code} · {row.label}" for row in rows}


def default_zone() -> str | None:
    """The time zone of the first site; None while there is none."""
    return Site.objects.order_by("pk").values_list("time_zone", flat=True).first()


def supplier_prices(
    pairs: Collection[tuple[int, int]], *, on: date, currency: str
) -> dict[tuple[int, int], Decimal]:
    """What suppliers ask for a piece on a day, in the currency, by item and supplier; one query.

    Those without a price are left out. A price of another currency is converted at the day's rate
    (one query more); raise NoExchangeRate without one.
    """
    wanted = set(pairs)
    prices = SupplierPrice.objects.filter(
        item__in={item for item, _supplier in wanted},
        supplier__in={supplier for _item, supplier in wanted},
        valid_from__lte=on,
    ).order_by("valid_from")
    newest = {
        (item, supplier): (price, paid_in)
        for item, supplier, price, paid_in in prices.values_list(
            "item_id", "supplier_id", "price", "currency"
        )
        if (item, supplier) in wanted
    }
    money = exchange(into=currency, on=on)
    return {pair: money.convert(*found) for pair, found in newest.items()}
