"""A plan is solved, judged and published once, or not at all."""

from datetime import timedelta

import pytest
from django.db import connection, transaction

from aps import selectors
from aps.enums import RunState
from aps.models import PlanState, ScheduledOperation, ScheduleRun
from aps.services import problems, publishing, runs, solving
from common.enums import JobState, Role
from common.jobs import claims
from common.jobs.runner import run_one
from common.models import AuditEntry, Event, Job
from mes.enums import OperationState
from tests.aps.factories import DAY, HOUR, MONDAY, Factory, scheduled

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(settings):
    settings.SOLVE_SECONDS = 0.03


@pytest.fixture
def during_solve(monkeypatch):
    """Let something happen on the floor while the solver is at work."""

    def during_solve(action):
        original = solving.solve

        def solve(*args, **kwargs):
            solution = original(*args, **kwargs)
            action()
            return solution

        monkeypatch.setattr(solving, "solve", solve)

    return during_solve


def planned_once(orders=(2, 3)):
    plant = Factory()
    part = plant.part(minutes=60)
    for quantity in orders:
        plant.order(part, quantity)
    return plant


def test_a_plan_is_published_and_written_to_the_operations():
    plant = planned_once()
    run = plant.replan()
    assert run.state == RunState.PUBLISHED, run.error
    assert run.version == 1
    assert sorted(scheduled(run).values()) in ([(0, 2), (2, 5)], [(0, 3), (3, 5)])
    first, second = plant.operations()
    assert {first.planned_work_unit, second.planned_work_unit} == {plant.units[0]}
    assert min(first.planned_starts_at, second.planned_starts_at) == MONDAY
    assert max(first.planned_ends_at, second.planned_ends_at) == MONDAY + timedelta(hours=5)
    assert run.figures["operations"] == 2
    assert run.progress["percent"] == 100


def test_publishing_tells_and_is_audited():
    plant = planned_once()
    run = plant.replan()
    event = Event.objects.get(topic="aps.schedule.published")
    assert event.payload == {"run_id": run.pk, "site_id": plant.site.pk, "version": 1}
    assert Job.objects.filter(name="crm.update_projections").count() == 1
    assert AuditEntry.objects.filter(action="aps.run.publish", target_id=run.pk).exists()


def test_the_next_version_supersedes_the_last():
    plant = planned_once()
    first = plant.replan()
    second = plant.replan(now=MONDAY + HOUR)
    first.refresh_from_db()
    assert (first.state, second.state) == (RunState.SUPERSEDED, RunState.PUBLISHED)
    assert (first.version, second.version) == (1, 2)
    assert selectors.current_run(plant.site.pk) == second
    state = PlanState.objects.get(site=plant.site)
    assert (state.last_version, state.change, second.base_change) == (2, 2, 2)


def test_an_empty_site_has_an_empty_plan():
    run = Factory().replan()
    assert run.state == RunState.PUBLISHED
    assert scheduled(run) == {}


def test_what_the_judge_finds_is_never_published(monkeypatch):
    plant = planned_once()
    good = plant.replan()
    monkeypatch.setattr(solving, "validate", lambda problem, placements: ["One.", "Two."])
    bad = plant.replan(now=MONDAY + HOUR)
    good.refresh_from_db()
    assert bad.state == RunState.FAILED
    assert bad.error == "One. Two."
    assert good.state == RunState.PUBLISHED
    assert not ScheduledOperation.objects.filter(run=bad).exists()
    assert plant.operations().first().planned_starts_at < MONDAY + 3 * HOUR


def test_without_the_judge_a_broken_schedule_would_be_published(monkeypatch):
    """The control: a solver gone wrong is stopped by the judge and by nothing else."""
    plant = planned_once()
    original = solving.solve

    def broken(*args, **kwargs):
        solution = original(*args, **kwargs)
        a, b = solution.placements
        same = [a, type(b)(b.operation, b.resource, a.start, a.start + b.end - b.start)]
        return solving.make_solution(args[0], same)

    monkeypatch.setattr(solving, "solve", broken)
    run = plant.replan()
    assert run.state == RunState.FAILED
    assert "overlaps" in run.error
    monkeypatch.setattr(solving, "validate", lambda problem, placements: [])
    assert plant.replan().state == RunState.PUBLISHED


def test_a_version_published_meanwhile_makes_the_run_stale(during_solve):
    plant = planned_once()

    def another_version():
        PlanState.objects.filter(site=plant.site).update(last_version=7)

    during_solve(another_version)
    run = plant.replan()
    assert run.state == RunState.STALE
    assert run.error == "Version 7 was published meanwhile."
    assert not ScheduledOperation.objects.exists()
    assert plant.operations().first().planned_starts_at is None
    # It is tried again by itself.
    assert plant.waiting_job().name == "aps.replan_site"


def test_a_lost_claim_publishes_nothing_and_the_next_attempt_goes_on(during_solve, monkeypatch):
    plant = planned_once()

    def taken_back():
        job = Job.objects.get(name="aps.replan_site")
        Job.objects.update(lease_until=MONDAY - DAY)
        claims.take_back_lost(now=MONDAY)
        assert Job.objects.get(pk=job.pk).state == JobState.QUEUED

    with monkeypatch.context():
        during_solve(taken_back)
        first = plant.replan()
    assert first.state == RunState.SOLVING
    assert not ScheduledOperation.objects.exists()
    assert not Event.objects.filter(topic="aps.schedule.published").exists()
    monkeypatch.undo()
    second = plant.replan()
    assert second == first
    assert second.state == RunState.PUBLISHED
    assert ScheduleRun.objects.count() == 1


def test_a_killed_worker_leaves_a_run_that_is_used_again(monkeypatch):
    plant = planned_once()

    def killed(*args, **kwargs):
        raise SystemExit

    monkeypatch.setattr(solving, "solve", killed)
    with pytest.raises(SystemExit):
        plant.replan()
    monkeypatch.undo()
    Job.objects.update(lease_until=MONDAY - DAY)
    claims.take_back_lost(now=MONDAY)
    run = plant.replan()
    assert run.state == RunState.PUBLISHED
    assert ScheduleRun.objects.count() == 1
    assert PlanState.objects.get().change == 2


def test_work_done_or_cancelled_while_it_solves_is_left_out(during_solve):
    plant = planned_once(orders=(2, 3, 4))
    done, cancelled, kept = plant.operations()

    def the_floor_goes_on():
        plant.operations().filter(pk=done.pk).update(state=OperationState.DONE)
        plant.operations().filter(pk=cancelled.pk).update(state=OperationState.CANCELLED)

    during_solve(the_floor_goes_on)
    run = plant.replan()
    assert run.state == RunState.PUBLISHED
    assert list(scheduled(run)) == [kept.pk]
    assert plant.operations().get(pk=done.pk).planned_starts_at is None


def test_work_started_while_it_solves_is_where_it_really_runs(during_solve):
    plant = Factory(units=2)
    plant.order(plant.part(minutes=60), 2)
    operation = plant.operations().get()
    other = plant.units[1]

    def begin():
        plant.operations().update(
            state=OperationState.RUNNING, work_unit=other, started_at=MONDAY + timedelta(minutes=5)
        )

    during_solve(begin)
    run = plant.replan()
    row = ScheduledOperation.objects.get(run=run)
    assert row.work_unit == other
    assert row.starts_at == MONDAY + timedelta(minutes=5)
    assert row.ends_at == MONDAY + timedelta(minutes=125)
    operation.refresh_from_db()
    assert operation.planned_starts_at is None


def test_a_change_during_the_solve_has_a_job_of_its_own(during_solve):
    plant = planned_once()

    def change():
        with transaction.atomic():
            runs.enqueue_replan(site_id=plant.site.pk, by=None, now=MONDAY)

    during_solve(change)
    assert plant.replan().version == 1
    waiting = plant.waiting_job()
    assert run_one(waiting.pk, now=MONDAY)
    assert selectors.current_run(plant.site.pk).version == 2


def test_no_transaction_is_open_while_it_solves(during_solve, django_db_blocker):
    plant = planned_once()
    depth = len(connection.savepoint_ids)
    seen = []
    during_solve(lambda: seen.append(len(connection.savepoint_ids)))
    plant.replan()
    # The test itself runs in a transaction; nothing is nested in it.
    assert seen == [depth]


def test_a_planner_asks_once_and_watches_one_run(user_for):
    plant = planned_once()
    planner = user_for(Role.PLANNER)
    asked = [
        runs.request(site_id=plant.site.pk, cause="manual", by=planner, now=MONDAY)
        for _ in range(3)
    ]
    assert len({run.pk for run in asked}) == 1
    assert asked[0].state == RunState.QUEUED
    assert selectors.run_under_way(plant.site.pk) == asked[0]
    assert run_one(plant.waiting_job().pk, now=MONDAY)
    asked[0].refresh_from_db()
    assert asked[0].state == RunState.PUBLISHED
    assert asked[0].requested_by == planner
    assert asked[0].cause == "manual"
    assert selectors.run_under_way(plant.site.pk) is None


def test_old_runs_keep_their_figures_not_their_operations(monkeypatch):
    monkeypatch.setattr(publishing, "KEEP_RUNS", 2)
    plant = planned_once(orders=(1,))
    made = [plant.replan() for _ in range(4)]
    counts = [ScheduledOperation.objects.filter(run=run).count() for run in made]
    assert counts == [0, 0, 1, 1]
    assert ScheduleRun.objects.filter(figures__operations=1).count() == 4


def test_work_beyond_the_first_horizon_finds_a_longer_one(monkeypatch):
    plant = Factory()
    plant.order(plant.part(minutes=60), 9 * 150)
    run = plant.replan()
    assert run.state == RunState.PUBLISHED
    (placed,) = scheduled(run).values()
    assert placed[1] > 24 * 200


def test_work_that_fits_in_no_horizon_is_left_out_of_the_plan_of_the_others(monkeypatch):
    monkeypatch.setattr(runs, "HORIZON_DAYS", (10, 20))
    plant = Factory()
    part = plant.part(minutes=60)
    plant.order(part, 9 * 150)
    plant.order(part, 2)
    run = plant.replan()
    assert run.state == RunState.PUBLISHED
    assert len(scheduled(run)) == 1
    assert [kind for kind, _order in run.figures["left_out_causes"]] == ["no_room"]


def test_work_that_the_solver_cannot_place_fails_with_a_sentence(monkeypatch):
    monkeypatch.setattr(runs, "HORIZON_DAYS", (10, 20))
    monkeypatch.setattr(problems, "FULL_SHARE", 1000)
    plant = Factory()
    plant.order(plant.part(minutes=60), 9 * 150)
    run = plant.replan()
    assert run.state == RunState.FAILED
    assert run.error
    assert Job.objects.get(name="aps.replan_site").state == JobState.DONE


def test_a_small_change_leaves_the_rest_of_the_plan_alone():
    plant = Factory(units=3)
    part = plant.part(minutes=60)
    for quantity in range(1, 9):
        plant.order(part, quantity)
    plant.replan()
    # The first repair fills what the first search left idle within the day.
    before = scheduled(plant.replan())
    plant.order(part, 1, due_at=MONDAY + 20 * DAY)
    after = scheduled(plant.replan())
    moved = [pk for pk, place in before.items() if after[pk] != place]
    assert len(after) == 9
    assert moved == []


def test_progress_is_written_and_the_claim_kept_alive(monkeypatch):
    plant = planned_once()
    monkeypatch.setattr(solving, "REPORT_SECONDS", 0)
    seen = []
    original = ScheduleRun.objects.filter

    class Spy(solving._Reporter):
        def report(self, phase):
            super().report(phase)
            seen.append(original(pk=self._run_id).get().progress)

    monkeypatch.setattr(solving, "_Reporter", Spy)
    plant.replan()
    phases = [progress["phase"] for progress in seen]
    assert phases[0] == "constructing"
    assert "improving" in phases
    assert phases[-1] == "checking"
    assert seen[-1]["weighted_tardiness_minutes"] == 0
