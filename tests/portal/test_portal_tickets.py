"""A customer complains of what is theirs, and sees of it what is theirs to see."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from common import api_tokens
from common.models import User
from crm.models import Ticket, TicketMessage
from crm.services import ticket_photos, ticket_portal, tickets, trace_reports
from mes.enums import NonconformanceSource
from mes.services import eight_d, nonconformances
from tests.crm.complaints import PNG, AfterSales
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> AfterSales:
    found = AfterSales()
    found.now = timezone.now() - timedelta(minutes=3)
    return found


@pytest.fixture
def mine(house) -> Client:
    return page(house.user_of(house.acme))


def page(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def api(user) -> APIClient:
    token = api_tokens.create(user=user, now=timezone.now())
    return APIClient(headers={"Authorization": f"Token {token}"})


def complain(client, serial, **more):
    form = client.get("/portal/tickets/new/").content.decode()
    key = re.search(r'name="idempotency_key" value="([^"]+)"', form)[1]
    data = {"idempotency_key": key, "serial": serial, "title": "Loose", "body": "It is.", **more}
    return client.post("/portal/tickets/new/", data)


def test_a_customer_complains_of_their_own_product_and_sees_what_becomes_of_it(house, mine):
    photo = SimpleUploadedFile("joint.png", PNG, "image/png")
    made = complain(mine, "p100", photos=photo)
    ticket = Ticket.objects.get()
    assert made["Location"] == f"/portal/tickets/{ticket.number}/"
    assert (ticket.customer, ticket.thing, ticket.channel) == (
        house.acme, house.pumps[0].pk, "portal",
    )  # fmt: skip
    now = timezone.now()
    tickets.note(ticket=ticket, body="Canary-note", by=house.agent, now=now)
    report = trace_reports.issue(ticket=ticket, by=house.agent, now=now, url_of=lambda code: code)
    html = mine.get(f"/portal/tickets/{ticket.number}/").content.decode()
    for fact in ("Loose", "P-100", "It is.", f"{report.number}.pdf"):
        assert fact in html
    for hidden in ("Canary-note", "anna", "Canary Company", "P-200"):
        assert hidden not in html
    pdf = mine.get(f"/portal/tickets/{ticket.number}/reports/{report.number}.pdf")
    assert pdf.content == bytes(report.pdf)
    assert ticket.number in mine.get("/portal/tickets/").content.decode()


def test_a_foreign_number_and_one_that_is_nobodys_get_the_same_answer(house, mine):
    answers = []
    for serial in ("P-200", "P-600", "ZZ-900"):
        answer = complain(mine, serial)
        assert answer.status_code == 422
        said = re.search(r"We know no product.*", answer.content.decode())[0]
        answers.append(said.replace(serial, "X"))
    assert len(set(answers)) == 1
    client = api(house.user_of(house.acme, "dave"))
    for serial in ("P-200", "ZZ-900"):
        body = {"serial_number": serial, "title": "x", "text": "y"}
        answer = client.post("/api/v1/portal/tickets/", body, format="json")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
    assert Ticket.objects.count() == 0


def test_nothing_of_anothers_ticket_is_reached(house, mine):
    photo = ticket_photos.photo("x.png", PNG)
    theirs = house.ticket("P-200", customer=house.other, photos=[photo])
    own = house.ticket("P-100")
    now = timezone.now()
    tickets.note(ticket=own, body="n", by=house.agent, now=now, photos=[photo])
    report = trace_reports.issue(ticket=theirs, by=house.agent, now=now, url_of=lambda code: code)
    number, picture = theirs.number, theirs.messages.first().photos.get().pk
    note = own.messages.get(kind="note").photos.get().pk
    for path in (
        f"{number}/", f"{number}/photos/{picture}/", f"{own.number}/photos/{picture}/",
        f"{own.number}/photos/{note}/", f"{number}/reports/{report.number}.pdf",
        f"{own.number}/reports/{report.number}.pdf",
    ):  # fmt: skip
        assert mine.get(f"/portal/tickets/{path}").status_code == 404, path
    data = {"idempotency_key": "k", "body": "mine?"}
    assert mine.post(f"/portal/tickets/{number}/answer/", data).status_code == 404
    assert number not in mine.get("/portal/tickets/").content.decode()
    client = api(house.user_of(house.acme, "dave"))
    assert client.get(f"/api/v1/portal/tickets/{number}/").status_code == 404
    text = {"text": "mine?"}
    url = f"/api/v1/portal/tickets/{number}/messages/"
    assert client.post(url, text, format="json").status_code == 404
    for staff in ("/tickets/", f"/tickets/{own.number}/"):
        assert mine.get(staff).status_code == 403


def test_a_customer_reads_what_was_shared_of_the_8d_on_their_own_ticket_alone(house, mine):
    own, theirs = house.ticket("P-100"), house.ticket("P-200", customer=house.other)
    now, quality = timezone.now(), UserFactory(username="quentin", roles=["quality"])
    found = nonconformances.open_from(
        source=NonconformanceSource.TICKET,
        reference=own.number,
        item_id=house.pump.pk,
        site_id=house.site.pk,
        problem="Canary-inside",
        by=quality,
        now=now,
    )
    made = eight_d.begin(nonconformance=found, leader=quality, by=quality, now=now)
    texts = {"customer_problem": "The joint is loose", "customer_containment": "Stock is sorted"}
    eight_d.write(eight_d=made, values=texts, by=quality, now=now)
    url = f"/portal/tickets/{own.number}/"
    assert "The joint is loose" not in mine.get(url).content.decode()
    eight_d.share(eight_d=made, is_shared=True, by=quality, now=now)
    html = mine.get(url).content.decode()
    for fact in (found.number, "The joint is loose", "Stock is sorted", "Root cause"):
        assert fact in html
    for hidden in ("Canary-inside", "quentin"):
        assert hidden not in html
    assert mine.get(f"/portal/tickets/{theirs.number}/").status_code == 404
    other = page(house.user_of(house.other, "otto"))
    assert other.get(url).status_code == 404
    html = other.get(f"/portal/tickets/{theirs.number}/").content.decode()
    assert found.number not in html
    assert "The joint is loose" not in html
    client = api(house.user_of(house.acme, "dave"))
    told = client.get(f"/api/v1{url}").json()["finding"]
    assert (told["number"], told["problem"]) == (found.number, "The joint is loose")
    assert [step["step"] for step in told["steps"]][:2] == ["D0", "D1"]
    eight_d.share(eight_d=made, is_shared=False, by=quality, now=now)
    assert found.number not in mine.get(url).content.decode()


def test_who_sends_too_much_is_told_when_to_go_on(house, mine, monkeypatch):
    monkeypatch.setattr(ticket_portal, "MOST_MESSAGES", 3)
    monkeypatch.setattr(ticket_portal, "MOST_PHOTOS", 2)
    # What others write in the name of the customer is theirs.
    ticket = house.ticket("P-100")
    for _more in range(4):
        tickets.hear(ticket=ticket, body="by mail", now=timezone.now())
    url = f"/portal/tickets/{ticket.number}/answer/"

    def answer(body, photos=0):
        files = [PNG + body.encode() + bytes([n]) for n in range(photos)]
        pictures = [SimpleUploadedFile("x.png", content, "image/png") for content in files]
        return mine.post(url, {"idempotency_key": body, "body": body, "photos": pictures})

    assert answer("one", photos=2).status_code == 302
    refused = answer("two", photos=1)
    assert refused.status_code == 429
    assert "Send this again in 60 minutes" in refused.content.decode()
    assert answer("two again").status_code == 302
    assert complain(mine, "P-300").status_code == 302
    for refused in (answer("four"), complain(mine, "P-300", title="Kept")):
        assert refused.status_code == 429
    assert 'value="Kept"' in refused.content.decode()
    client = api(User.objects.get(username="carol"))
    told = client.post(f"/api/v1{url}".replace("answer", "messages"), {"text": "x"}, format="json")
    body = {"serial_number": "P-100", "title": "x", "text": "y"}
    for answered in (told, client.post("/api/v1/portal/tickets/", body, format="json")):
        assert answered.status_code == 429
        assert "Send this again" in answered.json()["detail"]
        assert 3000 < int(answered["Retry-After"]) <= 3600
    # A colleague goes on, and so does everybody after an hour.
    assert complain(page(house.user_of(house.acme, "cora")), "P-100").status_code == 302
    TicketMessage.objects.update(at=timezone.now() - ticket_portal.PACE)
    assert answer("later", photos=2).status_code == 302


def test_an_answer_opens_the_ticket_again(house, mine):
    ticket = house.ticket()
    tickets.wait(ticket=ticket, by=house.agent, now=timezone.now())
    url = f"/portal/tickets/{ticket.number}/answer/"
    assert mine.post(url, {"idempotency_key": "k", "body": " "}).status_code == 422
    for _ in range(2):
        assert mine.post(url, {"idempotency_key": "k", "body": "Here."}).status_code == 302
    ticket.refresh_from_db()
    assert (ticket.state, ticket.messages.count()) == ("open", 2)


def test_a_program_of_the_customer_does_the_same(house):
    client = api(house.user_of(house.acme))
    body = {"serial_number": "P-100", "title": "Loose", "text": "It is."}
    for _ in range(2):
        made = client.post(
            "/api/v1/portal/tickets/", body, format="json", headers={"Idempotency-Key": "1"}
        )
    number = Ticket.objects.get().number
    assert made.json()["number"] == number
    url = f"/api/v1/portal/tickets/{number}/"
    told = client.post(f"{url}messages/", {"text": "More."}, format="json").json()
    assert [row["text"] for row in told["messages"]] == ["It is.", "More."]
    assert client.get(url).json() == told
    assert client.get("/api/v1/portal/tickets/").json()["count"] == 1


def test_the_list_takes_as_many_queries_for_many_as_for_one(house, mine):
    def asked() -> int:
        mine.get("/portal/tickets/")
        with CaptureQueriesContext(connection) as captured:
            assert mine.get("/portal/tickets/").status_code == 200
        return len(captured)

    house.ticket()
    few = asked()
    for _ in range(4):
        house.ticket("P-300")
    assert asked() == few
