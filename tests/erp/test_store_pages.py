"""Pages of the warehouse: receive, move, pick, count, hold; who may, and what a scan opens."""

import re
import uuid
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from erp.models import Bin, CountSession, Staging, StockBalance, StockMove, StockQuant, Warehouse
from erp.services import counts, holds, reservations, warehouses
from masterdata.enums import Supply, Tracking
from tests.erp.factories import RequirementFactory
from tests.erp.test_lots import place, receive
from tests.masterdata.factories import ItemFactory, SiteFactory, SupplierFactory
from traceability.models import Hold, Lot, SerialUnit

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(db):
    made = SiteFactory()
    warehouses.ensure(made.pk)
    return made


@pytest.fixture
def steel(site):
    return ItemFactory(code="BAR", supply=Supply.BUY, tracking=Tracking.LOT, standard_cost=1)


@pytest.fixture
def lot(steel, site, now):
    receive(steel, site, 10, now, lot_number="RM-1")
    return Lot.objects.get()


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def send(client, path, status=302, **fields):
    answer = client.post(path, {"idempotency_key": str(uuid.uuid4()), **fields})
    assert answer.status_code == status, text_of(answer)
    return answer


def test_a_delivery_is_received_with_lot_and_bin(client_for, steel, site):
    client, supplier = client_for("warehouse"), SupplierFactory(code="SUP-1")
    steel.supplier_lot_required = True
    steel.save()
    fields = {"item": "bar", "quantity": "5", "reference": "DN-1", "lot": "RM-7"}
    answer = send(client, "/stock/receive/", 422, **fields)
    assert "needs the supplier" in text_of(answer)
    answer = send(client, "/stock/receive/", 422, **fields, bin="NOWHERE", supplier="X")
    assert "There is no bin “NOWHERE”" in text_of(answer)
    assert "There is no supplier “X”" in text_of(answer)
    more = {"supplier": "SUP-1", "supplier_lot": "H-1", "expires_on": "2030-01-31"}
    send(client, "/stock/receive/", **fields, **more, bin="main/receiving")
    lot = Lot.objects.get()
    assert (lot.supplier, lot.supplier_lot, str(lot.expires_on)) == (supplier, "H-1", "2030-01-31")
    assert StockQuant.objects.get().bin.kind == "receiving"


def test_serial_numbers_are_typed_one_a_line(client_for, site):
    ItemFactory(code="MOTOR", supply=Supply.BUY, tracking=Tracking.SERIAL)
    fields = {"item": "MOTOR", "quantity": "2", "reference": "DN-1"}
    send(client_for("warehouse"), "/stock/receive/", **fields, serials="M-1\n\nM-2\n")
    assert {unit.number for unit in SerialUnit.objects.all()} == {"M-1", "M-2"}


def test_goods_are_moved_by_what_is_scanned(client_for, lot, site, now):
    client = client_for("warehouse")
    send(client, "/stock/move/", what="rm1", target="SHIPPING", quantity="4")
    assert StockQuant.objects.get(bin__kind="shipping").quantity == 4
    answer = send(client, "/stock/move/", 422, what="RM-1", target="STAGING")
    assert "say from where" in text_of(answer)
    answer = send(client, "/stock/move/", 422, what="GHOST", target="STAGING")
    assert "Nothing here has the number “GHOST”" in text_of(answer)
    send(client, "/stock/move/", what="RM-1", source="STORAGE", target="MAIN/QUARANTINE")
    assert StockBalance.objects.get().held == 6
    assert "Held" in text_of(client.get("/stock/items/BAR/"))
    back = {"what": "RM-1", "source": "QUARANTINE", "target": "STORAGE"}
    answer = send(client, "/stock/move/", 422, **back)
    assert "MAIN/QUARANTINE is quarantine: ask quality to move it out" in text_of(answer)
    assert StockBalance.objects.get().held == 6
    # Within quarantine it changes nothing.
    cell = warehouses.add_bin(
        warehouse=Warehouse.objects.get(), code="CELL", kind="quarantine", by=None, now=now
    )
    send(client, "/stock/move/", **back | {"target": "CELL"})
    quality = client_for("quality")
    assert "/stock/move/?site=" in quality.get(f"/stock/bins/{cell.pk}/").content.decode()
    send(quality, "/stock/move/", **back | {"source": "CELL"})
    assert StockBalance.objects.get().held == 0


def test_a_scan_opens_what_the_label_says(client_for, lot, site):
    client = client_for("warehouse")
    for text, path in (
        ("rm-1", f"/stock/lots/{lot.pk}/"),
        ("bar", "/stock/items/BAR/"),
        ("storage", f"/stock/bins/{place(site).pk}/"),
    ):
        answer = client.get("/stock/find/", {"q": text})
        assert answer.headers["Location"] == path
        assert client.get(path).status_code == 200
    assert "Nothing carries this number" in text_of(client.get("/stock/find/", {"q": "GHOST"}))


def test_material_is_made_ready_for_a_work_order(client_for, steel, lot, site):
    need = RequirementFactory(item=steel, site=site, quantity=6, reference="WO-7", kind="component")
    reservations.reserve({need.pk: Decimal(6)})
    client = client_for("warehouse")
    assert "WO-7" in text_of(client.get("/stock/picking/"))
    assert "STORAGE · RM-1" in text_of(client.get("/stock/picking/WO-7/"))
    send(client, f"/stock/picking/lines/{need.pk}/stage/", quantity="2", scan="RM-1")
    assert Staging.objects.get().quantity == 2
    send(client, "/stock/picking/all/WO-7/")
    assert Staging.objects.get().quantity == 6
    assert "All that is reserved stands ready" in text_of(client.get("/stock/picking/WO-7/"))
    assert "Nothing is to be picked" in text_of(client.get("/stock/picking/"))
    send(client, f"/stock/picking/lines/{need.pk}/undo/")
    assert not Staging.objects.exists()
    RequirementFactory(item=steel, site=site, reference="WO-8", state="fulfilled")
    assert "All that was needed is issued" in text_of(client.get("/stock/picking/WO-8/"))
    assert client.get("/stock/picking/WO-99/").status_code == 404


def test_a_count_is_entered_blind_and_approved_by_another(client_for, user_for, lot, settings):
    settings.COUNT_APPROVAL_LIMIT = Decimal(1)
    client, manager = client_for("warehouse"), client_for("manager")
    send(client, "/stock/counts/start/", title="Rack A")
    number = CountSession.objects.get().number
    url = f"/stock/counts/{number}/"
    fields = {"bin": "STORAGE", "what": "RM-1", "counted": "7"}
    answer = send(client, url + "enter/", **fields)
    page = text_of(client.get(answer.headers["Location"]))
    assert "Books" not in page
    assert "Nothing else lies in MAIN/STORAGE?" in page
    send(client, url + "enter/", 422, **fields | {"what": "GHOST"})
    send(client, url + "submit/")
    assert "-3" in text_of(manager.get(url))
    send(client, url + "approve/")
    assert CountSession.objects.get().state == "submitted"
    send(manager, url + "send-back/", reason="again")
    send(client, url + "empty/", bin="MAIN/STORAGE")
    send(client, url + "submit/")
    send(manager, url + "approve/")
    assert StockBalance.objects.get().on_hand == 7
    assert "Posted" in text_of(client.get("/stock/counts/"))


def test_a_lot_is_held_by_the_warehouse_and_freed_by_quality(client_for, lot):
    client, quality = client_for("warehouse"), client_for("quality")
    send(client, f"/stock/lots/{lot.pk}/hold/", reason="")
    assert not Hold.objects.exists()
    send(client, f"/stock/lots/{lot.pk}/hold/", reason="crack")
    assert "crack" in text_of(client.get(f"/stock/lots/{lot.pk}/"))
    assert "RM-1" in text_of(quality.get("/stock/holds/"))
    pk = Hold.objects.get().pk
    send(client, f"/stock/holds/{pk}/release/", 403, reason="ok")
    send(quality, f"/stock/holds/{pk}/release/", reason="tested")
    lot.refresh_from_db()
    assert lot.state == "available"
    assert "lifted" in text_of(client.get(f"/stock/lots/{lot.pk}/"))


def test_bins_are_added_and_retired(client_for, site, lot):
    client = client_for("warehouse")
    send(client, "/stock/warehouses/add/", code="ext", name="Outside")
    store = Warehouse.objects.get(code="EXT")
    send(client, f"/stock/warehouses/{store.pk}/bins/add/", code="a-1", kind="storage")
    answer = send(
        client, f"/stock/warehouses/{store.pk}/bins/add/", 422, code="A-1", kind="storage"
    )
    assert "EXT has a bin A-1 already" in text_of(answer)
    made = Bin.objects.get(code="A-1")
    send(client, f"/stock/bins/{made.pk}/retire/")
    made.refresh_from_db()
    assert not made.is_active
    send(client, f"/stock/bins/{place(site).pk}/retire/")
    assert place(site).is_active
    assert "Outside" in text_of(client_for("sales").get("/stock/bins/"))


@pytest.fixture
def depot(site):
    made = SiteFactory(code="DEPOT", name="Depot")
    warehouses.ensure(made.pk)
    return made


def test_the_store_is_that_of_the_site_that_was_chosen(client_for, steel, lot, site, depot, now):
    client = client_for("warehouse")
    for page in ("receive", "move", "bins", "counts", "picking", "returns"):
        path = f"/stock/{page}/"
        chosen = client.get(path, {"site": "DEPOT"}).content.decode()
        assert f'<a href="{path}?site=DEPOT" aria-current="page"' in chosen
        assert f'<a href="{path}?site={site.code}" aria-current="page"' not in chosen
        # It is kept for the pages that come, and another is chosen again.
        assert (
            f'<a href="{path}?site=DEPOT" aria-current="page"' in client.get(path).content.decode()
        )
        assert client.get(path, {"site": site.code}).status_code == 200
        assert client.get(path, {"site": "NOWHERE"}).status_code == 404
    # A form books where it was opened, whatever another window chose since.
    fields = {"item": "BAR", "quantity": "5", "reference": "DN-9", "lot": "RM-9", "site": "DEPOT"}
    send(client, "/stock/receive/", **fields)
    here, there = (StockBalance.objects.get(site=where) for where in (site, depot))
    assert (here.on_hand, there.on_hand) == (10, 5)
    answer = send(client, "/stock/move/", 422, what="RM-9", target="SHIPPING")
    assert "None of it lies at this site; it lies at Depot." in text_of(answer)
    send(client, "/stock/move/", what="RM-9", target="SHIPPING", quantity="2", site="DEPOT")
    assert StockQuant.objects.get(bin=place(depot, "shipping")).quantity == 2
    send(client, "/stock/move/", 404, what="RM-9", target="SHIPPING", site="NOWHERE")
    answer = send(
        client, "/stock/move/", 422, what="RM-9", source="DEPOT/MAIN/STORAGE", target="SHIPPING"
    )
    assert "is at another site: send it by a transfer" in text_of(answer)
    send(client, "/stock/counts/start/", title="Depot rack", site="DEPOT")
    counted = CountSession.objects.get()
    assert counted.site == depot
    assert "Depot · Depot rack" in text_of(client.get(f"/stock/counts/{counted.number}/"))
    assert "Depot rack" not in text_of(client.get("/stock/counts/"))
    assert "Depot rack" in text_of(client.get("/stock/counts/", {"site": "DEPOT"}))
    send(client, "/stock/warehouses/add/", code="yard", name="Yard", site="DEPOT")
    assert Warehouse.objects.get(code="YARD").site == depot


def test_a_scan_finds_what_lies_at_another_site(client_for, steel, lot, site, depot, now):
    client = client_for("warehouse")
    rack = warehouses.add_bin(
        warehouse=Warehouse.objects.get(site=depot), code="D-1", kind="storage", by=None, now=now
    )
    for text in ("d-1", "main/D-1", "DEPOT/MAIN/D-1"):
        client.get("/stock/bins/", {"site": site.code})
        answer = client.get("/stock/find/", {"q": text})
        assert answer.headers["Location"] == f"/stock/bins/{rack.pk}/"
        # Who scans a bin stands before it.
        assert "D-1" in text_of(client.get("/stock/bins/"))
    # A code that both have is the one here.
    answer = client.get("/stock/find/", {"q": "storage"})
    assert answer.headers["Location"] == f"/stock/bins/{place(depot).pk}/"
    # What is picked or brought back is known by its document, wherever one looked last.
    need = RequirementFactory(item=steel, site=site, quantity=6, reference="WO-7", kind="component")
    reservations.reserve({need.pk: Decimal(6)})
    assert "WO-7" not in text_of(client.get("/stock/picking/"))
    assert "STORAGE · RM-1" in text_of(client.get("/stock/picking/WO-7/"))
    send(client, f"/stock/picking/lines/{need.pk}/stage/", quantity="2", scan="RM-1")
    send(client, "/stock/picking/all/WO-7/")
    assert Staging.objects.get().quantity == 6
    send(client, f"/stock/picking/lines/{need.pk}/undo/")
    assert not Staging.objects.exists()
    assert client.get("/stock/returns/WO-7/").status_code == 200
    assert client.get("/stock/returns/WO-8/").status_code == 404


def test_a_lot_is_split_and_put_together_on_its_pages(client_for, steel, site, lot, now):
    client, key = client_for("warehouse"), str(uuid.uuid4())
    page = f"/stock/lots/{lot.pk}/"
    assert f'href="{page}split/"' in client.get(page).content.decode()
    fields = {"bin": place(site).pk, "quantity": "3", "number": "https://x.example/id/10/RM-1-A"}
    # Sent twice it is split once; the number may be the label of a roll that is there already.
    for _ in range(2):
        answer = client.post(f"{page}split/", {**fields, "idempotency_key": key})
    new = Lot.objects.get(number="RM-1-A")
    assert answer["Location"] == f"/stock/lots/{new.pk}/"
    assert "put its label on the goods" in text_of(client.get(answer["Location"]))
    assert re.search("Into other lots 3 .*Difference 0 ", text_of(client.get(page)))
    answer = send(client, f"{page}split/", 422, bin=place(site).pk, quantity="70")
    assert "Only 7 of RM-1 lies in" in text_of(answer)
    receive(steel, site, 2, now, lot_number="RM-2")
    other = Lot.objects.get(number="RM-2")
    asked = text_of(client.get(f"{page}merge/"))
    assert "RM-1-A: 3 EA" in asked
    assert "RM-2: 2 EA" in asked
    answer = send(client, f"{page}merge/", 422, number="MIX")
    assert "Choose at least two lots" in text_of(answer)
    answer = send(client, f"{page}merge/", others=[new.pk, other.pk], number="MIX")
    assert StockQuant.objects.get().lot.number == "MIX"
    assert "Nothing of it lies here" in text_of(client.get(f"{page}split/"))
    send(client, f"{page}split/", 422, bin=place(site).pk, quantity="1")
    send(client, f"{page}merge/", 422, others=[new.pk])
    assert client.get("/stock/lots/999999/merge/").status_code == 404
    told = text_of(client.get(f"/stock/lots/{lot.pk}/"))
    assert "Put together" in told
    assert f"{page}split/" not in client_for("sales").get(page).content.decode()


def test_a_form_sent_twice_books_once(client_for, lot):
    client, key = client_for("warehouse"), str(uuid.uuid4())
    for _ in range(2):
        fields = {"what": "RM-1", "target": "SHIPPING", "quantity": "4", "idempotency_key": key}
        assert client.post("/stock/move/", fields).status_code == 302
    assert StockMove.objects.filter(kind="transfer").count() == 2


def test_pages_cost_the_same_however_much_there_is(client_for, steel, site, lot, now):
    client = client_for("warehouse")

    def more(number):
        for row in range(number):
            receive(steel, site, 1, now, lot_number=f"X-{number}-{row}")
            RequirementFactory(item=steel, site=site, reference="WO-7", kind="component")
            reservations.give_free(site_id=site.pk, item_ids=[steel.pk])
            counts.start(site_id=site.pk, title="", by=None, now=now)
            first = CountSession.objects.order_by("pk").first()
            named = Lot.objects.get(number=f"X-{number}-{row}")
            where = {"bin_id": place(site).pk, "item_id": steel.pk, "lot_id": named.pk}
            counts.enter(session=first, **where, counted=Decimal(1), by=None, now=now)
            if row % 2:
                holds.hold(lot_ids=[named.pk], reason="x", by=None, now=now)

    def queries(path):
        client.get(path)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == 200
        return len(seen)

    more(2)
    number = CountSession.objects.order_by("pk").first().number
    paths = [
        "/stock/",
        "/stock/items/BAR/",
        "/stock/picking/",
        "/stock/picking/WO-7/",
        "/stock/bins/",
        f"/stock/bins/{place(site).pk}/",
        "/stock/holds/",
        "/stock/counts/",
        f"/stock/counts/{number}/",
        f"/stock/lots/{lot.pk}/",
        f"/stock/lots/{lot.pk}/split/",
        f"/stock/lots/{lot.pk}/merge/",
        "/stock/receive/",
        "/stock/move/",
    ]
    SiteFactory()
    paths += ["/stock/returns/", "/stock/find/?q=BAR-NONE"]
    before = {path: queries(path) for path in paths}
    more(4)
    SiteFactory()
    assert {path: queries(path) for path in paths} == before
