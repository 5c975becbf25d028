"""What order lines cost: shared fairly, to the cent, and nothing lost between the lines."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.enums import Role
from crm import selectors, selectors_costs
from erp.enums import CostKind, MoveKind
from erp.models import CostEntry
from erp.services import costing, costs, reservations, stock
from masterdata.enums import LotPolicy
from masterdata.models import ExchangeRate, Item
from mes.models import WorkOrder
from mes.services import work_orders
from tests.crm.factories import MONDAY, Shop
from tests.masterdata.factories import ExchangeRateFactory
from tests.shared import shared

pytestmark = pytest.mark.django_db
D = Decimal


@shared()
def shop():
    made = Shop()
    Item.objects.filter(code="PART").update(standard_cost=D("3"))
    return made


def book(order: WorkOrder, amount: str, kind: CostKind = CostKind.LABOUR, source: str = "t:1"):
    entry = costs.NewEntry(
        kind=kind,
        amount=D(amount),
        item_id=order.item_id,
        work_order=order.number,
        source=f"{source}:{order.number}:{kind}",
    )
    costs.record([entry], site_id=order.site_id, by=None, now=order.created_at)


def cost(order) -> selectors_costs.OrderCost:
    return selectors_costs.order_cost(selectors.order(order.number), at=MONDAY)


class TestSplit:
    def test_the_cents_that_are_missing_go_to_who_lost_most(self):
        assert costing.split(D("100.00"), {1: D(1), 2: D(1), 3: D(1)}) == {
            1: D("33.34"),
            2: D("33.33"),
            3: D("33.33"),
        }
        assert costing.split(D("-0.01"), {1: D(1), 2: D(3)}) == {1: D("0.00"), 2: D("-0.01")}

    def test_nobody_gets_anything_of_nobodys(self):
        assert costing.split(D(5), {}) == {}

    @pytest.mark.parametrize("cents", range(-7, 8))
    @pytest.mark.parametrize("weights", [(1, 1, 1), (3, 5, 7, 11), (1, 999), (2,)])
    def test_the_shares_sum_to_the_amount(self, cents, weights):
        amount = D(cents) / 100
        shares = costing.split(amount, {n: D(w) / 3 for n, w in enumerate(weights)})
        assert sum(shares.values()) == amount


def test_a_work_order_of_several_lines_is_shared_by_what_is_pegged_to_each(shop):
    Item.objects.filter(code="PART").update(lot_policy=LotPolicy.PERIOD, lot_period_days=30)
    one = shop.converted(("PART", 10), ("PART", 20), price=D(9))
    two = shop.converted(("PART", 30), price=D(9))
    order = WorkOrder.objects.get()
    book(order, "100.01")
    lines = [*cost(one).lines, *cost(two).lines]
    assert [line.money.spent for line in lines] == [D("16.67"), D("33.34"), D("50.00")]
    assert sum(line.money.spent for line in lines) == D("100.01")
    assert [line.money.planned for line in lines] == [30, 60, 90]
    assert [(part.quantity, part.output) for part in lines[1].parts] == [(20, 60)]
    assert cost(one).revenue == 270
    # Spent more than planned: more is expected, though nothing is closed.
    book(order, "100.00", CostKind.MACHINE)
    assert cost(two).lines[0].money.expected == D("100.00")
    assert cost(two).margin == D("170.00")


def test_what_nobody_is_pegged_to_is_nobodys_cost(shop):
    Item.objects.filter(code="PART").update(lot_policy=LotPolicy.FIXED, lot_size=40)
    order = shop.converted(("PART", 10))
    book(WorkOrder.objects.get(), "80.00")
    line = cost(order).lines[0]
    assert (line.money.spent, line.money.planned) == (D("20.00"), D("30.00"))


def test_components_pass_on_what_they_left_behind_and_nothing_is_lost(shop):
    shop.assembly("FRAME", {"PART": 2})
    Item.objects.filter(code="FRAME").update(standard_cost=D("10"))
    one, two = shop.converted(("FRAME", 10)), shop.converted(("FRAME", 5))
    parts = WorkOrder.objects.filter(item__code="PART")
    frames = WorkOrder.objects.filter(item__code="FRAME")
    for part in parts:
        book(part, "70.03")
        book(part, "-60.00", CostKind.OUTPUT)  # at standard; 10.03 stay
    for frame in frames:
        book(frame, "60.00", CostKind.MATERIAL)
        book(frame, "33.33")
    spent = sum(cost(order).money.spent for order in (one, two))
    assert spent == parts.count() * D("10.03") + frames.count() * D("93.33")
    below = cost(one).lines[0].parts[0].below
    assert (below.spent, below.planned, below.expected) == (D("10.03"), 0, D("10.03"))
    # The ledger agrees: all that went in, less what came out as material again.
    inputs = CostEntry.objects.exclude(kind__in=[CostKind.OUTPUT, CostKind.MATERIAL])
    assert sum(inputs.values_list("amount", flat=True)) == spent


def test_what_components_cost_does_not_dip_while_they_wait_for_their_parent(shop):
    shop.assembly("FRAME", {"PART": 2})
    order = shop.converted(("FRAME", 10))
    part = WorkOrder.objects.get(item__code="PART")
    frame = WorkOrder.objects.get(item__code="FRAME")
    part.refresh_from_db()
    book(part, "70.03")
    seen = [cost(order).money.spent]
    # Twenty parts are made at standard, and lie in the store for the frames.
    stock.receive(
        item_id=part.item_id,
        site_id=part.site_id,
        quantity=D(20),
        kind=MoveKind.PRODUCTION,
        reference=part.number,
        price=D(3),
        by=None,
        now=shop.now,
    )
    need = frame.materials.get().requirement_id
    reservations.reserve({need: D(20)})
    part.pegs.update(delivered=20)
    book(part, "-60.00", CostKind.OUTPUT)
    seen.append(cost(order).money.spent)
    # Half of them go in, then the others.
    for half in (1, 2):
        stock.issue(
            requirement_id=need, quantity=D(10), reference=frame.number, by=None, now=shop.now
        )
        seen.append(cost(order).money.spent)
        assert CostEntry.objects.filter(kind=CostKind.MATERIAL).count() == half
    assert seen == [D("70.03")] * 4
    assert cost(order).money.in_progress == D("70.03")


def test_closing_makes_the_cost_final_and_the_variances_move_nothing_between_lines(shop):
    order = shop.converted(("PART", 10), price=D(9))
    made = WorkOrder.objects.get()
    book(made, "41.50")
    book(made, "-30.00", CostKind.OUTPUT)
    made.state, made.good, made.completed_at = "completed", 10, made.created_at
    made.save()
    before = cost(order).lines[0]
    assert (before.money.in_progress, before.money.closed) == (D("11.50"), 0)
    work_orders.close(order=made, by=None, now=made.created_at + timedelta(days=1))
    after = cost(order).lines[0]
    assert (after.money.in_progress, after.money.closed) == (0, D("41.50"))
    assert (after.money.expected, after.margin) == (D("41.50"), D("48.50"))
    assert after.money.difference == D("-11.50")


def test_what_comes_from_stock_costs_what_stock_cost(shop):
    shop.stock("PART", 4)
    order = shop.converted(("PART", 10))
    line = cost(order).lines[0]
    assert (line.stock_quantity, line.stock.spent) == (4, D("12.00"))
    assert line.money.planned == D("30.00")


def test_revenue_is_converted_at_the_day_of_the_order_or_said_to_be_missing(shop):
    order = shop.enter(("PART", 10), price=D(9))
    order.currency = "EUR"
    order.save()
    found = cost(order)
    assert (found.revenue, found.margin, found.lines[0].margin_share) == (None, None, None)
    assert "There is no exchange rate from EUR to" in found.missing
    ExchangeRateFactory(rate="1.10", target=shop.site.currency)
    ExchangeRate.objects.create(
        source="EUR", target=shop.site.currency, rate=5, valid_from=date(2026, 12, 24)
    )
    assert cost(order).revenue == D("99.00")


def test_the_page_the_panel_and_the_api_tell_the_same_to_who_may_see_costs(
    shop, client_for, api_client_for
):
    order = shop.converted(("PART", 10), ("PART", 20), price=D(9))
    for made in WorkOrder.objects.all():
        book(made, "41.50")
    url = f"/orders/{order.number}/costs/"
    manager = client_for(Role.MANAGER)
    text = manager.get(url).content.decode()
    assert "83.00" in text
    panel = manager.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in panel
    assert "83.00" in panel
    assert url in manager.get(f"/orders/{order.number}/").content.decode()
    sales = client_for(Role.SALES)
    assert sales.get(url).status_code == 403
    assert url not in sales.get(f"/orders/{order.number}/").content.decode()
    assert manager.get("/orders/SO-NONE/costs/").status_code == 404
    body = api_client_for(Role.MANAGER).get(f"/api/v1/sales-orders/{order.number}/costs/").json()
    assert body["cost"]["spent"] == "83.00"
    assert [line["cost"]["planned"] for line in body["lines"]] == ["30.00", "60.00"]
    for found in (body, *body["lines"]):
        by_kind = {row["kind"]: row for row in found["kinds"]}
        assert sum(D(row["expected"]) for row in by_kind.values()) == D(found["cost"]["expected"])
        assert D(by_kind["labour"]["spent"]) == D(found["cost"]["spent"])
    assert "The whole order by kind of cost" in text
    assert "Line 20, PART, by kind of cost" in text
    answer = api_client_for(Role.SALES).get(f"/api/v1/sales-orders/{order.number}/costs/")
    assert answer.status_code == 403


def test_more_lines_are_not_more_queries(shop, client_for):
    client = client_for(Role.MANAGER)
    counted = []
    for lines in ([("PART", 1)], [("PART", 1)] * 6):
        order = shop.converted(*lines)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(f"/orders/{order.number}/costs/").status_code == 200
        counted.append(len(caught))
    assert counted[0] == counted[1]
