"""The 8D of a nonconformance: written step by step, each behind its gate."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from common import audit
from common.models import User
from erp import selectors as erp
from mes import problem_policies as policies
from mes.enums import Chain, Discipline, NonconformanceState
from mes.models import EightD, Nonconformance, Step, TeamMember, Why
from mes.problem_policies import CannotComplete
from mes.services import effects, nonconformances

__all__ = [
    "DAYS",
    "WRITTEN",
    "Because",
    "CannotComplete",
    "begin",
    "complete",
    "explain",
    "reopen",
    "set_team",
    "share",
    "write",
]

# Days after the beginning by which each step is due (the effect takes its time).
DAYS: dict[Discipline, int] = dict(zip(Discipline, (1, 2, 3, 3, 10, 14, 30, 45, 90), strict=True))
# What people write into it, field by field.
WRITTEN = frozenset(
    {
        "emergency",
        "statement",
        "is_is_not",
        "occurrence_cause",
        "occurrence_category",
        "escape_cause",
        "escape_category",
        "escape_point",
        "prevention",
        "closing",
        "metric",
        "fixed_at",
        "before_days",
        "within_days",
        "effect_due_on",
        "customer_problem",
        "customer_containment",
        "customer_cause",
        "customer_actions",
    }
)


@dataclass(frozen=True, slots=True)
class Because:
    """A link of a chain of whys, and what shows it."""

    because: str
    evidence: str = ""


def begin(*, nonconformance: Nonconformance, leader: User, by: User, now: datetime) -> EightD:
    """Start the 8D with its steps and their days; raise CannotComplete where there is one.

    The whys of the problem, and what customers read of it, begin as it was reported.
    """
    with transaction.atomic():
        row = nonconformances.locked(nonconformance)
        policies.check_can_begin(row)
        made = EightD.objects.create(nonconformance=row, leader=leader, statement=row.problem)
        today = erp.today(site_id=row.site_id, now=now)
        Step.objects.bulk_create(
            Step(eight_d=made, discipline=step, due_on=today + timedelta(days=days))
            for step, days in DAYS.items()
        )
        audit.record(action="mes.eight_d.begin", target=row, by=by, now=now, reason=str(leader))
    return made


def write(*, eight_d: EightD, values: Mapping[str, Any], by: User, now: datetime) -> EightD:
    """Fill in fields of ``WRITTEN``; raise CannotComplete once it is closed, KeyError otherwise."""
    if unknown := values.keys() - WRITTEN:
        raise KeyError(*unknown)
    with transaction.atomic():
        held = _locked(eight_d)
        policies.check_can_write(held)
        changes = audit.difference({name: getattr(held, name) for name in values}, values)
        for name, value in values.items():
            setattr(held, name, value)
        if changes:
            held.save(update_fields=list(values))
            audit.record(
                action="mes.eight_d.write",
                target=held.nonconformance,
                by=by,
                now=now,
                changes=changes,
            )
    return held


def set_team(
    *, eight_d: EightD, leader: User, members: Collection[User], by: User, now: datetime
) -> EightD:
    """Who leads it, and who works on it; raise CannotComplete once it is closed."""
    with transaction.atomic():
        held = _locked(eight_d)
        policies.check_can_write(held)
        before = {"leader": str(held.leader), "team": sorted(map(str, held.members))}
        held.leader = leader
        held.save(update_fields=["leader"])
        held.team.all().delete()
        chosen = {member.pk: member for member in members if member.pk != leader.pk}
        TeamMember.objects.bulk_create(TeamMember(eight_d=held, user_id=pk) for pk in chosen)
        after = {"leader": str(leader), "team": sorted(map(str, chosen.values()))}
        changes = audit.difference(before, after)
        audit.record(
            action="mes.eight_d.team", target=held.nonconformance, by=by, now=now, changes=changes
        )
    return held


def explain(
    *, eight_d: EightD, chain: Chain, whys: Sequence[Because], by: User, now: datetime
) -> None:
    """Write one chain of whys anew, five links at most; the analysis has begun with it.

    Empty links are left out. Raise CannotComplete once it is closed.
    """
    links = [why for why in whys if why.because.strip()][:5]
    with transaction.atomic():
        held = _locked(eight_d)
        policies.check_can_write(held)
        held.whys.filter(chain=chain).delete()
        Why.objects.bulk_create(
            Why(
                eight_d=held,
                chain=chain,
                position=position,
                because=why.because.strip()[:300],
                evidence=why.evidence.strip()[:200],
            )
            for position, why in enumerate(links, start=1)
        )
        if links and held.nonconformance.state == NonconformanceState.CONTAINED:
            nonconformances.advance(held.nonconformance, NonconformanceState.UNDER_ANALYSIS)
        told = [why.because for why in links]
        audit.record(
            action="mes.eight_d.explain",
            target=held.nonconformance,
            by=by,
            now=now,
            changes={chain.value: [None, told]},
        )


def complete(*, eight_d: EightD, discipline: Discipline, by: User, now: datetime) -> Step:
    """Say that a step is done; raise CannotComplete with all that is missing.

    D6 lifts the containment; D8, by another person, looks at the figures once more and closes the
    nonconformance.
    """
    with transaction.atomic():
        held = _locked(eight_d)
        policies.check_can_complete(held, discipline, by)
        if discipline == Discipline.D8:
            policies.check_is_shown(effects.look(eight_d=held, by=by, now=now))
        step = held.steps.select_for_update(no_key=True).get(discipline=discipline)
        step.done_at, step.done_by = now, by
        step.save(update_fields=["done_at", "done_by"])
        audit.record(
            action="mes.eight_d.complete",
            target=held.nonconformance,
            by=by,
            now=now,
            reason=f"D{discipline.value}",
        )
        _follow(held, discipline, by, now)
    return step


def reopen(*, eight_d: EightD, discipline: Discipline, by: User, now: datetime) -> Step:
    """A step has to be gone through again; raise CannotComplete while others build on it."""
    with transaction.atomic():
        held = _locked(eight_d)
        policies.check_can_reopen(held, discipline)
        step = held.steps.select_for_update(no_key=True).get(discipline=discipline)
        step.done_at = step.done_by = None
        step.save(update_fields=["done_at", "done_by"])
        audit.record(
            action="mes.eight_d.reopen",
            target=held.nonconformance,
            by=by,
            now=now,
            reason=f"D{discipline.value}",
        )
        row = held.nonconformance
        back = {
            NonconformanceState.ACTION: NonconformanceState.UNDER_ANALYSIS,
            NonconformanceState.VERIFICATION: NonconformanceState.UNDER_ANALYSIS,
        }
        new = back.get(NonconformanceState(row.state))
        if new is not None and discipline <= Discipline.D6:
            nonconformances.advance(row, new)
    return step


def share(*, eight_d: EightD, is_shared: bool, by: User, now: datetime) -> EightD:
    """Let customers read their part of it, or no longer."""
    with transaction.atomic():
        held = _locked(eight_d)
        if is_shared:
            policies.check_can_share(held)
        held.shared_at = now if is_shared else None
        held.save(update_fields=["shared_at"])
        audit.record(
            action="mes.eight_d.share" if is_shared else "mes.eight_d.unshare",
            target=held.nonconformance,
            by=by,
            now=now,
        )
    return held


def _follow(held: EightD, discipline: Discipline, by: User, now: datetime) -> None:
    """What the nonconformance becomes when a step is done."""
    row = held.nonconformance
    if discipline == Discipline.D4 and row.state == NonconformanceState.CONTAINED:
        nonconformances.advance(row, NonconformanceState.UNDER_ANALYSIS)
    if discipline == Discipline.D5 and row.state == NonconformanceState.UNDER_ANALYSIS:
        nonconformances.advance(row, NonconformanceState.ACTION)
    if discipline == Discipline.D6:
        nonconformances.lift_containment(row, by=by, now=now)
        if row.state == NonconformanceState.UNDER_ANALYSIS:
            nonconformances.advance(row, NonconformanceState.ACTION)
        nonconformances.advance(row, NonconformanceState.VERIFICATION)
    if discipline == Discipline.D8:
        nonconformances.finish(row, by=by, now=now)


def _locked(eight_d: EightD) -> EightD:
    row = nonconformances.locked(Nonconformance(pk=eight_d.nonconformance_id))
    held = EightD.objects.select_for_update(no_key=True, of=("self",)).get(pk=eight_d.pk)
    held.nonconformance = row
    row.eight_d = held
    return held
