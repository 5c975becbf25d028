"""Who is told of a call, and after how long without an answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common import audit
from common.enums import Role
from common.errors import Refused
from common.models import User
from mes.enums import AndonKind
from mes.models import AndonRule

MOST_STEPS = 4
LONGEST = timedelta(days=1)


class CannotSave(Refused):
    """The steps leave nobody to be told, or somebody else changed them meanwhile."""


@dataclass(frozen=True)
class Rules:
    """The steps of a kind of call, at one work center or (None) wherever it has none of its own.

    ``is_usual``: nobody has written any, and those that a factory starts with count.
    """

    kind: AndonKind
    work_center_id: int | None
    center_code: str
    steps: tuple["Step", ...]
    is_usual: bool


@dataclass(frozen=True)
class Step:
    """Some roles hear of a call that nobody has answered for so long."""

    after: timedelta
    roles: tuple[Role, ...]


def _steps(first: tuple[Role, ...], second: tuple[Role, ...]) -> tuple[Step, ...]:
    return (
        Step(timedelta(0), first),
        Step(timedelta(minutes=5), second),
        Step(timedelta(minutes=15), (Role.MANAGER,)),
    )


# What counts while nobody has written rules of their own.
DEFAULTS: dict[AndonKind, tuple[Step, ...]] = {
    AndonKind.MACHINE_DOWN: _steps((Role.SUPERVISOR,), (Role.PLANNER,)),
    AndonKind.MATERIAL: _steps((Role.WAREHOUSE,), (Role.SUPERVISOR, Role.PURCHASING)),
    AndonKind.QUALITY: _steps((Role.QUALITY,), (Role.SUPERVISOR,)),
    AndonKind.HELP: _steps((Role.SUPERVISOR,), (Role.SUPERVISOR, Role.PLANNER)),
}


def steps(*, kind: AndonKind, work_center_id: int) -> tuple[Step, ...]:
    """The steps of a call at this work center, by time; one query."""
    rows = list(
        AndonRule.objects.filter(kind=kind, work_center__in=[work_center_id])
        or AndonRule.objects.filter(kind=kind, work_center__isnull=True)
    )
    return _from_rows(rows) or DEFAULTS[kind]


def all_rules() -> list[Rules]:
    """For each kind the rules for everywhere, then those of work centers by code; one query."""
    rows = AndonRule.objects.select_related("work_center").order_by("after_minutes", "pk")
    found: dict[tuple[str, int | None], list[AndonRule]] = {}
    for row in rows:
        found.setdefault((row.kind, row.work_center_id), []).append(row)
    rules = []
    for kind in AndonKind:
        written = found.pop((kind.value, None), [])
        steps = _from_rows(written) or DEFAULTS[kind]
        rules.append(Rules(kind, None, "", steps, is_usual=not written))
        own = [(rows[0], rows) for key, rows in found.items() if key[0] == kind]
        rules += [
            Rules(kind, first.work_center_id, _code(first), _from_rows(rows), is_usual=False)
            for first, rows in sorted(own, key=lambda pair: _code(pair[0]))
        ]
    return rules


def rules_of(*, kind: AndonKind, work_center_id: int | None) -> Rules | None:
    """The rules that are written for exactly that; for everywhere the usual ones, else None."""
    return next(
        (
            rules
            for rules in all_rules()
            if rules.kind == kind and rules.work_center_id == work_center_id
        ),
        None,
    )


def said(steps: Iterable[Step]) -> str:
    """The steps as audit and edit form compare them: "0 supervisor; 5 planner, manager"."""
    return "; ".join(
        f"{int(step.after.total_seconds() // 60)} {', '.join(step.roles)}" for step in steps
    )


def save(
    *,
    kind: AndonKind,
    work_center_id: int | None,
    steps: Sequence[Step],
    opened: str,
    by: User,
    now: datetime,
) -> None:
    """Let these steps count from now on, also for calls that wait; raise CannotSave.

    ``opened`` is what ``said`` of the steps was when the form was opened.
    """
    ordered = sorted(steps, key=lambda step: step.after)
    _check(ordered)
    with transaction.atomic():
        before = _held(kind, work_center_id)
        _check_opened(kind, work_center_id, before, opened)
        AndonRule.objects.filter(pk__in=[row.pk for row in before]).delete()
        try:
            with transaction.atomic():
                made = AndonRule.objects.bulk_create(
                    AndonRule(
                        kind=kind,
                        work_center_id=work_center_id,
                        after_minutes=int(step.after.total_seconds() // 60),
                        roles=[role.value for role in step.roles],
                    )
                    for step in ordered
                )
        except IntegrityError:
            raise _changed() from None
        _record(made[0], before, ordered, by, now)


def reset(
    *, kind: AndonKind, work_center_id: int | None, opened: str, by: User, now: datetime
) -> None:
    """Take the rules away: those for everywhere count again, or the usual ones; CannotSave."""
    with transaction.atomic():
        before = _held(kind, work_center_id)
        _check_opened(kind, work_center_id, before, opened)
        if not before:
            return
        AndonRule.objects.filter(pk__in=[row.pk for row in before]).delete()
        _record(before[0], before, (), by, now)


def _check(steps: Sequence[Step]) -> None:
    if not steps or steps[0].after:
        raise CannotSave(_("Say who is told at once."))
    if len(steps) > MOST_STEPS:
        raise CannotSave(_("More than %(n)s steps are too many.") % {"n": MOST_STEPS})
    if len({step.after for step in steps}) < len(steps):
        raise CannotSave(_("Two steps at the same minute: put their roles into one."))
    for step in steps:
        if step.after > LONGEST:
            raise CannotSave(_("A step comes within a day."))
        if not step.roles or Role.CUSTOMER in step.roles:
            raise CannotSave(_("Each step tells somebody of the staff."))


def _held(kind: AndonKind, work_center_id: int | None) -> list[AndonRule]:
    rows = AndonRule.objects.filter(kind=kind, work_center=work_center_id)
    return list(rows.select_for_update(no_key=True).order_by("after_minutes", "pk"))


def _check_opened(
    kind: AndonKind, work_center_id: int | None, rows: Sequence[AndonRule], opened: str
) -> None:
    usual = DEFAULTS[kind] if work_center_id is None else ()
    if said(_from_rows(rows) or usual) != opened:
        raise _changed()


def _changed() -> CannotSave:
    return CannotSave(_("Somebody else changed these steps meanwhile: here they are now."))


def _record(
    target: AndonRule,
    before: Sequence[AndonRule],
    steps: Sequence[Step],
    by: User,
    now: datetime,
) -> None:
    audit.record(
        action="mes.andon.rules",
        target=target,
        by=by,
        now=now,
        reason=_code(target),
        changes={"steps": [said(_from_rows(before)), said(steps)]},
    )


def _from_rows(rows: Iterable[AndonRule]) -> tuple[Step, ...]:
    found = (
        Step(timedelta(minutes=row.after_minutes), tuple(Role(role) for role in row.roles))
        for row in rows
    )
    return tuple(sorted(found, key=lambda step: step.after))


def _code(row: AndonRule) -> str:
    return row.work_center.code if row.work_center else ""
