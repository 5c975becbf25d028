"""Kill, empty, cut and repeat in the midst of the chain from the approval to the dates.

Nothing is lost, nothing is done twice, nobody helps. Every guard has a control that takes it away.
"""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from common import transitions
from common.concurrency import Lock
from common.enums import AttemptOutcome, JobState
from common.jobs import claims, runner, wakeups
from common.models import IdempotentAnswer, Job, JobAttempt
from crm import policies
from crm.models import Conversion, SalesOrder, SalesOrderLine
from crm.services import conversion
from crm.services import orders as service
from mes.models import WorkOrder
from tests.crm.factories import Shop
from tests.faults.live import stays_false, wait_until
from tests.flows.chain import Answer, Chain, settle
from tests.mes import invariants

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.faults,
    pytest.mark.worker,
    pytest.mark.slow,
]

ORDERS = 4


@pytest.fixture
def shop(chain: Chain) -> Shop:
    """A plant on which TOP is made of two PART, with real time."""
    shop = Shop(units=2, now=timezone.now())
    shop.assembly("TOP", {"PART": 2})
    return shop


@pytest.fixture
def lonely_shop(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The same plant with no worker and no dispatcher, for guards that are taken away in here."""
    monkeypatch.setattr(wakeups, "send", lambda jobs: None)
    shop = Shop(units=2, now=timezone.now())
    shop.assembly("TOP", {"PART": 2})
    return shop


def approved(shop: Shop, count: int = ORDERS) -> list[SalesOrder]:
    """Orders approved in one transaction each, as people do; the worker takes it from there."""
    wanted = timezone.localdate() + timedelta(days=60)
    return [shop.approved(("TOP", 5 + n), wanted=wanted) for n in range(count)]


@contextmanager
def supply_locked(site_id: int) -> Iterator[int]:
    """Hold the lock of planning supply, so that a conversion stops in its midst and waits.

    Gives the number of the backend that holds it.
    """
    settings = connection.settings_dict
    with psycopg.connect(
        dbname=settings["NAME"],
        user=settings["USER"],
        host=settings["HOST"],
        port=settings["PORT"] or None,
        password=settings["PASSWORD"] or None,
    ) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [int(Lock.SUPPLY), site_id])
        yield other.info.backend_pid


def somebody_waits_for_supply() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND classid = %s AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())",
            [int(Lock.SUPPLY)],
        )
        return bool(cursor.fetchone()[0])


def a_conversion_waits() -> bool:
    """For the lock, its claim committed: planning waits for the same one."""
    runs = Job.objects.filter(name="crm.convert_waiting", state=JobState.RUNNING)
    return somebody_waits_for_supply() and runs.exists()


def own_backend() -> int:
    """The number of this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def terminate_backends(*spared: int) -> int:
    """End every connection to this database but the spared ones and ours; how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND pid <> ALL (%s)",
            [list(spared)],
        )
        return int(cursor.fetchone()[0])


# -- what must hold, as SQL -------------------------------------------------------------------

VIOLATIONS = {
    "a line approved and not converted, or converted without a requirement": """
        SELECT line.id FROM crm_salesorderline line JOIN crm_salesorder o ON o.id = line.order_id
        WHERE o.state NOT IN ('draft', 'submitted', 'cancelled') AND NOT line.is_cancelled
        AND (line.conversion_state <> 'converted' OR line.requirement_id IS NULL)""",
    "not exactly one conversion of a line's revision": """
        SELECT line.id FROM crm_salesorderline line
        LEFT JOIN crm_conversion c ON c.line_id = line.id AND c.revision = line.revision
        WHERE line.conversion_state = 'converted' GROUP BY line.id HAVING count(c.id) <> 1""",
    "a requirement nobody asked for, or asked for twice": """
        SELECT r.id FROM erp_requirement r
        LEFT JOIN crm_salesorderline line ON line.requirement_id = r.id
        LEFT JOIN mes_workordermaterial m ON m.requirement_id = r.id
        GROUP BY r.id HAVING count(line.id) + count(m.id) <> 1""",
    "a need of a made item that is not covered exactly": """
        SELECT r.id FROM erp_requirement r JOIN masterdata_item i ON i.id = r.item_id
        WHERE r.state = 'open' AND i.supply = 'make' AND r.quantity <> r.issued
        + (SELECT coalesce(sum(quantity), 0) FROM erp_reservation WHERE requirement_id = r.id)
        + (SELECT coalesce(sum(quantity - delivered), 0) FROM mes_workorderpeg
           WHERE requirement_id = r.id)""",
    "a balance that is not the sum of its moves": """
        SELECT b.id FROM erp_stockbalance b WHERE b.on_hand <> (SELECT coalesce(sum(quantity), 0)
        FROM erp_stockmove m WHERE m.item_id = b.item_id AND m.site_id = b.site_id)""",
    "reserved that is not the sum of the reservations": """
        SELECT b.id FROM erp_stockbalance b WHERE b.reserved <> (SELECT coalesce(sum(quantity), 0)
        FROM erp_reservation WHERE balance_id = b.id)""",
    "a work order that promises more than it makes": """
        SELECT w.id FROM mes_workorder w JOIN mes_workorderpeg p ON p.work_order_id = w.id
        GROUP BY w.id HAVING sum(p.quantity) > w.output""",
    "a work order that serves nobody": """
        SELECT w.id FROM mes_workorder w LEFT JOIN mes_workorderpeg p ON p.work_order_id = w.id
        WHERE p.id IS NULL AND w.state <> 'cancelled'""",
    "a job that died": "SELECT id FROM common_job WHERE state = 'dead'",
    "an order that reached a step twice": """
        SELECT order_id FROM crm_milestone GROUP BY order_id, kind HAVING count(*) > 1""",
    "an approval that is not one audit row and one fact": """
        SELECT o.id FROM crm_salesorder o WHERE o.approved_at IS NOT NULL AND (
        (SELECT count(*) FROM common_auditentry a WHERE a.target_type = 'crm.salesorder'
         AND a.target_id = o.id AND a.action = 'crm.order.approve') <> 1
        OR (SELECT count(*) FROM common_event e WHERE e.topic = 'crm.order.approved'
            AND (e.payload ->> 'order_id')::bigint = o.id) <> 1)""",
}


def violations() -> dict[str, list[int]]:
    """What does not hold, with the ids of the rows."""
    found = {}
    with connection.cursor() as cursor:
        for name, query in VIOLATIONS.items():
            cursor.execute(query)
            rows = [row[0] for row in cursor.fetchall()]
            if rows:
                found[name] = rows
    return found


def all_dated() -> bool:
    lines = SalesOrderLine.objects.filter(order__approved_at__isnull=False)
    return not lines.filter(projected_date=None).exists()


def assert_whole(orders: list[SalesOrder]) -> None:
    """Every order is converted, planned and dated; once; and nobody has helped."""
    # A long job whose worker vanished waits for its lease, a minute; twice, if it was hit twice.
    settle(150)
    assert all_dated()
    assert violations() == {}
    invariants.check()
    assert Conversion.objects.count() == len(orders)
    made = WorkOrder.objects.filter(item__code="TOP").values_list("quantity", flat=True)
    assert sum(made) == sum(5 + n for n in range(len(orders)))


# -- the worker dies --------------------------------------------------------------------------


def killed_in_the_midst(chain: Chain, shop: Shop) -> list[SalesOrder]:
    """Approve, stop the conversion while its transaction is open, and SIGKILL the worker."""
    with supply_locked(shop.site.pk):
        orders = approved(shop)
        wait_until(a_conversion_waits)
        chain.worker.kill()
    return orders


def test_a_worker_killed_in_the_midst_of_a_conversion_loses_and_doubles_nothing(
    chain: Chain, shop: Shop
) -> None:
    orders = killed_in_the_midst(chain, shop)
    assert not Conversion.objects.exists()
    assert not WorkOrder.objects.exists()
    chain.worker.start()
    assert_whole(orders)
    assert JobAttempt.objects.filter(
        job__name="crm.convert_waiting", outcome=AttemptOutcome.LOST
    ).exists()


def attempts_begun() -> int:
    return JobAttempt.objects.count()


def test_its_children_killed_again_and_again_the_chain_arrives(chain: Chain, shop: Shop) -> None:
    orders = approved(shop, 8)
    for seen in (1, 3, 5):
        wait_until(lambda seen=seen: attempts_begun() >= seen)  # type: ignore[misc]
        chain.worker.kill_children()
    assert_whole(orders)


def test_without_the_dispatcher_a_killed_conversion_stays_undone(chain: Chain, shop: Shop) -> None:
    """The control: it is the ledger's dispatcher that brings it back, and nobody else."""
    chain.dispatcher.kill()
    with supply_locked(shop.site.pk):
        approved(shop, 1)
        wait_until(a_conversion_waits)
        chain.worker.kill()
    chain.worker.start()
    assert stays_false(Conversion.objects.exists, 8)
    assert "a line approved and not converted, or converted without a requirement" in violations()


# -- Redis is emptied -------------------------------------------------------------------------


def test_a_redis_emptied_with_jobs_under_way_loses_nothing(chain: Chain, shop: Shop) -> None:
    orders: list[SalesOrder] = []
    with supply_locked(shop.site.pk):
        orders += approved(shop)
        wait_until(a_conversion_waits)
        chain.redis.client.flushall()
    for seen in (1, 2):
        wait_until(
            lambda seen=seen: Job.objects.filter(state=JobState.DONE).count() >= seen  # type: ignore[misc]
        )
        chain.redis.client.flushall()
    assert_whole(orders)


def test_a_redis_killed_in_the_midst_of_a_conversion_loses_nothing_and_nobody_waits_for_it(
    chain: Chain, shop: Shop
) -> None:
    wanted = timezone.localdate() + timedelta(days=60)
    with supply_locked(shop.site.pk):
        orders = approved(shop, 2)
        wait_until(a_conversion_waits)
        chain.redis.kill()
        # Sales goes on: what is approved is in the database, the broker only wakes somebody up.
        orders.append(shop.submitted(("TOP", 7), wanted=wanted))
        path = f"sales-orders/{orders[-1].number}/approve/"
        assert chain.api("sara").post(path).status == 200
    chain.redis.start()
    assert_whole(orders)


def test_without_the_dispatcher_an_emptied_redis_loses_the_orders(chain: Chain, shop: Shop) -> None:
    """The control: plain messages, sent after the commit and gone with Redis."""
    chain.dispatcher.kill()
    chain.worker.kill()
    orders = approved(shop)
    wait_until(lambda: bool(chain.redis.client.llen("default")))
    chain.redis.client.flushall()
    chain.worker.start()
    assert stays_false(Conversion.objects.exists, 8)
    assert len(orders) == ORDERS


# -- PostgreSQL ends its connections ----------------------------------------------------------


def test_connections_cut_in_the_midst_of_a_conversion_lose_and_double_nothing(
    chain: Chain, shop: Shop
) -> None:
    with supply_locked(shop.site.pk) as holder:
        orders = approved(shop)
        wait_until(a_conversion_waits)
        assert terminate_backends(holder) >= 2
    # The web's connections were cut as well: the next request works.
    answer = chain.api("sara").get(f"sales-orders/{orders[0].number}/")
    assert answer.status == 200
    assert_whole(orders)
    assert chain.worker.is_alive()
    assert chain.dispatcher.is_alive()


def test_connections_cut_while_approvals_come_in_leave_each_whole_or_undone(
    chain: Chain, shop: Shop
) -> None:
    wanted = timezone.localdate() + timedelta(days=60)
    orders = [shop.submitted(("TOP", 5 + n), wanted=wanted) for n in range(8)]
    sales = chain.api("sara")
    keys = {order.number: str(uuid.uuid4()) for order in orders}

    def approve(order: SalesOrder) -> Answer:
        return sales.post(f"sales-orders/{order.number}/approve/", key=keys[order.number])

    def is_approved(order: SalesOrder) -> bool:
        return approve(order).status == 200

    done, ours = threading.Event(), own_backend()

    def cut() -> None:
        while not done.wait(0.15):
            terminate_backends(ours)
        connections.close_all()

    nemesis = threading.Thread(target=cut)
    nemesis.start()
    answers = in_parallel([partial(approve, order) for order in orders])
    done.set()
    nemesis.join()
    assert {answer.status for answer in answers} <= {200, 503}
    # A client whose connection broke sends the same request again, with its key.
    for order in orders:
        wait_until(partial(is_approved, order))
    assert_whole(orders)


# -- the same approval, twenty times ----------------------------------------------------------


def in_parallel(acts: list[Callable[[], Any]]) -> list[Any]:
    """What the acts return, begun together in a thread each."""
    start, results = threading.Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        try:
            start.wait(30)
            results.append(act())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert len(results) == len(acts)
    return results


def one_submitted(shop: Shop) -> SalesOrder:
    return shop.submitted(("TOP", 5), wanted=timezone.localdate() + timedelta(days=60))


def test_the_same_approval_twenty_times_in_parallel_converts_once(chain: Chain, shop: Shop) -> None:
    order, sales, key = one_submitted(shop), chain.api("sara"), str(uuid.uuid4())
    path = f"sales-orders/{order.number}/approve/"
    answers = in_parallel([lambda: sales.post(path, key=key)] * 20)
    assert {answer.status for answer in answers} == {200}
    assert all(answer.body == answers[0].body for answer in answers)
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert IdempotentAnswer.objects.count() == 1
    assert_whole([order])


def test_twenty_people_who_approve_at_once_convert_once(chain: Chain, shop: Shop) -> None:
    order, sales = one_submitted(shop), chain.api("sara")
    path = f"sales-orders/{order.number}/approve/"
    answers = in_parallel([lambda: sales.post(path)] * 20)
    assert sorted(answer.status for answer in answers) == [200] + [409] * 19
    assert_whole([order])


def test_without_lock_and_state_check_twenty_approvals_are_twenty(
    lonely_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: in threads of this process, where guards can be taken away."""
    shop = lonely_shop
    order = one_submitted(shop)
    monkeypatch.setattr(policies, "check_can_approve", lambda order: None)
    monkeypatch.setattr(transitions, "check", lambda *args, **kwargs: None)
    monkeypatch.setattr(
        service, "_locked", lambda order: SalesOrder.objects.select_related("site").get(pk=order.pk)
    )

    def approve() -> None:
        service.approve(order=order, by=shop.sales, now=timezone.now())

    in_parallel([approve] * 5)
    assert "an approval that is not one audit row and one fact" in violations()


# -- done, and its effect, in one transaction -------------------------------------------------


def test_a_job_done_before_its_effect_is_lost_with_the_worker(
    lonely_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: `done` committed by itself, then the crash."""
    shop = lonely_shop

    class Crash(BaseException):
        """What SIGKILL is to a process."""

    def done_first(self: claims.Claim, *, now: Any) -> Any:
        self._mine().update(state=JobState.DONE, done_at=now, lease_until=None)
        raise Crash

    job = _waiting_conversion(shop, one_submitted(shop))
    monkeypatch.setattr(claims.Claim, "finish", done_first)
    with pytest.raises(Crash):
        runner.run_one(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.DONE
    assert not Conversion.objects.exists()
    assert "a line approved and not converted, or converted without a requirement" in violations()


def test_a_job_done_after_its_effect_is_done_twice_but_for_the_line_that_says_once(
    lonely_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the effect committed by itself, then the crash, then the next attempt.

    Here the second net holds: a line is converted once per revision, whoever asks again.
    """
    shop = lonely_shop
    order = one_submitted(shop)
    _waiting_conversion(shop, order)
    with transaction.atomic():
        conversion.convert_waiting(site_id=shop.site.pk, by=None, now=shop.now)
    made = WorkOrder.objects.count()
    with transaction.atomic():
        conversion.convert_waiting(site_id=shop.site.pk, by=None, now=shop.now)
    assert WorkOrder.objects.count() == made
    # Without the state that says so, the unique row refuses.
    SalesOrderLine.objects.update(conversion_state="waiting")
    with transaction.atomic():
        conversion.convert_waiting(site_id=shop.site.pk, by=None, now=shop.now)
    assert WorkOrder.objects.count() == made
    assert Conversion.objects.count() == 1
    # Without both, it is planned again but for what is covered already.
    Conversion.objects.all().delete()
    SalesOrderLine.objects.update(conversion_state="waiting", requirement=None)
    with transaction.atomic():
        conversion.convert_waiting(site_id=shop.site.pk, by=None, now=shop.now)
    assert WorkOrder.objects.count() == 2 * made
    assert "a requirement nobody asked for, or asked for twice" in violations()


def _waiting_conversion(shop: Shop, order: SalesOrder) -> Job:
    """Approve the order; the job that is to convert it."""
    service.approve(order=order, by=shop.sales, now=timezone.now())
    return Job.objects.get(name="crm.convert_waiting")
