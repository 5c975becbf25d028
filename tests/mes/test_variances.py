"""An order played on the floor to its close, off the standard in every way there is."""

from datetime import timedelta
from decimal import Decimal

import pytest

from common import documents
from common.enums import Role
from common.permissions import PERMISSIONS
from erp import selectors as erp
from erp.enums import CostKind
from erp.services import returns
from masterdata.enums import RateKind
from masterdata.models import CostRate, RoutingOperation
from mes.models import WorkOrder
from mes.services import costs, work_orders
from tests.factories import UserFactory
from tests.mes.factories import NOW
from tests.mes.test_costs import act, chairs, total, with_dearer_legs

pytestmark = pytest.mark.django_db
D = Decimal
DAY = 24 * 60
CENT = D("0.01")

# Ten chairs were started, nine are good. What one should cost is 16.90: legs 10.00, a minute of
# machine 1.00, labour 0.50, overhead 0.20 and energy 0.025 (of 6 and 9 kW: 7.5), and a tenth of
# half an hour of setup: 30.00, 15.00, 6.00 and 0.75.
EXPECTED = {
    # 37 legs at 3.00 instead of 2.50, and three fewer than ten chairs take.
    "price": D("-18.50"),
    "usage": D("7.50"),
    # Five minutes at 36 an hour instead of 30.
    "rate": D("-0.50"),
    # Twenty minutes of machine and labour for ten pieces.
    "efficiency": D("-15.00"),
    # Forty minutes instead of thirty, of which nine good chairs earn 27.
    "setup": D("-19.50"),
    # The tenth chair: its legs, a minute of machine and labour.
    "yield": D("-11.50"),
    # Nine chairs earn 0.90; an hour at 9 kW took 1.80.
    "energy": D("-0.90"),
    # They earn 7.20; an hour cost 12.00.
    "overhead": D("-4.80"),
}
OUTPUT, SPENT, VARIANCE = D("152.10"), D("215.30"), D("-63.20")
# Of the figures above those that nothing else on a page could be.
TELLING = ("152.10", "215.30", "63.20", "111.00", "16.90", "18.50", "19.50")


@pytest.fixture
def closed(monkeypatch):
    plant = chairs()
    RoutingOperation.objects.update(setup_minutes=30)
    plant.units[1].energy_kw = 9
    plant.units[1].save()
    with_dearer_legs(plant)
    order = WorkOrder.objects.select_related("item").get()
    anna = UserFactory(roles=["supervisor"])
    act(order, "start", 0, anna, work_unit_id=plant.units[1].pk, in_setup=True)
    CostRate.objects.create(
        work_center=plant.center,
        kind=RateKind.LABOUR,
        amount_per_hour=36,
        currency=plant.site.currency,
        valid_from=NOW.date() + timedelta(days=1),
    )
    act(order, "run", 40, anna)
    act(order, "interrupt", 55, anna)
    act(order, "resume", DAY, anna)
    act(order, "report", DAY + 5, anna, good=D(9), scrap=D(1), reason="split")
    act(order, "finish", DAY + 5, anna)
    returns.from_work_order(
        requirement_id=order.materials.get().requirement_id,
        quantity=D(3),
        reference=order.number,
        by=anna,
        now=NOW + timedelta(minutes=DAY + 6),
    )
    assert total(order) == SPENT - OUTPUT
    order.refresh_from_db()
    work_orders.close(order=order, by=anna, now=NOW + timedelta(minutes=DAY + 10))
    return order


def test_every_kind_of_variance_is_told_and_they_sum_to_the_cent(closed):
    found = dict(erp.variances_of(closed.number))
    assert found.keys() == EXPECTED.keys()
    off = {cause: found[cause] for cause in found if abs(found[cause] - EXPECTED[cause]) > CENT}
    assert off == {}
    assert sum(found.values()) == VARIANCE == OUTPUT - SPENT
    assert total(closed, *CostKind.inputs()) == SPENT
    assert total(closed, CostKind.OUTPUT) == -OUTPUT
    # The ledger of a closed order is even: what went in came out or is explained.
    assert total(closed) == 0
    sheet = costs.sheet(closed)
    assert (sheet.variance, sheet.in_progress) == (VARIANCE, 0)
    assert sum(row.difference for row in sheet.rows) == VARIANCE


def test_who_may_not_see_costs_finds_none_of_them_anywhere(closed, client_for, monkeypatch):
    printed: list[str] = []
    monkeypatch.setattr(documents, "pdf", lambda **paper: printed.append(_text(paper)) or b"%PDF")
    number, item = closed.number, closed.item.code
    pages = (
        f"/floor/work-orders/{number}/",
        f"/floor/work-orders/{number}/traveller.pdf",
        f"/floor/work-orders/{number}/label.pdf",
        "/floor/work-orders/?state=closed",
        f"/api/v1/work-orders/{number}/",
        f"/stock/items/{item}/",
        f"/api/v1/stock/items/{item}/",
        "/stock/items/LEG/",
        f"/master/items/{item}/",
        "/master/items/LEG/",
    )
    guarded = (f"/floor/work-orders/{number}/costs/", "/floor/work-orders/costs/?show=closed")
    for role in set(Role) - PERMISSIONS["erp.view_cost"] - {Role.CUSTOMER}:
        client = client_for(role)
        for url in pages:
            answer = client.get(url)
            assert answer.status_code in (200, 403), (role, url)
            text = answer.content.decode()
            assert [figure for figure in TELLING if figure in text] == [], (role, url)
        assert [client.get(url).status_code for url in guarded] == [403, 403], role
    assert [figure for figure in TELLING if figure in "".join(printed)] == []
    # Who may, reads all of it.
    text = client_for(Role.MANAGER).get(guarded[0]).content.decode()
    assert [figure for figure in TELLING if figure not in text] == []
    assert "\N{MINUS SIGN}" in text
    assert "63.20" in client_for(Role.MANAGER).get(guarded[1]).content.decode()


def _text(paper):
    from django.template.loader import render_to_string

    return render_to_string(paper["template"], {**paper["context"], "language": "en"})
