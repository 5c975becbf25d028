"""The terminal's page: what it offers in each state of the job, and what a scan leads to."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mes.models import TimeBooking
from mes.services import execution, people
from tests.mes.factories import FloorReasonFactory, Plant
from tests.shared import shared

pytestmark = pytest.mark.django_db


@shared()
def plant():
    plant = Plant()
    for code in ("AXLE", "BOLT", "CAM", "DIAL", "EDGE"):
        plant.make(code)
        plant.plan(plant.need(code, 10), now=timezone.now())
    return plant


@pytest.fixture
def operator(client_for):
    return client_for("operator")


def page(client, plant, job=None, **kwargs):
    query = f"?unit={plant.units[0].code}" + (f"&job={job.pk}" if job else "")
    answer = client.get(f"/floor/terminal/{query}", **kwargs)
    assert answer.status_code == 200
    return answer.content.decode()


def step(plant, code):
    return plant.orders(code)[0].operations.get()


def phase(text):
    return text.split('data-phase="')[1].split('"')[0]


def test_an_operator_with_a_login_needs_no_registered_device(operator, plant):
    chosen = operator.get("/floor/terminal/").content.decode()
    assert plant.units[1].code in chosen
    text = page(operator, plant)
    assert phase(text) == "ready"
    assert text.count('class="term-button term-row"') == 3
    assert operator.get("/floor/terminal/").status_code == 200


def test_each_state_offers_what_comes_next(operator, user_for, plant):
    now, by = timezone.now(), user_for("operator")
    operation = step(plant, "AXLE")
    act = {"operation": operation, "by": by, "now": now}
    execution.start(**act, work_unit_id=plant.units[0].pk, in_setup=True)
    assert phase(page(operator, plant)) == "setup"
    execution.run(**act)
    assert phase(page(operator, plant)) == "running"
    execution.report(**act, good=Decimal(6), rework=Decimal(4))
    assert phase(page(operator, plant)) == "rework"
    execution.report(**act, good=Decimal(4), from_rework=True)
    text = page(operator, plant)
    assert phase(text) == "full"
    assert 'data-act="leave"' in text
    reason = FloorReasonFactory(name="Tea")
    execution.interrupt(**act, reason_code=reason)
    text = page(operator, plant)
    assert (phase(text), "Tea" in text) == ("interrupted", True)
    people_at = TimeBooking.objects.filter(person=by, ends_at=None)
    assert not people_at.exists()


def test_a_job_that_cannot_start_says_why(operator, user_for, plant):
    execution.start(
        operation=step(plant, "AXLE"),
        work_unit_id=plant.units[0].pk,
        by=user_for("operator"),
        now=timezone.now(),
    )
    text = page(operator, plant, job=step(plant, "BOLT"))
    assert phase(text) == "blocked"
    assert "is busy with operation 10 of WO-" in text
    assert phase(page(operator, plant)) == "running"


def test_the_page_takes_the_same_queries_however_much_is_planned(operator, plant):
    page(operator, plant)
    with CaptureQueriesContext(connection) as few:
        page(operator, plant)
    for code in ("FIN", "GEAR", "HUB"):
        plant.make(code)
        plant.plan(plant.need(code, 10), now=timezone.now())
    with CaptureQueriesContext(connection) as more:
        page(operator, plant)
    assert len(more) == len(few)
    assert len(few) <= 40


def test_a_fragment_is_the_work_alone(operator, plant):
    text = page(operator, plant, headers={"HX-Request": "true"})
    assert text.strip().startswith('<div id="work"')


def scan(client, code, **data):
    return client.post("/floor/terminal/scan/", {"code": code, **data}).json()


def test_a_scan_opens_the_job_or_says_what_is_wrong(operator, plant):
    order = plant.orders("CAM")[0]
    operation = step(plant, "CAM")
    unit = plant.units[0].code
    for code in (f"MS:WO:{order.number}", order.number, f"MS:OP:{order.number}:10"):
        found = scan(operator, code, unit=unit)
        assert found["go"] == f"/floor/terminal/?job={operation.pk}&unit={unit}"
    assert phase(page(operator, plant, job=operation)) == "ready"
    assert "is not known here" in scan(operator, "4006381333931")["refused"]
    assert "no operation 99" in scan(operator, f"MS:OP:{order.number}:99")["refused"]
    assert "print it again" in scan(operator, f"MS:OP:{order.number}:99")["todo"]
    # Without a registered device a badge is just a code.
    assert "refused" in scan(operator, "CARD-1")


def test_the_end_of_a_shift_leaves_every_job(operator, user_for, plant):
    by = user_for("operator")
    for code, unit in (("AXLE", 0), ("BOLT", 1)):
        execution.start(
            operation=step(plant, code),
            work_unit_id=plant.units[unit].pk,
            by=by,
            now=timezone.now(),
        )
    assert "You also work on" in page(operator, plant)
    assert operator.post("/floor/terminal/home/")["Location"] == "/floor/terminal/"
    assert not TimeBooking.objects.filter(person=by, ends_at=None).exists()
    assert TimeBooking.objects.filter(work_unit__isnull=False, ends_at=None).count() == 2
    assert people.go_home(by=by, now=timezone.now()) == 0


def test_the_plain_list_counts_a_form_once_however_often_it_is_sent(operator, user_for, plant):
    operation = step(plant, "CAM")
    unit = plant.units[0]
    execution.start(
        operation=operation,
        work_unit_id=unit.pk,
        by=user_for("operator"),
        now=timezone.now(),
    )
    shown = operator.get(f"/floor/?unit={unit.code}").content.decode()
    key = re.search(r'name="idempotency_key" value="([^"]+)"', shown).group(1)
    form = {"good": "2", "action": "report", "unit": unit.code, "idempotency_key": key}
    for _ in range(2):
        assert operator.post(f"/floor/operations/{operation.pk}/report/", form).status_code == 302
    operation.refresh_from_db()
    assert operation.good == 2
    # The key is nothing that a live page would have to be drawn anew for.
    part = {"HX-Request": "true"}
    first = operator.get(f"/floor/?unit={unit.code}", headers=part)
    known = part | {"X-Live-Known": first["X-Live-Version"]}
    assert operator.get(f"/floor/?unit={unit.code}", headers=known).status_code == 204


def test_the_plain_list_finishes_short_only_with_a_reason(operator, user_for, plant):
    operation = step(plant, "CAM")
    unit = plant.units[0]
    execution.start(
        operation=operation, work_unit_id=unit.pk, by=user_for("operator"), now=timezone.now()
    )
    execution.report(
        operation=operation, good=Decimal(1), by=user_for("operator"), now=timezone.now()
    )
    url = f"/floor/operations/{operation.pk}/finish-short/"
    assert url in operator.get(f"/floor/?unit={unit.code}").content.decode()
    assert 'data-open="short"' in page(operator, plant)
    said = operator.post(url, {"unit": unit.code}, follow=True).content.decode()
    assert "are missing." in said
    operator.post(url, {"unit": unit.code, "reason": "fell into the chips"})
    operation.refresh_from_db()
    assert operation.state == "done"
    assert operation.good == 1
    assert operation.scrap == operation.work_order.quantity - 1
    last = operation.reports.latest("pk")
    assert (last.reason, last.scrap) == ("fell into the chips", operation.scrap)
