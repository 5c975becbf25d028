"""Made items that come from another site: who waits for them, and what of them is free.

Nobody is pegged to a consignment: it is shared out whenever somebody asks, to those who waited
first. So a consignment that is lost, held, called back or late leaves nothing to mend: who
counted on it waits for nothing any more, and is planned for again (``services.covering``).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from erp import selectors as erp
from erp.selectors import Incoming, MaterialDate, MaterialKind
from masterdata.enums import Supply
from mes.selectors.open_shares import open_shares

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a consignment that a requirement waits for."""

    quantity: Decimal
    at: datetime
    # The transfer's number, and the code of the site that it left.
    reference: str
    origin: str


@dataclass(frozen=True, slots=True)
class Transit:
    """What comes of made items: shares by requirement id, and the rest, the earliest first."""

    shares: Mapping[int, list[Share]]
    free: list[Incoming]
    # Requirements for which the shares are all that was missing.
    complete: frozenset[int]

    def covered(self, requirement_id: int) -> Decimal:
        """How much of a requirement comes from another site."""
        return sum((share.quantity for share in self.shares.get(requirement_id, [])), ZERO)

    def free_quantities(self) -> dict[int, Decimal]:
        """What nobody waits for yet, by item id."""
        found: dict[int, Decimal] = defaultdict(Decimal)
        for row in self.free:
            found[row.item_id] += row.quantity
        return dict(found)


NOTHING = Transit({}, [], frozenset())


def transit(
    *,
    site_id: int,
    now: datetime,
    item_ids: Collection[int] | None = None,
    wanted: Mapping[int, Decimal] | None = None,
) -> Transit:
    """Share out what comes from other sites; one query where nothing does, four where it does.

    What should have come already is not counted on: who waits for it is made for. Who has waited
    the longest is served first, so that nobody who comes later takes what others count on.
    ``wanted``: so much of these requirements (by id) is being planned for, and counts on nothing
    yet.
    """
    coming = erp.made_in_transit(site_id=site_id, now=now, item_ids=item_ids)
    if not coming:
        return NOTHING
    needs = erp.waiting(
        site_id=site_id, item_ids={row.item_id for row in coming}, supply=Supply.MAKE
    )
    pegged = open_shares([need.requirement_id for need in needs])
    left: dict[int, list[Incoming]] = defaultdict(list)
    for row in coming:
        left[row.item_id].append(row)
    shares: dict[int, list[Share]] = {}
    complete = set()
    for need in sorted(needs, key=lambda need: need.requirement_id):
        made = sum((share.left for share in pegged.get(need.requirement_id, [])), ZERO)
        rest = need.quantity - made - (wanted or {}).get(need.requirement_id, ZERO)
        for row in left[need.item_id]:
            part = min(rest, row.quantity)
            if part > 0:
                row.quantity -= part
                rest -= part
                given = shares.setdefault(need.requirement_id, [])
                given.append(Share(part, row.at, row.reference, row.origin))
        if need.requirement_id in shares and rest <= 0:
            complete.add(need.requirement_id)
    return Transit(shares, [row for row in coming if row.quantity > 0], frozenset(complete))


@dataclass(frozen=True, slots=True)
class Owed:
    """Free stock that is for a requirement which nothing covers any more."""

    requirement_id: int
    item_id: int
    quantity: Decimal


def owed(
    *,
    site_id: int,
    now: datetime,
    free: Mapping[int, Decimal],
    wanted: Mapping[int, Decimal] | None = None,
) -> list[Owed]:
    """What of the free stock (by item id) is for those who wait already, the longest first.

    Between a consignment's arrival and the job that shares it out (``services.covering``) it lies
    free, and whoever plans or promises meanwhile would take it from those who counted on it.
    Those of ``wanted`` are planned for now, and take their share of the stock themselves. No query
    where nothing is free, one where nobody waits.
    """
    left = {pk: quantity for pk, quantity in free.items() if quantity > 0}
    needs = erp.waiting(site_id=site_id, item_ids=left, supply=Supply.MAKE) if left else []
    needs = [need for need in needs if need.requirement_id not in (wanted or {})]
    if not needs:
        return []
    items = {need.item_id for need in needs}
    coming = transit(site_id=site_id, now=now, item_ids=items, wanted=wanted)
    pegged = open_shares([need.requirement_id for need in needs])
    found = []
    for need in sorted(needs, key=lambda need: need.requirement_id):
        made = sum((share.left for share in pegged.get(need.requirement_id, [])), ZERO)
        part = min(need.quantity - made - coming.covered(need.requirement_id), left[need.item_id])
        if part > 0:
            left[need.item_id] -= part
            found.append(Owed(need.requirement_id, need.item_id, part))
    return found


def material_dates(
    *, site_id: int, now: datetime, coming: Transit | None = None
) -> dict[int, MaterialDate]:
    """When material that is bought, or comes from another site, is complete: by requirement id.

    Made items are in it where nothing but a consignment is missing beside their work orders.
    ``coming`` spares whoever has it already the queries for it.
    """
    dates = erp.material_dates(site_id=site_id, now=now)
    found = transit(site_id=site_id, now=now) if coming is None else coming
    for pk in found.complete:
        last = max(found.shares[pk], key=lambda share: share.at)
        dates[pk] = MaterialDate(last.at, MaterialKind.IN_TRANSIT, last.reference, last.origin)
    return dates
