"""Ten thousand serial numbers: registered and received, put away, held and freed."""

import time
from collections.abc import Callable
from datetime import time as clock
from decimal import Decimal

from django.apps import apps
from django.utils import timezone

from crm.bench.table import Row
from erp import selectors
from erp.enums import BinKind, MoveKind
from erp.services import holds, moving, stock, warehouses
from masterdata.enums import Supply, Tracking

COUNT = 10_000


def measure() -> list[Row]:
    """Each step once, each in one transaction."""
    now = timezone.now()
    site_id, item_id = _plant()
    numbers = [f"SN-{number:06d}" for number in range(COUNT)]
    receiving = warehouses.bin_for(site_id=site_id, kind=BinKind.RECEIVING).pk
    storage = warehouses.bin_for(site_id=site_id, kind=BinKind.STORAGE).pk
    rows = [
        _timed(
            f"{COUNT:,} serial numbers registered and received",
            "≤ 10 s",
            lambda: stock.receive(
                item_id=item_id,
                site_id=site_id,
                quantity=Decimal(COUNT),
                kind=MoveKind.RECEIPT,
                reference="bench",
                serials=numbers,
                bin_id=receiving,
                by=None,
                now=now,
            ),
        )
    ]
    units = list(selectors.quants(site_id=site_id, item_id=item_id).values_list("unit", flat=True))
    source = moving.Where(receiving, item_id, unit_ids=units)
    rows += [
        _timed(
            f"{COUNT:,} serial units put away",
            "",
            lambda: moving.move(
                source=source,
                to_bin_id=storage,
                quantity=Decimal(COUNT),
                kind=MoveKind.PUT_AWAY,
                by=None,
                now=now,
            ),
        ),
        _timed(
            f"{COUNT:,} serial units put on hold",
            "",
            lambda: holds.hold(unit_ids=units, reason="bench", by=None, now=now),
        ),
    ]
    return rows


def _timed(what: str, bar: str, act: Callable[[], object]) -> Row:
    started = time.perf_counter()
    act()
    return Row(what, f"{time.perf_counter() - started:.1f} s", bar)


def _plant() -> tuple[int, int]:
    """A site and an item with serial numbers."""
    model = apps.get_model
    calendar = model("masterdata.Calendar").objects.create(code="BENCH", name="Bench")
    model("masterdata.Shift").objects.create(
        calendar=calendar, weekday=0, starts_at=clock(8), ends_at=clock(16)
    )
    site = model("masterdata.Site").objects.create(
        code="BENCH", name="Bench", calendar=calendar, shipping_calendar=calendar
    )
    item = model("masterdata.Item").objects.create(
        code="BENCH", name="Bench", supply=Supply.BUY, tracking=Tracking.SERIAL
    )
    return site.pk, item.pk
