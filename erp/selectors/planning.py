"""What requirements planning starts from, read once: demand, stock, supply, items, bills, terms."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import F, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from common.errors import Refused
from erp import mrp
from erp.enums import ProposalAction, ProposalState, RequirementState, SupplyKind
from erp.models import Proposal, Requirement, StockBalance, StockQuant, Supply, SupplyRule
from masterdata import selectors as masterdata
from masterdata.enums import LotPolicy
from masterdata.enums import Supply as ItemSupply

# Keys of receipts that are proposals already accepted; those of supply rows are positive.
_ACCEPTED = -1


class CannotPlan(Refused):
    """The site cannot be planned; the sentence says what to mend."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A situation to plan, and what the result is matched against when it is written."""

    situation: mrp.Situation
    # Proposals that were open, accepted ones left out: what is accepted meanwhile is seen by it.
    open_ids: frozenset[int]
    supplies: dict[int, Supply]
    # Currencies of suppliers' prices that cannot be converted into the site's.
    unknown_currencies: frozenset[str] = frozenset()


def supply_rule(site_id: int) -> SupplyRule:
    """The site's rules; those of a new site where nobody set any (not saved)."""
    return SupplyRule.objects.filter(site=site_id).first() or SupplyRule(site_id=site_id)


def read_situation(*, site_id: int, today: date, zone: ZoneInfo) -> Reading:
    """Everything that planning a site needs, in ten queries; raise CannotPlan for a BOM cycle."""
    open_ids = frozenset(
        Proposal.objects.filter(site=site_id, state=ProposalState.OPEN).values_list("pk", flat=True)
    )
    demands = _demands(site_id, zone)
    supplies = {row.pk: row for row in Supply.objects.filter(site=site_id)}
    receipts = [_receipt(row, zone) for row in supplies.values()] + _accepted(site_id)
    stock = _usable(site_id)
    bills = masterdata.bills(today)
    below = bills.below()
    known = {d.item_id for d in demands} | {r.item_id for r in receipts} | below.keys()
    known.update(child for children in below.values() for child in children)
    items = masterdata.planned_items(known)
    site = masterdata.site(site_id)
    terms = masterdata.supplier_terms(on=today)
    money = masterdata.exchange(into=site.currency, on=today)
    try:
        levels = mrp.low_level_codes(below)
    except ValueError:
        raise CannotPlan(_("An item contains itself: mend its bill of material.")) from None
    situation = mrp.Situation(
        today=today,
        items={item.item_id: _item(item, terms.get(item.item_id, []), money) for item in items},
        levels=levels,
        components=_Components(bills),
        stock=stock,
        demands=demands,
        receipts=receipts,
        tolerance_days=supply_rule(site_id).tolerance_days,
        expiring=_expiring(site_id),
    )
    paid_in = {one.currency for item in items for one in terms.get(item.item_id, [])}
    unknown = frozenset(currency for currency in paid_in if not money.knows(currency))
    return Reading(situation, open_ids, supplies, unknown)


def better_covered(reading: Reading, *, site_id: int, zone: ZoneInfo) -> set[int]:
    """Items of which there is more left over now than when it was read: somebody ordered, received
    or needs less. Four queries."""
    was = reading.situation
    rows = Supply.objects.filter(site=site_id)
    receipts = [_receipt(row, zone) for row in rows] + _accepted(site_id)
    now = _left_over(_usable(site_id), receipts, _demands(site_id, zone))
    before = _left_over(was.stock, was.receipts, was.demands)
    return {pk for pk in {*now, *before} if now.get(pk, 0) > before.get(pk, 0)}


def _left_over(
    stock: Mapping[int, Decimal], receipts: Iterable[mrp.Receipt], demands: Iterable[mrp.Demand]
) -> dict[int, Decimal]:
    left = dict(stock)
    for receipt in receipts:
        left[receipt.item_id] = left.get(receipt.item_id, Decimal(0)) + receipt.quantity
    for demand in demands:
        left[demand.item_id] = left.get(demand.item_id, Decimal(0)) - demand.quantity
    return left


def _usable(site_id: int) -> dict[int, Decimal]:
    """What lies there by item; what quality holds is nobody's, as if it were not there."""
    usable = F("on_hand") - F("held")
    return dict(StockBalance.objects.filter(site=site_id).values_list("item_id", usable))


def _expiring(site_id: int) -> dict[int, list[tuple[date, Decimal]]]:
    """What of the usable stock has a last day, by item; one query."""
    rows = (
        StockQuant.objects.filter(bin__warehouse__site=site_id, is_held=False)
        .annotate(last_day=Coalesce("lot__expires_on", "unit__expires_on"))
        .filter(last_day__isnull=False, quantity__gt=0)
        .order_by()
        .values_list("item_id", "last_day")
        .annotate(total=Sum("quantity"))
    )
    found: dict[int, list[tuple[date, Decimal]]] = {}
    for item_id, last_day, total in rows:
        found.setdefault(item_id, []).append((last_day, total))
    return found


def _demands(site_id: int, zone: ZoneInfo) -> list[mrp.Demand]:
    rows = Requirement.objects.filter(
        site=site_id, state=RequirementState.OPEN, quantity__gt=F("issued")
    ).values_list("pk", "item_id", F("quantity") - F("issued"), "due_at")
    return [
        mrp.Demand(pk, item_id, quantity, local_day(due_at, zone))
        for pk, item_id, quantity, due_at in rows.order_by("due_at", "pk")
    ]


def _receipt(row: Supply, zone: ZoneInfo) -> mrp.Receipt:
    # What is on the road between two sites can be neither hurried nor called off.
    speaks = row.kind != SupplyKind.TRANSFER
    day = local_day(row.due_at, zone)
    return mrp.Receipt(row.pk, row.item_id, row.quantity, day, row.is_started, speaks)


def _accepted(site_id: int) -> list[mrp.Receipt]:
    """Proposals to make that the shop floor is about to turn into work orders."""
    rows = Proposal.objects.filter(
        site=site_id, state=ProposalState.ACCEPTED, action=ProposalAction.MAKE
    )
    return [
        mrp.Receipt(_ACCEPTED * row.pk, row.item_id, row.quantity, row.due_date, speaks=False)
        for row in rows
        if row.quantity > 0
    ]


def local_day(moment: datetime, zone: tzinfo) -> date:
    """The site's day of a moment; midnight is the end of the day before it."""
    local = moment.astimezone(zone)
    if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        return date.fromordinal(local.date().toordinal() - 1)
    return local.date()


def _item(
    item: masterdata.PlannedItem, terms: list[masterdata.Terms], money: masterdata.Exchange
) -> mrp.Item:
    return mrp.Item(
        id=item.item_id,
        is_made=item.supply == ItemSupply.MAKE,
        uom=item.uom,
        lead_time_days=item.lead_time_days,
        scrap_rate=item.scrap_rate,
        lot_size=item.lot_size if item.lot_policy == LotPolicy.FIXED else None,
        period_days=item.lot_period_days if item.lot_policy == LotPolicy.PERIOD else None,
        safety_stock=item.safety_stock if item.is_active else Decimal(0),
        offers=tuple(offer(one, money) for one in terms),
    )


def offer(terms: masterdata.Terms, money: masterdata.Exchange) -> mrp.Offer:
    """A supplier's terms as planning's arithmetic takes them."""
    return mrp.Offer(
        supplier_id=terms.supplier_id,
        price=terms.price,
        lead_time_days=terms.lead_time_days,
        minimum=terms.minimum,
        maximum=terms.maximum,
        currency=terms.currency,
        exchange=money.rate(terms.currency) if money.knows(terms.currency) else None,
    )


class _Components:
    """The bills as planning asks for them: often, and for few days."""

    def __init__(self, bills: masterdata.Bills) -> None:
        self._bills = bills
        self._known: dict[tuple[int, date], list[mrp.Component]] = {}

    def __call__(self, item_id: int, day: date) -> list[mrp.Component]:
        found = self._known.get((item_id, day))
        if found is None:
            found = self._known[item_id, day] = [
                mrp.Component(line.item_id, line.quantity_per, line.scrap_rate)
                for line in self._bills.of(item_id, day)
            ]
        return found
