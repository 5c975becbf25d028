"""What a run reads and what it says: items, demand, receipts; needs, orders, messages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

ZERO = Decimal(0)
Action = Literal["expedite", "defer", "reduce", "cancel"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A supplier's terms for an item; ``maximum`` None: as much as we like.

    ``price`` is what it asks in its currency, of which one is worth ``exchange`` of ours; None:
    nobody knows.
    """

    supplier_id: int
    price: Decimal
    lead_time_days: int
    minimum: Decimal = ZERO
    maximum: Decimal | None = None
    currency: str = "USD"
    exchange: Decimal | None = Decimal(1)


@dataclass(frozen=True, slots=True)
class Item:
    """How an item is planned. ``lot_size`` set: fixed lots; ``period_days`` set: by period."""

    id: int
    is_made: bool
    uom: str = "EA"
    lead_time_days: int = 0
    scrap_rate: Decimal = ZERO
    lot_size: Decimal | None = None
    period_days: int | None = None
    safety_stock: Decimal = ZERO
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    item_id: int
    quantity_per: Decimal
    scrap_rate: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Demand:
    """An open requirement: ``key`` is the caller's."""

    key: int
    item_id: int
    quantity: Decimal
    day: date


@dataclass(frozen=True, slots=True)
class Receipt:
    """What will come already. ``is_started``: its quantity is fixed; not ``speaks``: no message."""

    key: int
    item_id: int
    quantity: Decimal
    day: date
    is_started: bool = False
    speaks: bool = True


@dataclass(slots=True, eq=False)
class Need:
    """A quantity on a day: of a demand, of a planned order's components, or of safety stock."""

    item_id: int
    quantity: Decimal
    day: date
    demand: int | None = None
    parent: "Order | None" = None

    @property
    def is_safety(self) -> bool:
        return self.demand is None and self.parent is None

    @property
    def origin(self) -> "Need":
        """The demand, or the safety stock, at the top: of several the one due first."""
        return self if self.parent is None else self.parent.origin


@dataclass(slots=True, eq=False)
class Order:
    """A planned order: make or buy ``quantity``, which yields ``output``."""

    item_id: int
    quantity: Decimal
    output: Decimal
    due: date
    release: date
    origin: Need
    offer: Offer | None = None
    pegs: list[tuple[Need, Decimal]] = field(default_factory=list)

    @property
    def free(self) -> Decimal:
        """Output that nobody needs."""
        return self.output - sum((quantity for _need, quantity in self.pegs), ZERO)


@dataclass(frozen=True, slots=True)
class Message:
    """What to do with a receipt: its new day (expedite, defer) or new open quantity."""

    receipt: int
    item_id: int
    action: Action
    quantity: Decimal
    day: date
    # The need that asks for the earlier or later day.
    origin: Need | None = None


@dataclass(slots=True)
class Plan:
    orders: list[Order] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    # Need, receipt (None: stock), quantity.
    covered: list[tuple[Need, int | None, Decimal]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a run reads. ``levels`` are low-level codes: components above their parents' one.

    ``components(item_id, day)`` is the bill of material of the day on which work starts.
    """

    today: date
    items: Mapping[int, Item]
    levels: Mapping[int, int]
    components: Callable[[int, date], Sequence[Component]]
    stock: Mapping[int, Decimal]
    demands: Sequence[Demand]
    receipts: Sequence[Receipt]
    tolerance_days: int = 0
    # What of the stock may be used up to and including a day only; the rest keeps.
    expiring: Mapping[int, Sequence[tuple[date, Decimal]]] = field(default_factory=dict)
