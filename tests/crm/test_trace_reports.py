"""The report to a customer: what is in it, what never is, how it is sent, shared and verified."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from io import BytesIO

import pytest
from django.core import mail
from django.urls import reverse

from common import jobs
from crm.enums import ReportTier
from crm.models import ReportAccess, ReportShare, Ticket, TicketMessage, TraceReport
from crm.services import canonical, trace_reports
from crm.services.trace_reports import CannotReport, CannotShare
from mes.models import Badge
from tests.crm.complaints import NOW, AfterSales
from tests.shared import shared
from traceability.enums import DocumentKind
from traceability.models import Document
from traceability.services import epcis

pytestmark = pytest.mark.django_db


@shared()
def house() -> AfterSales:
    return AfterSales()


def url_of(code: str) -> str:
    return f"https://plant.example/reports/verify/{code}/"


def issue(house, ticket=None, **more) -> TraceReport:
    facts = {"by": house.agent, "now": NOW, "url_of": url_of, **more}
    return trace_reports.issue(ticket=ticket or house.ticket(), **facts)


def test_a_report_says_what_the_ledger_knows_and_is_the_answer(house):
    report = issue(house, now=NOW + timedelta(minutes=3))
    said = report.content
    assert said["product"]["number"] == "P-100"
    assert [(part["number"], part["certainty"]) for part in said["parts"]] == [("BAD", "exact")]
    [row] = said["readings"]
    assert (row["parameter"], row["value"], row["lower"], row["upper"], row["verdict"]) == (
        "Torque", "2.4", "2", "2.6", "pass",
    )  # fmt: skip
    assert (row["machine"], row["operator"]) == (
        house.machines[0].code, f"No. {house.operator.pk}",
    )  # fmt: skip
    ticket = report.ticket
    ticket.refresh_from_db()
    assert ticket.answered_at == NOW + timedelta(minutes=3)
    assert bytes(report.pdf).startswith(b"%PDF")
    jobs.run_due(include_waiting=True)
    [letter] = mail.outbox
    [(name, content, kind)] = letter.attachments
    assert (name, kind) == (f"{report.number}.pdf", "application/pdf")
    assert hashlib.sha256(content).hexdigest() == report.pdf_digest
    assert "P-100" in letter.body


def test_nothing_of_others_is_in_it(house):
    """Other customers, costs, names of our people, and the number that signs in at a terminal."""
    Badge.objects.create(person=house.operator, number="77001001", pin="x", issued_at=NOW)
    content = issue(house, tier=ReportTier.STANDARD).content
    document = epcis.document([house.pumps[0].pk], now=NOW)
    text = json.dumps([content, document])
    for canary in ("Canary", "OTHER", "98765", "Oscar", "oscar", "SH-2", "77001001"):
        assert canary not in text, canary


def test_a_tier_tells_only_its_fields_and_never_more_than_the_customer_may(house):
    ticket = house.ticket()
    basic = issue(house, ticket, tier=ReportTier.BASIC).content
    assert basic["readings"][0].keys().isdisjoint({"value", "machine", "operator", "program"})
    assert "number" not in basic["parts"][0]
    assert basic["readings"][0]["verdict"] == "pass"
    standard = issue(house, ticket).content
    assert standard["tier"] == "standard"
    assert "supplier" not in standard["parts"][0]
    with pytest.raises(CannotReport, match="at most"):
        issue(house, ticket, tier=ReportTier.EXTENDED)
    ReportAccess.objects.create(customer=house.acme, tier=ReportTier.EXTENDED)
    assert "supplier_lot" in issue(house, ticket).content["parts"][0]


def test_who_did_not_get_the_product_is_not_told_of_it(house):
    for serial, why in (
        ("P-200", "was not delivered"),
        ("P-600", "was not delivered"),
        ("", "serial number"),
    ):
        with pytest.raises(CannotReport, match=why):
            issue(house, house.ticket(serial))
    assert TraceReport.objects.count() == 0
    assert not TicketMessage.objects.exclude(kind="in").exists()


def test_a_report_is_in_the_customers_language(house):
    report = issue(house, house.ticket("P-200", customer=house.other))
    assert report.language == "zh-hans"
    assert report.content["product"]["name"] == "泵"
    assert re.search("[\u4e00-\u9fff]", TicketMessage.objects.get(report=report).body)


def test_hashes_and_the_code_are_those_of_what_was_sent(house):
    report = TraceReport.objects.get(pk=issue(house).pk)
    assert trace_reports.is_as_issued(report)
    assert canonical.digest(report.content) == report.content_digest
    report.content["product"]["number"] = "P-999"
    assert not trace_reports.is_as_issued(report)
    Document.objects.filter(kind=DocumentKind.SHIPMENT).update(order_number="changed")
    again = TraceReport.objects.get(pk=report.pk)
    assert again.content["product"]["order"] == "SO-SH-1"


def test_anybody_with_the_paper_can_verify_it(house, client):
    report = issue(house)
    page = reverse("crm:report-verify", args=[report.verify_code])
    answer = client.get(page)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert report.number in html
    assert report.content_digest in html
    assert "Acme" not in html
    paper = BytesIO(bytes(report.pdf))
    paper.name = "x.pdf"
    assert "byte by byte" in client.post(page, {"paper": paper}).content.decode()
    forged = BytesIO(bytes(report.pdf) + b" ")
    forged.name = "x.pdf"
    assert "not the file" in client.post(page, {"paper": forged}).content.decode()
    assert client.get(reverse("crm:report-verify", args=["nonsense"])).status_code == 404


def test_a_link_opens_the_report_until_it_expires_or_is_taken_back(house, client):
    report = issue(house)
    facts = {"by": house.agent, "now": NOW}
    with pytest.raises(CannotShare):
        trace_reports.share(report=report, days=0, **facts)
    share, secret = trace_reports.share(report=report, days=7, **facts)
    assert secret not in str(ReportShare.objects.values().get())
    week = timedelta(days=7)
    assert trace_reports.open_share(secret=secret, now=NOW + week - timedelta(seconds=1)) == report
    assert trace_reports.open_share(secret=secret, now=NOW + week) is None
    assert trace_reports.open_share(secret="x", now=NOW) is None
    share.refresh_from_db()
    assert share.openings == 1
    trace_reports.revoke(share=share, **facts)
    assert trace_reports.open_share(secret=secret, now=NOW) is None
    assert client.get(reverse("crm:report-shared", args=[secret])).status_code == 404


def test_a_draft_is_looked_at_and_leaves_nothing(house):
    ticket = house.ticket()
    made = trace_reports.preview(ticket=ticket, tier=None, url_of=url_of, now=NOW)
    assert made.startswith(b"%PDF")
    assert TraceReport.objects.count() == 0


def shared_lot(house):
    """A lot that Acme got first, and another customer after them."""
    house.deliver(house.bad, house.acme, "SH-11")
    house.deliver(house.bad, house.other, "SH-12")
    return house.ticket("BAD")


def test_of_a_lot_that_several_got_each_reads_of_their_own_delivery(house):
    ticket = shared_lot(house)
    product = issue(house, ticket).content["product"]
    assert (product["shipment"], product["order"]) == ("SH-11", "SO-SH-11")
    theirs = issue(house, house.ticket("BAD", customer=house.other)).content["product"]
    assert (theirs["shipment"], theirs["order"]) == ("SH-12", "SO-SH-12")


def test_a_report_made_for_one_customer_is_not_sent_to_another(house):
    """The ticket is given to somebody else while the paper is being made."""
    ticket = shared_lot(house)

    def given_away(code: str) -> str:
        Ticket.objects.filter(pk=ticket.pk).update(customer=house.other)
        return url_of(code)

    with pytest.raises(CannotReport, match="make the report anew"):
        issue(house, ticket, url_of=given_away)
    assert TraceReport.objects.count() == 0
