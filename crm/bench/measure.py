"""What is measured, inside the scratch database with a worker and a dispatcher running."""

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.utils import timezone

from aps import selectors as aps
from aps.services import promises
from common import jobs
from common.models import User
from crm import selectors
from crm.bench.table import Row, percentile
from crm.enums import OrderState
from crm.models import Conversion, SalesOrder, SalesOrderLine
from crm.services import bulk
from masterdata import selectors as masterdata
from mes import selectors as mes

LONGEST_SECONDS = 900
CHECKS = 200
SEED = 20261122


class TooSlow(Exception):
    """The chain did not end within LONGEST_SECONDS."""


def chain(say: Callable[[str], object]) -> list[Row]:
    """Approve all submitted orders together; time until work orders, and until dates."""
    by = User.objects.order_by("pk").first()
    assert by is not None  # noqa: S101 - the command makes one
    ids = list(SalesOrder.objects.filter(state=OrderState.SUBMITTED).values_list("pk", flat=True))
    started = time.monotonic()
    asked = bulk.request(order_ids=ids, by=by, now=timezone.now())
    converted = None
    while True:
        asked.refresh_from_db()
        progress = selectors.bulk_progress(asked)
        passed = time.monotonic() - started
        is_converted = progress.handled == progress.orders and (
            progress.converted + progress.failed == progress.lines
        )
        if converted is None and is_converted:
            converted = passed
            say(f"converted after {passed:.1f} s, {progress.failed} lines failed")
        if converted is not None and progress.is_finished:
            break
        if passed > LONGEST_SECONDS:
            raise TooSlow(f"{progress} after {passed:.0f} s")
        time.sleep(0.2)
    return [
        Row(
            f"conversion of {len(ids)} orders, {progress.lines} lines",
            f"{converted:.1f} s",
            "≤ 60 s",
        ),
        Row("lines that could not be converted", str(progress.failed), ""),
        Row("work orders / operations", _sizes(), ""),
        Row("bulk approval to a date on every line", f"{passed:.1f} s", "≤ 180 s"),
        *_schedule_rows(),
    ]


def _sizes() -> str:
    orders = mes.work_orders()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM mes_workorderoperation")
        (operations,) = cursor.fetchone()
    return f"{orders.count():,} / {operations:,}"


def _schedule_rows() -> list[Row]:
    run = aps.current_run(masterdata.default_site().pk)
    if run is None:
        return []
    late = SalesOrderLine.objects.filter(order__state__in=OrderState.open())
    return [
        Row("schedule", f"version {run.version}, {run.figures.get('operations', '?')} operations"),
        Row(
            "lines with a projected date", f"{late.filter(projected_date__isnull=False).count():,}"
        ),
    ]


def repeated() -> Row:
    """Ask for the same conversion again: nothing may change."""
    site = masterdata.default_site()
    before = (mes.work_orders().count(), Conversion.objects.count())
    now = timezone.now()
    with transaction.atomic():
        jobs.enqueue("crm.convert_waiting", key=f"bench:{now}", now=now, site_id=site.pk)
    jobs.run_due()
    after = (mes.work_orders().count(), Conversion.objects.count())
    return Row(
        "the same run repeated changes", "nothing" if before == after else "SOMETHING", "nothing"
    )


def promise_checks() -> list[Row]:
    """Single-line checks of sold items against the live schedule, as an order is typed."""
    chance = random.Random(SEED)  # noqa: S311 - a fixed sample, no secret
    site = masterdata.default_site()
    items = list(
        SalesOrderLine.objects.order_by("item_id").values_list("item_id", flat=True).distinct()
    )
    now = timezone.now()
    seconds = [_one_check(site.pk, chance.choice(items), chance, now) for _ in range(CHECKS + 1)]
    first, warm = seconds[0], seconds[1:]
    open_orders = SalesOrder.objects.filter(state__in=OrderState.open()).count()
    return [
        Row(
            f"promise check, {open_orders} open orders, p50",
            f"{percentile(warm, 0.5) * 1000:.0f} ms",
        ),
        Row("promise check, p95", f"{percentile(warm, 0.95) * 1000:.0f} ms", "≤ 1,000 ms"),
        Row("promise check, slowest", f"{max(warm) * 1000:.0f} ms"),
        Row("promise check, the first of a process", f"{first * 1000:.0f} ms"),
    ]


def _one_check(site_id: int, item_id: int, chance: random.Random, now: datetime) -> float:
    line = promises.LineRequest(
        item_id=item_id,
        quantity=Decimal(chance.choice([1, 2, 5, 20, 100])),
        requested_date=(now + timedelta(days=chance.randint(1, 60))).date(),
    )
    started = time.perf_counter()
    promises.check(site_id=site_id, customer_id=None, lines=[line], now=timezone.now())
    return time.perf_counter() - started
