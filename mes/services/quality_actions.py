"""Actions (CAPA): who does what by when, and another person who saw that it helped."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.urls import reverse

from common import audit, notifications, transitions
from common.models import User
from common.permissions import allowed
from erp import selectors as erp
from mes import problem_policies as policies
from mes.enums import ACTION_TRANSITIONS, ActionKind, ActionState, ChangeKind
from mes.models import Nonconformance, QualityAction
from mes.problem_policies import CannotAct
from mes.services import nonconformances, quality_reminders

__all__ = ["CannotAct", "Plan", "finish", "locked", "note_change", "plan", "postpone", "verify"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, by whom, until when, and what it changes."""

    kind: ActionKind
    title: str
    owner: User
    due_on: date
    change: ChangeKind = ChangeKind.NOTHING


def plan(*, nonconformance: Nonconformance, new: Plan, by: User, now: datetime) -> QualityAction:
    """Choose an action and tell its owner; raise CannotAct."""
    with transaction.atomic():
        row = nonconformances.locked(nonconformance)
        today = erp.today(site_id=row.site_id, now=now)
        policies.check_can_plan(row, new.title, new.due_on, today)
        made = QualityAction.objects.create(
            nonconformance=row,
            kind=new.kind,
            title=new.title.strip()[:200],
            owner=new.owner,
            due_on=new.due_on,
            change=new.change,
            # Who is given it with so few days left has just been told.
            reminded_on=today if quality_reminders.is_soon(new.due_on, today) else None,
        )
        audit.record(
            action="mes.quality_action.plan", target=row, by=by, now=now, reason=made.title
        )
        if new.owner.pk != by.pk:
            notifications.notify(
                kind="mes.action_given",
                parameters={"action": made.title, "number": row.number},
                users=[new.owner],
                url=reverse("mes:nonconformance", kwargs={"number": row.number}),
                now=now,
            )
    return made


def postpone(*, action: QualityAction, due_on: date, reason: str, by: User, now: datetime) -> None:
    """Another day, with the reason; raise CannotAct."""
    with transaction.atomic():
        held = locked(action)
        row = held.nonconformance
        policies.check_can_postpone(held, due_on, erp.today(site_id=row.site_id, now=now), reason)
        changes = audit.difference({"due_on": held.due_on}, {"due_on": due_on})
        held.due_on, held.reminded_on = due_on, None
        held.save(update_fields=["due_on", "reminded_on"])
        audit.record(
            action="mes.quality_action.postpone",
            target=row,
            by=by,
            now=now,
            reason=f"{held.title}: {reason}",
            changes=changes,
        )


def note_change(action: QualityAction, what: str) -> None:
    """What the action has changed, in the transaction that changes it."""
    action.changed = what[:200]
    action.save(update_fields=["changed"])


def finish(*, action: QualityAction, result: str, by: User, now: datetime) -> QualityAction:
    """Its owner says what was done; raise CannotAct before its change is made."""
    with transaction.atomic():
        held = locked(action)
        may_all = allowed(by, "mes.manage_quality")
        policies.check_can_finish(held, by, result, may_all=may_all)
        _move(held, ActionState.DONE)
        held.done_at, held.done_by, held.result = now, by, result.strip()[:300]
        held.save()
        audit.record(
            action="mes.quality_action.finish",
            target=held.nonconformance,
            by=by,
            now=now,
            reason=f"{held.title}: {held.result}",
        )
    return held


def verify(
    *, action: QualityAction, has_helped: bool, reason: str, by: User, now: datetime
) -> QualityAction:
    """Another person looked: it is done and does what it should, or it is planned again.

    Raise CannotAct.
    """
    with transaction.atomic():
        held = locked(action)
        policies.check_can_verify(held, by)
        if has_helped:
            _move(held, ActionState.VERIFIED)
            held.verified_at, held.verified_by = now, by
        else:
            _move(held, ActionState.FAILED)
            _move(held, ActionState.PLANNED)
            held.done_at = held.done_by = None
            held.reminded_on = None
            # What did not help is changed once more.
            held.changed = ""
        held.save()
        audit.record(
            action="mes.quality_action.verify" if has_helped else "mes.quality_action.fail",
            target=held.nonconformance,
            by=by,
            now=now,
            reason=f"{held.title}: {reason}",
        )
    return held


def locked(action: QualityAction) -> QualityAction:
    """The action as it is now, its nonconformance held until the transaction ends."""
    row = nonconformances.locked(Nonconformance(pk=action.nonconformance_id))
    held = QualityAction.objects.select_for_update(no_key=True).get(pk=action.pk)
    held.nonconformance = row
    return held


def _move(action: QualityAction, new: ActionState) -> None:
    transitions.check(ACTION_TRANSITIONS, old=ActionState(action.state), new=new)
    action.state = new
