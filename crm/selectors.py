"""What pages and the API read of orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import (
    Count,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Sum,
)

from aps import selectors as aps
from common.jobs import overview
from crm.enums import ConversionState, MilestoneKind, NoticeState, OrderState
from crm.models import (
    BulkApproval,
    DelayNotice,
    NoticeRule,
    RushRequest,
    SalesOrder,
    SalesOrderLine,
)

_LIVE = Q(lines__is_cancelled=False)


def orders() -> QuerySet[SalesOrder]:
    """All orders with what a list shows: lines, value, dates, and whether they run late."""
    late = SalesOrderLine.objects.filter(
        order=OuterRef("pk"), is_cancelled=False, projected_date__gt=F("promised_date")
    )
    failed = SalesOrderLine.objects.filter(
        order=OuterRef("pk"), conversion_state=ConversionState.FAILED
    )
    value = ExpressionWrapper(
        F("lines__quantity") * F("lines__unit_price"),
        output_field=DecimalField(max_digits=20, decimal_places=4),
    )
    return (
        SalesOrder.objects.select_related("customer", "site")
        .annotate(
            line_count=Count("lines", filter=_LIVE),
            value=Sum(value, filter=_LIVE),
            requested_date=Min("lines__requested_date", filter=_LIVE),
            promised_date=Max("lines__promised_date", filter=_LIVE),
            projected_date=Max("lines__projected_date", filter=_LIVE),
            is_late=Exists(late),
            has_failed=Exists(failed),
        )
        .order_by("-created_at", "-pk")
    )


def late(found: QuerySet[SalesOrder]) -> QuerySet[SalesOrder]:
    """Of ``orders()``, the open ones with a line projected after its promise."""
    return found.filter(Q(is_late=True), state__in=OrderState.open())


def not_converted(found: QuerySet[SalesOrder]) -> QuerySet[SalesOrder]:
    """Of ``orders()``, those with a line that could not become work orders."""
    return found.filter(Q(has_failed=True))


def order(number: str) -> SalesOrder:
    """One order with lines, dates' history, milestones and shipments; raise DoesNotExist."""
    lines = SalesOrderLine.objects.select_related("item").order_by("position")
    return (
        orders()
        .prefetch_related(
            Prefetch("lines", queryset=lines),
            "lines__promises__by",
            "lines__projections",
            Prefetch("lines__rushes", queryset=rushes()),
            "milestones",
            "shipments__lines__line",
        )
        .get(number=number)
    )


def rushes() -> QuerySet[RushRequest]:
    """Rush requests with line, order and people, the newest first."""
    return RushRequest.objects.select_related(
        "line__order__customer", "line__order__site", "line__item", "requested_by", "decided_by"
    ).order_by("-requested_at", "-pk")


def delay_notices() -> QuerySet[DelayNotice]:
    """Delay notices with line, order, customer, people and attempts to mail them."""
    return DelayNotice.objects.select_related(
        "line__order__customer", "line__order__site", "line__item", "decided_by"
    ).prefetch_related("attempts")


def notice_rules() -> QuerySet[NoticeRule]:
    """The customers whose notices are sent by themselves."""
    return NoticeRule.objects.select_related("customer").order_by("customer__code")


def notices_of(customer_id: int) -> QuerySet[DelayNotice]:
    """What the customer was told of other days, the newest first."""
    return (
        DelayNotice.objects.filter(line__order__customer=customer_id, state=NoticeState.SENT)
        .exclude(line__order__state=OrderState.DRAFT)
        .select_related("line__order", "line__item")
        .order_by("-decided_at", "-pk")
    )


def fresh_notices_of(customer_id: int) -> QuerySet[DelayNotice]:
    """Of ``notices_of``, those of lines that are still to come."""
    return notices_of(customer_id).filter(
        line__order__state__in=OrderState.open(),
        line__is_cancelled=False,
        line__shipped__lt=F("line__quantity"),
    )


def orders_of(customer_id: int) -> QuerySet[SalesOrder]:
    """A customer's own orders with lines and dates' history; drafts are ours, not theirs."""
    lines = SalesOrderLine.objects.select_related("item").order_by("position")
    return (
        orders()
        .filter(customer_id=customer_id)
        .exclude(state=OrderState.DRAFT)
        .prefetch_related(
            Prefetch("lines", queryset=lines),
            "lines__projections",
            Prefetch(
                "lines__notices",
                queryset=DelayNotice.objects.filter(state=NoticeState.SENT).order_by("-decided_at"),
                to_attr="sent_notices",
            ),
            "milestones",
            "shipments__lines__line__item",
        )
    )


@dataclass(frozen=True)
class OrderStep:
    """A step of an order's way; ``state`` is done, current or upcoming."""

    kind: MilestoneKind
    state: str
    at: datetime | None


def steps(order: SalesOrder) -> list[OrderStep]:
    """The order's way so far and on; what it passed by, such as a start where all lay in stock,
    is left out. Reads the prefetched milestones."""
    reached = {milestone.kind: milestone.at for milestone in order.milestones.all()}
    way = list(MilestoneKind)
    last = max((way.index(MilestoneKind(kind)) for kind in reached), default=-1)
    goes_on = order.state not in {OrderState.DRAFT, OrderState.CANCELLED, OrderState.CLOSED}
    found = [OrderStep(kind, "done", reached[kind]) for kind in way if kind in reached]
    for place, kind in enumerate(way[last + 1 :]):
        found.append(OrderStep(kind, "current" if goes_on and not place else "upcoming", None))
    return found


def requirement_ids(lines: Sequence[SalesOrderLine]) -> list[int]:
    """The requirements of lines that have one."""
    return [line.requirement_id for line in lines if line.requirement_id is not None]


@dataclass(frozen=True)
class BulkProgress:
    """How far a bulk approval and what follows from it have come; counts of orders and lines."""

    orders: int
    handled: int
    refused: int
    lines: int
    converted: int
    failed: int
    dated: int
    # Converted and planned, and still nobody can know when: the planning run left it out.
    undated: int

    @property
    def is_finished(self) -> bool:
        """Nothing is under way any more: every line has a date or a reason why not."""
        settled = self.dated + self.undated + self.failed
        return self.handled == self.orders and settled >= self.lines

    @property
    def percent(self) -> int:
        """Share of the steps done: approved, converted, dated."""
        steps = self.orders + 2 * self.lines
        settled = self.dated + self.undated + self.failed
        done = self.handled + self.converted + self.failed + settled
        return 100 * done // steps if steps else 100


def bulk_progress(bulk: BulkApproval) -> BulkProgress:
    """Count the bulk's orders and lines by how far they are; a few queries."""
    open_lines = Q(is_cancelled=False, order__state__in=[*OrderState.open()])
    lines = SalesOrderLine.objects.filter(order__in=bulk.order_ids)
    counts = lines.aggregate(
        lines=Count("pk", filter=open_lines),
        converted=Count("pk", filter=open_lines & Q(conversion_state=ConversionState.CONVERTED)),
        failed=Count("pk", filter=open_lines & Q(conversion_state=ConversionState.FAILED)),
        dated=Count("pk", filter=open_lines & Q(projected_date__isnull=False)),
    )
    return BulkProgress(
        orders=len(bulk.order_ids),
        handled=bulk.handled,
        refused=len(bulk.refused),
        undated=_undated(lines.filter(open_lines)),
        **counts,
    )


def _undated(lines: QuerySet[SalesOrderLine]) -> int:
    """Of the lines, those without a date though the live plan was made after their conversion and
    its dates have been written."""
    count = 0
    waiting = (
        lines.filter(projected_date=None, conversion_state=ConversionState.CONVERTED)
        .values_list("order__site_id")
        .annotate(lines=Count("pk", distinct=True), last=Max("conversions__converted_at"))
        .order_by()
    )
    for site_id, in_site, converted_at in waiting:
        run = aps.current_run(site_id)
        is_planned = run is not None and run.requested_at >= converted_at
        if is_planned and not overview.is_open(group_key=f"projections:{site_id}"):
            count += in_site
    return count


def late_lines(*, on: date) -> QuerySet[SalesOrderLine]:
    """Open lines whose projected day is after the promised one, or whose promise has passed."""
    return (
        SalesOrderLine.objects.filter(order__state__in=OrderState.open(), is_cancelled=False)
        .filter(Q(projected_date__gt=F("promised_date")) | Q(promised_date__lt=on))
        .select_related("order__customer", "item")
        .order_by("promised_date")
    )
