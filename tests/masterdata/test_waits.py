"""Waits and transfer quantities of routings: what is kept, and each refusal."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from common.enums import Role
from common.models import AuditEntry
from masterdata.models import RoutingOperation
from masterdata.services import imports, routings
from masterdata.services.routings import Operation
from tests.masterdata import factories as f

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def save(**first):
    f.WorkCenterFactory(code="OVEN")
    return routings.save(
        item=f.ItemFactory(code="PART"),
        revision="A",
        valid_from=date(2026, 1, 1),
        valid_to=None,
        operations=[Operation(10, "Bake", "OVEN", **first), Operation(20, "Pack", "OVEN")],
        by=None,
        now=NOW,
    )


def test_a_step_keeps_its_wait_and_its_transfer_quantity():
    save(wait_minutes=90, transfer_quantity=Decimal(5))
    step = RoutingOperation.objects.get(sequence=10)
    assert (step.wait_minutes, step.max_wait_minutes, step.transfer_quantity) == (90, None, 5)
    told = AuditEntry.objects.get(action="masterdata.routing.save").changes["operations"][1]
    assert told[0] == "10 OVEN Bake: 0 + 0 · wait 90 · transfer 5"


@pytest.mark.parametrize(
    ("first", "sentence"),
    [
        ({"wait_minutes": 43_201}, "A wait is 0 to 43200 minutes"),
        ({"wait_minutes": 9, "max_wait_minutes": 8}, "The longest wait is at least the shortest"),
        ({"transfer_quantity": Decimal(0)}, "A transfer quantity is above 0"),
        ({"transfer_quantity": Decimal(5), "max_wait_minutes": 8}, "cannot both be asked for"),
    ],
)
def test_what_makes_no_sense_is_refused(first, sentence):
    with pytest.raises(routings.InvalidOperation, match=f"Operation 10: .*{sentence}"):
        save(**first)


def test_nothing_waits_for_the_last_operation():
    f.WorkCenterFactory(code="OVEN")
    with pytest.raises(routings.InvalidOperation, match="Operation 20 is the last one"):
        routings.check_operations(
            [Operation(20, "Bake", "OVEN", wait_minutes=5), Operation(10, "Cut", "OVEN")]
        )


def test_the_page_shows_and_writes_them(client_for):
    routing = save(wait_minutes=90)
    client = client_for(Role.PLANNER)
    url = reverse("masterdata:routing-edit", args=[routing.item.code]) + "?revision=A"
    rows = client.get(url).context["rows"].initial
    assert [(row["wait_minutes"], row["transfer_quantity"]) for row in rows] == [(90, ""), ("", "")]
    data = {f"form-{n}-{name}": value for n, row in enumerate(rows) for name, value in row.items()}
    data |= {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 0, "version": 1}
    data |= {"revision": "A", "valid_from": "2026-01-01"}
    bad = client.post(url, data | {"form-0-max_wait_minutes": "30"})
    assert bad.status_code == 422
    assert "The longest wait is at least the shortest one" in bad.content.decode()
    good = data | {"form-0-wait_minutes": "", "form-0-transfer_quantity": "12"}
    assert client.post(url, good).status_code == 302
    step = RoutingOperation.objects.get(sequence=10)
    assert (step.wait_minutes, step.transfer_quantity) == (0, 12)
    shown = client.get(reverse("masterdata:item-detail", args=[routing.item.code]))
    assert "passes on from 12" in shown.content.decode()


HEADER = (
    "item,revision,valid_from,sequence,name,work_center,"
    "wait_minutes,max_wait_minutes,transfer_quantity\n"
)


def rows(*lines):
    text = HEADER + "".join(f"PART,A,2026-01-01,{line}\n" for line in lines)
    return imports.RESOURCES["routing_operations"], imports.read("r.csv", text.encode())


def test_a_file_brings_them_and_takes_them_out_unchanged():
    f.WorkCenterFactory(code="OVEN")
    f.ItemFactory(code="PART")
    resource, table = rows("10,Bake,OVEN,90,200,", "20,Turn,OVEN,,,5", "30,Pack,OVEN,,,")
    imports.run(resource, table, take_good=False, by=None, now=NOW)
    found = RoutingOperation.objects.order_by("sequence").values_list(
        "wait_minutes", "max_wait_minutes", "transfer_quantity"
    )
    assert list(found) == [(90, 200, None), (0, None, 5), (0, None, None)]
    out = imports.export_csv(resource)
    again = imports.check(resource, imports.read("r.csv", out)).outcome
    assert (again.created, again.changed, again.unchanged) == (0, 0, 3)


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("10,Bake,OVEN,50000,,", "wait_minutes"),
        ("10,Bake,OVEN,9,8,", "max_wait_minutes"),
        ("10,Bake,OVEN,,,0", "transfer_quantity"),
        ("10,Bake,OVEN,,8,5", "transfer_quantity"),
        ("30,Bake,OVEN,5,,", "wait_minutes"),
        ("30,Bake,OVEN,,0,", "max_wait_minutes"),
    ],
)
def test_a_bad_row_is_told_with_its_column(line, column):
    save()
    resource, table = rows(line)
    bad = imports.check(resource, table).bad
    assert [(row.line, row.column) for row in bad] == [(2, column)]
