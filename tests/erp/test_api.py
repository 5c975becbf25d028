"""The store over HTTP: receive, move, count, hold; a repeated request books once."""

import pytest

from common.models import AuditEntry
from erp.models import CountSession, StockBalance, StockMove
from erp.services import warehouses
from masterdata.enums import Supply, Tracking
from tests.masterdata.factories import ItemFactory, SiteFactory
from traceability.models import Lot

pytestmark = pytest.mark.django_db

RECEIPT = {"item": "BAR", "quantity": "10", "reference": "DN-1", "lot": "RM-1"}


@pytest.fixture
def steel(db):
    warehouses.ensure(SiteFactory().pk)
    return ItemFactory(code="BAR", supply=Supply.BUY, tracking=Tracking.LOT, standard_cost=1)


def post(client, path, body, key="", status=201):
    headers = {"Idempotency-Key": key} if key else {}
    answer = client.post(f"/api/v1/stock/{path}", body, format="json", headers=headers)
    assert answer.status_code == status, answer.json()
    return answer.json()


def test_the_store_works_over_http(api_client_for, steel):
    warehouse, quality = api_client_for("warehouse"), api_client_for("quality")
    for _ in range(2):
        body = post(warehouse, "receipts/", RECEIPT, key="r-1")
    assert (body["on_hand"], body["places"][0]["lot"]) == ("10.0000", "RM-1")
    assert StockMove.objects.count() == 1

    move = {"item": "BAR", "lot": "rm 1", "from_bin": "STORAGE", "to_bin": "MAIN/QUARANTINE"}
    body = post(warehouse, "moves/", move | {"quantity": "4"}, key="m-1")
    assert (body["held"], body["free"]) == ("4.0000", "6.0000")
    refused = post(warehouse, "moves/", move | {"quantity": "9"}, status=409)
    assert refused["detail"] == "6 of BAR may be moved from there, not 9."

    # The store puts things into quarantine, quality lets them out.
    out = move | {"from_bin": "QUARANTINE", "to_bin": "STORAGE", "quantity": "1"}
    refused = post(warehouse, "moves/", out, status=409)
    assert refused["detail"].startswith("MAIN/QUARANTINE is quarantine: ask quality")
    assert post(quality, "moves/", out)["held"] == "3.0000"
    post(quality, "moves/", move | {"quantity": "1"})

    line = {"item": "BAR", "lot": "RM-1", "bin": "STORAGE", "counted": "5"}
    assert post(warehouse, "counts/", {"lines": [line]}, key="c-1")["state"] == "posted"
    assert post(warehouse, "counts/", {"lines": [line]}, key="c-1")["state"] == "posted"
    assert (CountSession.objects.count(), StockBalance.objects.get().on_hand) == (1, 9)

    hold = {"item": "BAR", "lot": "RM-1", "reason": "crack"}
    pk = post(warehouse, "holds/", hold, key="h-1")["id"]
    assert Lot.objects.get().state == "on_hold"
    assert quality.get("/api/v1/stock/holds/").json()["results"][0]["lot"] == "RM-1"
    post(warehouse, f"holds/{pk}/release/", {"reason": "tested"}, status=403)
    assert post(quality, f"holds/{pk}/release/", {"reason": "tested"}, status=200)["released_at"]
    assert warehouse.get("/api/v1/stock/items/BAR/").json()["held"] == "4.0000"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("receipts/", RECEIPT | {"item": "GHOST"}, "item"),
        ("receipts/", RECEIPT | {"bin": "GHOST"}, "bin"),
        ("receipts/", RECEIPT | {"supplier": "GHOST"}, "supplier"),
        ("receipts/", RECEIPT | {"quantity": "many"}, "quantity"),
        (
            "moves/",
            {"item": "BAR", "lot": "X", "from_bin": "A", "to_bin": "B", "quantity": 1},
            "lot",
        ),
        ("counts/", {"lines": []}, "lines"),
        ("holds/", {"item": "BAR", "reason": "crack"}, "lot"),
        ("holds/", {"item": "BAR", "serial": "X", "reason": "crack"}, "serial"),
    ],
)
def test_what_is_not_there_is_said_at_its_field(api_client_for, steel, path, body, field):
    assert field in post(api_client_for("warehouse"), path, body, status=400)


def test_what_is_refused_by_a_rule_is_a_conflict(api_client_for, steel):
    client = api_client_for("warehouse")
    answer = post(client, "receipts/", RECEIPT | {"quantity": "0"}, status=409)
    assert answer == {"detail": "Enter a quantity above zero."}
    steel.expiry_required = True
    steel.save()
    assert "day of expiry" in post(client, "receipts/", RECEIPT, status=409)["detail"]
    assert client.get("/api/v1/stock/items/GHOST/").status_code == 404


def test_a_count_with_a_wrong_line_leaves_nothing_behind(api_client_for, steel):
    client = api_client_for("warehouse")
    post(client, "receipts/", RECEIPT)
    line = {"item": "BAR", "lot": "RM-1", "bin": "STORAGE", "counted": "5"}
    for wrong, status in (({"bin": "GHOST"}, 400), ({"lot": ""}, 409)):
        post(client, "counts/", {"lines": [line, line | wrong]}, status=status)
    assert not CountSession.objects.exists()


def test_lots_are_split_and_put_together_over_http(api_client_for, steel):
    warehouse = api_client_for("warehouse")
    post(warehouse, "receipts/", RECEIPT)
    where = {"item": "BAR", "bin": "STORAGE"}
    part = where | {"lot": "rm 1", "quantity": "4", "number": "RM-1-A", "reason": "half a bundle"}
    for _ in range(2):
        made = post(warehouse, "lots/split/", part, key="s-1")
    assert (made["lot"], made["quantity"], made["bin"]) == ("RM-1-A", "4.0000", "MAIN/STORAGE")
    both = where | {"lots": ["RM-1", "RM-1-A", "rm1"], "number": "RM-2"}
    for _ in range(2):
        made = post(warehouse, "lots/merge/", both, key="m-1")
    new = Lot.objects.get(number="RM-2")
    assert (made["id"], made["quantity"]) == (new.pk, "10.0000")
    assert Lot.objects.count() == 3, "a repeated request relabels once"
    said = AuditEntry.objects.filter(action__startswith="erp.lot.").order_by("pk")
    assert [(row.action, row.reason) for row in said] == [
        ("erp.lot.split", "half a bundle"),
        ("erp.lot.merge", ""),
    ]
    assert {*said[0].actor.roles, *said[1].actor.roles} == {"warehouse"}
    whole = where | {"lot": "RM-2", "quantity": "10"}
    assert "That is all there is" in post(warehouse, "lots/split/", whole, status=409)["detail"]
    alone = where | {"lots": ["RM-2"]}
    assert "at least two" in post(warehouse, "lots/merge/", alone, status=409)["detail"]
    sales = api_client_for("sales")
    post(sales, "lots/split/", part, status=403)
    post(sales, "lots/merge/", both, status=403)


@pytest.mark.parametrize(
    ("path", "wrong", "field"),
    [
        ("split", {"item": "GHOST"}, "item"),
        ("split", {"lot": "GHOST"}, "lot"),
        ("split", {"bin": "GHOST"}, "bin"),
        ("split", {"site": "GHOST"}, "site"),
        ("split", {"quantity": "many"}, "quantity"),
        ("merge", {"lots": ["RM-1", "GHOST"]}, "lots"),
        ("merge", {"lots": []}, "lots"),
    ],
)
def test_what_a_relabelling_names_and_is_not_there_is_said_at_its_field(
    api_client_for, steel, path, wrong, field
):
    client = api_client_for("warehouse")
    post(client, "receipts/", RECEIPT)
    more = {"lot": "RM-1", "quantity": "1"} if path == "split" else {"lots": ["RM-1"]}
    body = {"item": "BAR", "bin": "STORAGE"} | more | wrong
    answer = post(client, f"lots/{path}/", body, status=400)
    assert list(answer) == [field]
    assert Lot.objects.count() == 1
