"""Sales reads, changes, sends and dismisses; the incident's page tells all; the portal its own."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from aps.models import ScheduleRun
from common.enums import Role
from common.jobs import run_due
from common.models import Job
from crm.enums import NoticeState
from crm.models import DelayNotice, NoticeRule
from masterdata.models import CustomerUser
from mes.enums import EntryKind
from mes.models import DowntimeReason, Incident
from mes.services import breakdowns, reasons
from tests.crm.factories import FRIDAY, Shop
from tests.crm.test_delay_notices import MONDAY_AFTER, days
from tests.masterdata.factories import CustomerFactory

__all__ = ["days"]


@pytest.fixture
def draft(shop: Shop, days) -> DelayNotice:
    shop.customer.email = "buyer@example.com"
    shop.customer.save()
    order = shop.converted()
    days((order, FRIDAY))
    days((order, MONDAY_AFTER))
    return DelayNotice.objects.get()


def act(client, name, *args, **data):
    return client.post(reverse(name, args=args), data, follow=True)


def test_sales_sends_the_letter_with_its_own_words(shop, draft, client_for) -> None:
    page = client_for(Role.SALES).get(reverse("crm:delay-list")).content.decode()
    assert draft.line.order.number in page
    assert "buyer@example.com" in page
    answer = act(
        client_for(Role.SALES),
        "crm:delay-send",
        draft.pk,
        text="Dear Sir,\r\nMonday.",
        new_date=str(MONDAY_AFTER),
    )
    assert "The customer is told." in answer.content.decode()
    Job.objects.exclude(name="crm.mail_delay_notice").delete()
    run_due()
    assert [letter.body for letter in mail.outbox] == ["Dear Sir,\nMonday."]
    sent = client_for(Role.SALES).get(reverse("crm:delay-list") + "?state=sent")
    assert draft.line.order.number in sent.content.decode()


def test_the_usual_letter_is_no_edit_and_a_stale_day_is_refused(draft, client_for) -> None:
    from crm.services import notice_mail

    client = client_for(Role.SALES)
    usual = notice_mail.compose(DelayNotice.objects.select_related().get()).body
    answer = act(client, "crm:delay-send", draft.pk, text=usual, new_date="2026-11-28")
    assert "The date has moved again" in answer.content.decode()
    draft.refresh_from_db()
    assert (draft.state, draft.text) == (NoticeState.DRAFT, "")
    act(client, "crm:delay-send", draft.pk, text="Other", action="save")
    draft.refresh_from_db()
    assert (draft.state, draft.text) == (NoticeState.DRAFT, "Other")


def test_a_dismissed_notice_is_gone_from_what_waits(draft, client_for) -> None:
    client = client_for(Role.SALES)
    act(client, "crm:delay-dismiss", draft.pk, reason="told by phone")
    draft.refresh_from_db()
    assert draft.state == NoticeState.DISMISSED
    again = act(client, "crm:delay-send", draft.pk, text="x")
    assert "This notice: Not sent." in again.content.decode()
    assert client.get(reverse("crm:delay-list")).context["waiting"] == 0


def test_a_rule_is_set_and_removed_by_sales(shop, client_for) -> None:
    client = client_for(Role.SALES)
    act(client, "crm:delay-rule-set", customer="acme")
    assert NoticeRule.objects.get().customer == shop.customer
    act(client, "crm:delay-rule-set", customer="ACME", action="remove")
    assert not NoticeRule.objects.exists()
    unknown = act(client, "crm:delay-rule-set", customer="NOBODY")
    assert "There is no customer" in unknown.content.decode()


def test_others_read_the_notices_and_do_not_send_them(draft, client_for) -> None:
    planner = client_for(Role.PLANNER)
    page = planner.get(reverse("crm:delay-list")).content.decode()
    assert "Dismiss" not in page
    assert re.findall(r'aria-current="page" >(To send|Sent|Not sent)', page) == ["To send"]
    assert planner.post(reverse("crm:delay-send", args=[draft.pk])).status_code == 403
    assert client_for(Role.OPERATOR).get(reverse("crm:delay-list")).status_code == 403


def test_the_portal_shows_its_own_customer_what_was_told_and_nothing_else(
    shop, draft, client_for, user_for
) -> None:
    CustomerUser.objects.create(user=user_for(Role.CUSTOMER), customer=shop.customer)
    url = reverse("portal:order-detail", args=[draft.line.order.number])
    client = client_for(Role.CUSTOMER)
    assert "What we told you" not in client.get(url).content.decode(), "a draft is ours"
    act(client_for(Role.SALES), "crm:delay-send", draft.pk, text="")
    page = client.get(url).content.decode()
    assert "What we told you" in page
    assert "Mon 30 Nov 2026" in page
    CustomerUser.objects.update(customer=CustomerFactory())
    assert client.get(url).status_code == 404


def test_an_incident_tells_its_story_from_the_alarm_to_the_customer(
    shop: Shop, client_for, django_assert_max_num_queries
) -> None:
    reasons.seed()
    order = shop.converted(("PART", 30 * 60), wanted=FRIDAY)
    shop.run_jobs()
    before = ScheduleRun.objects.get(state="published").version or 0
    shop.now += timedelta(minutes=5)
    incident = breakdowns.report(
        work_unit_id=shop.units[0].pk,
        estimated_ends_at=shop.now + timedelta(days=4),
        reason=DowntimeReason.objects.get(code="SPINDLE"),
        by=shop.sales,
        now=shop.now,
    )
    # The ledger's clock is the machine's; plans of this test are asked for from then on.
    ScheduleRun.objects.update(requested_at=incident.opened_at - timedelta(minutes=1))
    shop.run_jobs()
    ScheduleRun.objects.filter(version=before + 1).update(
        requested_at=shop.now, published_at=shop.now + timedelta(seconds=9)
    )
    url = reverse("incidents:incident-detail", args=[incident.number])
    with django_assert_max_num_queries(30):
        page = client_for(Role.PLANNER).get(url).content.decode()
    for words in ("Alarm raised", "Machine down", "Expected back", "Spindle or bearing"):
        assert words in page
    assert f"Plan version {before + 1}" in page
    assert "9 s after the change" in page
    assert order.number in page
    operator = client_for(Role.OPERATOR).get(url).content.decode()
    assert order.number not in operator
    assert "Acme" not in operator
    assert client_for(Role.PLANNER).get("/incidents/INC-0/").status_code == 404
    listed = client_for(Role.OPERATOR).get(reverse("incidents:incident-list"))
    assert Incident.objects.get().number in listed.content.decode()


def test_a_plan_begun_while_the_stop_was_written_down_is_not_its_answer(
    shop: Shop, client_for
) -> None:
    reasons.seed()
    incident = breakdowns.report(
        work_unit_id=shop.units[0].pk,
        estimated_ends_at=shop.now + timedelta(days=4),
        reason=None,
        by=shop.sales,
        now=shop.now,
    )
    known = incident.entries.get(kind=EntryKind.ESTIMATED).pk
    for version, entry in ((1, known - 1), (2, known)):
        ScheduleRun.objects.create(
            site=shop.site,
            version=version,
            cause="change",
            requested_at=shop.now + timedelta(seconds=version),
            published_at=shop.now + timedelta(seconds=version + 3),
            last_incident_entry=entry,
        )
    url = reverse("incidents:incident-detail", args=[incident.number])
    page = client_for(Role.PLANNER).get(url).content.decode()
    assert set(re.findall(r"Plan version (\d+)", page)) == {"2"}
    shop.run_jobs()
    assert (ScheduleRun.objects.latest("pk").last_incident_entry or 0) >= known
