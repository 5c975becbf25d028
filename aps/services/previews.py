"""What would move if hours were other ones: computed within the request, nothing is kept.

The trial plan is what the plan made after saving begins with: the frozen zone stays, the rest
follows the order of the plan in force. A scenario with the same change searches as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from aps.models import PlanState, ScheduleRun
from aps.selectors import current_run
from aps.services import changes as kinds
from aps.services import repair, runs, scenarios
from aps.services.changes import CannotApply, Change
from aps.services.comparison import Comparison, compare, of_solution, unit_names
from aps.services.inputs import Inputs
from aps.services.trials import reference_of
from aps.solver import InvalidProblem


@dataclass(frozen=True)
class Preview:
    """The plan with the changes beside the one in force."""

    changes: tuple[Change, ...]
    comparison: Comparison
    # Locks that would fall, in words.
    fallen: tuple[str, ...]
    # Operations that have a time now and would have none.
    unplanned: int
    version: int | None


def preview(*, site_id: int, changes: Sequence[Mapping[str, Any]], now: datetime) -> Preview | None:
    """What these changes would move; None where there is no plan that could move.

    Raise CannotRead for what is not well-formed, CannotApply for what the plant does not allow.
    """
    wanted = kinds.parse_all(changes)
    live = current_run(site_id)
    if live is None:
        return None
    try:
        return runs.within_horizons(
            site_id=site_id, now=now, attempt=lambda found: _attempt(found, wanted, live, now)
        )
    except (*runs.TOO_SHORT, InvalidProblem):
        raise CannotApply(_("With these hours there is no room for all the work.")) from None


def _attempt(found: Inputs, wanted: Sequence[Change], live: ScheduleRun, now: datetime) -> Preview:
    resolved = scenarios.resolve(found, wanted)
    state = PlanState.objects.get(site_id=found.site_id)
    reference_built, reference = reference_of(found)
    built, solved = repair.first_look(
        kinds.build(found, resolved),
        frozen_minutes=state.frozen_minutes,
        tolerance=state.tolerance_minutes,
        now=now,
    )
    before = of_solution(reference_built, reference)
    after = of_solution(built, solved.solution)
    labels = {o.id: f"{o.work_order_number}/{o.sequence}" for o in found.operations}
    return Preview(
        changes=tuple(resolved),
        comparison=compare(
            before=before,
            after=after,
            site_id=found.site_id,
            now=now,
            base_version=live.version,
            extra_units=unit_names(built),
            instead=kinds.rules(resolved),
        ),
        fallen=tuple(
            f"{labels.get(pk, '')}: {reason}"
            for pk, reason in built.dropped.items()
            if pk not in reference_built.dropped
        ),
        unplanned=len(before.placements.keys() - after.placements.keys()),
        version=live.version,
    )
