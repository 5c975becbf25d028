"""What the job ledger runs for the floor."""

from datetime import datetime

from common.jobs import Claim, JobKind, register
from common.models import User
from mes.services import (
    andon,
    breakdowns,
    covering,
    labour,
    machine_events,
    maintenance_spans,
    planned_orders,
    quality_reminders,
    readiness,
    supplier_mail,
    work_orders,
)


@register("mes.refresh_readiness", kind=JobKind.DATABASE)
def refresh_readiness(*, site_id: int, by: User | None, now: datetime) -> None:
    """Bring WAITING and READY of a site's operations up to date."""
    readiness.refresh(site_id=site_id, now=now)


@register("mes.carry_out_proposals", kind=JobKind.DATABASE)
def carry_out_proposals(*, site_id: int, by: User | None, now: datetime) -> None:
    """Make and change the work orders that planning proposed and somebody accepted."""
    planned_orders.carry_out(site_id=site_id, by=by, now=now)


@register("mes.cover_again", kind=JobKind.DATABASE)
def cover_again(*, site_id: int, by: User | None, now: datetime) -> None:
    """Plan anew what a hold, a count or a transfer took from the needs of a site."""
    covering.cover_again(site_id=site_id, by=by, now=now)


@register("mes.cover_late", kind=JobKind.DATABASE, is_hourly=True)
def cover_late(*, by: User | None, now: datetime) -> None:
    """Plan anew for those who wait for goods of another site that should have come."""
    covering.cover_late(by=by, now=now)


@register("mes.escalate_call", kind=JobKind.DATABASE)
def escalate_call(*, call_id: int, level: int, by: User | None, now: datetime) -> None:
    """Tell more people of a call that nobody has answered."""
    andon.escalate(call_id=call_id, level=level, now=now)


@register("mes.check_estimate", kind=JobKind.DATABASE)
def check_estimate(*, downtime_id: int, by: User | None, now: datetime) -> None:
    """Look whether a machine is back as estimated."""
    breakdowns.check_estimate(downtime_id=downtime_id, now=now)


@register("mes.check_maintenance", kind=JobKind.DATABASE)
def check_maintenance(*, order_id: int, by: User | None, now: datetime) -> None:
    """Look whether a machine's maintenance is over as planned."""
    maintenance_spans.check(order_id=order_id, now=now)


@register("mes.derive_machine_states", kind=JobKind.DATABASE)
def derive_machine_states(*, by: User | None, now: datetime) -> None:
    """Make states of what machines have said."""
    machine_events.derive(now=now)


@register("mes.derive_machine_state", kind=JobKind.DATABASE)
def derive_machine_state(*, work_unit_id: int, by: User | None, now: datetime) -> None:
    """Look whether the newest state of a machine has lasted."""
    machine_events.derive_unit(work_unit_id=work_unit_id, now=now)


@register("mes.share_labour", kind=JobKind.DATABASE)
def share_labour(*, person_id: int, by: User | None, now: datetime) -> None:
    """Share the hours of a person at several operations anew, after one was told late."""
    labour.share_again(person_id=person_id, by=by, now=now)


@register("mes.close_work_order", kind=JobKind.DATABASE)
def close_work_order(*, work_order_id: int, by: User | None, now: datetime) -> None:
    """Close a completed work order, if nobody did meanwhile or took its last report back."""
    work_orders.close_if_completed(work_order_id=work_order_id, by=by, now=now)


@register("mes.remind_of_quality", kind=JobKind.DATABASE, is_hourly=True)
def remind_of_quality(*, by: User | None, now: datetime) -> None:
    """Tell of actions, steps of 8Ds and suppliers' answers that are overdue."""
    quality_reminders.remind(now=now)


@register("mes.mail_supplier_request", kind=JobKind.OUTSIDE, queue="integration")
def mail_supplier_request(*, mail_id: int, by: User | None, now: datetime, claim: Claim) -> None:
    """Mail a request for corrective action to its supplier; a failure is kept with it."""
    supplier_mail.mail(mail_id=mail_id, job_id=claim.job_id, now=now)
