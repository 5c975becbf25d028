"""The worker is killed while it closes work orders: each closes once, its costs sum to zero."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from common.enums import AttemptOutcome, JobState
from common.jobs import enqueue, wakeups
from common.models import AuditEntry, Job, JobAttempt
from erp.enums import CostKind
from erp.models import CostEntry
from mes.enums import WorkOrderState
from mes.models import WorkOrder
from mes.services import costs, work_orders
from tests.faults.live import LiveProcess, wait_until
from tests.mes.test_costs import chairs, done, legs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

ORDERS = 4


@pytest.fixture
def completed(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> list[WorkOrder]:
    """Work orders that are done since yesterday, each with two legs too many."""
    with monkeypatch.context() as patched:
        patched.setattr(wakeups, "send", lambda jobs: None)
        with transaction.atomic():
            orders = _make(now=timezone.now() - timedelta(days=1))
            # What planning would do with all that is not what is looked at here.
            Job.objects.all().delete()
    return orders


def _make(*, now: datetime) -> list[WorkOrder]:
    plant = chairs()
    for _number in range(ORDERS):
        plant.plan(plant.need("CHAIR", 2))
    orders = list(WorkOrder.objects.select_related("item").order_by("pk"))
    for order in orders:
        costs.freeze(order, now=now)
        legs(order, 10, "2.5", source=f"issue:{order.pk}")
        done(order, 2)
        costs.book_output(
            order,
            Decimal(2),
            price=costs.unit_cost(order),
            source=f"output:{order.pk}",
            by=None,
            now=now,
        )
        order.completed_at = now
        order.save()
    return orders


def ask_for_closing(orders: list[WorkOrder]) -> None:
    with transaction.atomic():
        for order in orders:
            enqueue(
                "mes.close_work_order",
                key=f"close:{order.pk}",
                now=timezone.now(),
                work_order_id=order.pk,
            )


@contextmanager
def no_audit() -> Iterator[None]:
    """Nobody can write an audit row: a closing has written its costs, and waits before its end."""
    settings = connection.settings_dict
    with psycopg.connect(
        dbname=settings["NAME"],
        user=settings["USER"],
        host=settings["HOST"],
        port=settings["PORT"] or None,
        password=settings["PASSWORD"] or None,
    ) as other:
        other.execute("LOCK TABLE common_auditentry IN SHARE MODE")
        yield


def somebody_waits_for_audit() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted"
            " AND relation = 'common_auditentry'::regclass"
        )
        return bool(cursor.fetchone()[0])


def variances() -> int:
    return CostEntry.objects.filter(kind=CostKind.VARIANCE).count()


def closed() -> int:
    return WorkOrder.objects.filter(state=WorkOrderState.CLOSED).count()


def left(order: WorkOrder) -> Decimal:
    amounts = CostEntry.objects.filter(work_order=order.number).values_list("amount", flat=True)
    return sum(amounts, Decimal(0))


@pytest.mark.worker
@pytest.mark.slow
def test_a_worker_killed_in_the_midst_of_closing_closes_each_order_once(
    completed: list[WorkOrder], live_worker: LiveProcess, live_dispatcher: LiveProcess
) -> None:
    assert all(left(order) for order in completed)
    with no_audit():
        ask_for_closing(completed)
        wait_until(somebody_waits_for_audit)
        live_worker.kill()
    # What it had written of the costs went with it.
    assert (variances(), closed()) == (0, 0)
    live_worker.start()
    wait_until(lambda: closed() == ORDERS)
    wait_until(lambda: not Job.objects.exclude(state=JobState.DONE).exists())
    assert [left(order) for order in completed] == [0] * ORDERS
    of_one = CostEntry.objects.filter(
        work_order=completed[0].number, kind=CostKind.VARIANCE
    ).count()
    assert of_one
    assert variances() == of_one * ORDERS
    assert AuditEntry.objects.filter(action="mes.work_order.close").count() == ORDERS
    assert JobAttempt.objects.filter(outcome=AttemptOutcome.LOST).exists()


def test_costs_that_commit_before_the_order_is_closed_would_never_let_it_close(
    completed: list[WorkOrder],
) -> None:
    """The control: the variances by themselves, the crash, and the next attempt."""
    order = completed[0]
    costs.explain(order, by=None, now=timezone.now())
    before = variances()
    assert before
    with pytest.raises(IntegrityError):
        work_orders.close_if_completed(work_order_id=order.pk, by=None, now=timezone.now())
    assert variances() == before
    assert closed() == 0
