"""Ten thousand serial numbers: received, put away, held and freed, sent to another site."""

import time
from collections.abc import Callable
from datetime import time as clock
from datetime import timedelta
from decimal import Decimal

from django.apps import apps
from django.utils import timezone

from crm.bench.table import Row
from erp import selectors
from erp.enums import BinKind, MoveKind
from erp.services import holds, moving, stock, transfers, warehouses
from masterdata import selectors as masterdata
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
            "registered and received",
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
    rows.append(
        _timed(
            "put away",
            lambda: moving.move(
                source=source,
                to_bin_id=storage,
                quantity=Decimal(COUNT),
                kind=MoveKind.PUT_AWAY,
                by=None,
                now=now,
            ),
        )
    )
    return [*rows, *_held(units), *_sent(site_id, item_id, storage, units)]


def _held(units: list[int]) -> list[Row]:
    """On hold, and free again."""
    now = timezone.now()
    placed: list[int] = []

    def hold() -> None:
        placed.extend(holds.hold(unit_ids=units, reason="bench", by=None, now=now))

    def release() -> None:
        holds.release(hold_ids=placed, reason="bench", by=None, now=now)

    return [_timed("put on hold", hold), _timed("freed again", release)]


def _sent(site_id: int, item_id: int, storage: int, units: list[int]) -> list[Row]:
    """To another site, and in there."""
    now = timezone.now()
    site = masterdata.site(site_id)
    other = apps.get_model("masterdata.Site").objects.create(
        code="DEPOT", name="Depot", calendar=site.calendar, shipping_calendar=site.calendar
    )
    transfer = transfers.draft(
        from_site_id=site_id,
        to_site_id=other.pk,
        arrives_on=now.date() + timedelta(days=1),
        by=None,
        now=now,
    )
    source = moving.Where(storage, item_id, unit_ids=units)
    packed = _timed(
        "packed for another site",
        lambda: transfers.pack(
            transfer=transfer, source=source, quantity=Decimal(COUNT), by=None, now=now
        ),
    )
    sent = _timed("dispatched", lambda: transfers.dispatch(transfer=transfer, by=None, now=now))
    came = {pk: Decimal(1) for pk in transfer.lines.values_list("pk", flat=True)}
    arrived = _timed(
        "arrived there",
        lambda: transfers.receive(transfer=transfer, arrivals=came, by=None, now=now),
    )
    return [packed, sent, arrived]


def _timed(what: str, act: Callable[[], object]) -> Row:
    started = time.perf_counter()
    act()
    passed = time.perf_counter() - started
    return Row(f"{COUNT:,} serial units {what}", f"{passed:.1f} s", "≤ 10 s")


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
