"""Order lines become work orders: whatever waits at a site, in chunks, each line once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from common import bulk, events
from common.concurrency import Lock, lock
from common.models import User
from crm.enums import ConversionState, MilestoneKind, OrderState
from crm.events import OrderConverted
from crm.models import Conversion, SalesOrder, SalesOrderLine
from crm.services import commitments, milestones, news, progress, rush
from erp.enums import RequirementKind
from erp.services import requirements
from masterdata import selectors as masterdata
from masterdata.services import shipping
from mes import selectors as mes
from mes.services import supply

# Orders per transaction: small enough that progress shows, large enough that lots form.
CHUNK = 100


@dataclass(frozen=True)
class Converted:
    """What one chunk did."""

    orders: int
    lines: int
    failed: int
    more_waiting: bool


def convert_waiting(*, site_id: int, by: User | None, now: datetime) -> Converted:
    """Convert up to CHUNK orders' waiting lines, in the caller's transaction.

    A line that cannot be converted keeps a sentence that says why; the others go on.
    """
    lock(Lock.SUPPLY, site_id)
    orders = list(_waiting_orders(site_id).select_related("customer", "site")[: CHUNK + 1])
    more = len(orders) > CHUNK
    orders = orders[:CHUNK]
    if not orders:
        return Converted(orders=0, lines=0, failed=0, more_waiting=False)
    lines = list(
        SalesOrderLine.objects.select_for_update(no_key=True, of=("self",))
        .filter(order__in=orders, conversion_state=ConversionState.WAITING, is_cancelled=False)
        .select_related("order__customer", "item")
        .order_by("pk")
    )
    failures = _convert_together(site_id, lines, by, now)
    _finish_orders(orders, by, now)
    return Converted(orders=len(orders), lines=len(lines), failed=len(failures), more_waiting=more)


def _waiting_orders(site_id: int):  # type: ignore[no-untyped-def]
    waiting = SalesOrderLine.objects.filter(
        order=OuterRef("pk"), conversion_state=ConversionState.WAITING, is_cancelled=False
    )
    return (
        SalesOrder.objects.filter(Exists(waiting), site_id=site_id, state__in=OrderState.open())
        .order_by("approved_at", "pk")
        .select_for_update(no_key=True, of=("self",))
    )


def _convert_together(
    site_id: int, lines: Sequence[SalesOrderLine], by: User | None, now: datetime
) -> dict[int, str]:
    """Plan all lines as one; if that breaks, order by order, so that one cannot stop the rest.

    A database that is away or a lock that is taken is no order's fault: the job is tried again.
    """
    before = {line: line.requirement_id for line in lines}
    try:
        with transaction.atomic():
            return _convert(site_id, lines, by, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # noqa: BLE001 - the lines are tried one order at a time below
        for line, requirement_id in before.items():
            # What was opened above is undone; a line that kept its number would be lost.
            line.requirement_id = requirement_id
        failures: dict[int, str] = {}
        for order_id in dict.fromkeys(line.order_id for line in lines):
            mine = [line for line in lines if line.order_id == order_id]
            failures |= _convert_alone(site_id, mine, by, now)
        return failures


def _convert_alone(
    site_id: int, lines: Sequence[SalesOrderLine], by: User | None, now: datetime
) -> dict[int, str]:
    try:
        with transaction.atomic():
            return _convert(site_id, lines, by, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - shown on the order, where it can be retried
        sentence = _("This line could not be converted: %(error)s") % {
            "error": (str(error) or type(error).__name__).splitlines()[0]
        }
        return _keep_failures(dict.fromkeys([line.pk for line in lines], sentence), lines, now)


def _convert(
    site_id: int, lines: Sequence[SalesOrderLine], by: User | None, now: datetime
) -> dict[int, str]:
    demands = _raise_requirements(site_id, lines, now)
    plan = supply.plan(site_id=site_id, demands=demands, by=by, now=now)
    by_requirement = {line.requirement_id: line.pk for line in lines}
    failures = {by_requirement[pk]: str(sentence) for pk, sentence in plan.failures.items()}
    done = [line for line in lines if line.pk not in failures]
    SalesOrderLine.objects.filter(pk__in=[line.pk for line in done]).update(
        conversion_state=ConversionState.CONVERTED, conversion_error=""
    )
    Conversion.objects.bulk_create(
        [Conversion(line=line, revision=line.revision, converted_at=now) for line in done],
        batch_size=1000,
    )
    rush.note_converted(done, by=by, now=now)
    return _keep_failures(failures, lines, now)


def _raise_requirements(
    site_id: int, lines: Sequence[SalesOrderLine], now: datetime
) -> list[supply.Demand]:
    """One sales requirement per line; of a line that has one, only the difference is demanded."""
    calendar = shipping.ShippingCalendar(masterdata.site(site_id))
    fresh = [line for line in lines if line.requirement_id is None]
    rushed = rush.weights_of(fresh)
    created = requirements.open_many(
        [
            requirements.NewRequirement(
                item_id=line.item_id,
                site_id=site_id,
                kind=RequirementKind.SALES,
                quantity=line.quantity,
                due_at=commitments.due_at(line, calendar),
                weight=rushed.get(line.pk, line.order.customer.weight),
                reference=f"{line.order.number}/{line.position}",
                customer_id=line.order.customer_id,
            )
            for line in fresh
        ]
    )
    for line, requirement in zip(fresh, created, strict=True):
        line.requirement_id = requirement.pk
    bulk.save(fresh, ["requirement"])
    new = {line.pk for line in fresh}
    grown = {
        line.requirement_id: line.quantity
        for line in lines
        if line.pk not in new and line.requirement_id is not None
    }
    requirements.set_quantities(grown)
    ids = [line.requirement_id for line in lines if line.requirement_id is not None]
    under_way = mes.promised_quantities(ids)
    open_quantities = {
        pk: quantity - under_way.get(pk, Decimal(0))
        for pk, quantity in requirements.uncovered(ids).items()
    }
    return [
        supply.Demand(requirement_id=pk, quantity=quantity)
        for pk, quantity in open_quantities.items()
        if quantity > 0
    ]


def _keep_failures(
    failures: dict[int, str], lines: Sequence[SalesOrderLine], now: datetime
) -> dict[int, str]:
    failed = [line for line in lines if line.pk in failures]
    for line in failed:
        line.conversion_state = ConversionState.FAILED
        line.conversion_error = failures[line.pk]
    bulk.save(failed, ["conversion_state", "conversion_error"])
    news.not_converted(failed, failures, now=now)
    return failures


def _finish_orders(orders: Sequence[SalesOrder], by: User | None, now: datetime) -> None:
    ids = [order.pk for order in orders]
    converted = set(
        SalesOrderLine.objects.filter(
            order__in=ids, conversion_state=ConversionState.CONVERTED
        ).values_list("order_id", flat=True)
    )
    milestones.reach(order_ids=converted, kind=MilestoneKind.WORK_ORDERS_CREATED, now=now)
    progress.refresh(order_ids=ids, now=now)
    for order in orders:
        events.publish(OrderConverted(order_id=order.pk, site_id=order.site_id), by=by, now=now)
