"""The one place where quantities change: moves, quants and balances in one statement block.

Callers hold the site's supply lock (``common.concurrency.Lock.SUPPLY``), of several sites in the
order of their ids, and have checked what may be done. Rows are locked by table (balances, quants,
lots, units), then by key. Every figure changes by its difference, so that the named constraints
judge true figures even where somebody forgot the lock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, connection

from common import bulk
from common.models import User
from erp import selectors
from erp.enums import BinKind, MoveKind
from erp.models import Bin, StockBalance, StockMove, StockQuant
from erp.services import genealogy, valuing
from erp.services.genealogy import Paper
from traceability import selectors as traceability
from traceability.enums import IdentityState
from traceability.services import identities

ZERO = Decimal(0)
# Item id, site id.
Balance = tuple[int, int]
# Bin, item, lot, unit.
Place = tuple[int, int, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """A signed quantity of an item, of its lot or unit, in a bin."""

    bin_id: int
    item_id: int
    quantity: Decimal
    lot_id: int | None = None
    unit_id: int | None = None

    @property
    def place(self) -> Place:
        return (self.bin_id, self.item_id, self.lot_id, self.unit_id)


@dataclass(frozen=True, slots=True)
class Why:
    """What all moves of a booking have in common."""

    kind: MoveKind
    reference: str
    by: User | None
    now: datetime
    document: str = ""
    # What becomes of lots and units that leave the store with it.
    leaves_as: IdentityState = IdentityState.CONSUMED
    # What a piece that comes in cost, in the site's currency; unknown: what those there did.
    price: Decimal | None = None
    # The one order line that the work order (the reference) is for.
    order_line: str = ""
    # The work order is closed: what comes back of it is a variance.
    is_settled: bool = False
    # What the genealogy ledger says of the document.
    paper: Paper | None = None


@dataclass(slots=True)
class _Differences:
    """What changes of the balance of an item at a site."""

    on_hand: Decimal = ZERO
    held: Decimal = ZERO
    reserved: Decimal = ZERO
    # New pieces, which weigh in the average price; below zero: what goes back at its own price.
    received: Decimal = ZERO


@dataclass(slots=True)
class _Books:
    """What the entries touch, as it was before."""

    sites: dict[int, int]
    quarantines: set[int]
    # Those that are there, locked.
    balances: set[Balance] = field(default_factory=set)
    # Primary key of a quant, and whether it is held.
    quants: dict[Place, tuple[int, bool]] = field(default_factory=dict)
    held_lots: set[int] = field(default_factory=set)
    held_units: set[int] = field(default_factory=set)
    # Of lots and units (their ids differ), and the day at each site.
    last_days: dict[int, date] = field(default_factory=dict)
    days: dict[int, date] = field(default_factory=dict)

    def is_held(self, place: Place) -> bool:
        known = self.quants.get(place)
        if known is not None:
            return known[1]
        bin_id, _item, lot_id, unit_id = place
        if bin_id in self.quarantines or lot_id in self.held_lots or unit_id in self.held_units:
            return True
        last = self.last_days.get(lot_id or unit_id or 0)
        return last is not None and last < self.days[self.sites[bin_id]]


def book(
    entries: Iterable[Entry], *, why: Why, reserved: Mapping[Balance, Decimal] | None = None
) -> list[int]:
    """Write the moves and change quants, balances and states by them; return the moves' ids.

    ``reserved`` changes reservations' sums in the same statement as what is on hand: an issue
    lowers both.
    """
    rows = [entry for entry in entries if entry.quantity]
    books = _read(rows, why.now)
    differences = _differences(rows, books, reserved or {}, why)
    _make_balances(differences.keys() - books.balances)
    _change_quants(rows, books, why.now)
    _change_balances(differences, why)
    _follow(rows, why)
    by = why.by.pk if why.by else None
    common = (why.kind, why.reference[:60], why.document, why.now, by)
    moves = bulk.insert(
        StockMove,
        _MOVE,
        [
            (r.item_id, books.sites[r.bin_id], r.bin_id, r.lot_id, r.unit_id, r.quantity, *common)
            for r in rows
        ],
    )
    genealogy.note(rows, sites=books.sites, why=why)
    if why.kind in MoveKind.on_orders():
        issued = [
            valuing.Issued(pk, row.item_id, books.sites[row.bin_id], row.quantity)
            for pk, row in zip(moves, rows, strict=True)
        ]
        valuing.put_on_orders(
            issued, why.reference[:60], order_line=why.order_line, by=why.by, now=why.now
        )
        if why.is_settled:
            valuing.explain_returned(moves, by=why.by, now=why.now)
    return moves


_MOVE = ("item", "site", "bin", "lot", "unit", "quantity", "kind", "reference", "document") + (
    "at",
    "by",
)


def _read(rows: Sequence[Entry], now: datetime) -> _Books:
    bins = list(
        Bin.objects.filter(pk__in={row.bin_id for row in rows}).values_list(
            "pk", "warehouse__site_id", "kind"
        )
    )
    books = _Books(
        sites={pk: site for pk, site, _kind in bins},
        quarantines={pk for pk, _site, kind in bins if kind == BinKind.QUARANTINE},
    )
    items = sorted({row.item_id for row in rows})
    sites = sorted(set(books.sites.values()))
    books.balances = set(
        StockBalance.objects.select_for_update(no_key=True)
        .filter(item__in=items, site__in=sites)
        .order_by("pk")
        .values_list("item_id", "site_id")
    )
    units = sorted({row.unit_id for row in rows if row.unit_id})
    lying = StockQuant.objects.select_for_update(no_key=True).order_by("pk")
    for rows_there in (
        lying.filter(bin__in=list(books.sites), item__in=items, unit__isnull=True),
        lying.filter(bulk.among("unit", units)) if units else lying.none(),
    ):
        for pk, is_held, *place in rows_there.values_list(
            "pk", "is_held", "bin_id", "item_id", "lot_id", "unit_id"
        ):
            books.quants[place[0], place[1], place[2], place[3]] = (pk, is_held)
    # Of what lies in its place already, its quant says whether it is held.
    fresh = [row for row in rows if row.place not in books.quants]
    new_lots = {row.lot_id for row in fresh if row.lot_id}
    new_units = {row.unit_id for row in fresh if row.unit_id}
    books.held_lots, books.held_units = identities.held(lot_ids=new_lots, unit_ids=new_units)
    books.last_days = traceability.last_days(lot_ids=new_lots, unit_ids=new_units)
    if books.last_days:
        books.days = selectors.days(now=now)
    return books


def _differences(
    rows: Sequence[Entry], books: _Books, reserved: Mapping[Balance, Decimal], why: Why
) -> dict[Balance, _Differences]:
    found: dict[Balance, _Differences] = {}
    for row in rows:
        here = found.setdefault((row.item_id, books.sites[row.bin_id]), _Differences())
        here.on_hand += row.quantity
        if row.quantity > 0 and why.kind in MoveKind.coming():
            here.received += row.quantity
        elif why.kind == MoveKind.SUPPLIER and why.price is not None:
            # It takes its own price with it, not the average of those that stay.
            here.received += row.quantity
        if books.is_held(row.place):
            here.held += row.quantity
    for balance, quantity in reserved.items():
        found.setdefault(balance, _Differences()).reserved += quantity
    return found


def _make_balances(balances: Iterable[Balance]) -> None:
    StockBalance.objects.bulk_create(
        [StockBalance(item_id=item, site_id=site) for item, site in sorted(balances)],
        ignore_conflicts=True,
        batch_size=5000,
    )


def _change_quants(rows: Sequence[Entry], books: _Books, now: datetime) -> None:
    """What goes out first, so that a unit leaves its old place before it has a new one."""
    totals: dict[Place, Decimal] = {}
    for row in rows:
        totals[row.place] = totals.get(row.place, ZERO) + row.quantity
    known = [(books.quants[p][0], q) for p, q in totals.items() if q and p in books.quants]
    new = [(p, q) for p, q in totals.items() if q and p not in books.quants]
    with connection.cursor() as cursor:
        if known:
            away = [row for row in known if row[1] < 0]
            gone: set[int] = set()
            if away:
                cursor.execute(_TAKE_WHOLE, [[pk for pk, _q in away], [q for _pk, q in away]])
                gone = {pk for (pk,) in cursor.fetchall()}
            rest = [row for row in known if row[0] not in gone]
            changed = 0
            if rest:
                cursor.execute(_CHANGE_QUANTS, [[pk for pk, _q in rest], [q for _pk, q in rest]])
                changed = cursor.rowcount
            if len(gone) + changed != len(known):
                # Emptied by somebody else since it was read: the lock was not held.
                raise IntegrityError("erp_stockquant: a quant is gone that was to change")
        if new:
            new.sort(key=lambda row: [part or 0 for part in row[0]])
            places = [list(column) for column in zip(*(place for place, _q in new), strict=True)]
            held = [books.is_held(place) for place, _q in new]
            cursor.execute(_ADD_QUANTS, [now, *places, [q for _p, q in new], held])


# Thousands of units go out at once: what is empty afterwards is not written first.
_TAKE_WHOLE = """
DELETE FROM erp_stockquant AS quant
USING unnest(%s::bigint[], %s::numeric[]) AS moved (id, quantity)
WHERE quant.id = moved.id AND quant.quantity + moved.quantity = 0 AND quant.staged = 0
RETURNING quant.id
"""
_CHANGE_QUANTS = """
UPDATE erp_stockquant AS quant SET
    quantity = quant.quantity + moved.quantity,
    allows_negative = (item.may_be_negative OR quant.quantity < 0)
        AND quant.lot_id IS NULL AND quant.unit_id IS NULL
FROM unnest(%s::bigint[], %s::numeric[]) AS moved (id, quantity), masterdata_item AS item
WHERE quant.id = moved.id AND item.id = quant.item_id
"""
_ADD_QUANTS = """
INSERT INTO erp_stockquant AS quant
    (bin_id, item_id, lot_id, unit_id, quantity, staged, is_held, allows_negative, since)
SELECT new.bin_id, new.item_id, new.lot_id, new.unit_id, new.quantity, 0, new.is_held,
    item.may_be_negative AND new.lot_id IS NULL AND new.unit_id IS NULL, %s
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::numeric[], %s::boolean[])
    WITH ORDINALITY AS new (bin_id, item_id, lot_id, unit_id, quantity, is_held, place)
JOIN masterdata_item AS item ON item.id = new.item_id
ORDER BY new.place
ON CONFLICT (bin_id, item_id, lot_id, unit_id)
DO UPDATE SET quantity = quant.quantity + excluded.quantity
"""


def _change_balances(differences: Mapping[Balance, _Differences], why: Why) -> None:
    rows = [
        (item, site, d.on_hand, d.held, d.reserved, d.received)
        for (item, site), d in sorted(differences.items())
        if d.on_hand or d.held or d.reserved
    ]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE erp_stockbalance AS balance SET
                on_hand = balance.on_hand + moved.on_hand,
                held = balance.held + moved.held,
                reserved = balance.reserved + moved.reserved,
                allows_negative = item.may_be_negative OR balance.on_hand < 0,
                average_cost = CASE WHEN moved.received > 0 THEN
                    (greatest(balance.on_hand, 0)
                        * coalesce(nullif(balance.average_cost, 0), item.standard_cost)
                    + moved.received * coalesce(
                        %s::numeric, nullif(balance.average_cost, 0), item.standard_cost))
                    / (greatest(balance.on_hand, 0) + moved.received)
                    WHEN moved.received < 0 AND balance.on_hand + moved.received > 0 THEN
                    greatest(0, (balance.on_hand
                        * coalesce(nullif(balance.average_cost, 0), item.standard_cost)
                    + moved.received * %s::numeric) / (balance.on_hand + moved.received))
                    ELSE balance.average_cost END
            FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[],
                    %s::numeric[]) AS moved (item_id, site_id, on_hand, held, reserved, received),
                masterdata_item AS item
            WHERE balance.item_id = moved.item_id AND balance.site_id = moved.site_id
                AND item.id = moved.item_id
            """,
            [why.price, why.price, *(list(column) for column in zip(*rows, strict=True))],
        )


def _follow(rows: Sequence[Entry], why: Why) -> None:
    """Bring the states of lots and units up to date with what came and what is gone."""
    lots: dict[int, Decimal] = {}
    units: dict[int, Decimal] = {}
    for row in rows:
        for key, totals in ((row.lot_id, lots), (row.unit_id, units)):
            if key is not None:
                totals[key] = totals.get(key, ZERO) + row.quantity
    identities.arrive(
        lot_ids=[pk for pk, quantity in lots.items() if quantity > 0],
        unit_ids=[pk for pk, quantity in units.items() if quantity > 0],
    )
    fewer = [pk for pk, quantity in lots.items() if quantity < 0]
    left = set(StockQuant.objects.filter(lot__in=fewer).values_list("lot_id", flat=True))
    identities.move(
        state=why.leaves_as,
        lot_ids=[pk for pk in fewer if pk not in left],
        unit_ids=[pk for pk, quantity in units.items() if quantity < 0],
    )
