"""Pages and API of after-sales: what an agent does in a minute, and who may not."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from common.jobs import run_due
from crm import selectors_ticket_figures as figures
from crm.models import (
    ReportAccess,
    Ticket,
    TicketCluster,
    TicketMacro,
    TicketSymptom,
    TraceReport,
)
from crm.services import ticket_evidence, ticket_photos, tickets
from mes.models import Nonconformance
from tests.crm.complaints import PNG, AfterSales

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> AfterSales:
    found = AfterSales()
    found.now = timezone.now() - timedelta(minutes=3)
    return found


@pytest.fixture
def agent(client, house):
    client.force_login(house.agent, backend="django.contrib.auth.backends.ModelBackend")
    return client


def post(client, page, /, *args, **data):
    return client.post(reverse(f"crm:{page}", args=args), data, follow=True)


def text(client, name, *args, **query) -> str:
    answer = client.get(reverse(f"crm:{name}", args=args), query)
    assert answer.status_code == 200
    return str(answer.content.decode())


def key(page: str) -> str:
    return re.search(r'name="idempotency_key" value="([^"]+)"', page)[1]


def queries(client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_an_agent_goes_from_a_number_to_an_answer(house, agent):
    found = text(agent, "ticket-lookup", serial="p100")
    for fact in ("Pump", "P-100", "Acme Corp", "Warranty until"):
        assert fact in found
    form = key(text(agent, "ticket-create"))
    data = {
        "idempotency_key": form, "serial": "P-100", "title": "Loose", "body": "It came loose.",
        "symptom": house.loose.pk, "priority": "high",
        "photos": SimpleUploadedFile("joint.png", PNG, "image/png"),
    }  # fmt: skip
    page = post(agent, "ticket-create", **data).content.decode()
    ticket = Ticket.objects.get()
    assert (ticket.customer, ticket.assigned_to) == (house.acme, house.agent)
    assert ticket.number in page
    photo = ticket.messages.get().photos.get()
    served = agent.get(reverse("crm:ticket-photo", args=[ticket.number, photo.pk]))
    assert (served.content, served["Content-Type"]) == (PNG, "image/png")
    assert "sandbox" in served["Content-Security-Policy"]
    page = post(agent, "report-send", ticket.number, idempotency_key=key(page)).content.decode()
    report = TraceReport.objects.get()
    assert f"Report {report.number} is sent." in page
    pdf = agent.get(reverse("crm:report-pdf", args=[ticket.number, report.number]))
    assert pdf.content == bytes(report.pdf)
    assert agent.get(reverse("crm:report-preview", args=[ticket.number])).content[:4] == b"%PDF"
    shared = post(agent, "report-share", ticket.number, report.number, days="7").content.decode()
    link = re.search(r'value="http://testserver(/reports/shared/[^"]+)"', shared)[1]
    agent.logout()
    assert agent.get(link).content == bytes(report.pdf)


def test_a_nonconformance_begins_with_all_that_the_ticket_says(house, agent):
    ticket = house.ticket()
    link = re.search(
        r'href="([^"]*/nonconformances/new/[^"]*)"', text(agent, "ticket", ticket.number)
    )
    assert link
    url = html.unescape(link[1])
    form = agent.get(url).context["form"]
    said = {name: str(form[name].value() or "") for name in form.fields}
    assert said["source"] == "ticket"
    assert (said["reference"], said["item"], said["things"]) == (ticket.number, "PUMP", "P-100")
    assert (said["problem"], said["symptom"]) == (ticket.title, "LOOSE")
    # Nothing has to be typed.
    page = agent.post(url, said, follow=True).content.decode()
    made = Nonconformance.objects.get()
    assert (made.source, made.references) == ("ticket", [ticket.number])
    assert made.things.get().unit_id == house.pumps[0].pk
    assert "P-100" in page
    page = text(agent, "ticket", ticket.number)
    assert reverse("mes:nonconformance", args=[made.number]) in page
    assert "/nonconformances/new/" not in page


def test_the_lookup_warns_of_a_wrong_customer_and_suggests_numbers(house, agent):
    assert "was delivered to Canary Company" in text(
        agent, "ticket-lookup", serial="P-200", customer="ACME"
    )
    assert 'data-serial="P-100"' in text(agent, "ticket-lookup", serial="P-10")
    assert "name the item" in text(agent, "ticket-lookup", serial="ZZZZZZ")
    house.ticket("P-100")
    assert "Earlier:" in text(agent, "ticket-lookup", serial="P-100")
    found = agent.get(reverse("crm:ticket-customers"), {"q": "acm"}).json()
    assert [row["value"] for row in found] == ["ACME"]
    assert "data-chosen" in text(agent, "ticket", house.ticket().number)


def test_sending_a_form_twice_writes_once_and_a_bad_photo_keeps_the_text(house, agent):
    ticket = house.ticket()
    form = key(text(agent, "ticket", ticket.number))
    for _ in range(2):
        post(agent, "ticket-reply", ticket.number, idempotency_key=form, body="We look.")
    assert ticket.messages.count() == 2
    bad = SimpleUploadedFile("x.png", b"<script>", "image/png")
    url = reverse("crm:ticket-note", args=[ticket.number])
    answer = agent.post(url, {"idempotency_key": "k2", "body": "Kept words", "photos": bad})
    assert answer.status_code == 422
    assert "Kept words" in answer.content.decode()
    assert "no photo" in answer.content.decode()


def test_the_ticket_is_moved_described_decided_and_frozen(house, agent):
    ticket = house.ticket("P-10")
    data = {"customer": "ACME", "serial": "P-100", "priority": "urgent", "version": "1"}
    assert "is changed" in post(agent, "ticket-describe", ticket.number, **data).content.decode()
    stale = post(agent, "ticket-describe", ticket.number, **data | {"serial": "P-300"})
    assert "meanwhile" in stale.content.decode()
    ticket.refresh_from_db()
    assert ticket.thing == house.pumps[0].pk
    page = post(agent, "ticket-freeze", ticket.number, thing=house.bad.pk).content.decode()
    assert "4 units" in page
    made = ticket.evidence.get()
    kept = agent.get(reverse("crm:ticket-evidence", args=[ticket.number, made.pk]))
    assert kept.json() == made.snapshot
    post(agent, "ticket-take", ticket.number)
    post(agent, "ticket-warranty", ticket.number, decision="covered")
    refused = post(agent, "ticket-move", ticket.number, "resolve").content.decode()
    assert "Answer the customer first" in refused
    tickets.reply(ticket=ticket, body="So.", is_answer=True, by=house.agent, now=timezone.now())
    for step, state in (("wait", "waiting"), ("resolve", "resolved"), ("close", "closed"),
                        ("reopen", "open")):  # fmt: skip
        post(agent, "ticket-move", ticket.number, step)
        ticket.refresh_from_db()
        assert ticket.state == state
    assert ticket.warranty == "covered"
    assert ticket.assigned_to == house.agent
    move = reverse("crm:ticket-move", args=[ticket.number, "nonsense"])
    assert agent.post(move).status_code == 404


def test_a_saved_mail_is_imported(house, agent):
    raw = b"From: acme@example.com\r\nSubject: Loose\r\n\r\nP-100 came loose."
    saved = SimpleUploadedFile("m.eml", raw, "message/rfc822")
    page = post(agent, "ticket-mail", mail=saved).content.decode()
    assert Ticket.objects.get().number in page
    assert "Choose a mail" in post(agent, "ticket-mail").content.decode()


def test_the_list_narrows_and_shows_the_stopwatch(house, agent):
    mine, other = house.ticket(), house.ticket("P-200", customer=house.other)
    tickets.reply(ticket=mine, body="So.", is_answer=True, by=house.agent, now=timezone.now())
    page = text(agent, "tickets")
    assert "100" in re.search(r"Within five minutes.*?</div>", page, re.S)[0]
    assert other.number in text(agent, "tickets", q="P-200")
    assert mine.number not in text(agent, "tickets", q="P-200")
    assert "No ticket fits" in text(agent, "tickets", state="closed")
    assert mine.number not in text(agent, "tickets", state="mine")


def test_pages_take_as_many_queries_for_many_rows_as_for_one(house, agent):
    first = house.ticket()
    listed, one = reverse("crm:tickets"), reverse("crm:ticket", args=[first.number])
    house.ticket("P-300")
    few = queries(agent, listed), queries(agent, one)
    for n in range(5):
        house.ticket("P-300", photos=[ticket_photos.photo("x.png", PNG + bytes([n]))])
        tickets.reply(ticket=first, body="More.", by=house.agent, now=timezone.now())
        ticket_evidence.freeze(ticket=first, thing=house.bad.pk, by=house.agent, now=timezone.now())
    # The first list brings its author along, the first reply and list their rows' people.
    assert queries(agent, listed) <= few[0]
    grown = queries(agent, one)
    for _n in range(4):
        tickets.reply(ticket=first, body="More.", by=house.agent, now=timezone.now())
    assert queries(agent, one) == grown
    assert grown <= few[1] + 2


def test_alerts_are_listed_opened_and_settled(house, agent):
    for serial in ("P-100", "P-200", "P-300"):
        ticket = house.ticket(serial)
    cluster = TicketCluster.objects.create(
        item=house.pump, kind="lot", ref=house.bad.pk, tickets=3, first_at=house.now,
        last_at=house.now, found_at=house.now,
    )  # fmt: skip
    for page in (
        text(agent, "ticket-clusters"),
        text(agent, "ticket-cluster", cluster.pk),
        text(agent, "tickets"),
        text(agent, "ticket", ticket.number),
    ):
        assert "BAD" in page
    post(agent, "ticket-cluster-settle", cluster.pk, reason="lot held")
    assert "lot held" in text(agent, "ticket-clusters", state="settled")
    assert "BAD" not in text(agent, "ticket-clusters")


def test_settings_are_kept(house, agent):
    post(agent, "ticket-symptom-create", code="LEAK", name="Leaks", is_active="on")
    post(agent, "ticket-macro-create", code="HI", name="Hello", text="Good day", is_active="on")
    post(agent, "ticket-target-set", priority="low", response="30", answer="60")
    refused = post(agent, "ticket-target-set", priority="low", response="60", answer="30")
    assert "or after it" in refused.content.decode()
    post(agent, "ticket-access-set", customer="acme", tier="extended")
    page = text(agent, "ticket-settings")
    for fact in ("LEAK", "Hello", 'value="30"', "Extended"):
        assert fact in page
    assert "Good day" in text(agent, "ticket", house.ticket().number)
    symptom = TicketSymptom.objects.get(code="LEAK")
    post(agent, "ticket-symptom-edit", symptom.pk, code="LEAK", name="Drips")
    symptom.refresh_from_db()
    assert (symptom.name, symptom.is_active) == ("Drips", False)
    post(agent, "ticket-access-set", customer="ACME")
    assert not ReportAccess.objects.exists()
    assert TicketMacro.objects.count() == 1


def test_a_text_goes_out_in_the_customers_language_whatever_the_agent_reads(house, agent):
    macro = TicketMacro.objects.create(code="HI", name="Hello", text="Good day", text_zh="您好")
    house.other.email = "other@example.com"
    house.other.save()
    english, chinese = house.ticket(), house.ticket("P-200", customer=house.other)
    assert f'<option value="{macro.text}">' in text(agent, "ticket", english.number)
    page = text(agent, "ticket", chinese.number)
    [offered] = re.findall(r'<option value="([^"]+)">Hello</option>', page)
    post(
        agent,
        "ticket-reply",
        chinese.number,
        idempotency_key=key(page),
        body=html.unescape(offered),
    )
    run_due(now=timezone.now())
    [letter] = mail.outbox
    assert letter.to == ["other@example.com"]
    assert "您好" in letter.body
    assert "Good day" not in letter.body


def test_who_only_reads_writes_nothing_and_the_floor_reads_nothing(house, client_for):
    ticket = house.ticket()
    page = client_for("sales").get(reverse("crm:ticket", args=[ticket.number]))
    assert page.status_code == 200
    assert "Send the report" not in page.content.decode()
    for role, name in (("sales", "ticket-reply"), ("quality", "report-send")):
        url = reverse(f"crm:{name}", args=[ticket.number])
        assert client_for(role).post(url, {}).status_code == 403
    assert client_for("operator").get(reverse("crm:tickets")).status_code == 403


# Over HTTP.


def test_the_api_opens_answers_and_reports_once_per_key(house, api_client_for):
    api = api_client_for("after-sales")
    body = {"title": "Loose", "text": "It came loose.", "serial_number": "P-100",
            "symptom": "LOOSE"}  # fmt: skip
    for _ in range(2):
        made = api.post("/api/v1/tickets/", body, format="json", headers={"Idempotency-Key": "1"})
        assert made.status_code == 201
    ticket = Ticket.objects.get()
    assert made.json()["customer"] == "ACME"
    url = f"/api/v1/tickets/{ticket.number}/"
    api.post(f"{url}messages/", {"kind": "note", "text": "hm"}, format="json")
    report = api.post(f"{url}reports/", {}, format="json", headers={"Idempotency-Key": "2"})
    assert report.status_code == 201
    told = api.get(url).json()
    assert [row["kind"] for row in told["messages"]] == ["in", "note", "out"]
    assert told["reports"][0]["number"] == report.json()["number"]
    assert told["answered_at"] is not None
    assert api.post(f"{url}resolve/").json()["status"] == "resolved"
    assert api.post(f"{url}wait/").status_code == 409
    assert api.get("/api/v1/tickets/?serial_number=p100").json()["count"] == 1
    assert api.get("/api/v1/tickets/?status=open").json()["count"] == 0
    wrong = api.post("/api/v1/tickets/", body | {"symptom": "NO", "x": 1}, format="json")
    assert set(wrong.json()) == {"symptom", "x"}
    foreign = house.ticket("P-200")
    refused = api.post(f"/api/v1/tickets/{foreign.number}/reports/", {}, format="json")
    assert refused.status_code == 409


def test_the_overview_counts_what_it_says_and_asks_as_often_for_many(house, agent):
    url = reverse("crm:ticket-overview")
    assert "Nobody complained in the last" in agent.get(url).content.decode()
    asked = []
    for minutes in (3, 4, 30, 40):
        made = house.ticket()
        opened = timezone.now() - timedelta(minutes=50)
        Ticket.objects.filter(pk=made.pk).update(
            opened_at=opened,
            first_response_at=opened,
            answered_at=opened + timedelta(minutes=minutes),
        )
        asked.append(queries(agent, url))
    # Two more for the names of symptoms and items, from the first on the same.
    assert len(set(asked)) == 1
    Ticket.objects.exclude(pk=made.pk).update(assigned_to=house.agent)
    shown = agent.get(url).context
    assert (shown["stopwatch"].answered, shown["stopwatch"].within_five) == (4, 50)
    assert sum(week.answered for week in shown["weeks"]) == 4
    assert [(row.name, row.open) for row in shown["loads"]] == [("", 1), (str(house.agent), 3)]
    assert [(row.label, row.tickets, row.bar) for row in shown["symptoms"]] == [
        (house.loose.label, 4, 100)
    ]
    assert shown["items"][0].label.startswith("PUMP")


def test_a_week_is_one_of_the_site_and_not_of_greenwich(house):
    zone = ZoneInfo("Asia/Shanghai")
    # Sunday evening in Greenwich is Monday morning there.
    monday = datetime(2026, 11, 16, 0, 30, tzinfo=zone)
    made = house.ticket()
    Ticket.objects.filter(pk=made.pk).update(
        opened_at=monday - timedelta(minutes=10), first_response_at=monday, answered_at=monday
    )
    weeks = figures.weeks(now=monday + timedelta(days=8), zone=zone)
    assert [(week.begins.day, week.answered) for week in weeks] == [(23, 0), (16, 1)]
    assert (weeks[1].median_minutes, weeks[1].bar) == (10, 0)
