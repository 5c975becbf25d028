"""A rush: sales asks for an earlier day, a simulation says what it costs, planning decides.

What is approved is the very plan that was shown, or it is simulated anew. A line without work
orders (draft, submitted, or being converted) has no plan to apply yet: its approval gives it the
date and puts its work first, which need not keep the day (docs/adr/0004-scenarios.md).
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from aps.enums import RunState
from aps.services import scenarios
from common import audit, events, numbers
from common.concurrency import Lock, lock
from common.models import User
from crm import policies
from crm.enums import ConversionState, OrderState, PromiseCause, RushState
from crm.events import RushApplied
from crm.models import RushRequest, SalesOrder, SalesOrderLine
from crm.policies import CannotDecide, CannotRequest, CannotWithdraw
from crm.services import commitments, rush_assessing, rush_news
from crm.services.rush_simulating import again, ask, drop_run, locked, move
from masterdata.services import shipping
from mes.services import work_orders

__all__ = [
    "CannotDecide", "CannotRequest", "CannotWithdraw", "approve", "cancel", "insist",
    "kept_by_plan", "line_changed", "note_converted", "note_kept", "reject", "request", "submit",
    "weights_of", "withdraw_for",
]  # fmt: skip

# A rushed line outweighs others of its kind, but not a hundred of them.
WEIGHT_FACTOR = 20
LEAST_WEIGHT = 100


def request(
    *,
    line: SalesOrderLine,
    wanted_date: date,
    reason: str,
    by: User | None,
    now: datetime,
    wants_decision: bool = True,
) -> RushRequest:
    """Ask for an earlier day; the simulation is asked for. Raise CannotRequest.

    Without ``wants_decision`` it stays assessed until ``submit``.
    """
    with transaction.atomic():
        order = SalesOrder.objects.select_for_update(no_key=True).get(pk=line.order_id)
        line = SalesOrderLine.objects.select_related("order__customer", "order__site").get(
            pk=line.pk
        )
        today = shipping.today(line.order.site, now=now)
        policies.check_can_request_rush(line, wanted_date=wanted_date, today=today)
        if not reason.strip():
            raise CannotRequest(_("Say why the line has to come earlier."))
        rush = RushRequest.objects.create(
            number=numbers.take("RR", now=now),
            line=line,
            wanted_date=wanted_date,
            reason=reason.strip()[:300],
            requested_by=by,
            requested_at=now,
            weight=max(LEAST_WEIGHT, WEIGHT_FACTOR * line.order.customer.weight),
            wants_decision=wants_decision,
        )
        ask(rush, by=by, now=now)
        audit.record(action="crm.rush.request", target=order, by=by, now=now, reason=rush.reason)
        audit.record(action="crm.rush.request", target=rush, by=by, now=now, reason=rush.reason)
    return rush


def submit(*, rush: RushRequest, by: User, now: datetime) -> RushRequest:
    """Ask for a decision on an assessed request; raise CannotDecide."""
    with transaction.atomic():
        rush = locked(rush.pk)
        policies.check_can_submit_rush(rush)
        move(rush, RushState.PENDING)
        rush.save(update_fields=["state"])
        audit.record(action="crm.rush.submit", target=rush, by=by, now=now)
        rush_news.to_decide(rush, now=now)
    return rush


def insist(*, lines: Iterable[SalesOrderLine], by: User, now: datetime) -> None:
    """What was only to be looked at of these lines waits for a decision now."""
    for rush in _open_requests(line__in=lines, wants_decision=False):
        rush.wants_decision = True
        rush.save(update_fields=["wants_decision"])
        if rush.state == RushState.ASSESSED:
            submit(rush=rush, by=by, now=now)


def approve(*, rush: RushRequest, by: User, now: datetime) -> RushRequest:
    """Apply the simulated plan, and promise the day; raise CannotDecide with the reason.

    Where the plan has moved since, nothing is applied and the request is simulated anew: what
    was shown is no longer what would happen.
    """
    refused = ""
    with transaction.atomic():
        site_id = RushRequest.objects.values_list("line__order__site", flat=True).get(pk=rush.pk)
        lock(Lock.SUPPLY, site_id)
        lock(Lock.SCHEDULE, site_id)
        rush = _with_order(rush.pk)
        policies.check_can_approve_rush(rush)
        try:
            with transaction.atomic():
                _check_plan(rush)
                _approve(rush, by, now)
        except _PlanIsGone:
            refused = _("The simulated plan was thrown away. It is being simulated anew.")
        except scenarios.StaleBase as stale:
            refused = _("%(what)s It is being simulated anew.") % {"what": stale}
        except scenarios.CannotPublish as error:
            raise CannotDecide(str(error)) from error
        if refused:
            rush = again(rush.pk, by, now)
    if refused:
        raise CannotDecide(refused)
    return rush


def reject(*, rush: RushRequest, reason: str, by: User, now: datetime) -> RushRequest:
    """Decline a request with the reason; raise CannotDecide."""
    with transaction.atomic():
        rush = _with_order(rush.pk)
        policies.check_can_reject_rush(rush)
        if not reason.strip():
            raise CannotDecide(_("Say why the rush is rejected."))
        _decide(rush, RushState.REJECTED, by, now)
        rush.decision_reason = reason.strip()[:300]
        rush.save()
        drop_run(rush, by=by, now=now)
        _ask_no_more(rush, by, now)
        audit.record(action="crm.rush.reject", target=rush, by=by, now=now, reason=reason)
        order = rush.line.order
        audit.record(action="crm.rush.reject", target=order, by=by, now=now, reason=reason)
        rush_news.rejected(rush, now=now)
    return rush


def cancel(*, rush: RushRequest, by: User | None, now: datetime) -> RushRequest:
    """Withdraw a request that is not in the plan yet; raise CannotWithdraw."""
    with transaction.atomic():
        rush = _with_order(rush.pk)
        policies.check_can_withdraw_rush(rush)
        move(rush, RushState.CANCELLED)
        rush.save(update_fields=["state"])
        drop_run(rush, by=by, now=now)
        _ask_no_more(rush, by, now)
        audit.record(action="crm.rush.cancel", target=rush, by=by, now=now)
    return rush


def withdraw_for(*, order: SalesOrder, by: User | None, now: datetime) -> None:
    """Cancel the open requests of an order that is edited, sent back or cancelled."""
    for rush in _open_requests(line__order=order):
        cancel(rush=rush, by=by, now=now)


def line_changed(*, line: SalesOrderLine, by: User | None, now: datetime) -> None:
    """The line has another quantity, or is cancelled: what was simulated is not what is wanted.

    In the caller's transaction, which holds the order. An approved request gives its weight to
    whatever quantity is converted.
    """
    for rush in _open_requests(line=line):
        if line.is_cancelled:
            cancel(rush=rush, by=by, now=now)
        elif rush.state == RushState.DRAFT:
            ask(locked(rush.pk), by=by, now=now)
        elif rush.state != RushState.APPROVED:
            again(rush.pk, by, now)


def _open_requests(**of: object) -> list[RushRequest]:
    return list(RushRequest.objects.filter(**of, state__in=RushState.open()).order_by("pk"))


# What conversion asks for.


def weights_of(lines: Collection[SalesOrderLine]) -> dict[int, int]:
    """The weight that approved rushes give to lines, by line id."""
    approved = RushRequest.objects.filter(line__in=lines, state=RushState.APPROVED)
    return dict(approved.values_list("line_id", "weight"))


def note_converted(lines: Collection[SalesOrderLine], *, by: User | None, now: datetime) -> None:
    """Lines with an approved rush have work orders now: these go first, the rush is applied."""
    approved = RushRequest.objects.filter(line__in=lines, state=RushState.APPROVED)
    for pk in list(approved.order_by("pk").values_list("pk", flat=True)):
        rush = locked(pk)
        if rush.line.requirement_id is not None:
            work_orders.prioritise(
                requirement_ids=[rush.line.requirement_id],
                priority=rush.weight,
                by=by,
                now=now,
            )
        _applied(rush, by, now)


# What a new plan asks for.


def kept_by_plan(lines: Collection[SalesOrderLine]) -> list[RushRequest]:
    """The undecided requests of these lines whose day their estimate keeps; one query or none.

    Each with the line that was given, not with another reading of it.
    """
    estimated = {line.pk: line for line in lines}
    if not estimated:
        return []
    asked = RushRequest.objects.filter(line__in=estimated, state__in=RushState.undecided())
    found = list(asked.order_by("pk"))
    for rush in found:
        rush.line = estimated[rush.line_id]
    return [
        rush
        for rush in found
        if rush.line.projected_date is not None and rush.line.projected_date <= rush.wanted_date
    ]


def note_kept(rush: RushRequest, *, by: User | None, now: datetime) -> None:
    """The plan keeps the day without a rush, and it is promised; who asked may say whether it is
    still wanted."""
    for target in (rush, rush.line.order):
        audit.record(action="crm.rush.keep", target=target, by=by, now=now)
    rush_news.kept(rush, now=now)


class _PlanIsGone(Exception):
    """Somebody rejected the scenario, or it was pruned."""


def _check_plan(rush: RushRequest) -> None:
    if rush.run is None or rush.run.state not in (RunState.SOLVED, RunState.STALE):
        raise _PlanIsGone


def _approve(rush: RushRequest, by: User, now: datetime) -> None:
    day = rush_assessing.promised_day(rush)
    _decide(rush, RushState.APPROVED, by, now)
    if rush.assessment.get("is_before_conversion"):
        _keep_for_later(rush, day, by, now)
    else:
        assert rush.run is not None  # noqa: S101 - assessed without an error
        scenarios.publish(run=rush.run, by=by, now=now, is_decided=True)
        commitments.promise({rush.line: day}, cause=PromiseCause.RUSH, by=by, now=now)
    rush.save()
    for target in (rush, rush.line.order):
        audit.record(action="crm.rush.approve", target=target, by=by, now=now, reason=rush.reason)
    rush_news.approved(rush, day, now=now)
    if not rush.assessment.get("is_before_conversion"):
        _applied(rush, by, now)


def _keep_for_later(rush: RushRequest, day: date, by: User, now: datetime) -> None:
    """The line asks for the day; its conversion gives it the weight and the priority."""
    line = rush.line
    if line.conversion_state == ConversionState.CONVERTED:
        raise scenarios.CannotPublish(
            _("The line has work orders now; it is simulated with these in a moment.")
        )
    if line.order.state in OrderState.open():
        commitments.promise({line: day}, cause=PromiseCause.RUSH, by=by, now=now)
        return
    line.offered_date = day
    line.save(update_fields=["offered_date"])


def _applied(rush: RushRequest, by: User | None, now: datetime) -> None:
    move(rush, RushState.APPLIED)
    rush.applied_at = now
    rush.save(update_fields=["state", "applied_at"])
    order = rush.line.order
    for target in (rush, order):
        audit.record(action="crm.rush.apply", target=target, by=by, now=now)
    rush_news.applied(rush, rush_assessing.promised_day(rush), now=now)
    events.publish(
        RushApplied(rush_id=rush.pk, order_id=order.pk, site_id=order.site_id), by=by, now=now
    )


def _ask_no_more(rush: RushRequest, by: User | None, now: datetime) -> None:
    """Without its rush the line is promised what the plan gives, as any other is."""
    line = SalesOrderLine.objects.select_related("order__customer", "order__site").get(
        pk=rush.line_id
    )
    if line.promised_date is not None or line.is_cancelled:
        return
    if line.is_rush_asked or rush.decided_at is not None:
        # What an approval offered before is not offered any more.
        line.is_rush_asked, line.offered_date = False, None
        line.save(update_fields=["is_rush_asked", "offered_date"])
    if line.projected_date is not None and line.order.state in OrderState.open():
        commitments.promise({line: line.projected_date}, cause=PromiseCause.FIRST, by=by, now=now)


def _decide(rush: RushRequest, state: RushState, by: User, now: datetime) -> None:
    move(rush, state)
    rush.decided_by = by
    rush.decided_at = now


def _with_order(pk: int) -> RushRequest:
    """The request, its row held, and before it its order's: nobody approves that meanwhile."""
    SalesOrder.objects.select_for_update(no_key=True, of=("self",)).get(lines__rushes=pk)
    return locked(pk)
