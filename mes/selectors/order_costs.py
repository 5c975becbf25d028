"""What the work orders behind order lines cost: each line's fair share, to the cent, by kind.

A work order that serves several is shared by what is pegged to each; what nobody is pegged to is a
share of its own (stock), so nobody pays for another's surplus. A component's work order passes on
only what its output at standard left behind, for the rest comes to the parent as material; what
lies ready for the parent between the two counts at the average cost of a piece.

Expected at completion is what is booked and what open work orders still cost by the plan in force
(``mes.selectors.outlook``).
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from erp import selectors as erp
from erp.enums import CostKind
from erp.services import costing
from mes.enums import WorkOrderState
from mes.models import WorkOrder
from mes.selectors.cost_money import UNSPLIT, KindRow, Kinds, Money, plus, rows, shared, total
from mes.selectors.outlook import Outlook
from mes.selectors.tree import SupplyTree, supply_tree, tree_of_one

ZERO = Decimal(0)
# The share of a work order's output that is for nobody.
_STOCK = 0


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
    # Its own money, and what component work orders below it leave behind.
    own_kinds: Kinds
    below_kinds: Kinds

    @property
    def own(self) -> Money:
        return total(self.own_kinds)

    @property
    def below(self) -> Money:
        return total(self.below_kinds)

    @property
    def money(self) -> Money:
        return self.own + self.below


@dataclass(slots=True)
class MadeCost:
    """What a requirement's work orders cost it."""

    parts: list[Part] = field(default_factory=list)
    # Pieces that its work orders have handed over already.
    delivered: Decimal = ZERO
    # Why some of it is reckoned by standard costs of items instead, for people.
    missing: str = ""

    @property
    def kinds(self) -> dict[str, Money]:
        return plus(*(kinds for part in self.parts for kinds in (part.own_kinds, part.below_kinds)))

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


def made_costs(requirement_ids: Collection[int], *, at: datetime) -> dict[int, MadeCost]:
    """What work orders cost each requirement, by its id, as things stand at a moment.

    Three queries a level and about twenty besides, however many work orders there are.
    """
    found = {pk: MadeCost() for pk in requirement_ids}
    tree = supply_tree(found)
    if not tree.orders:
        return found
    for peg in tree.pegs:
        if peg.requirement_id in found:
            found[peg.requirement_id].delivered += peg.delivered
    shares = _Shares(tree, at)
    for pk in sorted(tree.orders, key=lambda pk: tree.orders[pk].number):
        order, (own, below), pegged = tree.orders[pk], shares.of(pk), shares.weights[pk]
        for requirement in pegged.keys() & found.keys():
            found[requirement].missing = shares.outlook.missing
            found[requirement].parts.append(
                Part(
                    number=order.number,
                    item_code=order.item.code,
                    item_label=order.item.label,
                    state=WorkOrderState(order.state),
                    is_closed=order.closed_at is not None,
                    quantity=pegged[requirement],
                    output=sum(pegged.values(), ZERO),
                    own_kinds=own[requirement],
                    below_kinds=below[requirement],
                )
            )
    return found


@dataclass(frozen=True, slots=True)
class WorkOrderCost:
    """What one work order costs at completion, whoever its output is for."""

    currency: str
    kinds: list[KindRow]
    money: Money
    missing: str
    # Operations that have been running for longer than their pieces should take, by sequence.
    overrun: list[int]


def work_order_cost(order: WorkOrder, *, at: datetime) -> WorkOrderCost:
    """The work order (with item and site); the same queries for any number of components."""
    outlook = Outlook.read(tree_of_one(order), at=at)
    kinds, _net = order_money(order, outlook, erp.amounts_by_kind([order.number])[order.number])
    return WorkOrderCost(
        currency=order.site.currency,
        kinds=rows(kinds),
        money=total(kinds),
        missing=outlook.missing,
        overrun=sorted(outlook.overrun.get(order.pk, ())),
    )


class _Shares:
    """Who gets what of each work order of a tree, components before what they go into."""

    def __init__(self, tree: SupplyTree, at: datetime) -> None:
        self._tree = tree
        self._owner = {
            line.requirement_id: pk for pk, lines in tree.materials.items() for line in lines
        }
        self.weights = {pk: _weights(order, tree) for pk, order in tree.orders.items()}
        self._booked = erp.amounts_by_kind([order.number for order in tree.orders.values()])
        self.outlook = Outlook.read(tree, at=at)
        self._ready = _ready(tree, self._owner)
        # Work orders whose output goes into this one.
        self._below: dict[int, set[int]] = {pk: set() for pk in tree.orders}
        for peg in tree.pegs:
            owner = self._owner.get(peg.requirement_id)
            if owner is not None:
                self._below[owner].add(peg.work_order_id)
        self._known: dict[int, tuple[dict[int, Kinds], dict[int, Kinds]]] = {}

    def of(self, pk: int) -> tuple[dict[int, Kinds], dict[int, Kinds]]:
        """By requirement: the work order's own money, and that of the components below it."""
        known = self._known.get(pk)
        if known is not None:
            return known
        order = self._tree.orders[pk]
        gross, net = order_money(order, self.outlook, self._booked[order.number])
        weights = self.weights[pk]
        whole, rest = shared(gross, weights), shared(net, weights)
        # An order line pays all that went in; a parent has paid the standard as material.
        own: dict[int, Kinds] = {
            key: plus(
                rest[key] if key in self._owner else whole[key], self._ready.get((pk, key), {})
            )
            for key in weights
        }
        carried: Kinds = {}
        for lower in sorted(self._below[pk]):
            lower_own, lower_below = self.of(lower)
            for key in self.weights[lower]:
                if self._owner.get(key) == pk:
                    carried = plus(carried, lower_own[key], lower_below[key])
        below: dict[int, Kinds] = {**shared(carried, weights)}
        self._known[pk] = own, below
        return self._known[pk]


def order_money(
    order: WorkOrder, outlook: Outlook, booked: dict[str, Decimal]
) -> tuple[Kinds, Kinds]:
    """By kind: what goes into the work order, and what of it its output at standard leaves behind.

    ``booked``: the amounts of its entries on the ledger by kind.
    """
    spent = {str(kind): booked[kind] for kind in CostKind.inputs() if kind in booked}
    # Below zero: what its output took off it, kind by kind as the standard has them.
    output = booked.get(CostKind.OUTPUT, ZERO)
    taken = dict(costing.split(output, outlook.each(order))) or {UNSPLIT: output}
    is_closed, is_open = order.closed_at is not None, order.state in WorkOrderState.open()
    planned = outlook.standard(order, order.good if is_closed else order.output)
    come = outlook.to_come(order, sum(spent.values(), ZERO))
    gross: dict[str, Money] = {}
    net: dict[str, Money] = {}
    for kind in {*spent, *taken, *planned, *come}:
        gone, ahead, plan = (part.get(kind, ZERO) for part in (spent, come, planned))
        left = gone + taken.get(kind, ZERO)
        if is_closed:
            gross[kind] = Money(plan, gone, ZERO, gone, gone)
            net[kind] = Money(ZERO, left, ZERO, left, left)
        else:
            gross[kind] = Money(plan, gone, left, ZERO, gone + ahead)
            # What is still to come out takes the rest of the plan along.
            rest = plan + taken.get(kind, ZERO) if is_open else ZERO
            net[kind] = Money(ZERO, left, left, ZERO, left + ahead - rest)
    return gross, net


def _weights(order: WorkOrder, tree: SupplyTree) -> dict[int, Decimal]:
    """Pieces by requirement, those for nobody under ``_STOCK``."""
    weights: dict[int, Decimal] = {}
    for peg in tree.pegs:
        if peg.work_order_id == order.pk:
            weights[peg.requirement_id] = weights.get(peg.requirement_id, ZERO) + peg.quantity
    made = order.good if order.closed_at is not None else order.output
    free = made - sum(weights.values(), ZERO)
    return {**weights, _STOCK: free} if free > 0 else weights


def _ready(tree: SupplyTree, owner: Collection[int]) -> dict[tuple[int, int], Kinds]:
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
    found: dict[tuple[int, int], Kinds] = {}
    # What came first is issued first.
    for peg in reversed(made):
        need, order = needs[peg.requirement_id], tree.orders[peg.work_order_id]
        pieces = min(left[peg.requirement_id], peg.delivered)
        left[peg.requirement_id] -= pieces
        price = prices[need.site_id].get(need.item_id, order.item.standard_cost)
        value = costing.cents(pieces * price)
        money = Money(spent=value, in_progress=value)
        found[order.pk, peg.requirement_id] = {CostKind.MATERIAL: money}
    return found
