"""A machine stands: alarm, interruption, a closed calendar, and back again; all of it once."""

from datetime import timedelta

import pytest

from common.enums import Role
from common.jobs import run_due
from common.models import Event, Job, Notification
from masterdata.models import UnitException
from mes.enums import AndonKind, AndonState, EntryKind, IncidentState, OperationState
from mes.models import AndonCall, AndonRule, Downtime, DowntimeReason, Incident
from mes.services import andon, breakdowns, execution, reasons
from tests.mes.factories import NOW, Plant
from tests.shared import shared

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@shared()
def plant():
    plant = Plant()
    plant.make("PART", steps=1)
    plant.plan(plant.need("PART", 5))
    return plant


@pytest.fixture
def spindle():
    reasons.seed()
    return DowntimeReason.objects.get(code="SPINDLE")


def running(plant):
    operation = plant.orders("PART")[0].operations.get()
    return execution.start(operation=operation, work_unit_id=plant.units[0].pk, by=None, now=NOW)


def down(plant, *, hours=None, reason=None, by=None, now=NOW):
    return breakdowns.report(
        work_unit_id=plant.units[0].pk,
        estimated_ends_at=now + hours * HOUR if hours else None,
        reason=reason,
        by=by,
        now=now,
    )


def wait_until(moment):
    """Let the floor's own jobs run that are due by then; plans are others' matter."""
    Job.objects.exclude(name__in=["mes.escalate_call", "mes.check_estimate"]).delete()
    run_due(now=moment)


def kinds(incident):
    return list(incident.entries.values_list("kind", flat=True))


def replans():
    return Event.objects.filter(topic="masterdata.capacity.changed").count()


def test_a_breakdown_interrupts_calls_closes_the_machine_and_asks_for_a_plan(
    plant, spindle, user_for
):
    supervisor, operator = user_for(Role.SUPERVISOR), user_for(Role.OPERATOR)
    operation = running(plant)
    incident = down(plant, hours=4, reason=spindle, by=operator)
    operation.refresh_from_db()
    assert operation.state == OperationState.INTERRUPTED
    call = AndonCall.objects.get()
    assert (call.incident, call.kind, call.operation) == (
        incident,
        AndonKind.MACHINE_DOWN,
        operation,
    )
    downtime = Downtime.objects.get()
    assert (downtime.starts_at, downtime.ends_at) == (NOW, None)
    assert (downtime.estimated_ends_at, downtime.reason) == (NOW + 4 * HOUR, spindle)
    closed = UnitException.objects.get()
    assert (closed.work_unit, closed.starts_at, closed.ends_at, closed.is_working) == (
        plant.units[0],
        NOW,
        NOW + 4 * HOUR,
        False,
    )
    assert downtime.exception == closed
    assert replans() == 1
    assert Job.objects.filter(name="aps.replan_site").exists()
    assert kinds(incident) == [
        EntryKind.RAISED,
        EntryKind.INTERRUPTED,
        EntryKind.DOWN,
        EntryKind.ESTIMATED,
    ]
    told = Notification.objects.get(kind="mes.andon_machine_down")
    assert told.user == supervisor
    assert incident.number.startswith("INC-")


def test_without_an_estimate_the_plan_stays_until_somebody_knows(plant, spindle):
    incident = down(plant)
    assert not UnitException.objects.exists()
    assert replans() == 0
    breakdowns.estimate(
        incident=incident,
        estimated_ends_at=NOW + 2 * HOUR,
        reason=spindle,
        by=None,
        now=NOW + MINUTE,
    )
    assert UnitException.objects.get().starts_at == NOW
    assert Downtime.objects.get().reason == spindle
    assert replans() == 1


def test_another_estimate_moves_the_closed_span_and_never_adds_one(plant):
    incident = down(plant, hours=4)
    for hours in (8, 2):
        breakdowns.estimate(
            incident=incident,
            estimated_ends_at=NOW + hours * HOUR,
            by=None,
            now=NOW + MINUTE,
        )
        assert UnitException.objects.get().ends_at == NOW + hours * HOUR
    assert replans() == 3


def test_an_estimate_after_a_planner_removed_the_span_closes_the_machine_again(plant):
    incident = down(plant, hours=4)
    UnitException.objects.all().delete()
    breakdowns.estimate(
        incident=incident, estimated_ends_at=NOW + 3 * HOUR, by=None, now=NOW + MINUTE
    )
    assert UnitException.objects.get().ends_at == NOW + 3 * HOUR


def test_recovery_closes_all_and_gives_the_time_back(plant):
    incident = down(plant, hours=4)
    back = NOW + HOUR
    breakdowns.recover(incident=incident, by=None, now=back)
    incident.refresh_from_db()
    assert (incident.state, incident.closed_at) == (IncidentState.CLOSED, back)
    assert Downtime.objects.get().ends_at == back
    assert AndonCall.objects.get().state == AndonState.RESOLVED
    assert UnitException.objects.get().ends_at == back
    assert replans() == 2
    assert kinds(incident)[-3:] == [EntryKind.RECOVERED, EntryKind.RESOLVED, EntryKind.CLOSED]
    with pytest.raises(breakdowns.CannotRecover, match="runs again already"):
        breakdowns.recover(incident=incident, by=None, now=back)


def test_recovery_in_the_moment_of_the_report_leaves_no_span(plant):
    incident = down(plant, hours=4)
    breakdowns.recover(incident=incident, by=None, now=NOW)
    assert not UnitException.objects.exists()


def test_a_machine_that_stands_is_not_reported_again(plant):
    incident = down(plant)
    with pytest.raises(breakdowns.CannotReportDown, match=incident.number):
        down(plant, hours=1)
    assert (Incident.objects.count(), Downtime.objects.count()) == (1, 1)


@pytest.mark.parametrize("hours", [-1, 24 * 91])
def test_an_estimate_that_makes_no_sense_changes_nothing(plant, hours):
    with pytest.raises(breakdowns.CannotReportDown):
        down(plant, hours=hours)
    assert not Incident.objects.exists()
    assert not AndonCall.objects.exists()


def test_a_report_takes_up_the_call_that_waits(plant):
    call = andon.raise_call(
        work_unit_id=plant.units[0].pk,
        kind=AndonKind.MACHINE_DOWN,
        by=None,
        now=NOW,
        is_from_machine=True,
    )
    incident = down(plant, hours=1, now=NOW + MINUTE)
    assert incident == call.incident
    assert AndonCall.objects.count() == 1


def test_a_machine_that_is_not_back_in_time_stays_out_of_the_plan(plant, user_for):
    user_for(Role.PLANNER)
    incident = down(plant, hours=1)
    wait_until(NOW + HOUR - MINUTE)
    assert EntryKind.OVERDUE not in kinds(incident)
    due = NOW + HOUR
    breakdowns.check_estimate(downtime_id=Downtime.objects.get().pk, now=due)
    assert UnitException.objects.get().ends_at == due + breakdowns.ROLLED_ON
    assert Notification.objects.filter(kind="mes.estimate_overdue").count() == 1
    # An old question finds a later estimate and does nothing.
    breakdowns.check_estimate(downtime_id=Downtime.objects.get().pk, now=due)
    assert kinds(incident).count(EntryKind.OVERDUE) == 1
    later = due + breakdowns.ROLLED_ON
    assert Job.objects.filter(name="mes.check_estimate", run_at=later).count() == 1


# Calls.


def call_for(plant, kind=AndonKind.MATERIAL, **kwargs):
    return andon.raise_call(work_unit_id=plant.units[0].pk, kind=kind, by=None, now=NOW, **kwargs)


def escalations():
    return Job.objects.filter(name="mes.escalate_call").order_by("run_at")


def test_more_people_are_told_step_by_step_while_nobody_answers(plant, user_for):
    for role in (Role.WAREHOUSE, Role.SUPERVISOR, Role.PURCHASING, Role.MANAGER):
        user_for(role)
    call = call_for(plant, note="no tubes")
    told = Notification.objects.order_by("pk")
    assert [row.user.username for row in told] == ["warehouse"]
    assert "no tubes" in told[0].parameters["note"]
    wait_until(NOW + 4 * MINUTE)
    assert told.all().count() == 1
    wait_until(NOW + 5 * MINUTE)
    assert {row.user.username for row in told.all()[1:]} == {"supervisor", "purchasing"}
    wait_until(NOW + 15 * MINUTE)
    assert told.all().last().user.username == "manager"
    assert told.all().last().parameters["minutes"] == 15
    call.refresh_from_db()
    assert call.level == 2
    wait_until(NOW + 60 * MINUTE)
    assert told.all().count() == 4
    assert kinds(call.incident).count(EntryKind.ESCALATED) == 2


def test_an_answer_stops_the_escalation(plant, user_for):
    user_for(Role.SUPERVISOR)
    call = call_for(plant)
    andon.acknowledge(call=call, by=None, now=NOW + MINUTE)
    wait_until(NOW + 60 * MINUTE)
    assert not Notification.objects.exists()
    with pytest.raises(andon.CannotAnswer, match="Somebody is on it"):
        andon.acknowledge(call=call, by=None, now=NOW + MINUTE)


def test_an_escalation_that_is_run_twice_tells_once(plant, user_for):
    user_for(Role.SUPERVISOR)
    call = call_for(plant)
    for _again in range(2):
        andon.escalate(call_id=call.pk, level=1, now=NOW + 5 * MINUTE)
    assert Notification.objects.count() == 1
    assert escalations().filter(arguments__level=2).count() == 1


def test_rules_of_the_work_center_come_before_those_for_all(plant, user_for):
    quality, manager = user_for(Role.QUALITY), user_for(Role.MANAGER)
    AndonRule.objects.create(kind=AndonKind.HELP, roles=[Role.MANAGER])
    call_for(plant, kind=AndonKind.HELP)
    assert Notification.objects.get().user == manager
    AndonRule.objects.create(
        kind=AndonKind.QUALITY, work_center=plant.center, after_minutes=2, roles=[Role.MANAGER]
    )
    AndonRule.objects.create(kind=AndonKind.QUALITY, work_center=plant.center, roles=[Role.QUALITY])
    call_for(plant, kind=AndonKind.QUALITY)
    assert Notification.objects.filter(user=quality).count() == 1
    wait_until(NOW + 2 * MINUTE)
    assert Notification.objects.filter(user=manager, kind="mes.andon_unanswered").count() == 1


def test_the_same_call_waits_once_and_another_kind_beside_it(plant):
    call = call_for(plant)
    with pytest.raises(andon.CannotRaise, match="called already"):
        call_for(plant)
    other = call_for(plant, kind=AndonKind.QUALITY)
    assert other.incident != call.incident
    andon.resolve(call=call, by=None, now=NOW + MINUTE)
    call.incident.refresh_from_db()
    assert call.incident.state == IncidentState.CLOSED
    assert call_for(plant).pk != call.pk


def test_a_call_for_a_machine_that_stands_is_not_resolved_by_itself(plant):
    down(plant)
    with pytest.raises(andon.CannotAnswer, match="still stands"):
        andon.resolve(call=AndonCall.objects.get(), by=None, now=NOW)


def test_reasons_are_written_once_and_speak_both_languages(db):
    DowntimeReason.objects.filter(parent__isnull=False).delete()
    DowntimeReason.objects.all().delete()
    assert reasons.seed() > 10
    assert reasons.seed() == 0
    tree = reasons.tree()
    assert [branch.reason.code for branch in tree][0] == "MECHANICAL"
    assert {row.code for row in tree[0].children} == {"SPINDLE", "DRIVE", "HYDRAULICS"}
    assert all(row.name and row.name_zh for row in DowntimeReason.objects.all())


def test_nothing_starts_or_goes_on_at_a_machine_that_stands(plant):
    """... and the sentence names the incident; elsewhere, and afterwards, it does."""
    operation = running(plant)
    incident = down(plant)
    here, elsewhere = plant.units[0].pk, plant.units[1].pk
    sentence = f"is down \\({incident.number}\\): say first that it runs again"
    with pytest.raises(execution.CannotResume, match=sentence):
        execution.resume(operation=operation, by=None, now=NOW)
    plant.plan(plant.need("PART", 3))
    other = plant.orders("PART")[1].operations.get()
    with pytest.raises(execution.CannotStart, match=sentence):
        execution.start(operation=other, work_unit_id=here, by=None, now=NOW)
    execution.start(operation=other, work_unit_id=elsewhere, by=None, now=NOW)
    breakdowns.recover(incident=incident, by=None, now=NOW + HOUR)
    operation = execution.resume(operation=operation, by=None, now=NOW + HOUR)
    assert operation.state == OperationState.RUNNING
