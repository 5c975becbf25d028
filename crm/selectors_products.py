"""Which product a serial number is, who has it, since when, and until when we answer for it."""

import re
from calendar import monthrange
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import takewhile
from typing import TYPE_CHECKING

from django.utils import timezone

from traceability import selectors as ledger
from traceability.enums import DocumentKind, IdentityState, NodeKind, kind_of

if TYPE_CHECKING:
    from traceability.models import Custody, Lot, SerialUnit

# GS1: application identifier 21 is the serial number, 10 the lot.
_GS1 = re.compile(r"\((?:21|10)\)([^()]+)")
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LONGEST_TRIED = 24
MOST_SUGGESTED = 6


@dataclass(frozen=True, slots=True)
class Product:
    """A lot or unit as after-sales sees it.

    It is whose the outermost product around it is, and what was sold has the warranty: from its
    first delivery to who has it now. Back after a repair it keeps that day; to somebody else it
    is sold anew.
    """

    thing: int
    kind: NodeKind
    number: str
    item_id: int
    item_code: str
    item_label: str
    state: IdentityState
    made_at: datetime
    # Customers to whom it was delivered, the last one last; a unit inside another counts as it.
    customers: tuple[int, ...] = ()
    customer_code: str = ""
    customer_label: str = ""
    # The first delivery to who has it now.
    shipment: str = ""
    order: str = ""
    shipped_at: datetime | None = None
    warranty_until: date | None = None
    # It is out there now, not back for a repair or in our store.
    is_delivered: bool = False

    @property
    def customer_id(self) -> int | None:
        """Who has it now, as far as we know."""
        return self.customers[-1] if self.customers else None

    def is_with(self, customer_id: int) -> bool:
        """Whether the customer got it: the last one who did; of a lot, anybody who got some."""
        if self.kind == NodeKind.LOT:
            return customer_id in self.customers
        return customer_id == self.customer_id

    def is_covered(self, on: date) -> bool | None:
        """Whether the warranty still runs; None where nobody knows."""
        return None if self.warranty_until is None else on <= self.warranty_until


def typed_number(text: str) -> str:
    """The number in what was typed, pasted or scanned: plain, GS1 or a Digital Link."""
    found = _GS1.search(text)
    return (found[1] if found else ledger.number_of(text)).strip()[:60]


def product(thing: int | None, *, told_to: int | None = None) -> Product | None:
    """One lot or unit; None where the ledger does not know it.

    ``told_to``: only with what that customer may read of it, their own deliveries.
    """
    return products([thing], told_to=told_to).get(thing) if thing is not None else None


def products(things: Iterable[int], *, told_to: int | None = None) -> dict[int, Product]:
    """Lots and units by id, with who has them; the queries do not grow with their number."""
    wanted = set(things)
    lots = ledger.lots([pk for pk in wanted if kind_of(pk) == NodeKind.LOT])
    units = ledger.units([pk for pk in wanted if kind_of(pk) == NodeKind.UNIT])
    outermost = _outermost(units)
    around = {**units, **ledger.units(set(outermost.values()) - set(units))}
    by_thing: dict[int, list[Custody]] = {}
    for custody in ledger.custodies_of({*lots, *outermost.values()}):
        if told_to in (None, custody.document.customer_id):
            by_thing.setdefault(custody.thing, []).append(custody)
    return {
        **{pk: _product(lot, lot, by_thing.get(pk, [])) for pk, lot in lots.items()},
        **{
            pk: _product(unit, around[outermost[pk]], by_thing.get(outermost[pk], []))
            for pk, unit in units.items()
        },
    }


def numbers(things: Iterable[int]) -> dict[int, str]:
    """What lots and units are called, by id; two queries."""
    wanted = set(things)
    lots = ledger.lots([pk for pk in wanted if kind_of(pk) == NodeKind.LOT])
    units = ledger.units([pk for pk in wanted if kind_of(pk) == NodeKind.UNIT])
    return {pk: row.number for pk, row in {**lots, **units}.items()}


def _outermost(units: Collection[int]) -> dict[int, int]:
    """By unit: the unit that it is now in, through all levels, or itself."""
    found = {pk: pk for pk in units}
    open_ = dict(ledger.hosts_now(list(found)))
    while open_:
        found = {pk: open_.get(outer, outer) for pk, outer in found.items()}
        open_ = ledger.hosts_now(sorted(set(found.values())))
    return found


def _product(
    row: "Lot | SerialUnit", sold: "Lot | SerialUnit", custodies: "Iterable[Custody]"
) -> Product:
    """The thing by its row; ``sold`` is the outermost thing around it, with its custodies."""
    deliveries = [
        (custody.document, customer)
        for custody in custodies
        if custody.document.kind == DocumentKind.SHIPMENT
        and (customer := custody.document.customer) is not None
    ]
    seen = Product(
        thing=row.pk,
        kind=kind_of(row.pk),
        number=row.number,
        item_id=row.item_id,
        item_code=row.item.code,
        item_label=row.item.label,
        state=IdentityState(row.state),
        made_at=row.made_at,
        customers=tuple(customer.pk for _paper, customer in deliveries),
        is_delivered=sold.state == IdentityState.SHIPPED,
    )
    if not deliveries:
        return seen
    holder = deliveries[-1][1]
    theirs = takewhile(lambda one: one[1].pk == holder.pk, reversed(deliveries))
    first, _customer = list(theirs)[-1]
    months = sold.item.warranty_months
    return replace(
        seen,
        customer_code=holder.code,
        customer_label=holder.label,
        shipment=first.number,
        order=first.order_number,
        shipped_at=first.at,
        warranty_until=_after_months(timezone.localdate(first.at), months) if months else None,
    )


def _after_months(day: date, months: int) -> date:
    """The same day so many months later, the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def named(text: str) -> list[Product]:
    """The products that carry this number, units before lots."""
    number = typed_number(text)
    if not ledger.normalised(number):
        return []
    units = list(ledger.units_named(number).values_list("pk", flat=True)[:20])
    lots = list(ledger.lots_named(number).values_list("pk", flat=True)[:20])
    found = products([*units, *lots])
    return [found[pk] for pk in [*units, *lots] if pk in found]


def suggested(text: str) -> list[Product]:
    """Products whose number differs by one letter: missing, too many, wrong, or two swapped."""
    norm = ledger.normalised(typed_number(text))
    if not 3 <= len(norm) <= _LONGEST_TRIED:
        return []
    ids = ledger.numbered_like(sorted(_one_off(norm)), most=MOST_SUGGESTED)
    found = products(ids)
    return [found[pk] for pk in ids if pk in found]


def _one_off(norm: str) -> set[str]:
    cuts = [(norm[:at], norm[at:]) for at in range(len(norm) + 1)]
    gone = {head + tail[1:] for head, tail in cuts if tail}
    swapped = {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    wrong = {head + letter + tail[1:] for head, tail in cuts if tail for letter in _LETTERS}
    more = {head + letter + tail for head, tail in cuts for letter in _LETTERS}
    return (gone | swapped | wrong | more) - {norm}


def held_by(customer_id: int, text: str) -> Product | None:
    """The product of this number that was delivered to the customer; None for any other one."""
    found = next((one for one in named(text) if one.is_with(customer_id)), None)
    return product(found.thing, told_to=customer_id) if found else None


def held_among(customer_id: int, words: Iterable[str]) -> list[Product]:
    """The customer's products whose number is one of the words; a few queries, however many."""
    norms = {norm for word in words if len(norm := ledger.normalised(word)) >= 4}
    found = products(ledger.numbered_like(sorted(norms), most=50))
    return [one for one in found.values() if one.is_with(customer_id)]


def traits(thing: int) -> tuple[set[int], set[int]]:
    """The lots inside a product (itself, where it is one), and the machines that made it."""
    inside = ledger.above([thing])
    lots = {pk for pk in inside if kind_of(pk) == NodeKind.LOT}
    units = {pk for pk in inside if kind_of(pk) == NodeKind.UNIT} | {thing}
    read = ledger.readings_of(units).filter(work_unit_id__isnull=False).order_by()
    machines = read.values_list("work_unit_id", flat=True).distinct()
    return lots, {pk for pk in machines if pk is not None}
