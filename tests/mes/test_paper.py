"""Travellers and labels: readable PDFs whose codes the terminal understands."""

import logging
from decimal import Decimal

import pytest

from common import documents
from erp import selectors as erp
from erp.enums import MoveKind
from erp.services import stock
from masterdata.models import Item, OperationCheck, RoutingOperation
from mes.services import paper, scans
from mes.views import paper as views
from tests.mes.factories import NOW, Plant
from tests.shared import shared
from traceability.models import Lot
from traceability.services import identities
from traceability.services.identities import NewLot

pytestmark = pytest.mark.django_db


@shared()
def order():
    plant = Plant()
    plant.make("GEAR", {"STEEL": 2}, name_zh="齿轮")
    OperationCheck.objects.create(
        operation=RoutingOperation.objects.get(),
        position=10,
        name="Bore",
        kind="measure",
        upper=10,
    )
    plant.plan(plant.need("GEAR", 10))
    return plant.orders("GEAR")[0]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_traveller_and_a_label_are_printed(client_for, user_for, order, caplog, language):
    caplog.set_level(logging.WARNING, logger="weasyprint")
    user = user_for("operator")
    user.language = language
    user.save()
    client = client_for("operator")
    for name in ("traveller", "label"):
        answer = client.get(f"/floor/work-orders/{order.number}/{name}.pdf")
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF")
        assert len(answer.content) < 400_000
    assert caplog.messages == []
    assert client.get("/floor/work-orders/WO-0/traveller.pdf").status_code == 404


def test_the_codes_on_paper_lead_to_the_job(order):
    operation = order.operations.get()
    for code in (
        scans.work_order_code(order.number),
        scans.operation_code(order.number, operation.sequence),
    ):
        assert scans.read(code, at=None).operation_id == operation.pk


def test_the_label_says_what_is_in_the_box(order):
    label = paper.work_order_label(order)
    assert (label.number, label.item) == (order.number, "GEAR")
    assert label.code.startswith("data:image/svg+xml")


def test_the_page_of_a_work_order_shows_reports_times_and_paper(client_for, order):
    page = client_for("planner").get(f"/floor/work-orders/{order.number}/").content.decode()
    assert "traveller.pdf" in page
    assert "label.pdf" in page


def test_lots_and_serial_numbers_have_labels(client_for, order, monkeypatch):
    from weasyprint import Document

    drawn, write = [], Document.write_pdf

    def count(document, *args, **kwargs):
        drawn.append(len(document.pages))
        return write(document, *args, **kwargs)

    monkeypatch.setattr(Document, "write_pdf", count)
    item = order.materials.get().item_id
    lot = identities.register_lot(item_id=item, new=NewLot(number="L-7"), now=NOW)
    (unit,) = identities.register_units(item_id=item, numbers=["SN-7"], now=NOW)
    # However much there is to say of one, it takes one label.
    Item.objects.filter(pk=item).update(code="X" * 60, name="bearing assembly " * 7)
    full = "L-" * 30
    other = identities.register_lot(item_id=item, new=NewLot(number=full), now=NOW)
    Lot.objects.filter(pk=other.pk).update(supplier_lot="S" * 60, expires_on=NOW.date())
    lots = f"lot={lot.pk}&lot={other.pk}"
    answer = client_for("operator").get(f"/floor/labels.pdf?{lots}&unit={unit}")
    assert answer.content.startswith(b"%PDF")
    assert drawn == [3]
    assert client_for("operator").get("/floor/labels.pdf?lot=999").status_code == 404


def test_the_code_of_a_label_opens_what_its_reader_may_see(client_for, order, monkeypatch):
    item = order.materials.get().item_id
    lot = identities.register_lot(item_id=item, new=NewLot(number="L/7 ü"), now=NOW)
    (unit,) = identities.register_units(item_id=item, numbers=["SN-7"], now=NOW)
    printed, drawn = [], documents.qr
    monkeypatch.setattr(documents, "qr", lambda text: printed.append(text) or drawn(text))
    client_for("operator").get(f"/floor/labels.pdf?lot={lot.pk}&unit={unit}")
    assert printed == ["http://testserver/id/10/L%2F7%20%C3%BC", "http://testserver/id/21/SN-7"]
    assert erp.scanned(text=printed[0], site_id=order.site_id)[0].lot == lot
    for code, field in zip(printed, ("L%2F7+%C3%BC", "SN-7"), strict=True):
        for role, page in (
            ("after-sales", "/trace/?q="),
            ("warehouse", "/stock/find/?q="),
            ("customer", "/portal/tickets/new/?serial="),
        ):
            client = client_for(role)
            answer = client.get(code)
            assert answer.headers["Location"] == page + field, role
            assert client.get(answer.headers["Location"]).status_code in (200, 302, 404), role
    trace = client_for("after-sales").get(printed[1], follow=True)
    assert trace.redirect_chain[-1][0] == f"/trace/{unit}/"
    assert client_for().get(printed[1]).headers["Location"].startswith("/accounts/login/")
    assert client_for("manager").get("/id/11/SN-7").status_code == 404


def test_a_label_that_is_scanned_where_a_number_is_given_gives_the_number(order):
    item = order.materials.get().item_id
    code = "https://mill.example/id/{}/X-1".format
    lot = identities.register_lot(item_id=item, new=NewLot(number=code(10)), now=NOW)
    (unit,) = identities.register_units(item_id=item, numbers=[code(21)], now=NOW)
    assert lot.number == erp.scanned(text="x1", site_id=order.site_id)[0].unit.number == "X-1"
    with pytest.raises(identities.CannotRegister, match="X-1 was given before"):
        identities.register_units(item_id=item, numbers=["X-1"], now=NOW)
    assert unit


def test_what_was_received_or_made_under_a_number_has_its_labels_at_once(client_for, order):
    item = order.materials.get().item
    item.tracking = "lot"
    item.save()
    for number in ("L-1", "L-2"):
        stock.receive(
            item_id=item.pk,
            site_id=order.site_id,
            quantity=Decimal(5),
            kind=MoveKind.RECEIPT,
            reference="PO-7",
            by=None,
            now=NOW,
            lot_number=number,
        )
    lots, units = erp.came_in("PO-7")
    assert (len(lots), units) == (2, [])
    client = client_for("warehouse")
    assert client.get("/floor/labels.pdf?received=PO-7").content.startswith(b"%PDF")
    assert client.get("/floor/labels.pdf?received=PO-7&part=2").status_code == 404
    assert client.get("/floor/labels.pdf?received=PO-8").status_code == 404
    # Where they are wanted: at the lot, where it lies.
    link = f"/floor/labels.pdf?lot={lots[0]}"
    assert link in client.get(f"/stock/lots/{lots[0]}/").content.decode()
    assert link in client.get(f"/stock/items/{item.code}/").content.decode()


def test_more_labels_than_a_roll_holds_are_offered_roll_by_roll(client_for, order, monkeypatch):
    monkeypatch.setattr(views, "MOST_LABELS", 2)
    item = order.materials.get().item
    item.tracking = "serial"
    item.save()
    stock.receive(
        item_id=item.pk,
        site_id=order.site_id,
        quantity=Decimal(5),
        kind=MoveKind.RECEIPT,
        reference="PO-9",
        by=None,
        now=NOW,
    )
    client = client_for("warehouse")
    page = client.get("/floor/labels.pdf?received=PO-9").content.decode()
    for number in (1, 2, 3):
        link = f"/floor/labels.pdf?received=PO-9&part={number}"
        assert link.replace("&", "&amp;") in page
        assert client.get(link).content.startswith(b"%PDF")
    assert "part=4" not in page
    assert client.get("/floor/labels.pdf?received=PO-9&part=4").status_code == 404
