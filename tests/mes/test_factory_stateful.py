"""Store, floor and ledger together, in any order: nothing is lost, nothing appears, all is paid."""

import inspect
import random
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from common.errors import Refused
from erp.enums import BinKind, MoveKind
from erp.models import Requirement, StockBalance, StockQuant
from erp.services import counts, holds, moving, reservations, returns, stock, warehouses
from mes.enums import OperationState, WorkOrderState
from mes.models import OperationReport, WorkOrder, WorkOrderOperation
from mes.services import consumption, covering, execution, people, undoing, work_orders
from tests.erp.test_lots import books_agree
from tests.mes import books
from tests.mes.factories import NOW
from tests.mes.factory import PRICES, Factory
from tests.profiles import stateful
from tests.traceability import ledger
from traceability.models import Hold, SerialUnit

pytestmark = pytest.mark.slow

BOUGHT = list(PRICES)
STORE = (
    *("receive", "reserve", "release", "stage", "move", "hold", "lift", "count", "give_back"),
    *("order", "reduce", "ship", "cover_again"),
)
FLOOR = (
    *("start_what_may",) * 4,
    *("report",) * 6,
    *("work_hard",) * 3,
    *("undo_the_last", "undo_the_last", "undo", "scan", "finish", "close", "close", "start"),
    *("pause_or_go_on", "come_and_go", "come_back_from_rework", "give_back"),
)
# What an act is given, by the name of the argument.
GIVEN = {
    "code": lambda chance: chance.choice(BOUGHT),
    "made": lambda chance: chance.choice(["TABLE", "TABLE", "TOP"]),
    "quantity": lambda chance: Decimal(chance.randint(1, 6)),
    "days": lambda chance: chance.randint(0, 30),
    "number": lambda chance: chance.randrange(10**6),
    "who": lambda chance: chance.randrange(10**6),
    "unit": lambda chance: chance.randint(0, 1),
    "cents": lambda chance: chance.randint(1, 900),
    "kind": lambda chance: chance.choice(list(BinKind)),
    "counted": lambda chance: chance.randint(0, 30),
    "waited": lambda chance: chance.randint(1, 90),
    "good": lambda chance: Decimal(chance.randint(0, 4)),
    "scrap": lambda chance: Decimal(chance.choice([0, 0, 0, 1, 2])),
    "rework": lambda chance: Decimal(chance.choice([0, 0, 0, 1])),
    **dict.fromkeys(
        ("away", "needed", "in_setup", "joins", "short"), lambda chance: chance.random() < 0.5
    ),
}


class Company(RuleBasedStateMachine):
    """A factory where everybody does something at random; what is refused changes nothing."""

    def __init__(self):
        super().__init__()
        # Each example is undone at its end.
        self.undone = transaction.atomic()
        self.undone.__enter__()

    def teardown(self):
        ledger.is_sound()
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    @initialize()
    def open(self):
        self.plant = Factory()
        self.now = NOW
        self.lot = 0
        for code in BOUGHT:
            self.plant.receive(code, 24, now=self.now)
        self.order("TABLE", Decimal(3), 3)
        self.order("TOP", Decimal(2), 5)

    def try_(self, act, **arguments):
        """Do it a minute later than the last thing; whether it was let through."""
        self.now += timedelta(minutes=1)
        try:
            with transaction.atomic():
                act(**arguments, now=self.now)
        except Refused:
            return False
        return True

    def by(self, number):
        return self.plant.people[number % len(self.plant.people)]

    def pick(self, rows, number):
        found = list(rows.order_by("pk"))
        return found[number % len(found)] if found else None

    def operation(self, number, *states):
        rows = WorkOrderOperation.objects.filter(state__in=states).select_related("work_order")
        return self.pick(rows, number)

    def source(self, quant):
        units = [quant.unit_id] if quant.unit_id else []
        return moving.Where(quant.bin_id, quant.item_id, quant.lot_id, units)

    def do(self, what, chance):
        """One act with arguments of chance; drawn here, so that examples go deep."""
        act = getattr(self, what)
        names = inspect.signature(act).parameters
        act(**{name: GIVEN[name](chance) for name in names})

    @rule(
        what=st.lists(st.sampled_from(STORE + FLOOR), min_size=1, max_size=4),
        seed=st.integers(0, 10**6),
    )
    def everybody(self, what, seed):
        chance = random.Random(seed)
        for one in what:
            self.do(one, chance)

    # The office.

    def order(self, made, quantity, days):
        need = self.plant.need(made, quantity, days=days)
        self.plant.plan(need, now=self.now)
        self.give_free()

    def reduce(self, number, quantity):
        rows = Requirement.objects.filter(kind="sales", state="open", issued=0)
        need = self.pick(rows, number)
        if need and quantity < need.quantity:
            try:
                with transaction.atomic():
                    self.plant.unplan({need: quantity}, now=self.now)
            except Refused:
                pass

    def ship(self, number, quantity):
        need = self.pick(Requirement.objects.filter(kind="sales", state="open"), number)
        if need:
            self.try_(
                stock.issue,
                requirement_id=need.pk,
                quantity=quantity,
                reference="SH",
                kind=MoveKind.SHIPMENT,
                by=None,
            )

    def cover_again(self):
        covering.cover_again(site_id=self.plant.site.pk, by=None, now=self.now)

    # The store.

    def receive(self, code, quantity, cents):
        self.now += timedelta(minutes=1)
        self.plant.receive(code, quantity, now=self.now, price=Decimal(cents) / 100)

    def give_free(self):
        reservations.give_free(
            site_id=self.plant.site.pk, item_ids=[self.plant.items[code].pk for code in BOUGHT]
        )

    def release(self, number, quantity):
        need = self.pick(Requirement.objects.filter(state="open"), number)
        if need and need.item.code in BOUGHT:
            reservations.release({need.pk: quantity})

    def reserve(self):
        self.give_free()

    def stage(self, number, quantity):
        need = self.pick(Requirement.objects.filter(state="open"), number)
        if need:
            self.try_(moving.stage, requirement_id=need.pk, quantity=quantity, by=None)

    def move(self, number, quantity, away, kind):
        quant = self.pick(StockQuant.objects.filter(quantity__gt=0), number)
        if quant:
            site = self.plant.other_site if away else self.plant.site
            target = warehouses.bin_for(site_id=site.pk, kind=kind)
            self.try_(
                moving.move,
                source=self.source(quant),
                to_bin_id=target.pk,
                quantity=Decimal(1) if quant.unit_id else quantity,
                by=None,
            )

    def hold(self, number):
        quant = self.pick(StockQuant.objects.exclude(lot=None, unit=None), number)
        if quant:
            self.try_(
                holds.hold,
                lot_ids=[quant.lot_id] if quant.lot_id else [],
                unit_ids=[quant.unit_id] if quant.unit_id else [],
                reason="crack",
                by=None,
            )

    def lift(self, number):
        row = self.pick(Hold.objects.filter(released_at=None), number)
        if row:
            self.try_(holds.release, hold_ids=[row.pk], reason="tested", by=None)

    def count(self, number, counted):
        quant = self.pick(StockQuant.objects, number)
        if quant is None:
            return
        self.now += timedelta(minutes=1)
        site_id = quant.bin.warehouse.site_id
        session = counts.start(site_id=site_id, title="", by=None, now=self.now)
        place = ("bin_id", "item_id", "lot_id", "unit_id")
        counted = Decimal(min(counted, 1) if quant.unit_id else counted)
        where = {name: getattr(quant, name) for name in place}
        assert self.try_(counts.enter, session=session, counted=counted, by=None, **where)
        self.try_(counts.submit, session=session, by=None)

    def give_back(self, number, quantity, needed):
        need = self.pick(Requirement.objects.filter(kind="component", issued__gt=0), number)
        if need:
            self.try_(
                returns.from_work_order,
                requirement_id=need.pk,
                quantity=quantity,
                reference=need.reference,
                still_needed=needed,
                by=None,
            )

    # The floor.

    def start(self, number, unit, who, in_setup):
        operation = self.operation(number, OperationState.READY, OperationState.WAITING)
        if operation:
            self.try_(
                execution.start,
                operation=operation,
                work_unit_id=self.plant.units[unit].pk,
                in_setup=in_setup,
                by=self.by(who),
            )

    def report(self, number, good, scrap, rework, who, waited):
        operation = self.operation(number, OperationState.RUNNING, OperationState.SETUP)
        self.now += timedelta(minutes=waited)
        if operation:
            self.try_(
                execution.report,
                operation=operation,
                good=good,
                scrap=scrap,
                rework=rework,
                by=self.by(who),
            )

    def come_back_from_rework(self, number, good, scrap):
        rows = WorkOrderOperation.objects.filter(state=OperationState.RUNNING, rework__gt=0)
        operation = self.pick(rows.select_related("work_order"), number)
        if operation:
            self.try_(
                execution.report,
                operation=operation,
                good=good,
                scrap=scrap,
                from_rework=True,
                by=None,
            )

    def undo(self, number, who):
        report = self.pick(OperationReport.objects.filter(reverses=None), number)
        if report:
            self.try_(undoing.undo, report=report, by=self.by(who))

    def undo_the_last(self, number, who):
        rows = OperationReport.objects.filter(reverses=None, reversed_by=None)
        last = rows.order_by("-pk").first()
        if last:
            self.try_(undoing.undo, report=last, by=self.by(who))

    def scan(self, number, who):
        operation = self.operation(number, OperationState.RUNNING)
        unit = self.pick(SerialUnit.objects.filter(state="available"), number)
        if operation and unit:
            self.try_(consumption.scan, operation=operation, code=unit.number, by=self.by(who))

    def pause_or_go_on(self, number, who):
        running = self.operation(number, OperationState.RUNNING, OperationState.INTERRUPTED)
        if running and running.state == OperationState.RUNNING:
            self.try_(execution.interrupt, operation=running, reason="x", by=self.by(who))
        elif running:
            self.try_(execution.resume, operation=running, by=self.by(who))

    def come_and_go(self, number, who, joins):
        operation = self.operation(number, OperationState.RUNNING, OperationState.SETUP)
        if operation:
            act = people.join if joins else people.leave
            self.try_(act, operation=operation, by=self.by(who))

    def finish(self, number, short):
        operation = self.operation(number, OperationState.RUNNING, OperationState.INTERRUPTED)
        if operation:
            self.try_(
                execution.finish,
                operation=operation,
                short_close=short,
                reason="enough",
                by=None,
            )

    def work_hard(self):
        """All that runs is made to the end, so that orders complete in short examples too."""
        for operation in WorkOrderOperation.objects.filter(
            state__in=[OperationState.RUNNING, OperationState.SETUP]
        ).select_related("work_order"):
            order = operation.work_order
            for unit in SerialUnit.objects.filter(state="available").order_by("pk"):
                self.try_(consumption.scan, operation=operation, code=unit.number, by=self.by(0))
            before = order.operations.filter(sequence__lt=operation.sequence)
            previous = before.order_by("-sequence").first()
            came = previous.good if previous else order.quantity
            left = came - operation.good - operation.scrap - operation.rework
            if left > 0:
                self.try_(execution.report, operation=operation, good=left, by=self.by(0))
            self.try_(execution.finish, operation=operation, short_close=True, reason="x", by=None)

    def start_what_may(self):
        """So that there is something to work on in short examples too."""
        for unit in self.plant.units:
            for operation in WorkOrderOperation.objects.filter(
                state__in=[OperationState.READY, OperationState.WAITING]
            ).select_related("work_order"):
                if self.try_(
                    execution.start, operation=operation, work_unit_id=unit.pk, by=self.by(0)
                ):
                    break

    def close(self, number):
        order = self.pick(WorkOrder.objects.filter(state=WorkOrderState.COMPLETED), number)
        if order:
            self.try_(work_orders.close, order=order, by=None)

    @invariant()
    def the_store_agrees(self):
        if not hasattr(self, "plant"):
            return
        assert books_agree()
        for balance in StockBalance.objects.select_related("item"):
            if not balance.item.may_be_negative:
                assert balance.on_hand >= 0
            if balance.on_hand >= 0:
                assert balance.reserved + balance.held <= balance.on_hand

    @invariant()
    def floor_and_ledger_agree(self):
        if hasattr(self, "plant"):
            books.check()


@pytest.mark.django_db
def test_whatever_happens_pieces_material_and_money_agree():
    run_state_machine_as_test(Company, settings=stateful(examples=6, steps=20))
