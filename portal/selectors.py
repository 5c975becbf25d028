"""What a customer may know of their orders: every function takes the customer.

Read models without prices, costs, machines' names or anything of another customer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django_stubs_ext import StrOrPromise

from common.models import User
from common.templatetags.ui_format import day
from crm import selectors as crm
from crm.enums import MilestoneKind, OrderState
from crm.services import customer_reasons
from masterdata import selectors as masterdata
from mes import selectors as mes
from mes.selectors import Progress

# So many news stand above the orders, of so many notices.
MOST_NEWS = 3
LOOKED_AT = 30


class NoCustomer(Exception):
    """The account belongs to no customer."""


@dataclass(frozen=True)
class DateChange:
    """The estimate moved: from, to, when, and why in words for a customer."""

    at: datetime
    old_date: date | None
    new_date: date | None
    reason: str


@dataclass(frozen=True)
class Notice:
    """What we told the customer of another day, and why."""

    at: datetime
    order: str
    reference: str
    position: int
    item_code: str
    item_name: str
    old_date: date
    new_date: date
    reason: str

    @property
    def is_later(self) -> bool:
        return self.new_date > self.old_date


@dataclass(frozen=True)
class Step:
    """A step of the timeline; ``state`` is done, current or upcoming."""

    kind: str
    label: str
    state: str
    at: datetime | None
    note: str = ""
    percent: int | None = None


@dataclass(frozen=True)
class Line:
    position: int
    item_code: str
    item_name: str
    unit: str
    quantity: Decimal
    shipped: Decimal
    percent_made: int
    current_operation: str
    requested_date: date
    promised_date: date | None
    estimated_date: date | None
    is_cancelled: bool


@dataclass(frozen=True)
class Consignment:
    number: str
    shipped_at: datetime
    delivered_at: datetime | None
    carrier: str
    tracking_code: str
    items: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class Order:
    """One order as its customer sees it."""

    number: str
    reference: str
    state: str
    state_label: str
    headline: str
    tone: str
    promised_date: date | None
    estimated_date: date | None
    is_late: bool
    lines: tuple[Line, ...]
    steps: tuple[Step, ...]
    date_changes: tuple[DateChange, ...]
    notices: tuple[Notice, ...]
    shipments: tuple[Consignment, ...]


# Where no date needs to be said any more.
_SETTLED = {
    OrderState.DELIVERED: gettext_lazy("Delivered"),
    OrderState.CLOSED: gettext_lazy("Delivered"),
    OrderState.SHIPPED: gettext_lazy("On its way to you"),
    OrderState.CANCELLED: gettext_lazy("Cancelled"),
    OrderState.ON_HOLD: gettext_lazy("On hold; we will be in touch"),
}
# What a step is called while it is being reached: "Started" would say that it has been.
_UNDER_WAY = {
    MilestoneKind.APPROVED: gettext_lazy("We are checking your order"),
    MilestoneKind.SCHEDULED: gettext_lazy("Being planned"),
    MilestoneKind.STARTED: gettext_lazy("Waiting for production"),
    MilestoneKind.FINISHED: gettext_lazy("In production"),
    MilestoneKind.SHIPPED: gettext_lazy("Being made ready for shipping"),
    MilestoneKind.DELIVERED: gettext_lazy("On its way to you"),
}


def customer_id_of(user: User) -> int:
    """The customer that a portal account belongs to; raise NoCustomer."""
    found = masterdata.customer_id_of(user.pk)
    if found is None:
        raise NoCustomer(user.username)
    return found


class OrdersOf:
    """The customer's orders, newest first, for a paginator: counted, and read a slice at a time.

    The queries of a slice do not grow with its length.
    """

    def __init__(self, customer_id: int) -> None:
        self._found = crm.orders_of(customer_id)

    def count(self) -> int:
        return self._found.count()

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, place: slice) -> list[Order]:
        return _read(list(self._found[place]))


def orders(*, customer_id: int) -> OrdersOf:
    """The customer's orders, newest first."""
    return OrdersOf(customer_id)


class NoticesOf:
    """What the customer was told of other days, newest first, for a paginator; two queries."""

    def __init__(self, customer_id: int) -> None:
        self._found = crm.notices_of(customer_id)

    def count(self) -> int:
        return self._found.count()

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, place: slice) -> list[Notice]:
        return [_notice(row, row.line, row.line.order) for row in self._found[place]]


def notices(*, customer_id: int) -> NoticesOf:
    """What the customer was told of other days, newest first."""
    return NoticesOf(customer_id)


def news(*, customer_id: int) -> list[Notice]:
    """The last word on each line that is still to come, newest first, a few; one query."""
    found: dict[int, Notice] = {}
    for row in crm.fresh_notices_of(customer_id)[:LOOKED_AT]:
        found.setdefault(row.line_id, _notice(row, row.line, row.line.order))
    return list(found.values())[:MOST_NEWS]


def order(*, customer_id: int, number: str) -> Order | None:
    """One order of the customer; None where it is not theirs or does not exist."""
    found = crm.orders_of(customer_id).filter(number=number).first()
    return _read([found])[0] if found else None


def _read(found: Sequence) -> list[Order]:  # type: ignore[type-arg]
    ids = [
        line.requirement_id
        for row in found
        for line in row.lines.all()
        if line.requirement_id is not None
    ]
    progress = mes.progress(ids)
    return [_order(row, progress) for row in found]


def _order(row, progress) -> Order:  # type: ignore[no-untyped-def]
    lines = tuple(_line(line, progress.get(line.requirement_id or 0)) for line in row.lines.all())
    live = [line for line in lines if not line.is_cancelled]
    estimated = _latest([line.estimated_date for line in live])
    promised = _latest([line.promised_date for line in live])
    return Order(
        number=row.number,
        reference=row.customer_reference,
        state=row.state,
        state_label=str(OrderState(row.state).label),
        headline=_headline(row, estimated, promised),
        tone=_tone(row.state, row.is_late),
        promised_date=promised,
        estimated_date=estimated,
        is_late=row.is_late,
        lines=lines,
        steps=_steps(row, live),
        date_changes=_changes(row),
        notices=_notices(row),
        shipments=_shipments(row),
    )


def _latest(days: Sequence[date | None]) -> date | None:
    """The last of the days; None while one is missing."""
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None


def _line(line, made) -> Line:  # type: ignore[no-untyped-def]
    return Line(
        position=line.position,
        item_code=line.item.code,
        item_name=line.item.label,
        unit=line.item.uom,
        quantity=line.quantity,
        shipped=line.shipped,
        percent_made=made.percent if made else 0,
        current_operation=_current_operation(made),
        requested_date=line.requested_date,
        promised_date=line.promised_date,
        estimated_date=line.projected_date,
        is_cancelled=line.is_cancelled,
    )


def _current_operation(made: Progress | None) -> str:
    """The running operation's name in the reader's language."""
    if made is None:
        return ""
    is_chinese = (get_language() or "").startswith("zh")
    return (made.operation_name_zh if is_chinese else "") or made.operation_name


def _headline(row, estimated: date | None, promised: date | None) -> str:  # type: ignore[no-untyped-def]
    if row.state in _SETTLED:
        return str(_SETTLED[row.state])
    if estimated is None:
        return _("We are planning your order")
    if row.is_late:
        sentence = _("Arrives %(day)s, later than promised")
    elif promised is None:
        # As for a rush: without a promise there is no "on time" to speak of.
        sentence = _("Arrives %(day)s")
    else:
        sentence = _("Arrives %(day)s, on time")
    return sentence % {"day": day(estimated)}


def _tone(state: str, is_late: bool) -> str:
    if state in {OrderState.DELIVERED, OrderState.SHIPPED}:
        return "done"
    if state in {OrderState.CANCELLED, OrderState.ON_HOLD}:
        return "hold"
    return "late" if is_late else "running"


def _steps(row, lines: Sequence[Line]) -> tuple[Step, ...]:  # type: ignore[no-untyped-def]
    total = sum((line.quantity for line in lines), Decimal(0))
    made = sum((line.quantity * line.percent_made for line in lines), Decimal(0))
    percent = int(made / total) if total else 0
    operation = next((line.current_operation for line in lines if line.current_operation), "")
    steps: list[Step] = []
    passed_on = False
    for step in crm.steps(row):
        if step.kind == MilestoneKind.WORK_ORDERS_CREATED:
            # Ours to know: a customer sees that the order is scheduled.
            passed_on = step.state == "current"
            continue
        state = "current" if passed_on else step.state
        passed_on = False
        in_work = state == "current" and step.kind == MilestoneKind.FINISHED
        steps.append(
            Step(
                kind=step.kind.value,
                label=str(_label(step.kind, state)),
                state=state,
                at=step.at,
                note=operation if in_work else "",
                percent=percent if in_work else None,
            )
        )
    return tuple(steps)


def _label(kind: MilestoneKind, state: str) -> StrOrPromise:
    return _UNDER_WAY.get(kind, kind.label) if state == "current" else kind.label


def _changes(row) -> tuple[DateChange, ...]:  # type: ignore[no-untyped-def]
    """The estimate's moves, newest first; several lines moved by one plan are one entry."""
    changes: dict[tuple[object, ...], DateChange] = {}
    for line in row.lines.all():
        for entry in line.projections.all():
            key = (entry.schedule_version, entry.old_date, entry.new_date)
            changes[key] = DateChange(
                at=entry.at,
                old_date=entry.old_date,
                new_date=entry.new_date,
                reason=customer_reasons.of_projection(entry, line.sent_notices),
            )
    return tuple(sorted(changes.values(), key=lambda change: change.at, reverse=True))


def _notices(row) -> tuple[Notice, ...]:  # type: ignore[no-untyped-def]
    """The notices that were sent, newest first."""
    found = [_notice(notice, line, row) for line in row.lines.all() for notice in line.sent_notices]
    return tuple(sorted(found, key=lambda notice: notice.at, reverse=True))


def _notice(notice, line, order) -> Notice:  # type: ignore[no-untyped-def]
    return Notice(
        at=notice.decided_at,
        order=order.number,
        reference=order.customer_reference,
        position=line.position,
        item_code=line.item.code,
        item_name=line.item.label,
        old_date=notice.old_date,
        new_date=notice.new_date,
        reason=customer_reasons.of_notice(notice) if notice.is_later else "",
    )


def _shipments(row) -> tuple[Consignment, ...]:  # type: ignore[no-untyped-def]
    return tuple(
        Consignment(
            number=shipment.number,
            shipped_at=shipment.shipped_at,
            delivered_at=shipment.delivered_at,
            carrier=shipment.carrier,
            tracking_code=shipment.tracking_code,
            items=tuple((row.line.item.code, row.quantity) for row in shipment.lines.all()),
        )
        for shipment in row.shipments.all()
    )
