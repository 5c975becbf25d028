"""The gates of an 8D and of its actions: what is missing, a sentence each."""

from collections.abc import Callable
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from common.errors import Refused
from common.models import User
from common.templatetags.ui_format import moment
from mes import nonconformance_policies
from mes.enums import (
    ActionKind,
    ActionState,
    Chain,
    ChangeKind,
    ContainmentState,
    Discipline,
    Effect,
    MaintenanceState,
    NonconformanceState,
    SupplierRequestState,
)
from mes.models import (
    EffectResult,
    EightD,
    MaintenanceOrder,
    Nonconformance,
    QualityAction,
    SupplierRequest,
    SupplierRequestMail,
)

D = Discipline


class CannotComplete(Refused):
    """A step of an 8D lacks something."""


class CannotAct(Refused):
    """An action says too little, or the wrong person would say that it is done."""


# -- the 8D -----------------------------------------------------------------------------------


def check_can_begin(nonconformance: Nonconformance) -> None:
    """Raise CannotComplete where it is closed or has an 8D."""
    nonconformance_policies.check_is_open(nonconformance, CannotComplete)
    if hasattr(nonconformance, "eight_d"):
        raise CannotComplete(_("This nonconformance has its 8D already."))


def check_can_write(eight_d: EightD) -> None:
    """Raise CannotComplete once it is closed."""
    nonconformance_policies.check_is_open(eight_d.nonconformance, CannotComplete)


def check_can_complete(eight_d: EightD, discipline: Discipline, by: User) -> None:
    """Raise CannotComplete with everything that is missing."""
    check_can_write(eight_d)
    steps = {step.discipline: step for step in eight_d.steps.all()}
    if steps[discipline].done_at is not None:
        raise CannotComplete(_("This step is done."))
    if lacking := missing(eight_d, discipline):
        raise CannotComplete(" ".join(lacking))
    if discipline == D.D8 and by.pk in involved(eight_d):
        raise CannotComplete(
            _("Another person than who leads it or carried its actions out has to close it.")
        )


def involved(eight_d: EightD) -> set[int | None]:
    """Who cannot say of this 8D that it is done well: they did it."""
    steps = [step for step in eight_d.steps.all() if step.discipline == D.D6]
    return {
        eight_d.leader_id,
        *(step.done_by_id for step in steps),
        *(action.done_by_id for action in eight_d.nonconformance.actions.all()),
    } - {None}


def check_can_reopen(eight_d: EightD, discipline: Discipline) -> None:
    """Raise CannotComplete for a step that is not done, or behind which others are done.

    The containment that D6 lifted does not come back: D3 stays.
    """
    check_can_write(eight_d)
    steps = {step.discipline: step for step in eight_d.steps.all()}
    if steps[discipline].done_at is None:
        raise CannotComplete(_("This step is not done."))
    later = [d for d in D if d in _AFTER[discipline] and steps[d].done_at is not None]
    if later:
        raise CannotComplete(
            _("Open D%(later)s again first: it builds on this one.") % {"later": later[-1].value}
        )


def check_can_share(eight_d: EightD) -> None:
    """Raise CannotComplete where there is nothing to read for the customer."""
    if not eight_d.customer_problem.strip() or not eight_d.customer_containment.strip():
        raise CannotComplete(_("Write what the customer may read: the problem and what was done."))


def missing(eight_d: EightD, discipline: Discipline) -> list[str]:
    """What the step lacks before it can be done; empty: nothing."""
    done = {step.discipline for step in eight_d.steps.all() if step.done_at is not None}
    first = [d for d in _BEFORE[discipline] if d not in done]
    lacking = [_("D%(step)s is not done.") % {"step": d.value} for d in first]
    return [*lacking, *_GATES[discipline](eight_d)]


def _d0(eight_d: EightD) -> list[str]:
    return [] if eight_d.emergency.strip() else [_("Say what was done at once.")]


def _d1(eight_d: EightD) -> list[str]:
    return [] if eight_d.members else [_("The team has no member beside its leader.")]


def _d2(eight_d: EightD) -> list[str]:
    lacking = [] if eight_d.statement.strip() else [_("The problem is not stated.")]
    rows = eight_d.is_is_not.values()
    if not any(row.get("is") and row.get("is_not") for row in rows):
        lacking.append(_("No line says what the problem is and what it is not."))
    return lacking


def _d3(eight_d: EightD) -> list[str]:
    rows = list(eight_d.nonconformance.containment.all())
    if not rows:
        return [_("No containment is counted.")]
    return _open_counts(eight_d)


def _open_counts(eight_d: EightD) -> list[str]:
    rows = eight_d.nonconformance.containment.all()
    places = [row.place for row in rows if row.state == ContainmentState.IN_PLACE]
    if not places:
        return []
    return [_("The containment count is open: %(places)s.") % {"places": ", ".join(places)}]


def _d4(eight_d: EightD) -> list[str]:
    chains = {why.chain for why in eight_d.whys.all()}
    lacking = []
    for chain, cause, category, sentence in (
        (
            Chain.OCCURRENCE,
            eight_d.occurrence_cause,
            eight_d.occurrence_category,
            _("Why it happened is not worked out: whys, cause and category."),
        ),
        (
            Chain.ESCAPE,
            eight_d.escape_cause,
            eight_d.escape_category,
            _("Why nobody noticed is not worked out: whys, cause and category."),
        ),
    ):
        if chain not in chains or not cause.strip() or not category:
            lacking.append(sentence)
    if not eight_d.escape_point.strip():
        lacking.append(_("The escape point is not named."))
    return lacking


def _d5(eight_d: EightD) -> list[str]:
    kinds = {action.kind for action in eight_d.nonconformance.actions.all()}
    return [] if ActionKind.CORRECTIVE in kinds else [_("No corrective action is chosen.")]


def _d6(eight_d: EightD) -> list[str]:
    found = eight_d.nonconformance
    lacking = _open_counts(eight_d)
    lacking += nonconformance_policies.open_goods(found)
    lacking += _unverified(found, but=ActionKind.PREVENTIVE)
    if eight_d.fixed_at is None:
        lacking.append(_("It is not said since when it is made with the fix."))
    return lacking


def _d7(eight_d: EightD) -> list[str]:
    found = eight_d.nonconformance
    lacking = (
        [] if eight_d.prevention.strip() else [_("It is not said what else could fail alike.")]
    )
    kinds = {action.kind for action in found.actions.all()}
    if ActionKind.PREVENTIVE not in kinds and not found.fmea_rows.all():
        lacking.append(_("No preventive action is chosen, and no line of the FMEA changed."))
    return lacking + _unverified(found, only=ActionKind.PREVENTIVE)


def _d8(eight_d: EightD) -> list[str]:
    lacking = _taken_away(eight_d)
    lacking += nonconformance_policies.open_actions(eight_d.nonconformance)
    results = list(eight_d.results.all())
    if not results or results[0].effect != Effect.SHOWN:
        lacking.append(_("The effect is not shown by the figures yet."))
    if not eight_d.closing.strip():
        lacking.append(_("The closing words are missing."))
    return lacking


def _taken_away(eight_d: EightD) -> list[str]:
    """What steps that are done lack by now: what they stand on may be written anew until D8."""
    done = [step.discipline for step in eight_d.steps.all() if step.done_at is not None]
    return [
        _("D%(step)s does not stand any more: %(lacking)s")
        % {"step": step, "lacking": " ".join(lacking)}
        for step in sorted(done)
        if step != D.D8 and (lacking := _GATES[Discipline(step)](eight_d))
    ]


def _unverified(
    found: Nonconformance, *, but: ActionKind | None = None, only: ActionKind | None = None
) -> list[str]:
    rows = [
        action
        for action in found.actions.all()
        if action.kind != but and only in (None, action.kind) and not action.is_over
    ]
    if not rows:
        return []
    names = ", ".join(action.title for action in rows[:3])
    return [_("Not verified: %(actions)s.") % {"actions": names}]


_GATES: dict[Discipline, Callable[[EightD], list[str]]] = {
    D.D0: _d0,
    D.D1: _d1,
    D.D2: _d2,
    D.D3: _d3,
    D.D4: _d4,
    D.D5: _d5,
    D.D6: _d6,
    D.D7: _d7,
    D.D8: _d8,
}
# What has to be done before.
_BEFORE: dict[Discipline, tuple[Discipline, ...]] = {
    D.D0: (),
    D.D1: (),
    D.D2: (),
    D.D3: (),
    D.D4: (D.D1, D.D2, D.D3),
    D.D5: (D.D4,),
    D.D6: (D.D0, D.D5),
    D.D7: (D.D6,),
    D.D8: (D.D7,),
}
# What builds on it.
_AFTER: dict[Discipline, tuple[Discipline, ...]] = {
    d: tuple(other for other in D if d in _BEFORE[other]) for d in D
} | {D.D3: (D.D4, D.D6)}


def check_can_look(eight_d: EightD) -> None:
    """Raise CannotComplete before it is said since when it is made with the fix."""
    if eight_d.fixed_at is None:
        raise CannotComplete(_("It is not said since when it is made with the fix."))


def check_is_shown(result: EffectResult) -> None:
    """Raise CannotComplete where the figures of the day, as they are set by now, do not show it."""
    if result.effect != Effect.SHOWN:
        raise CannotComplete(_("The figures of today no longer show the effect."))


def check_can_rate(watched: int) -> None:
    """Raise CannotAct where nothing was delivered that could be rated by."""
    if not watched:
        raise CannotAct(_("Nothing was delivered for long enough to rate it by."))


def check_rating(failure_mode: str, *ratings: int) -> None:
    """Raise CannotAct without a failure mode, or for ratings beyond 1 to 10."""
    if not failure_mode.strip():
        raise CannotAct(_("Say how it may fail."))
    if any(not 1 <= rating <= 10 for rating in ratings):
        raise CannotAct(_("Ratings go from 1 to 10."))


def check_can_answer(request: SupplierRequest, text: str) -> None:
    """Raise CannotAct without words, or once it was answered."""
    if request.state != SupplierRequestState.SENT:
        raise CannotAct(_("%(number)s is answered already.") % {"number": request.number})
    if not text.strip():
        raise CannotAct(_("Say what the supplier answered."))


def check_can_mail(request: SupplierRequest, mail: SupplierRequestMail | None) -> None:
    """Raise CannotAct once it was answered or this revision was sent, or without an address."""
    nonconformance_policies.check_is_open(request.nonconformance, CannotAct)
    if request.state != SupplierRequestState.SENT:
        raise CannotAct(_("%(number)s is answered already.") % {"number": request.number})
    facts = {"number": request.number, "supplier": request.supplier.code}
    if mail is not None and not mail.error:
        facts |= {"to": mail.to, "at": moment(mail.mailed_at or mail.asked_at), "who": str(mail.by)}
        if mail.mailed_at:
            raise CannotAct(_("%(number)s was sent to %(to)s by %(who)s: %(at)s.") % facts)
        raise CannotAct(_("%(number)s is on its way to %(to)s, sent by %(who)s: %(at)s.") % facts)
    if not request.supplier.email:
        raise CannotAct(
            _("Supplier %(supplier)s has no e-mail address: write one into its master data.")
            % facts
        )
    try:
        validate_email(request.supplier.email)
    except ValidationError as error:
        raise CannotAct(
            _("The e-mail address of supplier %(supplier)s is not valid: correct its master data.")
            % facts
        ) from error


def check_can_accept(request: SupplierRequest) -> None:
    """Raise CannotAct before there is an answer."""
    if request.state != SupplierRequestState.ANSWERED:
        raise CannotAct(_("%(number)s has no answer to decide on.") % {"number": request.number})


# -- actions ----------------------------------------------------------------------------------


def check_can_plan(nonconformance: Nonconformance, title: str, due_on: date, today: date) -> None:
    """Raise CannotAct without words, for a day that is over, or once it is closed."""
    nonconformance_policies.check_is_open(nonconformance, CannotAct)
    if nonconformance.state == NonconformanceState.OPEN:
        raise CannotAct(_("Contain the goods first: count and verify where they are."))
    if not title.strip():
        raise CannotAct(_("Say what is to be done."))
    if due_on < today:
        raise CannotAct(_("This day is over already."))


def check_can_postpone(action: QualityAction, due_on: date, today: date, reason: str) -> None:
    """Raise CannotAct for what is done, a day that is over, or without a reason."""
    nonconformance_policies.check_is_open(action.nonconformance, CannotAct)
    if action.state != ActionState.PLANNED:
        raise CannotAct(_("This action is done."))
    if due_on < today:
        raise CannotAct(_("This day is over already."))
    if not reason.strip():
        raise CannotAct(_("Say why."))


def check_can_change(action: QualityAction) -> None:
    """Raise CannotAct where it is not planned any more, or has changed something already."""
    nonconformance_policies.check_is_open(action.nonconformance, CannotAct)
    if action.state != ActionState.PLANNED:
        raise CannotAct(_("This action is done."))
    if action.changed:
        raise CannotAct(_("It has changed something already: %(what)s.") % {"what": action.changed})


def check_can_finish(action: QualityAction, by: User, result: str, *, may_all: bool) -> None:
    """Raise CannotAct by another person than its owner, without a result, or before its change."""
    nonconformance_policies.check_is_open(action.nonconformance, CannotAct)
    if action.state != ActionState.PLANNED:
        raise CannotAct(_("This action is done."))
    if action.owner_id != by.pk and not may_all:
        raise CannotAct(_("Only its owner or quality says that it is done."))
    if action.change != ChangeKind.NOTHING and not action.changed:
        raise CannotAct(
            _("The change is not made yet: %(kind)s.") % {"kind": ChangeKind(action.change).label}
        )
    waiting = MaintenanceOrder.objects.filter(
        action=action, state__in=MaintenanceState.open()
    ).first()
    if waiting is not None:
        raise CannotAct(_("%(number)s is not completed yet.") % {"number": waiting.number})
    if not result.strip():
        raise CannotAct(_("Say what was done."))


def check_can_verify(action: QualityAction, by: User) -> None:
    """Raise CannotAct before it is done, or by who did it."""
    nonconformance_policies.check_is_open(action.nonconformance, CannotAct)
    if action.state != ActionState.DONE:
        raise CannotAct(_("This action is not done yet, or verified already."))
    if by.pk in (action.done_by_id, action.owner_id):
        raise CannotAct(_("Another person than who did it has to verify it."))
