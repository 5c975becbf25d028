"""Somebody who tries: numbers that are none, links of others, papers of others."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from common.enums import Role
from crm.models import RecallDrill, ReportShare
from crm.services import trace_reports
from crm.trace.links import url_of
from tests.crm.complaints import AfterSales

pytestmark = pytest.mark.django_db

HOSTILE = [
    "' OR 1=1 --",
    "%_%",
    "\\",
    "(01)(21)(10)",
    "(21)" * 90,
    "]d2\x1d\x1d21",
    "01" + "9" * 390,
    "https://[::1",
    "https://x.example/21/",
    "https://x.example/id/21/%00%FF%ed%a0%80",
    "https://x.example/?q=%00&21=%00",
    "/trace/99999999999999999999/",
    "http://x.example/trace/9999999999999999999/",
    "<script>alert(1)</script>",
    "{{ 7|add:7 }}",
    "\u202e\u0000\ufeff",
    "ﬁ①Ⅷ" * 30,
    "MS:SN:" + "x" * 500,
    "AS-\n7",
    "٣٤٥",
]


def test_no_scan_breaks_a_page_or_finds_what_it_does_not_name(client_for, api_client_for) -> None:
    house = AfterSales()
    office, store = client_for(Role.AFTER_SALES), client_for(Role.WAREHOUSE)
    api = api_client_for(Role.QUALITY)
    portal = Client()
    portal.force_login(house.user_of(house.acme))
    for text in HOSTILE:
        asked = quote(text.encode("utf-8", "replace"))
        for client, path in (
            (office, f"/trace/?q={asked}"),
            (office, f"/trace/shared/?sn={asked}+P-100"),
            (office, f"/tickets/lookup/?serial={asked}"),
            (store, f"/stock/find/?q={asked}"),
            (api, f"/api/v1/trace/epcis/?number={asked}"),
            (portal, f"/id/21/{asked}"),
            (office, f"/reports/verify/{asked.replace('/', '%2F')}/"),
        ):
            answer = client.get(path)
            assert answer.status_code in (200, 302, 400, 404), (text, path, answer.status_code)
            body = answer.content.decode()
            assert "<script>alert(1)" not in body, path
            for canary in ("Canary", "P-200", "SH-2"):
                assert canary not in body, (text, path)
        office.post("/trace/drills/start/", {"lot": text})
    assert not RecallDrill.objects.exists()


def test_a_customer_learns_nothing_of_what_another_one_has(client_for) -> None:
    house = AfterSales()
    portal = Client()
    portal.force_login(house.user_of(house.acme))
    pump = house.pumps[1]
    # Whether a number is another's or nobody's is told the same way.
    theirs, nobodys = (portal.get(f"/id/21/{number}", follow=True) for number in ("P-200", "P-9"))
    told = [
        answer.content.decode().replace(number, "…")
        for answer, number in ((theirs, "P-200"), (nobodys, "P-9"))
    ]
    assert theirs.status_code == nobodys.status_code
    assert ("Canary" in told[0], "SH-2" in told[0]) == (False, False)
    for path in (
        f"/trace/{pump.pk}/",
        f"/trace/{pump.pk}/graph/",
        f"/trace/{pump.pk}/impact/",
        f"/trace/{pump.pk}/impact/files/csv/",
        "/trace/?q=P-200",
        "/trace/drills/",
        "/api/v1/trace/epcis/?number=P-200",
        "/stock/find/?q=P-200",
    ):
        assert portal.get(path).status_code in (403, 404), path
        for role in (Role.WAREHOUSE, Role.OPERATOR, Role.PURCHASING):
            if not path.startswith("/stock"):
                assert client_for(role).get(path).status_code == 403, (role, path)


def test_a_shared_link_is_guessed_stale_or_taken_back_in_vain() -> None:
    house = AfterSales()
    now = timezone.now()
    house.now = now - timedelta(minutes=3)
    report = trace_reports.issue(
        ticket=house.ticket(), by=house.agent, now=now, url_of=lambda code: code
    )
    share, secret = trace_reports.share(report=report, days=7, by=house.agent, now=now)
    client = Client()

    def status(text: str) -> int:
        return client.get(f"/reports/shared/{quote(text, safe='')}/").status_code

    assert status(secret) == 200
    row = ReportShare.objects.get()
    stored = [str(getattr(row, field.name)) for field in ReportShare._meta.fields]
    # Neither what is stored, nor a part, nor another writing of it opens anything.
    for guess in (*stored, secret[:-1], secret + "A", secret.swapcase(), f" {secret}", "\x00", "é"):
        assert status(guess) == 404, guess
    assert client.post(f"/reports/shared/{secret}/").status_code == 405
    # Opened again while it lasts, and counted; not a second longer.
    assert status(secret) == 200
    share.refresh_from_db()
    assert share.openings == 2
    ReportShare.objects.update(expires_at=now + timedelta(microseconds=1))
    assert status(secret) == 404
    ReportShare.objects.update(expires_at=now + timedelta(days=7))
    trace_reports.revoke(share=share, by=house.agent, now=now)
    assert status(secret) == 404
    share.refresh_from_db()
    assert share.openings == 2


@pytest.mark.parametrize(
    ("number", "page"),
    [
        ("SO-100001", "/orders/SO-100001/"),
        ("AS-2026-0512", "/tickets/AS-2026-0512/"),
        ("RMA-100001", "/returns/RMA-100001/"),
        # Taken over from another system: nothing of it is here.
        ("WO-H01", ""),
        ("EPCIS 7f", ""),
        ("SO-../../", ""),
        ("", ""),
    ],
)
def test_a_number_of_ours_leads_to_its_page_and_another_ones_nowhere(number, page) -> None:
    assert url_of(number) == page
