"""What is made has a lot or serial numbers, and what a hold takes is made again."""

from decimal import Decimal

import pytest

from common.models import Job
from erp.models import Reservation, StockBalance
from erp.services import holds
from masterdata.enums import Tracking
from mes.services import covering, execution
from tests.mes.factories import NOW, Plant
from tests.mes.test_execution import receive, start, step
from tests.shared import shared
from traceability.models import Hold, Lot, SerialUnit

pytestmark = pytest.mark.django_db


@shared()
def plant():
    """Five bikes, kept by lots, of five frames with serial numbers."""
    plant = Plant()
    plant.make("FRAME", {"TUBE": 3}, tracking=Tracking.SERIAL)
    plant.make("BIKE", {"FRAME": 1}, tracking=Tracking.LOT)
    receive(plant, "TUBE", 30)
    plant.bikes = plant.need("BIKE", 5)
    plant.plan(plant.bikes)
    return plant


def make(plant, code, pieces):
    operation = start(plant, code)
    for good in pieces:
        operation = execution.report(operation=operation, good=Decimal(good), by=None, now=NOW)
    execution.finish(operation=step(plant, code), by=None, now=NOW)


def test_output_gets_its_lot_or_serial_numbers(plant):
    make(plant, "FRAME", [2, 3])
    assert SerialUnit.objects.filter(state="available").count() == 5
    make(plant, "BIKE", [4, 1])
    assert SerialUnit.objects.filter(state="consumed").count() == 5
    lot = Lot.objects.get()
    assert (lot.number, lot.state) == (plant.orders("BIKE")[0].number, "available")
    assert Reservation.objects.get(requirement=plant.bikes).quantity == 5


def test_what_a_hold_takes_from_an_order_is_made_again(plant):
    make(plant, "FRAME", [5])
    make(plant, "BIKE", [5])
    holds.hold(lot_ids=[Lot.objects.get().pk], reason="crack", by=None, now=NOW)
    assert not Reservation.objects.filter(requirement=plant.bikes).exists()
    assert "mes.cover_again" in set(Job.objects.values_list("name", flat=True))
    assert covering.cover_again(site_id=plant.site.pk, by=None, now=NOW) == 1
    assert [order.quantity for order in plant.orders("BIKE")] == [5, 5]
    assert covering.cover_again(site_id=plant.site.pk, by=None, now=NOW) == 0
    # Lifted: what was held is free for the next order.
    holds.release(hold_ids=[Hold.objects.get().pk], reason="tested", by=None, now=NOW)
    balance = StockBalance.objects.get(item=plant.items["BIKE"])
    assert (balance.held, balance.reserved, balance.on_hand) == (0, 0, 5)
