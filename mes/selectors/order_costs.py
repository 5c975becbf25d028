"""What the work orders behind order lines cost: each line's fair share, to the cent.

A work order that serves several is shared by what is pegged to each; what nobody is pegged to is a
share of its own (stock), so nobody pays for another's surplus. A component's work order passes on
only what its output at standard left behind, for the rest comes to the parent as material; what
lies ready for the parent between the two counts at the average cost of a piece.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from erp import selectors as erp
from erp.enums import CostKind
from erp.services import costing
from masterdata.services import lots
from mes.enums import WorkOrderState
from mes.models import CostStandard, WorkOrder
from mes.selectors.tree import SupplyTree, supply_tree

ZERO = Decimal(0)
# The share of a work order's output that is for nobody.
_STOCK = 0


@dataclass(frozen=True, slots=True)
class Money:
    """Whole cents of the site's currency."""

    # What the standard says: frozen where work has begun, else the item's.
    planned: Decimal = ZERO
    # What is booked so far; of it what is still in open work orders or lies ready for them, and
    # what closed ones cost.
    spent: Decimal = ZERO
    in_progress: Decimal = ZERO
    closed: Decimal = ZERO
    # Closed ones at what they cost, open ones as planned, or as spent where that is more.
    expected: Decimal = ZERO

    def __add__(self, other: "Money") -> "Money":
        return Money(
            self.planned + other.planned,
            self.spent + other.spent,
            self.in_progress + other.in_progress,
            self.closed + other.closed,
            self.expected + other.expected,
        )

    def shared(self, weights: dict[int, Decimal]) -> "dict[int, Money]":
        """The shares by weight; they sum to it."""
        parts = [
            costing.split(amount, weights)
            for amount in (self.planned, self.spent, self.in_progress, self.closed, self.expected)
        ]
        return {key: Money(*(part.get(key, ZERO) for part in parts)) for key in weights}


@dataclass(frozen=True, slots=True)
class Part:
    """A work order's share in what a requirement costs."""

    number: str
    item_code: str
    item_label: str
    state: WorkOrderState
    is_closed: bool
    # Pieces that are pegged to the requirement, of all that come out.
    quantity: Decimal
    output: Decimal
    # Its own bookings, and what component work orders below it left behind.
    own: Money
    below: Money

    @property
    def money(self) -> Money:
        return self.own + self.below


@dataclass(slots=True)
class MadeCost:
    """What a requirement's work orders cost it."""

    parts: list[Part] = field(default_factory=list)
    # Pieces that its work orders have handed over already.
    delivered: Decimal = ZERO

    @property
    def money(self) -> Money:
        return sum((part.money for part in self.parts), Money())

    @property
    def quantity(self) -> Decimal:
        """Pieces that come from work orders."""
        return sum((part.quantity for part in self.parts), ZERO)

    @property
    def is_closed(self) -> bool:
        return all(part.is_closed for part in self.parts)


def made_costs(requirement_ids: Collection[int]) -> dict[int, MadeCost]:
    """What work orders cost each requirement, by its id; three queries a level, four besides."""
    found = {pk: MadeCost() for pk in requirement_ids}
    tree = supply_tree(found)
    if not tree.orders:
        return found
    for peg in tree.pegs:
        if peg.requirement_id in found:
            found[peg.requirement_id].delivered += peg.delivered
    shares = _Shares(tree)
    for pk in sorted(tree.orders, key=lambda pk: tree.orders[pk].number):
        order, (own, below), pegged = tree.orders[pk], shares.of(pk), shares.weights[pk]
        for requirement in pegged.keys() & found.keys():
            found[requirement].parts.append(
                Part(
                    number=order.number,
                    item_code=order.item.code,
                    item_label=order.item.label,
                    state=WorkOrderState(order.state),
                    is_closed=order.closed_at is not None,
                    quantity=pegged[requirement],
                    output=sum(pegged.values(), ZERO),
                    own=own[requirement],
                    below=below[requirement],
                )
            )
    return found


class _Shares:
    """Who gets what of each work order of a tree, components before what they go into."""

    def __init__(self, tree: SupplyTree) -> None:
        self._tree = tree
        self._owner = {
            line.requirement_id: pk for pk, lines in tree.materials.items() for line in lines
        }
        self.weights = {pk: _weights(order, tree) for pk, order in tree.orders.items()}
        numbers = [order.number for order in tree.orders.values()]
        self._booked = erp.amounts_by_kind(numbers)
        self._standards = _standards(tree.orders)
        self._ready = _ready(tree, self._owner)
        # Work orders whose output goes into this one.
        self._below: dict[int, set[int]] = {pk: set() for pk in tree.orders}
        for peg in tree.pegs:
            owner = self._owner.get(peg.requirement_id)
            if owner is not None:
                self._below[owner].add(peg.work_order_id)
        self._known: dict[int, tuple[dict[int, Money], dict[int, Money]]] = {}

    def of(self, pk: int) -> tuple[dict[int, Money], dict[int, Money]]:
        """By requirement: the work order's own money, and that of the components below it."""
        known = self._known.get(pk)
        if known is not None:
            return known
        gross, net = self._amounts(self._tree.orders[pk])
        weights = self.weights[pk]
        whole, rest = gross.shared(weights), net.shared(weights)
        # An order line pays all that went in; a parent has paid the standard as material.
        own = {key: rest[key] if key in self._owner else whole[key] for key in weights}
        for key in weights:
            own[key] += self._ready.get((pk, key), Money())
        carried = Money()
        for lower in sorted(self._below[pk]):
            lower_own, lower_below = self.of(lower)
            for key in self.weights[lower]:
                if self._owner.get(key) == pk:
                    carried += lower_own[key] + lower_below[key]
        self._known[pk] = own, carried.shared(weights)
        return self._known[pk]

    def _amounts(self, order: WorkOrder) -> tuple[Money, Money]:
        """What went in, and what of it its output at standard left behind."""
        kinds = self._booked[order.number]
        spent = sum((kinds.get(kind, ZERO) for kind in CostKind.inputs()), ZERO)
        left = spent + kinds.get(CostKind.OUTPUT, ZERO)
        if order.closed_at is not None:
            planned = self._standard(order, order.good)
            return (
                Money(planned, spent, ZERO, spent, spent),
                Money(ZERO, left, ZERO, left, left),
            )
        planned = self._standard(order, order.output)
        return (
            Money(planned, spent, left, ZERO, max(planned, spent)),
            Money(ZERO, left, left, ZERO, ZERO),
        )

    def _standard(self, order: WorkOrder, pieces: Decimal) -> Decimal:
        standards = self._standards.get(order.pk)
        if not standards:
            return costing.cents(order.item.standard_cost * pieces)
        output = lots.expected_output(
            order.quantity, scrap_rate=order.item.scrap_rate, uom=order.item.uom
        )
        each = costing.unit_cost(standards, quantity=order.quantity, output=output)
        return costing.cents(each * pieces)


def _weights(order: WorkOrder, tree: SupplyTree) -> dict[int, Decimal]:
    """Pieces by requirement, those for nobody under ``_STOCK``."""
    weights: dict[int, Decimal] = {}
    for peg in tree.pegs:
        if peg.work_order_id == order.pk:
            weights[peg.requirement_id] = weights.get(peg.requirement_id, ZERO) + peg.quantity
    made = order.good if order.closed_at is not None else order.output
    free = made - sum(weights.values(), ZERO)
    return {**weights, _STOCK: free} if free > 0 else weights


def _ready(tree: SupplyTree, owner: Collection[int]) -> dict[tuple[int, int], Money]:
    """By work order and requirement: components that are made and not issued to the parent yet."""
    made = [peg for peg in tree.pegs if peg.delivered and peg.requirement_id in owner]
    if not made:
        return {}
    came: dict[int, Decimal] = {}
    for peg in made:
        came[peg.requirement_id] = came.get(peg.requirement_id, ZERO) + peg.delivered
    needs = {row.requirement_id: row for row in erp.coverage(came)}
    left = {pk: min(max(ZERO, came[pk] - need.issued), need.reserved) for pk, need in needs.items()}
    prices = {
        site: erp.average_costs({need.item_id for need in needs.values()}, site_id=site)
        for site in {need.site_id for need in needs.values()}
    }
    found = {}
    # What came first is issued first.
    for peg in reversed(made):
        need, order = needs[peg.requirement_id], tree.orders[peg.work_order_id]
        pieces = min(left[peg.requirement_id], peg.delivered)
        left[peg.requirement_id] -= pieces
        price = prices[need.site_id].get(need.item_id, order.item.standard_cost)
        value = costing.cents(pieces * price)
        found[order.pk, peg.requirement_id] = Money(spent=value, in_progress=value)
    return found


def _standards(orders: Iterable[int]) -> dict[int, list[costing.Standard]]:
    found: dict[int, list[costing.Standard]] = {}
    for row in CostStandard.objects.filter(work_order__in=list(orders)).order_by("pk"):
        # The words of setup do not matter to a unit's cost.
        found.setdefault(row.work_order_id, []).append(
            costing.Standard(costing.KINDS[row.kind], row.price, row.per_order, row.per_piece)
        )
    return found
