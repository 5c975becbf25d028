"""Who is told that a delivery comes on another day: decided after the dates of a plan are written.

A customer counts on the day we told last: by a notice that was sent, else by the promise or, where
the first plan was later already, by its estimate. A notice is made where the projected day goes
past the promise and beyond that day by more than the tolerance, or where what we told turns out to
be too late a day. So one move is told once, however often the plan is made anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from aps import selectors as aps
from common import audit, transitions
from common.enums import Level, Role
from common.errors import Refused
from common.jobs import enqueue
from common.models import User
from common.notifications import notify
from crm.enums import NOTICE_TRANSITIONS, NoticeState
from crm.models import DelayNotice, NoticeRule, Projection, PromiseRevision, SalesOrderLine
from crm.services import notice_mail
from masterdata import selectors as masterdata
from mes import selectors as mes
from mes.selectors import CustomerReason


class CannotSend(Refused):
    """The notice is decided already, or its date has moved on."""


class CannotDismiss(Refused):
    """The notice is decided already."""


@dataclass(frozen=True)
class _Told:
    """What a line's customer counts on, and up to which day we decided to say nothing."""

    day: date
    silent_until: date
    # By a notice; only then is an earlier day news.
    is_by_notice: bool


def decide(*, site_id: int, lines: Sequence[SalesOrderLine], by: User | None, now: datetime) -> int:
    """Draft, change, withdraw or send the notices of lines whose projected day has just moved.

    In the caller's transaction, which wrote the days; how many lines have a notice that is new or
    says another day. The queries do not grow with the lines, but for those that are sent by rule.
    """
    lines = [line for line in lines if line.promised_date and line.projected_date]
    if not lines:
        return 0
    told = _told(lines)
    drafts = {
        notice.line_id: notice
        for notice in DelayNotice.objects.select_for_update(no_key=True).filter(
            line__in=[line.pk for line in lines], state=NoticeState.DRAFT
        )
    }
    reason, version = _reason(site_id, now)
    written: list[DelayNotice] = []
    for line in lines:
        draft = drafts.get(line.pk)
        if not _is_news(line, told[line.pk]):
            if draft is not None:
                _close(draft, NoticeState.WITHDRAWN, None, now)
            continue
        if draft is not None and draft.new_date == line.projected_date:
            continue
        written.append(_write(line, draft, told[line.pk], reason, version, now))
    _hand_over(written, by, now)
    return len(written)


def send(
    *, notice: DelayNotice, by: User | None, now: datetime, seen: date | None = None
) -> DelayNotice:
    """Tell the customer, in the portal and by mail; raise CannotSend.

    ``seen`` is the new day that the sender read: another one since then is refused.
    """
    with transaction.atomic():
        notice = _locked(notice.pk)
        _check_open(notice, CannotSend)
        if seen is not None and notice.new_date != seen:
            raise CannotSend(_("The date has moved again meanwhile: read the notice once more."))
        _send(notice, by, now)
    return notice


def dismiss(*, notice: DelayNotice, reason: str, by: User | None, now: datetime) -> DelayNotice:
    """Say nothing of this move; raise CannotDismiss. A later day is news again."""
    with transaction.atomic():
        notice = _locked(notice.pk)
        _check_open(notice, CannotDismiss)
        _close(notice, NoticeState.DISMISSED, by, now)
        audit.record(
            action="crm.notice.dismiss",
            target=notice.line.order,
            by=by,
            now=now,
            reason=reason[:300],
        )
    return notice


def edit(*, notice: DelayNotice, text: str, by: User | None, now: datetime) -> DelayNotice:
    """Put other words in the mail; empty ones are the usual text again. Raise CannotSend."""
    with transaction.atomic():
        notice = _locked(notice.pk)
        _check_open(notice, CannotSend)
        notice.text = text.replace("\r\n", "\n").strip()
        notice.save(update_fields=["text"])
        audit.record(action="crm.notice.edit", target=notice.line.order, by=by, now=now)
    return notice


def set_rule(*, customer_code: str, is_automatic: bool, by: User | None, now: datetime) -> None:
    """Let a customer's notices be sent by themselves, or by a person again."""
    with transaction.atomic():
        customer = masterdata.customer_by_code(customer_code)
        if customer is None:
            raise CannotSend(
                _("There is no customer “%(code)s”.") % {"code": customer_code.strip()}
            )
        if is_automatic:
            NoticeRule.objects.get_or_create(customer=customer)
        else:
            NoticeRule.objects.filter(customer=customer).delete()
        audit.record(
            action="crm.notice.rule",
            target=customer,
            by=by,
            now=now,
            changes={"by_itself": [not is_automatic, is_automatic]},
        )


def _is_news(line: SalesOrderLine, told: _Told) -> bool:
    assert line.projected_date  # noqa: S101 - chosen so
    assert line.promised_date  # noqa: S101 - chosen so
    tolerance = settings.DELAY_NOTICE_TOLERANCE_DAYS
    is_late = line.projected_date > line.promised_date
    beyond = (line.projected_date - max(told.day, told.silent_until)).days
    if is_late and beyond > tolerance:
        return True
    return told.is_by_notice and (told.day - line.projected_date).days > tolerance


def _told(lines: Sequence[SalesOrderLine]) -> dict[int, _Told]:
    """Of each line; three queries."""
    ids = [line.pk for line in lines]
    since = dict(
        PromiseRevision.objects.filter(line__in=ids).order_by("pk").values_list("line_id", "at")
    )
    first: dict[int, date] = {}
    rows = Projection.objects.filter(line__in=ids, new_date__isnull=False).order_by("pk")
    for line_id, estimate, at in rows.values_list("line_id", "new_date", "at"):
        # The estimate that stood when the promise was given, else the first one after it.
        is_before = line_id in since and at <= since[line_id]
        if estimate is not None and (line_id not in first or is_before):
            first[line_id] = estimate
    sent: dict[int, date] = {}
    silent: dict[int, date] = {}
    decided = DelayNotice.objects.filter(
        line__in=ids, state__in=[NoticeState.SENT, NoticeState.DISMISSED]
    ).order_by("decided_at", "pk")
    rows_decided = decided.values_list("line_id", "state", "new_date", "decided_at")
    for line_id, state, day, decided_at in rows_decided:
        given = since.get(line_id)
        if given is not None and decided_at is not None and decided_at < given:
            continue  # A new promise was given since.
        if state == NoticeState.SENT:
            sent[line_id] = day
            silent.pop(line_id, None)
        else:
            silent[line_id] = day
    found = {}
    for line in lines:
        assert line.promised_date  # noqa: S101 - chosen so
        base = max(line.promised_date, first.get(line.pk, line.promised_date))
        day = sent.get(line.pk, base)
        found[line.pk] = _Told(day, silent.get(line.pk, day), line.pk in sent)
    return found


def _reason(site_id: int, now: datetime) -> tuple[CustomerReason | None, int | None]:
    """The incident behind the plan in force, and its version."""
    run = aps.current_run(site_id)
    if run is None:
        return None, None
    before = aps.run_before(run)
    found = mes.reason_behind(
        site_id=site_id, after=before.requested_at if before else None, until=now
    )
    return found, run.version


def _write(
    line: SalesOrderLine,
    draft: DelayNotice | None,
    told: _Told,
    reason: CustomerReason | None,
    version: int | None,
    now: datetime,
) -> DelayNotice:
    assert line.projected_date  # noqa: S101 - chosen so
    assert line.promised_date  # noqa: S101 - chosen so
    notice = draft or DelayNotice(line=line, created_at=now)
    notice.line = line
    notice.old_date = told.day
    notice.new_date = line.projected_date
    notice.promised_date = line.promised_date
    notice.schedule_version = version
    # Words that a person wrote name another day.
    notice.text = ""
    if reason is not None:
        notice.reason, notice.reason_zh = reason.text, reason.text_zh
        notice.incident_number = reason.incident_number
    notice.save()
    return notice


def _hand_over(written: Sequence[DelayNotice], by: User | None, now: datetime) -> None:
    """Send what goes by rule, and tell sales of the rest once."""
    if not written:
        return
    customers = {notice.line.order.customer_id for notice in written}
    automatic = set(
        NoticeRule.objects.filter(customer__in=customers).values_list("customer_id", flat=True)
    )
    waiting = 0
    for notice in written:
        if notice.line.order.customer_id in automatic:
            notice.is_by_rule = True
            _send(notice, None, now)
        else:
            waiting += 1
    if waiting:
        notify(
            kind="crm.notices_to_send",
            parameters={"count": waiting},
            roles=[Role.SALES],
            level=Level.WARNING,
            url=reverse("crm:delay-list"),
            now=now,
        )


def _send(notice: DelayNotice, by: User | None, now: datetime) -> None:
    _close(notice, NoticeState.SENT, by, now)
    order = notice.line.order
    audit.record(
        action="crm.notice.send",
        target=order,
        by=by,
        now=now,
        changes={"day": [str(notice.old_date), str(notice.new_date)]},
    )
    users = masterdata.portal_users(order.customer_id)
    notify(
        kind="crm.delivery_moved" if notice.is_later else "crm.delivery_earlier",
        parameters={
            "order": order.number,
            "old": str(notice.old_date),
            "new": str(notice.new_date),
        },
        users=users,
        level=Level.WARNING if notice.is_later else Level.SUCCESS,
        url=reverse("portal:order-detail", kwargs={"number": order.number}),
        now=now,
    )
    if notice_mail.recipients(order.customer):
        enqueue(
            "crm.mail_delay_notice",
            key=f"delay-notice:{notice.pk}",
            now=now,
            by=by,
            notice_id=notice.pk,
        )


def _close(notice: DelayNotice, new: NoticeState, by: User | None, now: datetime) -> None:
    transitions.check(NOTICE_TRANSITIONS, old=NoticeState(notice.state), new=new)
    notice.state = new
    notice.decided_at = now
    notice.decided_by = by
    notice.save()


def _check_open(notice: DelayNotice, error: type[Refused]) -> None:
    if notice.state != NoticeState.DRAFT:
        raise error(_("This notice: %(state)s.") % {"state": NoticeState(notice.state).label})


def _locked(pk: int) -> DelayNotice:
    return (
        DelayNotice.objects.select_for_update(no_key=True, of=("self",))
        .select_related("line__order__customer", "line__order__site", "line__item")
        .get(pk=pk)
    )
