"""What lies where, and what of it may be taken first."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Prefetch, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from erp.enums import MoveKind
from erp.models import Bin, Requirement, Staging, StockMove, StockQuant, Warehouse
from masterdata import selectors as masterdata
from masterdata.enums import Tracking
from traceability import selectors as traceability

if TYPE_CHECKING:
    from masterdata.models import Item
    from traceability.models import Lot, SerialUnit

ZERO = Decimal(0)
MOST = 20
# Lot, unit.
Identity = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Take:
    """A quantity to be taken from a quant; ``staging`` where it stood ready there."""

    quant: StockQuant
    quantity: Decimal
    staging: Staging | None = None


def today(*, site_id: int, now: datetime) -> date:
    """The site's day."""
    return now.astimezone(ZoneInfo(masterdata.site(site_id).time_zone)).date()


def midnight(*, site_id: int, now: datetime) -> datetime:
    """When the site's day began."""
    here = now.astimezone(ZoneInfo(masterdata.site(site_id).time_zone))
    return here.replace(hour=0, minute=0, second=0, microsecond=0)


def days(*, now: datetime) -> dict[int, date]:
    """The day at each site, by its id; one query."""
    zones = masterdata.time_zones()
    return {pk: now.astimezone(ZoneInfo(zone)).date() for pk, zone in zones.items()}


def quants(
    *,
    site_id: int | None = None,
    item_id: int | None = None,
    lot_id: int | None = None,
    unit_id: int | None = None,
    bin_id: int | None = None,
) -> QuerySet[StockQuant]:
    """What lies where, by warehouse and bin, the one that expires first before the others."""
    found = StockQuant.objects.select_related("bin__warehouse__site", "item", "lot", "unit")
    for name, value in (
        ("bin__warehouse__site", site_id),
        ("item", item_id),
        ("lot", lot_id),
        ("unit", unit_id),
        ("bin", bin_id),
    ):
        if value is not None:
            found = found.filter(**{name: value})
    return found.order_by(
        "bin__warehouse__code",
        "bin__code",
        "item__code",
        Coalesce("lot__expires_on", "unit__expires_on").asc(nulls_last=True),
        "since",
        "pk",
    )


def on_hand_of_lots(lot_ids: Iterable[int]) -> dict[int, Decimal]:
    """What lies anywhere of each lot, in its item's unit; one query."""
    rows = StockQuant.objects.filter(lot__in=list(lot_ids)).order_by().values_list("lot")
    return {pk: total for pk, total in rows.annotate(total=Sum("quantity")) if pk is not None}


def usable(
    *,
    site_id: int,
    item_id: int,
    on: date,
    lot_id: int | None = None,
    unit_ids: Collection[int] = (),
    bin_id: int | None = None,
) -> QuerySet[StockQuant]:
    """Quants of an item that may be used on the day and are not staged for somebody.

    First expired, first out; of what keeps equally long the oldest.
    """
    found = usable_of(site_id=site_id, item_ids=[item_id], on=on)
    if lot_id is not None:
        found = found.filter(lot=lot_id)
    if unit_ids:
        found = found.filter(unit__in=list(unit_ids))
    if bin_id is not None:
        found = found.filter(bin=bin_id)
    return found


def usable_of(*, site_id: int, item_ids: Collection[int], on: date) -> QuerySet[StockQuant]:
    """The same of several items."""
    return (
        StockQuant.objects.filter(
            bin__warehouse__site=site_id,
            item__in=list(item_ids),
            is_held=False,
            quantity__gt=F("staged"),
        )
        .exclude(Q(lot__expires_on__lt=on) | Q(unit__expires_on__lt=on))
        .select_related("bin__warehouse", "lot", "unit")
        .order_by(
            Coalesce("lot__expires_on", "unit__expires_on").asc(nulls_last=True), "since", "pk"
        )
    )


def choose(
    *,
    site_id: int,
    item_id: int,
    tracking: str,
    quantity: Decimal,
    on: date,
    lot_id: int | None = None,
    unit_ids: Collection[int] = (),
    bin_id: int | None = None,
    taken: dict[int, Decimal] | None = None,
) -> list[Take]:
    """What to take for a quantity, first expired first out; less where there is not so much.

    ``taken`` says what of each quant (by id) the caller has promised before, and is counted on.
    """
    taken = {} if taken is None else taken
    rows = usable(
        site_id=site_id, item_id=item_id, on=on, lot_id=lot_id, unit_ids=unit_ids, bin_id=bin_id
    )
    if tracking == Tracking.SERIAL:
        # A store may hold tens of thousands of units; only so many rows are needed.
        pieces = int(quantity.to_integral_value(ROUND_CEILING))
        rows = rows.exclude(pk__in=list(taken))[:pieces]
    return allot(rows, quantity, taken)


def allot(rows: Iterable[StockQuant], quantity: Decimal, taken: dict[int, Decimal]) -> list[Take]:
    """Take from the quants in their order what ``taken`` leaves of them, and note it there."""
    found: list[Take] = []
    for quant in rows:
        if quantity <= 0:
            break
        share = min(quantity, quant.quantity - quant.staged - taken.get(quant.pk, ZERO))
        if share > 0:
            found.append(Take(quant, share))
            taken[quant.pk] = taken.get(quant.pk, ZERO) + share
            quantity -= share
    return found


def issued_of(*, requirement: Requirement, reference: str) -> dict[Identity, Decimal]:
    """What went out for the requirement's document less what came back, by lot and unit.

    Two requirements of one document for the same item share the sum.
    """
    rows = (
        StockMove.objects.filter(
            item=requirement.item_id,
            site=requirement.site_id,
            reference=reference,
            kind__in=[MoveKind.ISSUE, MoveKind.BACKFLUSH, MoveKind.RETURN],
        )
        .order_by()
        .values_list("lot", "unit")
        .annotate(total=Sum("quantity"))
    )
    return {(lot, unit): -total for lot, unit, total in rows if total}


def delivered_of(*, item_id: int, site_id: int, reference: str) -> dict[Identity, Decimal]:
    """What came under a reference less what went back to the supplier, by lot and unit."""
    rows = (
        StockMove.objects.filter(
            item=item_id,
            site=site_id,
            reference=reference,
            kind__in=[MoveKind.RECEIPT, MoveKind.SUPPLIER],
        )
        .order_by()
        .values_list("lot", "unit")
        .annotate(total=Sum("quantity"))
    )
    return {(lot, unit): total for lot, unit, total in rows if total}


def stagings(requirement_ids: Iterable[int]) -> QuerySet[Staging]:
    """What stands ready for requirements, in the order in which it is used."""
    return (
        Staging.objects.filter(requirement__in=list(requirement_ids))
        .select_related("quant__bin", "quant__lot", "quant__unit", "requirement")
        .order_by(
            Coalesce("quant__lot__expires_on", "quant__unit__expires_on").asc(nulls_last=True),
            "quant__since",
            "pk",
        )
    )


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a label says; several things of one number are several."""

    bin: Bin | None = None
    item: "Item | None" = None
    lot: "Lot | None" = None
    unit: "SerialUnit | None" = None


def scanned(*, text: str, site_id: int) -> list[Scanned]:
    """What a scanned or typed text names at the site: units, lots, bins, items; none: unknown."""
    text = text.strip()
    if not text:
        return []
    things: list[Scanned] = [
        Scanned(item=unit.item, unit=unit) for unit in traceability.units_named(text)[:MOST]
    ]
    things += [Scanned(item=lot.item, lot=lot) for lot in traceability.lots_named(text)[:MOST]]
    places = bins_named(text, site_id=site_id)
    things += [Scanned(bin=place) for place in places]
    item = masterdata.item_by_code(text)
    return [*things, Scanned(item=item)] if item else things


def warehouses(*, site_id: int) -> QuerySet[Warehouse]:
    """The site's warehouses with their bins."""
    return Warehouse.objects.filter(site=site_id).prefetch_related("bins").order_by("pk")


def warehouses_with_contents(*, site_id: int) -> QuerySet[Warehouse]:
    """The site's warehouses; each bin with ``items``, how many different ones lie in it."""
    found = Bin.objects.filter(is_active=True).annotate(
        items=Count("quants__item", distinct=True), quants_count=Count("quants")
    )
    return (
        Warehouse.objects.filter(site=site_id)
        .prefetch_related(Prefetch("bins", queryset=found.order_by("code")))
        .order_by("pk")
    )


def bin_by_id(bin_id: int) -> Bin:
    """The bin with its warehouse; raise ObjectDoesNotExist."""
    return Bin.objects.select_related("warehouse__site").get(pk=bin_id)


def bins_named(text: str, *, site_id: int) -> list[Bin]:
    """Bins in use that a code names: "A-01" here, "MAIN/A-01", or "SITE/MAIN/A-01" anywhere."""
    *before, code = [part.strip() for part in text.split("/")]
    found = Bin.objects.filter(code__iexact=code, is_active=True).select_related("warehouse__site")
    if len(before) < 2:
        found = found.filter(warehouse__site=site_id)
    else:
        found = found.filter(warehouse__site__code__iexact=before[-2])
    if before:
        found = found.filter(warehouse__code__iexact=before[-1])
    return list(found.order_by("pk")[:MOST])


def bins_anywhere(text: str) -> list[Bin]:
    """Bins in use that a code names at any site: "A-01" or "MAIN/A-01"."""
    *before, code = [part.strip() for part in text.split("/")]
    found = Bin.objects.filter(code__iexact=code, is_active=True).select_related("warehouse__site")
    if before:
        found = found.filter(warehouse__code__iexact=before[-1])
    return list(found.order_by("pk")[:MOST])


def places_of(quants: "QuerySet[StockQuant]") -> list[Bin]:
    """The bins in which quants lie."""
    return list(
        Bin.objects.filter(pk__in=quants.values("bin")).select_related("warehouse").order_by("pk")
    )


def sites_with(quants: "QuerySet[StockQuant]") -> list[str]:
    """The labels of the sites at which quants lie, the first site first; two queries."""
    found = set(quants.order_by().values_list("bin__warehouse__site", flat=True).distinct())
    return [site.label for site in masterdata.sites() if site.pk in found]


def bins(*, site_id: int) -> QuerySet[Bin]:
    """The site's bins in use, as labels are read: by warehouse and code."""
    return (
        Bin.objects.filter(warehouse__site=site_id, is_active=True)
        .select_related("warehouse")
        .order_by("warehouse", "code")
    )
