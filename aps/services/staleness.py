"""What happened to the plan since a scenario was made: which versions, by whom, what moved."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from aps.enums import RunState
from aps.models import PlanState, ScheduledOperation, ScheduleRun
from aps.selectors import beside
from aps.selectors.beside import Place
from common.templatetags import ui_format
from mes import selectors as mes
from mes.enums import OperationState

# So many versions and operations are named in a sentence.
MOST_TOLD = 5


@dataclass(frozen=True)
class Version:
    """A plan that was published since."""

    version: int
    by: str
    cause: str
    published_at: datetime


@dataclass(frozen=True)
class Since:
    """What changed between the base of a scenario and the plan in force."""

    versions: tuple[Version, ...] = ()
    # Operations, by name, that are elsewhere, new, or gone from the plan.
    operations: tuple[str, ...] = ()
    # The work orders they belong to.
    work_orders: tuple[str, ...] = ()
    # The base is too old: its operations are no longer kept.
    is_unknown: bool = False

    @property
    def is_stale(self) -> bool:
        """Whether the scenario no longer stands on the plan in force."""
        return self.is_unknown or bool(self.operations)

    def sentence(self) -> str:
        """For the planner whose scenario is refused."""
        told = "; ".join(
            _("version %(version)s by %(who)s at %(moment)s")
            % {
                "version": one.version,
                "who": one.by or _("the system"),
                "moment": ui_format.moment(one.published_at),
            }
            for one in self.versions[-MOST_TOLD:]
        )
        if self.is_unknown:
            return _("The plan has changed too often since: %(versions)s. Bring it up to date.") % {
                "versions": told
            }
        names = ", ".join(self.work_orders[:MOST_TOLD])
        more = len(self.work_orders) - MOST_TOLD
        if more > 0:
            names += ngettext(" and %(count)s more", " and %(count)s more", more) % {"count": more}
        return _(
            "The plan has changed since: %(versions)s. It moved %(orders)s. Bring yours up to date."
        ) % {"versions": told, "orders": names}


def since(run: ScheduleRun) -> Since:
    """What was published after the scenario's base; a version that moved nothing does not count.

    The floor publishes many versions that only say what has happened; a scenario outlives them.
    """
    state = PlanState.objects.filter(site_id=run.site_id).first()
    if state is None or run.base_version is None or run.base_version == state.last_version:
        return Since()
    published = ScheduleRun.objects.filter(site_id=run.site_id, version__isnull=False)
    later = published.filter(version__gt=run.base_version).select_related("requested_by")
    versions = tuple(
        Version(
            version=one.version or 0,
            by=str(one.requested_by) if one.requested_by else "",
            cause=one.cause,
            published_at=one.published_at or one.requested_at,
        )
        for one in later.order_by("version")
    )
    base = published.filter(version=run.base_version).first()
    live = published.filter(state=RunState.PUBLISHED).first()
    if live is None:
        return Since(versions)
    before, after = _places(base) if base else {}, _places(live)
    if run.base_version and (base is None or (not before and after)):
        return Since(versions, is_unknown=True)
    changed = [
        pk
        for pk in before.keys() | after.keys()
        if beside.differs(before.get(pk), after.get(pk), state.tolerance_minutes)
    ]
    labels = mes.operation_labels(changed)
    named = [labels[pk] for pk in sorted(changed) if pk in labels]
    return Since(
        versions,
        operations=tuple(str(label) for label in named),
        work_orders=tuple(dict.fromkeys(label.work_order_number for label in named)),
    )


def _places(run: ScheduleRun) -> dict[int, Place]:
    """Where a run has what has not started yet."""
    rows = ScheduledOperation.objects.filter(run=run)
    found = {
        pk: Place(unit, starts_at, ends_at)
        for pk, unit, starts_at, ends_at in rows.values_list(
            "operation_id", "work_unit_id", "starts_at", "ends_at"
        )
    }
    standings = mes.standings(found)
    fresh = (OperationState.WAITING, OperationState.READY)
    return {pk: place for pk, place in found.items() if standings[pk].state in fresh}
