"""What the job ledger runs for crm: ids in, one service call each."""

from datetime import datetime
from uuid import uuid4

from common.jobs import Claim, JobKind, enqueue, register
from common.models import User
from crm.services import (
    bulk,
    conversion,
    notice_mail,
    progress,
    projections,
    rush_simulating,
    ticket_clusters,
    ticket_mail,
    ticket_reminders,
)


@register("crm.convert_waiting", kind=JobKind.DATABASE)
def convert_waiting(*, site_id: int, by: User | None, now: datetime) -> None:
    done = conversion.convert_waiting(site_id=site_id, by=by, now=now)
    if done.more_waiting:
        # Not coalesced: this very job still counts as waiting until it commits.
        enqueue(
            "crm.convert_waiting",
            key=f"convert:{site_id}:{uuid4()}",
            group_key=f"convert:{site_id}",
            now=now,
            by=by,
            site_id=site_id,
        )


@register("crm.approve_next", kind=JobKind.DATABASE)
def approve_next(*, bulk_id: int, by: User | None, now: datetime) -> None:
    bulk.approve_next(bulk_id=bulk_id, by=by, now=now)


@register("crm.note_progress", kind=JobKind.DATABASE)
def note_progress(*, work_order_id: int, by: User | None, now: datetime) -> None:
    progress.note_work_order(work_order_id=work_order_id, now=now)


@register("crm.refresh_site", kind=JobKind.DATABASE)
def refresh_site(*, site_id: int, by: User | None, now: datetime) -> None:
    progress.refresh_site(site_id=site_id, now=now)


@register("crm.update_projections", kind=JobKind.DATABASE)
def update_projections(*, site_id: int, by: User | None, now: datetime) -> None:
    projections.update(site_id=site_id, by=by, now=now)


@register("crm.simulate_rush", kind=JobKind.DATABASE)
def simulate_rush(*, rush_id: int, by: User | None, now: datetime) -> None:
    rush_simulating.simulate(rush_id=rush_id, by=by, now=now)


@register("crm.assess_rush", kind=JobKind.DATABASE)
def assess_rush(*, run_id: int, by: User | None, now: datetime) -> None:
    rush_simulating.assess(run_id=run_id, by=by, now=now)


@register("crm.refresh_rushes", kind=JobKind.DATABASE)
def refresh_rushes(*, site_id: int, by: User | None, now: datetime) -> None:
    rush_simulating.refresh(site_id=site_id, by=by, now=now)


@register("crm.mail_delay_notice", kind=JobKind.OUTSIDE, queue="integration")
def mail_delay_notice(*, notice_id: int, by: User | None, now: datetime, claim: Claim) -> None:
    """Mail a notice to its customer; every attempt is kept with the notice."""
    notice_mail.mail(notice_id=notice_id, job_id=claim.job_id, now=now)


@register("crm.mail_ticket_message", kind=JobKind.OUTSIDE, queue="integration")
def mail_ticket_message(*, message_id: int, by: User | None, now: datetime, claim: Claim) -> None:
    """Mail what was written about a ticket; every attempt is kept with the message."""
    ticket_mail.mail(message_id=message_id, job_id=claim.job_id, now=now)


@register("crm.look_for_clusters", kind=JobKind.DATABASE)
def look_for_clusters(*, item_id: int, by: User | None, now: datetime) -> None:
    ticket_clusters.look(item_id=item_id, now=now)


@register("crm.remind_of_tickets", kind=JobKind.DATABASE, is_hourly=True)
def remind_of_tickets(*, by: User | None, now: datetime) -> None:
    ticket_reminders.remind(now=now)
