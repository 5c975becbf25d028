"""The right customers and only they: who is told of another day, what, how often, and why."""

from datetime import date, datetime, timedelta

import pytest
from django.core import mail

from aps import selectors as aps
from aps.selectors import Ready, ReadyCause
from common.enums import JobState, Role
from common.jobs import run_due
from common.models import Job, Notification
from crm.enums import NoticeState, PromiseCause
from crm.models import DelayNotice, DelayNoticeAttempt, NoticeRule, SalesOrder
from crm.services import commitments, delay_notices, notice_mail
from masterdata.models import CustomerUser
from mes.models import DowntimeReason
from mes.services import breakdowns, reasons
from tests.crm.factories import FRIDAY, MONDAY, Shop
from tests.factories import UserFactory
from tests.masterdata.factories import CustomerFactory

MONDAY_AFTER = date(2026, 11, 30)
TUESDAY_AFTER = date(2026, 12, 1)
WEDNESDAY_AFTER = date(2026, 12, 2)


@pytest.fixture
def days(monkeypatch: pytest.MonkeyPatch, shop: Shop):
    """``days(line, date)`` projects the line for that day, instead of asking the schedule."""
    moments: dict[int, datetime] = {}

    def ready_dates(*, requirement_ids, now):
        return {pk: Ready(moments.get(pk), ReadyCause.SCHEDULE) for pk in requirement_ids}

    monkeypatch.setattr(aps, "ready_dates", ready_dates)

    def move(*pairs: tuple[SalesOrder, date]) -> None:
        for order, day in pairs:
            moments[shop.line(order).requirement_id] = datetime.combine(
                day, MONDAY.timetz()
            ) + timedelta(hours=1)
        shop.now += timedelta(minutes=1)
        shop.project()

    return move


def notices(**wanted):
    return list(DelayNotice.objects.filter(**wanted).order_by("pk"))


def send(shop, notice):
    return delay_notices.send(notice=notice, by=shop.sales, now=shop.now)


def run_mail(shop):
    Job.objects.exclude(name="crm.mail_delay_notice").delete()
    run_due(now=shop.now)


def test_only_the_line_whose_day_goes_past_its_promise_gets_a_draft(shop: Shop, days) -> None:
    late, still_on_time, unmoved = shop.converted(), shop.converted(), shop.converted()
    was_late = shop.converted()
    wednesday = FRIDAY - timedelta(days=2)
    days((late, wednesday), (still_on_time, wednesday), (unmoved, wednesday), (was_late, FRIDAY))
    assert notices() == []
    days((late, MONDAY_AFTER), (still_on_time, FRIDAY))
    (notice,) = notices()
    assert notice.line == shop.line(late)
    assert (notice.old_date, notice.new_date, notice.promised_date) == (
        FRIDAY,
        MONDAY_AFTER,
        FRIDAY,
    )
    assert notice.state == NoticeState.DRAFT
    assert mail.outbox == []
    told = Notification.objects.get(kind="crm.notices_to_send")
    assert (told.user, told.parameters) == (shop.sales, {"count": 1})


def test_a_line_that_its_first_plan_had_late_is_told_of_what_moves_from_there(
    shop: Shop, days
) -> None:
    order = shop.converted()
    days((order, MONDAY_AFTER))
    assert notices() == [], "sales knew that when they approved it"
    days((order, WEDNESDAY_AFTER))
    (notice,) = notices()
    assert (notice.old_date, notice.new_date) == (MONDAY_AFTER, WEDNESDAY_AFTER)


def test_a_move_within_the_tolerance_is_no_news_and_many_small_ones_are(
    shop: Shop, days, settings
) -> None:
    settings.DELAY_NOTICE_TOLERANCE_DAYS = 3
    order = shop.converted()
    days((order, FRIDAY))
    days((order, MONDAY_AFTER))
    assert notices() == []
    days((order, TUESDAY_AFTER))
    (notice,) = notices()
    assert (notice.old_date, notice.new_date) == (FRIDAY, TUESDAY_AFTER)


def test_the_same_move_is_told_once_however_often_it_is_planned(shop: Shop, days) -> None:
    order = shop.converted()
    days((order, FRIDAY))
    days((order, MONDAY_AFTER))
    send(shop, notices()[0])
    for day in (FRIDAY, MONDAY_AFTER):
        days((order, day))
        DelayNotice.objects.filter(state=NoticeState.DRAFT).delete()
    assert len(notices()) == 1
    days((order, TUESDAY_AFTER))
    assert [(n.old_date, n.new_date) for n in notices()][1:] == [(MONDAY_AFTER, TUESDAY_AFTER)]


def test_a_draft_follows_the_date_and_goes_when_it_comes_back(shop: Shop, days) -> None:
    order = shop.converted()
    days((order, FRIDAY))
    days((order, MONDAY_AFTER))
    delay_notices.edit(notice=notices()[0], text="Monday!", by=shop.sales, now=shop.now)
    days((order, TUESDAY_AFTER))
    (notice,) = notices()
    assert (notice.new_date, notice.text) == (TUESDAY_AFTER, "")
    with pytest.raises(delay_notices.CannotSend, match="moved again"):
        delay_notices.send(notice=notice, by=shop.sales, now=shop.now, seen=MONDAY_AFTER)
    days((order, FRIDAY))
    assert notices()[0].state == NoticeState.WITHDRAWN
    with pytest.raises(delay_notices.CannotSend, match="No longer true"):
        send(shop, notices()[0])


def test_what_was_told_is_taken_back_when_the_day_is_earlier_again(shop: Shop, days) -> None:
    order = shop.converted()
    days((order, FRIDAY))
    days((order, WEDNESDAY_AFTER))
    send(shop, notices()[0])
    days((order, FRIDAY))
    better = notices()[1]
    assert (better.old_date, better.new_date, better.is_later) == (WEDNESDAY_AFTER, FRIDAY, False)
    assert "comes earlier" in notice_mail.compose(better).body


def test_a_dismissed_move_is_not_drafted_again_but_a_later_day_is(shop: Shop, days) -> None:
    order = shop.converted()
    days((order, FRIDAY))
    days((order, TUESDAY_AFTER))
    delay_notices.dismiss(notice=notices()[0], reason="called them", by=shop.sales, now=shop.now)
    for day in (MONDAY_AFTER, TUESDAY_AFTER, FRIDAY, TUESDAY_AFTER):
        days((order, day))
    assert len(notices()) == 1
    days((order, WEDNESDAY_AFTER))
    assert [(n.old_date, n.new_date) for n in notices()][1:] == [(FRIDAY, WEDNESDAY_AFTER)]


def test_a_new_promise_is_what_the_customer_counts_on(shop: Shop, days) -> None:
    order = shop.converted()
    days((order, FRIDAY))
    days((order, MONDAY_AFTER))
    send(shop, notices()[0])
    shop.now += timedelta(minutes=1)
    commitments.promise(
        {shop.line(order): TUESDAY_AFTER},
        cause=PromiseCause.CUSTOMER_CHANGE,
        by=shop.sales,
        now=shop.now,
    )
    days((order, TUESDAY_AFTER))
    assert len(notices()) == 1
    days((order, WEDNESDAY_AFTER))
    assert (notices()[1].old_date, notices()[1].new_date) == (TUESDAY_AFTER, WEDNESDAY_AFTER)


# Sent.


def portal_user(customer, **kwargs):
    user = UserFactory(roles=[Role.CUSTOMER], **kwargs)
    CustomerUser.objects.create(user=user, customer=customer)
    return user


def test_a_sent_notice_is_in_the_portal_and_in_the_mail_of_its_customer_alone(
    shop: Shop, days
) -> None:
    other = CustomerFactory(code="OTHER", email="them@example.com")
    shop.customer.email = "buyer@example.com"
    shop.customer.save()
    mine, theirs = portal_user(shop.customer), portal_user(other)
    order, on_time = shop.converted(), shop.converted(customer=other)
    days((order, FRIDAY), (on_time, FRIDAY))
    days((order, MONDAY_AFTER), (on_time, FRIDAY))
    send(shop, notices()[0])
    assert not mail.outbox, "nothing leaves before the commit"
    run_mail(shop)
    (letter,) = mail.outbox
    assert letter.to == ["buyer@example.com"]
    assert order.number in letter.subject
    assert "Fri 27 Nov 2026" in letter.body
    assert "Mon 30 Nov 2026" in letter.body
    notice = notices()[0]
    assert notice.mailed_at == shop.now
    (told,) = Notification.objects.filter(kind="crm.delivery_moved")
    assert told.user == mine
    assert not Notification.objects.filter(user=theirs).exists()
    attempt = DelayNoticeAttempt.objects.get()
    assert (attempt.recipients, attempt.error) == ("buyer@example.com", "")
    notice_mail.mail(notice_id=notice.pk, job_id=1, now=shop.now)
    assert len(mail.outbox) == 1, "a job that runs again mails nothing again"


def test_a_rule_sends_for_its_customer_and_a_person_for_the_others(shop: Shop, days) -> None:
    other = CustomerFactory(code="OTHER", email="them@example.com")
    NoticeRule.objects.create(customer=other)
    by_person, by_rule = shop.converted(), shop.converted(customer=other)
    days((by_person, FRIDAY), (by_rule, FRIDAY))
    days((by_person, MONDAY_AFTER), (by_rule, MONDAY_AFTER))
    states = {n.line.order_id: (n.state, n.is_by_rule) for n in notices()}
    assert states == {
        by_person.pk: (NoticeState.DRAFT, False),
        by_rule.pk: (NoticeState.SENT, True),
    }
    run_mail(shop)
    assert [letter.to for letter in mail.outbox] == [["them@example.com"]]


def test_a_mail_server_that_refuses_is_tried_again_and_each_attempt_is_kept(
    shop: Shop, days, monkeypatch
) -> None:
    shop.customer.email = "buyer@example.com"
    shop.customer.save()
    order = shop.converted()
    days((order, FRIDAY))
    days((order, MONDAY_AFTER))
    send(shop, notices()[0])
    refuses = [True]

    def send_mail(self):
        if refuses[0]:
            raise OSError("no route to host")
        mail.outbox.append(self)

    monkeypatch.setattr("django.core.mail.EmailMessage.send", send_mail)
    run_mail(shop)
    job = Job.objects.get(name="crm.mail_delay_notice")
    assert (job.state, job.attempt) == (JobState.QUEUED, 1)
    assert "no route" in DelayNoticeAttempt.objects.get().error
    refuses[0] = False
    shop.now += timedelta(minutes=1)
    run_mail(shop)
    assert len(mail.outbox) == 1
    assert DelayNoticeAttempt.objects.count() == 2
    assert notices()[0].mailed_at == shop.now


def test_the_letter_speaks_the_customers_language_and_says_the_incidents_reason_safely(
    shop: Shop, days
) -> None:
    reasons.seed()
    shop.customer.language = "zh-hans"
    shop.customer.save()
    order = shop.converted()
    shop.run_jobs()
    days((order, FRIDAY))
    breakdowns.report(
        work_unit_id=shop.units[0].pk,
        estimated_ends_at=shop.now + timedelta(hours=9),
        reason=DowntimeReason.objects.get(code="SPINDLE"),
        note="bearing shot, operator drunk",
        by=None,
        now=shop.now,
    )
    days((order, MONDAY_AFTER))
    notice = notices(line__order=order)[-1]
    assert notice.incident_number.startswith("INC-")
    assert notice.reason == "A machine at our plant needed repair."
    body = notice_mail.compose(notice).body
    assert "我厂一台设备需要维修。" in body
    for ours in ("LATHE", "INC-", "bearing", "drunk", "Spindle", "主轴"):
        assert ours not in body


def test_deciding_takes_a_constant_number_of_queries(
    shop: Shop, days, django_assert_max_num_queries
) -> None:
    from django.db import connection, transaction
    from django.test.utils import CaptureQueriesContext

    def queries(orders, day) -> int:
        lines = [shop.line(order) for order in orders]
        for line in lines:
            line.projected_date = day
        with CaptureQueriesContext(connection) as captured, transaction.atomic():
            delay_notices.decide(site_id=shop.site.pk, lines=lines, by=None, now=shop.now)
        return len(captured)

    orders = [shop.converted() for _ in range(6)]
    days(*((order, FRIDAY) for order in orders))
    assert queries(orders[:1], FRIDAY) == queries(orders[1:], FRIDAY)
