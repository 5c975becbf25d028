"""When bought material will be there, and where it falls short."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from erp.enums import RequirementState, SupplyKind
from erp.models import Requirement, StockTransfer, Supply
from erp.selectors.demand import Waiting, waiting
from erp.selectors.planning import local_day
from masterdata.enums import Supply as ItemSupply

ZERO = Decimal(0)
DAY = timedelta(days=1)


class MaterialKind(models.TextChoices):
    """Why material is there when it is."""

    ON_STOCK = "on_stock", _("On stock")
    ON_ORDER = "on_order", _("On order")
    IN_TRANSIT = "in_transit", _("On its way from another site")
    LEAD_TIME = "lead_time", _("Not on order; lead time")


@dataclass(frozen=True, slots=True)
class MaterialDate:
    """When a requirement's material is complete; ``at`` is None where it lies in the store."""

    at: datetime | None
    kind: MaterialKind
    # The purchase order or the transfer that brings the last of it.
    reference: str = ""
    # Of a transfer of made items: the code of the site that it comes from.
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Shortage:
    """A bought item that will not be there when somebody needs it."""

    item_id: int
    item_code: str
    item_name: str
    item_name_zh: str
    uom: str
    requirement_id: int
    # Who needs it: "WO-100007" or "SO-100001/10".
    reference: str
    quantity: Decimal
    # When it hurts.
    due_at: datetime
    # When it will come, by what is on order or by its lead time.
    expected_at: datetime
    kind: MaterialKind
    order_reference: str

    @property
    def is_late(self) -> bool:
        return self.expected_at > self.due_at

    @property
    def expected_on(self) -> date:
        """The day of it, as a supplier says it: the end of a day is that day."""
        return local_day(self.expected_at, timezone.get_current_timezone())


@dataclass(slots=True)
class Incoming:
    """What is still to come of a purchase or a transfer, and when it is counted on."""

    item_id: int
    quantity: Decimal
    at: datetime
    reference: str
    # From another site, of made items with its code.
    is_transfer: bool = False
    origin: str = ""


def incoming(
    *,
    site_id: int,
    now: datetime,
    item_ids: Iterable[int] | None = None,
    moved: Mapping[int, datetime] | None = None,
) -> list[Incoming]:
    """Open purchase order lines of a site and what comes from other sites, by day; one query.

    It is counted on for the end of its due day, what is overdue for a day from now. ``moved``
    asks what if: purchase order lines by id with another moment.
    """
    rows = Supply.objects.filter(site_id=site_id, kind__in=SupplyKind.bought(), is_firm=True)
    if item_ids is not None:
        rows = rows.filter(item__in=list(item_ids))
    found = []
    for kind, source_id, item_id, quantity, due_at, reference in rows.order_by(
        "due_at", "reference", "source_id"
    ).values_list("kind", "source_id", "item_id", "quantity", "due_at", "reference"):
        is_bought = kind == SupplyKind.PURCHASE_ORDER
        at = (moved or {}).get(source_id, due_at) if is_bought else due_at
        at = at if at > now else now + DAY
        found.append(Incoming(item_id, quantity, at, reference, not is_bought))
    # Stable: what is overdue keeps its order, after what comes earlier than a day from now.
    return sorted(found, key=lambda line: line.at)


# The site that a consignment left, by its number.
_SENDER = models.Subquery(
    StockTransfer.objects.filter(number=models.OuterRef("reference")).values("from_site__code")[:1]
)


def made_in_transit(
    *, site_id: int, now: datetime, item_ids: Iterable[int] | None = None
) -> list[Incoming]:
    """What comes of made items from other sites, the earliest first; one query.

    Without what should have come already: nobody knows when it will, and it can be made.
    """
    rows = Supply.objects.filter(
        site_id=site_id, kind=SupplyKind.TRANSFER, item__supply=ItemSupply.MAKE, due_at__gt=now
    )
    if item_ids is not None:
        rows = rows.filter(item__in=list(item_ids))
    return [
        Incoming(item_id, quantity, at, reference, is_transfer=True, origin=origin)
        for item_id, quantity, at, reference, origin in rows.annotate(origin=_SENDER)
        .order_by("due_at", "reference", "source_id")
        .values_list("item_id", "quantity", "due_at", "reference", "origin")
    ]


def sites_with_late_transit(*, now: datetime) -> list[int]:
    """Sites that wait for made items which should have come from another one; one query."""
    rows = Supply.objects.filter(
        kind=SupplyKind.TRANSFER, item__supply=ItemSupply.MAKE, due_at__lte=now
    )
    return list(rows.order_by("site").values_list("site", flat=True).distinct())


def material_dates(
    *,
    site_id: int,
    now: datetime,
    item_ids: Iterable[int] | None = None,
    moved: Mapping[int, datetime] | None = None,
) -> dict[int, MaterialDate]:
    """When the material of each open requirement of a bought item is complete, by id.

    Three queries for any number of requirements. What stock does not cover is given the open
    purchase order lines, the first due need first; the rest would be ordered now. ``moved`` as in
    ``incoming``.
    """
    bought = Requirement.objects.filter(
        site_id=site_id, state=RequirementState.OPEN, item__supply=ItemSupply.BUY
    )
    items = None if item_ids is None else list(item_ids)
    if items is not None:
        bought = bought.filter(item__in=items)
    lead_times = dict(bought.values_list("pk", "item__lead_time_days"))
    on_stock = MaterialDate(at=None, kind=MaterialKind.ON_STOCK)
    dates = dict.fromkeys(lead_times, on_stock)
    needs = waiting(site_id=site_id, item_ids=items)
    supplies = _by_item(incoming(site_id=site_id, now=now, item_ids=items, moved=moved))
    for need in needs:
        days = lead_times.get(need.requirement_id, 0)
        dates[need.requirement_id] = _take(need, supplies[need.item_id], now, days)
    return dates


def shortages(*, site_id: int, now: datetime) -> list[Shortage]:
    """Bought items that stock does not cover, by the date that it hurts; late ones say so."""
    needs = waiting(site_id=site_id)
    dates = material_dates(site_id=site_id, now=now)
    items = {
        requirement.pk: requirement.item
        for requirement in Requirement.objects.filter(
            pk__in=[need.requirement_id for need in needs]
        ).select_related("item")
    }
    found = []
    for need in needs:
        item, material = items[need.requirement_id], dates[need.requirement_id]
        found.append(
            Shortage(
                item_id=item.pk,
                item_code=item.code,
                item_name=item.name,
                item_name_zh=item.name_zh,
                uom=item.uom,
                requirement_id=need.requirement_id,
                reference=need.reference,
                quantity=need.quantity,
                due_at=need.due_at,
                expected_at=material.at or now,
                kind=material.kind,
                order_reference=material.reference,
            )
        )
    return found


def _by_item(lines: Iterable[Incoming]) -> dict[int, deque[Incoming]]:
    found: dict[int, deque[Incoming]] = defaultdict(deque)
    for line in lines:
        found[line.item_id].append(line)
    return found


def _take(
    need: Waiting, supplies: deque[Incoming], now: datetime, lead_time_days: int
) -> MaterialDate:
    """The date of the last piece; takes what it uses out of ``supplies``."""
    left, last = need.quantity, None
    while left > 0 and supplies:
        last = supplies[0]
        share = min(left, last.quantity)
        left -= share
        last.quantity -= share
        if not last.quantity:
            supplies.popleft()
    if left > 0 or last is None:
        ordered_now = now + lead_time_days * DAY
        at = max(ordered_now, last.at) if last else ordered_now
        return MaterialDate(at, MaterialKind.LEAD_TIME)
    kind = MaterialKind.IN_TRANSIT if last.is_transfer else MaterialKind.ON_ORDER
    return MaterialDate(last.at, kind, last.reference)
