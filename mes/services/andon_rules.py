"""Who is told of a call, and after how long without an answer."""

from dataclasses import dataclass
from datetime import timedelta

from common.enums import Role
from mes.enums import AndonKind
from mes.models import AndonRule


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
    if not rows:
        return DEFAULTS[kind]
    found = (
        Step(timedelta(minutes=row.after_minutes), tuple(Role(role) for role in row.roles))
        for row in rows
    )
    return tuple(sorted(found, key=lambda step: step.after))
