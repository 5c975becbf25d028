"""The demo factory holds what the story needs, whatever day it is loaded on."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core import mail

from aps.models import ScheduledOperation, ScheduleRun
from aps.services import promises
from aps.services.promise_answers import LineRequest
from common.models import Notification, User
from crm import selectors, selectors_tickets
from crm.demo import loading
from crm.enums import TraitKind
from crm.models import SalesOrder, TicketCluster, TicketMessage
from erp import selectors as erp
from erp.models import StockBalance, StockTransfer
from masterdata import selectors as masterdata
from masterdata.models import (
    BomLine,
    Customer,
    CustomerUser,
    Item,
    RoutingOperation,
    Site,
    WorkUnit,
)
from mes import selectors as mes
from mes.enums import OperationState
from mes.models import Nonconformance, WorkOrderOperation
from tests.traceability import ledger
from traceability import selectors as traceability
from traceability.enums import Verdict
from traceability.models import Document, Lot, Parameter, SerialUnit

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# A night between two years and a Sunday before the clocks change; tests of flows load it today.
MOMENTS = [datetime(2026, 12, 31, 23, 30, tzinfo=UTC), datetime(2028, 3, 26, 0, 10, tzinfo=UTC)]
ACCOUNTS = {
    *("sales", "planner", "supervisor", "operator", "operator-b", "operator-c", "purchasing"),
    *("warehouse", "quality"),
    *("after-sales", "manager", "administrator", "customer", "customer-b"),
}


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: f"{moment:%Y-%m-%d}")
def test_it_holds_the_story_on_any_day(settings, moment):
    settings.SOLVE_SECONDS = 1
    with time_machine.travel(moment):
        loading.load(now=moment)
        assert mail.outbox == [], "invented people get no mail"
        _check_plant()
        _check_orders(moment)
        _check_product_x(moment)
        _check_genealogy()
        _check_complaints()
        counts = _counts()
        loading.load(now=moment + timedelta(hours=1))
        assert _counts() == counts


def _check_plant():
    assert [site.code for site in Site.objects.order_by("pk")] == ["SUZ", "DEPOT"]
    # The depot only keeps parts: what it gets is no reason to plan machines there.
    depot = Site.objects.get(code="DEPOT")
    assert not ScheduleRun.objects.filter(site=depot).exists()
    assert StockBalance.objects.filter(site=depot, on_hand__gt=0).count() == 5
    states = StockTransfer.objects.filter(to_site=depot).order_by("pk")
    assert list(states.values_list("state", flat=True)) == ["received", "in_transit", "draft"]
    assert WorkUnit.objects.count() >= 24
    assert WorkUnit.objects.values("work_center__calendar").distinct().count() == 2
    assert Item.objects.count() >= 60
    assert BomLine.objects.count() > 60
    assert RoutingOperation.objects.count() > 60
    assert Customer.objects.count() == 12
    assert {"PRODUCT-X", "FLANGE-DN50"} <= {item.code for item in Item.objects.all()}
    assert {"CUST-A", "CUST-B"} <= {customer.code for customer in Customer.objects.all()}
    for model in (Item, Customer, WorkUnit):
        assert not model.objects.filter(name_zh="").exists(), model
    assert {user.username for user in User.objects.all()} == ACCOUNTS
    homes = CustomerUser.objects.values_list("user__username", "customer__code")
    assert set(homes) == {
        ("customer", "CUST-A"),
        ("customer-b", "CUST-B"),
    }


def _check_orders(moment):
    states = {order.state for order in SalesOrder.objects.all()}
    assert {"draft", "submitted", "approved", "in_production", "delivered"} <= states
    late = selectors.late(selectors.orders())
    assert {order.customer_reference for order in late} == {"B-3310", "HA-9022"}
    site = masterdata.default_site()
    short = [one for one in erp.shortages(site_id=site.pk, now=moment) if one.is_late]
    assert {one.item_code for one in short} == {"MOTOR-075"}
    assert ScheduledOperation.objects.exists()
    # What is under way began in this shift: a machine that ran for days would cost a fortune.
    under_way = WorkOrderOperation.objects.filter(state=OperationState.RUNNING)
    began = set(under_way.values_list("started_at", flat=True))
    assert began == {moment - timedelta(hours=2)}


def _check_product_x(moment):
    site = masterdata.default_site()
    customer = masterdata.customer_by_code("CUST-A")
    wanted = (moment + timedelta(days=30)).date()
    line = LineRequest(
        item_id=Item.objects.get(code="PRODUCT-X").pk,
        quantity=Decimal(5000),
        requested_date=wanted,
    )
    [answer] = promises.check(site_id=site.pk, customer_id=customer.pk, lines=[line], now=moment)
    assert answer.earliest_date <= wanted


def _check_genealogy():
    """Drive 123456: its steel, its station, its torque, its inspection, its customer."""
    drive = SerialUnit.objects.select_related("document__customer").get(number="123456")
    assert (drive.item.code, drive.state) == ("DRIVE-S1", "shipped")
    assert drive.document.customer.code == "CUST-A"
    above = traceability.above([drive.pk])
    steel = Lot.objects.get(number="RM-2605-09")
    assert steel.pk in above
    assert (steel.supplier.code, steel.supplier_lot) == ("SUP-STEEL", "H-88121")
    names = dict(Parameter.objects.values_list("pk", "code"))
    stations = dict(WorkUnit.objects.values_list("pk", "code"))
    told = {
        names.get(row.parameter_id): (stations[row.work_unit_id], row.value, row.verdict)
        for row in traceability.readings_of([drive.pk])
    }
    assert told["torque"] == ("ASM-01", Decimal("2.4"), Verdict.PASS)
    assert told["final_inspection"][1:] == (None, Verdict.PASS)
    # Thousands at several customers, and some that can still be stopped.
    groups = traceability.groups_of_lots([steel.pk])
    assert sum(group.units for group in groups) == 2420
    assert sum(group.units for group in groups if group.state == "available") == 8
    documents = Document.objects.in_bulk({group.document_id for group in groups})
    holders = {documents[group.document_id].customer_id for group in groups}
    assert len(holders - {None}) == 6
    assert erp.lot_balance(steel.pk).unexplained == 0
    ledger.agrees_with_stock()
    ledger.is_sound()


def _check_complaints():
    """The complaints about drives with the bad steel are an alert, and point at that steel."""
    steel = Lot.objects.get(number="RM-2605-09")
    alert = TicketCluster.objects.get(item__code="DRIVE-S1", kind=TraitKind.LOT, ref=steel.pk)
    assert alert.settled_at is None
    # Neither the machine nor the shafts: only that steel, and what is complained of.
    kinds = TicketCluster.objects.filter(item__code="DRIVE-S1").values_list("kind", flat=True)
    assert sorted(kinds) == [TraitKind.LOT, TraitKind.SYMPTOM]
    # What is done about it is about the same product, and its customers may read it.
    found = Nonconformance.objects.get()
    assert (found.item.code, found.symptom) == ("DRIVE-S1", "LOOSE")
    assert "AS-2026-0512" in found.references
    assert mes.customer_part("AS-2026-0512") is not None
    clustered = selectors_tickets.in_cluster(alert)
    assert "AS-2026-0512" in {ticket.number for ticket in clustered}
    assert clustered.count() == alert.tickets == 5
    assert clustered.values("customer").distinct().count() == 5
    told = Notification.objects.filter(kind="crm.ticket_cluster")
    assert told.exists()
    # Each customer was answered in their own language.
    for said in TicketMessage.objects.filter(kind="to_customer").select_related("ticket__customer"):
        is_chinese = said.ticket.customer.language == "zh-hans"
        assert ("您好" in said.body) == is_chinese, said.ticket


def _counts():
    return [model.objects.count() for model in (SalesOrder, ScheduledOperation, Item, User)]
