"""What a rush would do to everybody else: simulated as a scenario, and anew when the plan moves."""

from datetime import datetime

from aps.enums import RunKind, RunState
from aps.services import scenarios
from common import audit, transitions
from common.jobs import enqueue
from common.models import User
from crm.enums import RUSH_TRANSITIONS, ConversionState, RushState
from crm.models import RushRequest
from crm.services import rush_assessing, rush_news
from masterdata import selectors as masterdata
from masterdata.services import shipping

# A plan that moves while it is simulated is simulated again, so often.
MOST_SIMULATIONS = 5


def simulate(*, rush_id: int, by: User | None, now: datetime) -> None:
    """Make the scenario of a request and have it solved, in the job's transaction."""
    rush = locked(rush_id)
    if rush.state != RushState.DRAFT:
        return
    drop_run(rush, by=by, now=now)
    try:
        rush.run = scenarios.create(
            site_id=rush.line.order.site_id,
            kind=RunKind.RUSH,
            name=f"{rush.number} {rush.line.order.number}/{rush.line.position}",
            changes=_changes(rush),
            by=by,
            now=now,
        )
        rush.save(update_fields=["run"])
    except (scenarios.CannotApply, shipping.NoShippingTime) as error:
        rush.run = None
        rush.assessment = rush_assessing.Assessment(error=str(error))
        _assessed(rush, now)


def assess(*, run_id: int, by: User | None, now: datetime) -> None:
    """Take what a solved run says, in the job's transaction; a stale one is simulated anew."""
    found = RushRequest.objects.filter(run=run_id, state=RushState.DRAFT).first()
    if found is None:
        return
    rush = locked(found.pk)
    is_stale = rush.run is not None and rush.run.state == RunState.STALE
    if is_stale and rush.simulations < MOST_SIMULATIONS:
        ask(rush, by=by, now=now)
        return
    rush.assessment = rush_assessing.assessment_of(rush)
    _assessed(rush, now)


def refresh(*, site_id: int, by: User | None, now: datetime) -> int:
    """Simulate anew what was simulated as new demand and has work orders now; how many."""
    waiting = RushRequest.objects.filter(
        line__order__site_id=site_id,
        line__conversion_state=ConversionState.CONVERTED,
        state__in=[RushState.ASSESSED, RushState.PENDING],
        assessment__is_before_conversion=True,
    )
    ids = list(waiting.order_by("pk").values_list("pk", flat=True))
    for pk in ids:
        again(pk, by, now)
    return len(ids)


def again(rush_id: int, by: User | None, now: datetime) -> RushRequest:
    """What was shown is no longer what would happen: simulate it anew."""
    rush = locked(rush_id)
    move(rush, RushState.STALE)
    move(rush, RushState.DRAFT)
    rush.simulations = 0
    ask(rush, by=by, now=now)
    audit.record(action="crm.rush.simulate_anew", target=rush, by=by, now=now)
    return rush


def ask(rush: RushRequest, *, by: User | None, now: datetime) -> None:
    """Ask for the job that simulates; the caller holds the request's row."""
    rush.simulations += 1
    rush.save()
    enqueue(
        "crm.simulate_rush",
        key=f"rush:{rush.pk}",
        now=now,
        by=by,
        group_key=f"rush:{rush.pk}",
        coalesce=True,
        rush_id=rush.pk,
    )


def drop_run(rush: RushRequest, *, by: User | None, now: datetime) -> None:
    """Throw the simulation away that is not wanted any more."""
    if rush.run is not None and rush.run.state in RunState.open():
        scenarios.reject(run=rush.run, by=by, now=now, reason=rush.number)


def _assessed(rush: RushRequest, now: datetime) -> None:
    move(rush, RushState.ASSESSED)
    if rush.wants_decision and not rush.assessment.get("error"):
        move(rush, RushState.PENDING)
        rush_news.to_decide(rush, now=now)
    rush.save()
    rush_news.assessed(rush, now=now)


def _changes(rush: RushRequest) -> list[dict[str, object]]:
    """What the simulation changes: date and weight, or new demand while there is no work."""
    line = rush.line
    reference = f"{line.order.number}/{line.position}"
    if line.conversion_state == ConversionState.CONVERTED and line.requirement_id is not None:
        calendar = shipping.ShippingCalendar(masterdata.site(line.order.site_id))
        due_at = calendar.latest_ready_at(
            day=rush.wanted_date, transit_days=line.order.customer.transit_days
        )
        return [
            {"kind": "due", "line": reference, "due_at": due_at.isoformat()},
            {"kind": "weight", "line": reference, "weight": rush.weight},
        ]
    return [
        {
            "kind": "demand",
            "item": line.item.code,
            "quantity": str(line.quantity),
            "requested_date": rush.wanted_date.isoformat(),
            "weight": rush.weight,
            "line": reference,
            "customer": line.order.customer_id,
        }
    ]


def locked(pk: int) -> RushRequest:
    """The request, its row held, with all that a simulation speaks of."""
    return (
        RushRequest.objects.select_for_update(no_key=True, of=("self",))
        .select_related("line__order__customer", "line__order__site", "line__item", "run")
        .select_related("requested_by")
        .get(pk=pk)
    )


def move(rush: RushRequest, new: RushState) -> None:
    """Change the state by the table; the caller saves it."""
    transitions.check(RUSH_TRANSITIONS, old=RushState(rush.state), new=new)
    rush.state = new
