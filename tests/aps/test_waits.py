"""Waits and transfer batches of the routing, in the plan, in a draft and in the promise."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aps import selectors
from aps.enums import RunState
from aps.services import edits, lateness, problems, solving
from aps.services.lateness_types import StepKind
from aps.services.promises import ReasonKind
from aps.solver import Precedence, validate
from aps.views import lateness_words
from mes.enums import OperationState
from tests.aps.factories import DAY, HOUR, MONDAY, Factory, minute, scheduled
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

SOON = (MONDAY + 4 * DAY).date()


@pytest.fixture(autouse=True)
def short_search(settings):
    settings.SOLVE_SECONDS = 0.5


def plant(quantity=10, minutes=(6, 6), units=2, setup=0, **first):
    """An order of two steps, the first one with what is asked of the second."""
    made = Factory(units=units)
    part = made.steps(made.make("PART", steps=0), *minutes, setup=setup)
    part.routings.get().operations.filter(sequence=10).update(**first)
    made.part_item = part
    if quantity:
        made.need_row = made.order(part, quantity)
    return made


def link(made, now=MONDAY):
    (found,) = [
        found
        for operation in problems.build(site_id=made.site.pk, now=now, days=60).problem.operations
        for found in operation.links
    ]
    return found


def begin(made, operation):
    """The first machine has an hour of it still to do, from Monday morning on."""
    made.operations().filter(pk=operation.pk).update(
        state=OperationState.RUNNING, started_at=MONDAY - HOUR, work_unit=made.units[0]
    )


def built(made, now=MONDAY):
    found = problems.build(site_id=made.site.pk, now=now, days=60).problem.operations
    return sorted(found, key=lambda operation: operation.id)


def hours(made):
    run = made.replan()
    assert run.state == RunState.PUBLISHED, run.error
    return list(scheduled(run).values())


class TestProblem:
    def test_a_routing_without_waits_asks_for_the_end_alone(self):
        made = plant()
        one, two = made.operations()
        built = problems.build(site_id=made.site.pk, now=MONDAY, days=60)
        (last,) = [o for o in built.problem.operations if o.id == two.pk]
        assert (last.predecessors, last.links) == ((one.pk,), ())

    def test_waits_are_frozen_into_the_work_order_and_told_the_solver(self):
        made = plant(wait_minutes=90, max_wait_minutes=300)
        one, _two = made.operations()
        assert (one.wait_minutes, one.max_wait_minutes) == (90, 300)
        assert link(made) == Precedence(one.pk, 90, 300)

    def test_a_transfer_batch_passes_with_its_setup_and_leaves_its_tail(self):
        made = plant(quantity=10, minutes=(6, 3), setup=20, transfer_quantity=4)
        one, _two = made.operations()
        # 20 + 4 × 6 until the first four are there; the last two take 2 × 3.
        assert link(made) == Precedence(one.pk, transfer_minutes=44, tail_minutes=6)

    def test_what_passes_as_a_whole_has_no_batch(self):
        made = plant(quantity=4, transfer_quantity=4)
        built = problems.build(site_id=made.site.pk, now=MONDAY, days=60)
        assert not any(operation.links for operation in built.problem.operations)

    def test_what_is_reported_counts_towards_the_batch(self):
        made = plant(quantity=10, minutes=(6, 3), transfer_quantity=4)
        one, _two = made.operations()
        made.operations().filter(pk=one.pk).update(
            state=OperationState.RUNNING,
            started_at=MONDAY - HOUR,
            work_unit=made.units[0],
            good=3,
        )
        # The fourth piece is to come, six minutes of work from now; nobody works before eight.
        assert link(made) == Precedence(one.pk, transfer_minutes=6, tail_minutes=6)
        made.operations().filter(pk=one.pk).update(good=4)
        assert link(made) == Precedence(one.pk, transfer_minutes=0, tail_minutes=6)

    def test_what_rests_after_a_done_operation_is_released_when_it_has(self):
        made = plant(wait_minutes=90)
        one, two = made.operations()
        made.operations().filter(pk=one.pk).update(
            state=OperationState.DONE, good=10, finished_at=MONDAY - HOUR
        )
        built = problems.build(site_id=made.site.pk, now=MONDAY, days=60)
        (left,) = built.problem.operations
        assert (left.id, left.release) == (two.pk, minute(MONDAY + HOUR / 2))

    def test_what_may_not_wait_long_after_what_runs_is_put_right_behind_it(self):
        made = plant(wait_minutes=30, max_wait_minutes=60)
        one, two = made.operations()
        begin(made, one)
        first, second = built(made)
        assert second.links == (Precedence(one.pk, 30),)
        assert second.fixed.start == first.fixed.end + 30

    def test_it_stays_where_the_plan_has_it_while_that_is_soon_enough(self):
        made = plant(wait_minutes=30, max_wait_minutes=300)
        one, two = made.operations()
        begin(made, one)
        later = MONDAY + 3 * HOUR
        made.operations().filter(pk=two.pk).update(
            planned_work_unit=made.units[1],
            planned_starts_at=later,
            planned_ends_at=later + HOUR,
        )
        assert built(made)[1].fixed.start == minute(later)

    def test_what_nobody_can_begin_in_time_is_planned_all_the_same(self):
        # The only machine of the second step is closed until the wait has been too long.
        made = plant(max_wait_minutes=60)
        one, two = made.operations()
        two.units.create(work_unit=made.units[1], setup_minutes=0, run_minutes=6)
        begin(made, one)
        made.units[1].exceptions.create(
            starts_at=MONDAY, ends_at=MONDAY + 8 * HOUR, is_working=False
        )
        second = built(made)[1]
        assert second.fixed is None
        assert hours(made)[1] == (8, 9)

    @pytest.mark.parametrize(("since", "starts"), [(HOUR / 2, 0.0), (5 * HOUR, 6.0)])
    def test_what_waits_already_is_next_while_its_time_is_not_over(self, since, starts):
        # Six hours of another order are due first on the one machine.
        made = plant(max_wait_minutes=60, units=1)
        one, two = made.operations()
        made.operations().filter(pk=one.pk).update(
            state=OperationState.DONE, good=10, finished_at=MONDAY - since
        )
        urgent = made.part("URGENT", minutes=60)
        made.order(urgent, 6, due_at=MONDAY + 6 * HOUR)
        found = scheduled(made.replan())
        assert found[two.pk][0] == starts


class TestPlan:
    def test_cools_before_the_next_operation(self):
        assert hours(plant(wait_minutes=90)) == [(0, 1), (2.5, 3.5)]

    def test_passes_on_in_batches(self):
        assert hours(plant(transfer_quantity=5)) == [(0, 1), (0.5, 1.5)]

    def test_comes_late_rather_than_waiting_too_long(self):
        # The second machine is taken until 14:00; what is glued may wait 30 minutes.
        made = plant(max_wait_minutes=30)
        blocker = made.part("BLOCK", minutes=36)
        blocker.routings.get().operations.update(setup_family="")
        first = made.operations().get(sequence=10)
        second = made.operations().get(sequence=20)
        for operation, unit in ((first, 0), (second, 1)):
            operation.units.create(work_unit=made.units[unit], setup_minutes=0, run_minutes=6)
        made.order(blocker, 10)
        block = made.operations().get(work_order__item=blocker)
        made.operations().filter(pk=block.pk).update(
            state=OperationState.RUNNING, started_at=MONDAY, work_unit=made.units[1]
        )
        found = scheduled(made.replan(now=MONDAY))
        assert found[second.pk][0] == 6
        assert found[second.pk][0] - found[first.pk][1] <= 0.5


@given(
    steps=st.lists(
        st.tuples(
            st.integers(1, 20),
            st.sampled_from([0, 0, 15, 600]),
            st.sampled_from([None, 1, 3, 7]),
            st.booleans(),
        ),
        min_size=2,
        max_size=4,
    ),
    quantities=st.lists(st.integers(1, 20), min_size=1, max_size=3),
    begun=st.sampled_from([None, OperationState.RUNNING, OperationState.DONE]),
    longest=st.sampled_from([0, 60, 1000]),
)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_judge_finds_nothing_wrong_with_a_plan_of_any_such_routing(
    steps, quantities, begun, longest
):
    with transaction.atomic():
        made = Factory(units=2)
        part = made.steps(made.make("PART", steps=0), *(minutes for minutes, *_ in steps))
        rows = part.routings.get().operations.order_by("sequence")
        for row, (_minutes, wait, transfer, is_short) in zip(rows, steps[:-1], strict=False):
            row.wait_minutes = wait
            row.transfer_quantity = transfer
            if transfer is None and is_short:
                row.max_wait_minutes = wait + (longest if begun and row.sequence == 10 else 1000)
            row.save()
        for quantity in quantities:
            made.order(part, quantity)
        firsts = made.operations().filter(sequence=10)[:2] if begun else ()
        for unit, first in zip(made.units, firsts, strict=False):
            made.operations().filter(pk=first.pk).update(
                state=begun,
                work_unit=unit,
                started_at=MONDAY - 2 * HOUR,
                good=first.work_order.quantity if begun == OperationState.DONE else 0,
                finished_at=MONDAY - HOUR / 2 if begun == OperationState.DONE else None,
            )
        built = problems.build(site_id=made.site.pk, now=MONDAY, days=60)
        solution = solving.keep_order(built.problem, ())
        assert validate(built.problem, solution.placements) == []
        answers = made.check((part, 7, SOON))
        assert not answers[0].refusal
        transaction.set_rollback(True)


class TestDraft:
    def dropped(self, made):
        made.replan()
        change = {
            "kind": "move",
            "operation": made.operations().get(sequence=20).pk,
            "work_unit": made.units[1].code,
            "starts_at": MONDAY.isoformat(),
        }
        return edits.apply(site_id=made.site.pk, change=change, by=UserFactory(), now=MONDAY)

    @pytest.mark.parametrize(
        ("first", "sentence"),
        [
            ({"wait_minutes": 90}, "the pieces wait until"),
            ({"transfer_quantity": 5}, "The first pieces of"),
        ],
    )
    def test_a_drop_says_what_the_operation_before_asks(self, first, sentence):
        made = plant(**first)
        edited = self.dropped(made)
        assert any(sentence in said for said in edited.violations), edited.violations


class TestPromise:
    def test_counts_and_names_a_wait(self):
        made = plant(quantity=0, wait_minutes=20 * 60)
        (answer,) = made.check((made.part_item, 10, SOON))
        # 08:00 to 09:00, until 05:00 of the next day, from 08:00 to 09:00.
        assert answer.ready_at == MONDAY + DAY + HOUR
        assert answer.reasons[0].kind == ReasonKind.WAIT
        assert "waits 20 hours after" in answer.reasons[0].text
        assert "wait" in [step.kind for step in answer.chain]

    def test_counts_transfer_batches(self):
        made = plant(quantity=0, transfer_quantity=5)
        (answer,) = made.check((made.part_item, 10, SOON))
        assert answer.ready_at == MONDAY + 1.5 * HOUR


def test_why_late_names_the_wait():
    made = plant(quantity=0, wait_minutes=20 * 60)
    made.order(made.part_item, 10, due_at=MONDAY + HOUR)
    made.replan()
    (line,) = selectors.late_orders(site_id=made.site.pk, now=MONDAY)
    found = lateness.explain(site_id=made.site.pk, line=line, now=MONDAY)
    assert [step.kind for step in found.steps] == [
        StepKind.WORK,
        StepKind.SHIFT,
        StepKind.REST,
        StepKind.WORK,
    ]
    assert "its pieces cool or dry" in lateness_words.say(found).binding


def test_why_late_of_a_batch_has_no_hole_and_no_wait():
    made = plant(quantity=0, transfer_quantity=5)
    made.order(made.part_item, 10, due_at=MONDAY + HOUR)
    made.replan()
    (line,) = selectors.late_orders(site_id=made.site.pk, now=MONDAY)
    steps = lateness.explain(site_id=made.site.pk, line=line, now=MONDAY).steps
    assert [step.kind for step in steps] == [StepKind.WORK, StepKind.WORK]
    assert steps[0].starts_at == steps[1].ends_at == MONDAY + HOUR / 2
