"""Whether it helped: how often what was made after the fix fails, against what was made before."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from common import audit
from common.models import User
from mes import effect_figures, selectors
from mes import problem_policies as policies
from mes.enums import Effect, Metric, NonconformanceSource
from mes.models import EffectResult, EightD, FmeaRow, Nonconformance
from mes.problem_policies import CannotComplete
from mes.services import nonconformances
from traceability.selectors import complaints

__all__ = ["CannotComplete", "Figures", "figures", "look", "rate_by_data"]

# So long back the FMEA looks.
_FMEA_DAYS = timedelta(days=365)
_FMEA_WITHIN = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Figures:
    """So many faults of so many, before and after, and what that says."""

    before_total: int
    before_bad: int
    after_total: int
    after_bad: int
    # Made since the fix and not counted: not delivered, or not for long enough.
    after_young: int = 0

    @property
    def effect(self) -> Effect:
        return effect_figures.judge(
            self.before_bad, self.before_total, self.after_bad, self.after_total
        )

    @property
    def before_share(self) -> float | None:
        return self.before_bad / self.before_total if self.before_total else None

    @property
    def after_share(self) -> float | None:
        return self.after_bad / self.after_total if self.after_total else None

    @property
    def after_most(self) -> float:
        """The share that may well be behind the later counts (95 %)."""
        return effect_figures.most(self.after_bad, self.after_total)

    @property
    def chance(self) -> float:
        """How likely the later counts are if nothing had changed."""
        return effect_figures.chance(
            self.before_bad, self.before_total, self.after_bad, self.after_total
        )

    @property
    def needed(self) -> int | None:
        """So many later ones without a fault would show it."""
        return effect_figures.needed(self.before_bad, self.before_total)


def figures(eight_d: EightD, *, now: datetime) -> Figures:
    """The counts of this moment, by the metric of the 8D; nothing is written.

    Raise CannotComplete before it is said since when it is made with the fix.
    """
    policies.check_can_look(eight_d)
    fixed_at = eight_d.fixed_at or now
    since = fixed_at - timedelta(days=eight_d.before_days)
    found = eight_d.nonconformance
    if eight_d.metric == Metric.CHECK_FAULTS:
        before, after = (
            selectors.check_faults(item_id=found.item_id, since=begin, until=end)
            for begin, end in ((since, fixed_at), (fixed_at, now))
        )
        return Figures(*before, *after)
    symptoms = [found.symptom] if found.symptom else []
    within = timedelta(days=eight_d.within_days)
    old, new = (
        complaints.rate(
            item_ids=[found.item_id],
            since=begin,
            until=end,
            within=within,
            now=now,
            symptoms=symptoms,
        )
        for begin, end in ((since, fixed_at), (fixed_at, now))
    )
    return Figures(old.watched, old.complained, new.watched, new.complained, new.made - new.watched)


def look(*, eight_d: EightD, by: User, now: datetime) -> EffectResult:
    """Keep what the figures say now; D8 reads the last of these. Raise CannotComplete."""
    with transaction.atomic():
        row = nonconformances.locked(eight_d.nonconformance)
        held = EightD.objects.select_related("nonconformance__item").get(pk=eight_d.pk)
        policies.check_can_write(held)
        counts = figures(held, now=now)
        made = EffectResult.objects.create(
            eight_d=held,
            at=now,
            by=by,
            metric=held.metric,
            before_total=counts.before_total,
            before_bad=counts.before_bad,
            after_total=counts.after_total,
            after_bad=counts.after_bad,
            effect=counts.effect,
        )
        audit.record(
            action="mes.eight_d.look", target=row, by=by, now=now, reason=str(counts.effect.label)
        )
    return made


def rate_by_data(*, row: FmeaRow, by: User, now: datetime) -> FmeaRow:
    """Rate how often it happens, and how hidden it is, by what was found within the last year.

    How often: what customers complained of, of all that was delivered to them. How hidden: what
    they found, of all that was found; left as it is where too little was. How bad it is no figure
    says: that stays with people. Raise CannotAct where nothing was delivered.
    """
    with transaction.atomic():
        held = FmeaRow.objects.select_for_update(no_key=True, of=("self",)).get(pk=row.pk)
        rate = complaints.rate(
            item_ids=[held.item_id],
            since=now - _FMEA_DAYS,
            until=now,
            within=_FMEA_WITHIN,
            now=now,
            symptoms=[held.symptom] if held.symptom else [],
        )
        policies.check_can_rate(rate.watched)
        before = {"occurrence": held.occurrence, "detection": held.detection}
        held.occurrence = effect_figures.occurrence(rate.complained, rate.watched)
        held.occurrence_bad, held.occurrence_total = rate.complained, rate.watched
        held.found_outside, held.found_inside = _found(held, now)
        rating = effect_figures.detection(held.found_outside, held.found_inside)
        held.detection = rating or held.detection
        held.updated_at = now
        held.save()
        after = {"occurrence": held.occurrence, "detection": held.detection}
        audit.record(
            action="mes.fmea.rate",
            target=held,
            by=by,
            now=now,
            changes=audit.difference(before, after),
        )
    return held


def _found(row: FmeaRow, now: datetime) -> tuple[int, int]:
    """So many complaints of customers, and so many nonconformances that we noticed ourselves."""
    since = now - _FMEA_DAYS
    outside = complaints.standing().filter(item=row.item_id, at__gt=since, at__lte=now)
    inside = Nonconformance.objects.filter(
        item=row.item_id, opened_at__gt=since, opened_at__lte=now
    ).exclude(source=NonconformanceSource.TICKET)
    if row.symptom:
        outside, inside = outside.filter(symptom=row.symptom), inside.filter(symptom=row.symptom)
    return outside.count(), inside.count()
