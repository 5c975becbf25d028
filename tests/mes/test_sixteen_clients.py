"""Sixteen at once at the same rows: reports, issues, picks, reservations, counts.

``PARALLEL_SECONDS=60`` (``make soak``) lets them go on for a minute. Each guard has its control:
the same without it, and what breaks.
"""

import random
import threading
import time
from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from common.concurrency import Lock, lock
from common.errors import Refused
from erp import policies_counting, selectors
from erp.enums import BinKind, MoveKind
from erp.models import CountSession, Requirement, StockBalance, StockMove, StockQuant
from erp.services import counts, holds, moving, reservations, stock, warehouses
from erp.services import issuing as erp_issuing
from mes import report_policies
from mes.enums import OperationState
from mes.models import OperationReport, WorkOrderOperation
from mes.services import acts, execution, people, undoing
from tests import parallel
from tests.erp.test_lots import books_agree
from tests.mes import books
from tests.mes.factory import Factory
from tests.profiles import parallel_seconds
from traceability.models import Hold

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

CLIENTS = 16
PIECES = 400
SECONDS = 4.0
AT_LEAST = 3


@pytest.fixture
def plant():
    """Four orders of 400 shelves, each at its last operation, and stock and needs beside them."""
    plant = Factory(units=6, people=4)
    plant.make("SHELF", {"PLATE": 1, "GLUE": 2, "SCREW": 3}, steps=2, standard_cost="5")
    now = timezone.now()
    plant.receive("PLATE", 4 * PIECES + 300, now=now)
    plant.receive("SCREW", 12 * PIECES, now=now)
    for lot in ("G-1", "G-2"):
        plant.receive("GLUE", 4 * PIECES + 150, now=now, lot=lot)
    for number in range(4):
        need = plant.need("SHELF", PIECES, days=number)
        plant.plan(need, now=now)
    plant.last = [_at_the_last(plant, number) for number in range(4)]
    for code in ("PLATE", "GLUE"):
        for _ in range(4):
            plant.need(code, 40)
    return plant


def _at_the_last(plant, number):
    order = plant.orders("SHELF")[number]
    first, last = order.operations.order_by("sequence")
    by, unit = plant.people[number], plant.units[number].pk
    for operation in (first, last):
        execution.start(operation=operation, work_unit_id=unit, by=by, now=timezone.now())
        if operation is first:
            done = {"operation": operation, "by": by}
            execution.report(**done, good=Decimal(PIECES), now=timezone.now())
            execution.finish(**done, now=timezone.now())
    return last.pk


class Client:
    """One of the sixteen: does what comes to mind, and keeps its own account of what it did."""

    WHAT = (
        *("report",) * 8,
        *("scrap", "undo", "pause", "come_or_go", "ship", "stage", "unstage", "reserve"),
        *("release", "receive", "count", "move", "hold", "lift", "order"),
    )

    def __init__(self, number, plant):
        self.chance = random.Random(number)
        self.plant = plant
        self.by = plant.people[number % len(plant.people)]
        # Pieces by operation, and what came in by item.
        self.good = defaultdict(Decimal)
        self.received = defaultdict(Decimal)
        self.outcomes = Counter()

    def go_on(self, ends):
        # On a busy machine too, each does something.
        while time.monotonic() < ends or self.outcomes.total() < AT_LEAST:
            what = self.chance.choice(self.WHAT)
            try:
                getattr(self, what)()
                self.outcomes["done"] += 1
            except (Refused, StockQuant.DoesNotExist):
                self.outcomes["refused"] += 1
            except Exception as error:
                if not parallel.is_deadlock(error):
                    raise
                self.outcomes["deadlock"] += 1

    def act(self):
        return {"by": self.by, "now": timezone.now()}

    def operation(self):
        pk = self.chance.choice(self.plant.last)
        return WorkOrderOperation.objects.select_related("work_order").get(pk=pk)

    def need(self):
        rows = Requirement.objects.filter(kind="sales", state="open", site=self.plant.site)
        return self.chance.choice(list(rows))

    def some(self):
        return Decimal(self.chance.randint(1, 4))

    def quant(self):
        rows = StockQuant.objects.filter(bin__warehouse__site=self.plant.site, quantity__gt=0)
        return self.chance.choice(list(rows))

    def report(self):
        operation, good = self.operation(), self.some()
        execution.report(operation=operation, good=good, **self.act())
        self.good[operation.pk] += good

    def scrap(self):
        execution.report(
            operation=self.operation(), good=Decimal(0), scrap=Decimal(1), **self.act()
        )

    def undo(self):
        operation = self.operation()
        rows = OperationReport.objects.filter(operation=operation, reverses=None, reversed_by=None)
        last = rows.order_by("-pk").first()
        if last:
            row = undoing.undo(report=last, **self.act())
            self.good[operation.pk] += row.good

    def pause(self):
        operation = self.operation()
        if operation.state == OperationState.RUNNING:
            execution.interrupt(operation=operation, reason="x", **self.act())
        execution.resume(operation=operation, **self.act())

    def come_or_go(self):
        act = self.chance.choice([people.join, people.leave])
        act(operation=self.operation(), **self.act())

    def ship(self):
        stock.issue(
            requirement_id=self.need().pk,
            quantity=self.some(),
            reference="SH",
            kind=MoveKind.SHIPMENT,
            **self.act(),
        )

    def stage(self):
        kind = self.chance.choice([MoveKind.PICK, MoveKind.STAGE])
        moving.stage(requirement_id=self.need().pk, quantity=self.some(), kind=kind, **self.act())

    def unstage(self):
        moving.unstage(requirement_id=self.need().pk, **self.act())

    def reserve(self):
        need = self.need()
        with transaction.atomic():
            lock(Lock.SUPPLY, need.site_id)
            reservations.give_free(site_id=need.site_id, item_ids=[need.item_id])

    def release(self):
        with transaction.atomic():
            reservations.release({self.need().pk: self.some()})

    def receive(self):
        code, quantity = self.chance.choice(["PLATE", "GLUE"]), self.some()
        self.plant.receive(
            code, quantity, now=timezone.now(), price="1.11", lot="G-1" if code == "GLUE" else ""
        )
        self.received[code] += quantity

    def count(self):
        quant, act = self.quant(), self.act()
        session = counts.start(site_id=self.plant.site.pk, title="", **act)
        counts.enter(
            session=session,
            bin_id=quant.bin_id,
            item_id=quant.item_id,
            lot_id=quant.lot_id,
            counted=max(Decimal(0), quant.quantity + self.chance.randint(-1, 1)),
            **act,
        )
        counts.submit(session=session, **act)

    def move(self):
        quant = self.quant()
        kind = self.chance.choice([kind for kind in BinKind if kind != BinKind.QUARANTINE])
        target = warehouses.bin_for(site_id=self.plant.site.pk, kind=kind)
        source = moving.Where(quant.bin_id, quant.item_id, quant.lot_id)
        moving.move(source=source, to_bin_id=target.pk, quantity=self.some(), **self.act())

    def hold(self):
        quant = self.quant()
        if quant.lot_id and quant.item_id != self.plant.items["GLUE"].pk:
            holds.hold(lot_ids=[quant.lot_id], reason="x", **self.act())

    def lift(self):
        row = Hold.objects.filter(released_at=None).first()
        if row:
            holds.release(hold_ids=[row.pk], reason="x", **self.act())

    def order(self):
        need = self.plant.need("TOP", self.some())
        self.plant.plan(need, now=timezone.now())


def test_sixteen_clients_lose_nothing_and_never_block_each_other(plant):
    before, ends = parallel.deadlocks(), time.monotonic() + parallel_seconds(SECONDS)
    clients = [Client(number, plant) for number in range(CLIENTS)]
    came = parallel.at_once(*[lambda one=one: one.go_on(ends) for one in clients])
    assert parallel.errors(came) == []
    outcomes = sum((one.outcomes for one in clients), Counter())
    assert outcomes["deadlock"] == 0, outcomes
    assert parallel.deadlocks() == before
    assert outcomes["done"] > CLIENTS, outcomes

    # Nobody's work was written over: the books say what the clients remember.
    good, received = defaultdict(Decimal), defaultdict(Decimal)
    for one in clients:
        for key, quantity in one.good.items():
            good[key] += quantity
        for key, quantity in one.received.items():
            received[key] += quantity
    for pk in plant.last:
        assert WorkOrderOperation.objects.get(pk=pk).good == good[pk]
    for code, quantity in received.items():
        rows = StockMove.objects.filter(item__code=code, kind=MoveKind.RECEIPT, reference="DN")
        at_first = {"PLATE": 4 * PIECES + 300, "GLUE": 2 * (4 * PIECES + 150)}[code]
        assert sum(row.quantity for row in rows) == at_first + quantity
    assert books_agree()
    books.check()
    print(f"{parallel_seconds(SECONDS):.0f} s, {CLIENTS} clients: {dict(outcomes)}")


# The controls: a guard is taken away, and what it guards breaks.


@pytest.fixture
def nine_of_ten():
    """A first operation of ten pieces, nine of them reported."""
    plant = Factory()
    plant.make("GEAR", steps=2)
    plant.plan(plant.need("GEAR", 10), now=timezone.now())
    operation = plant.orders("GEAR")[0].operations.order_by("sequence").first()
    by = plant.people[0]
    execution.start(operation=operation, work_unit_id=plant.units[0].pk, by=by, now=timezone.now())
    execution.report(operation=operation, good=Decimal(9), by=by, now=timezone.now())
    operation.by = by
    return operation


def _report_one(operation):
    return execution.report(
        operation=operation, good=Decimal(1), by=operation.by, now=timezone.now()
    )


def test_the_last_piece_is_reported_once(nine_of_ten):
    came = parallel.at_once(*[lambda: _report_one(nine_of_ten)] * 2)
    assert [type(error) for error in parallel.errors(came)] == [execution.CannotReport]
    books.pieces_are_conserved()


def test_without_the_row_lock_it_is_reported_twice(nine_of_ten, monkeypatch):
    parallel.take_away_row_locks(monkeypatch)
    parallel.meet_after(monkeypatch, report_policies, "check_can_report")
    came = parallel.at_once(*[lambda: _report_one(nine_of_ten)] * 2)
    assert parallel.errors(came) == []
    # One report was written over: eleven pieces in the reports, ten at the operation.
    with pytest.raises(AssertionError):
        books.pieces_are_conserved()


def test_without_the_row_lock_the_database_keeps_a_report_from_being_undone_twice(
    nine_of_ten, monkeypatch
):
    report = OperationReport.objects.get()
    parallel.take_away_row_locks(monkeypatch)
    parallel.take_away_lock(monkeypatch, acts)
    parallel.meet_after(monkeypatch, report_policies, "check_can_undo")

    def undo():
        return undoing.undo(report=report, by=nine_of_ten.by, now=timezone.now())

    came = parallel.at_once(undo, undo)
    (stopped,) = parallel.errors(came)
    assert isinstance(stopped, IntegrityError)
    assert "reverses" in str(stopped)
    books.pieces_are_conserved()


@pytest.fixture
def six_left():
    """Six pieces free, and two who need six."""
    plant = Factory()
    plant.receive("PLATE", 6, now=timezone.now())
    return [plant.need("PLATE", 6) for _ in range(2)]


def _reserve(need):
    with transaction.atomic():
        reservations.reserve({need.pk: Decimal(6)})


def test_six_pieces_are_reserved_once(six_left):
    came = parallel.at_once(*[lambda need=need: _reserve(need) for need in six_left])
    assert [type(error) for error in parallel.errors(came)] == [reservations.CannotReserve]
    assert books_agree()


def test_without_the_row_lock_the_database_keeps_them_from_being_reserved_twice(
    six_left, monkeypatch
):
    parallel.take_away_row_locks(monkeypatch)
    parallel.meet_after(monkeypatch, reservations, "_locked_balances")
    came = parallel.at_once(*[lambda need=need: _reserve(need) for need in six_left])
    (stopped,) = parallel.errors(came)
    assert isinstance(stopped, IntegrityError)
    assert "reserved" in str(stopped)
    assert books_agree()


@pytest.fixture
def reserved_twice_over():
    """Two needs of six with six reserved each, and two lots of six."""
    plant = Factory()
    now = timezone.now()
    for lot in ("A", "B"):
        plant.receive("GLUE", 6, now=now, lot=lot)
    needs = [plant.need("GLUE", 6) for _ in range(2)]
    for need in needs:
        _reserve(need)
    return needs


def _stage(need):
    moving.stage(requirement_id=need.pk, quantity=Decimal(6), by=None, now=timezone.now())


def test_two_pickers_take_two_lots(reserved_twice_over):
    came = parallel.at_once(*[lambda need=need: _stage(need) for need in reserved_twice_over])
    assert parallel.errors(came) == []
    assert StockQuant.objects.filter(staged=6).count() == 2
    assert books_agree()


def test_without_the_lock_both_pick_the_same_lot_and_the_database_stops_one(
    reserved_twice_over, monkeypatch
):
    parallel.take_away_row_locks(monkeypatch)
    parallel.take_away_lock(monkeypatch, moving, erp_issuing)
    parallel.meet_after(monkeypatch, selectors, "choose")
    came = parallel.at_once(*[lambda need=need: _stage(need) for need in reserved_twice_over])
    (stopped,) = parallel.errors(came)
    assert isinstance(stopped, IntegrityError)
    assert books_agree()


@pytest.fixture
def counted():
    """A count that found two of ten missing, not handed in yet."""
    plant = Factory()
    now = timezone.now()
    plant.receive("PLATE", 10, now=now)
    quant = StockQuant.objects.get()
    session = counts.start(site_id=plant.site.pk, title="", by=None, now=now)
    counts.enter(
        session=session,
        bin_id=quant.bin_id,
        item_id=quant.item_id,
        counted=Decimal(8),
        by=None,
        now=now,
    )
    return session


def _submit(session):
    counts.submit(session=session, by=None, now=timezone.now())


def test_a_count_is_posted_once(counted):
    came = parallel.at_once(*[lambda: _submit(counted)] * 2)
    assert [type(error) for error in parallel.errors(came)] == [counts.CannotCount]
    assert StockBalance.objects.get().on_hand == 8
    assert books_agree()


def test_without_the_locks_it_is_posted_twice(counted, monkeypatch):
    parallel.take_away_row_locks(monkeypatch)
    parallel.take_away_lock(monkeypatch, counts)
    parallel.meet_after(monkeypatch, policies_counting, "check_can_submit")
    came = parallel.at_once(*[lambda: _submit(counted)] * 2)
    assert parallel.errors(came) == []
    assert StockBalance.objects.get().on_hand == 6


def test_a_circle_of_locks_is_counted(counted):
    """The control of the count of deadlocks: two who lock two rows the other way round."""
    other = CountSession.objects.create(
        number="CT-X", site_id=counted.site_id, started_at=timezone.now()
    )
    met = threading.Barrier(2)

    def both(*pks):
        with transaction.atomic():
            for place, pk in enumerate(pks):
                CountSession.objects.select_for_update().get(pk=pk)
                if not place:
                    met.wait(timeout=20)

    came = parallel.at_once(lambda: both(counted.pk, other.pk), lambda: both(other.pk, counted.pk))
    (error,) = parallel.errors(came)
    assert parallel.is_deadlock(error)
