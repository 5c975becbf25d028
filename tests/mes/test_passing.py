"""Transfer batches and waits on the floor: what may start, what came in, what may finish."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.enums import JobState
from common.jobs.runner import run_one
from common.models import AuditEntry, Job
from mes import policies
from mes.enums import OperationState, WorkOrderState
from mes.policies import CannotStart
from mes.report_policies import CannotFinish, CannotReport
from mes.services import execution, readiness
from tests.mes import invariants
from tests.mes.factories import NOW, Plant

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


class Floor(Plant):
    """A work order of so many pieces over steps; the first ones with what is given for them."""

    def __init__(self, quantity, *firsts, steps=2):
        super().__init__()
        item = self.make("PART", steps=steps)
        rows = item.routings.get().operations.order_by("sequence")
        for row, fields in zip(rows, firsts, strict=False):
            rows.filter(pk=row.pk).update(**fields)
        self.wanted = self.need("PART", quantity)
        self.plan(self.wanted)

    def step(self, sequence):
        return self.orders("PART")[0].operations.get(sequence=sequence)

    def state(self, sequence):
        return self.step(sequence).state

    def start(self, sequence, unit=0, now=NOW):
        return execution.start(
            operation=self.step(sequence), work_unit_id=self.units[unit].pk, by=None, now=now
        )

    def report(self, sequence, good, scrap=0, now=NOW):
        return execution.report(
            operation=self.step(sequence),
            good=Decimal(good),
            scrap=Decimal(scrap),
            by=None,
            now=now,
        )

    def finish(self, sequence, now=NOW, **kwargs):
        return execution.finish(operation=self.step(sequence), by=None, now=now, **kwargs)


def test_a_transfer_batch_lets_the_next_operation_start_and_not_finish():
    floor = Floor(10, {"transfer_quantity": 4})
    floor.start(10)
    floor.report(10, 3)
    assert floor.state(20) == OperationState.WAITING
    with pytest.raises(CannotStart, match="10 passes on from 4 good pieces and has 3"):
        floor.start(20, unit=1)
    floor.report(10, 1)
    assert floor.state(20) == OperationState.READY
    floor.start(20, unit=1)
    floor.report(20, 4)
    with pytest.raises(CannotReport, match="got 4 and has reported 4"):
        floor.report(20, 1)
    with pytest.raises(CannotFinish, match="10 of .* is not done: more pieces come"):
        floor.finish(20)
    with pytest.raises(CannotFinish, match="is not done"):
        floor.finish(20, short_close=True, reason="enough")
    floor.report(10, 6)
    floor.report(20, 6)
    floor.finish(10)
    floor.finish(20)
    order = floor.orders("PART")[0]
    assert (order.state, order.good) == (WorkOrderState.COMPLETED, 10)


def test_an_order_below_the_transfer_quantity_passes_as_a_whole():
    floor = Floor(3, {"transfer_quantity": 4})
    floor.start(10)
    floor.report(10, 3)
    with pytest.raises(CannotStart, match="passes on from 4"):
        floor.start(20, unit=1)
    floor.finish(10)
    assert floor.state(20) == OperationState.READY


def test_what_has_no_batch_still_waits_for_all():
    floor = Floor(10, {"transfer_quantity": 2}, steps=3)
    floor.start(10)
    floor.report(10, 5)
    floor.start(20, unit=1)
    floor.report(20, 5)
    assert floor.state(30) == OperationState.WAITING
    with pytest.raises(CannotStart, match="20 is at 5 of 5"):
        floor.start(30)


def test_what_waited_too_long_starts_by_a_supervisors_word_only(client_for):
    floor = Floor(10, {"wait_minutes": 10, "max_wait_minutes": 60})
    floor.start(10)
    floor.report(10, 10)
    floor.finish(10)
    late = NOW + 62 * MINUTE
    # In time it starts, the minute that the plan rounds up included.
    with transaction.atomic():
        floor.start(20, now=late - MINUTE)
        transaction.set_rollback(True)
    with pytest.raises(policies.WaitedTooLong, match="may wait 1\\xa0h at most after operation 10"):
        floor.start(20, now=late)

    url = f"/floor/?unit={floor.units[0].code}"
    step = floor.step(20)
    sent = {"unit": floor.units[0].code, "overrule": "still warm"}
    with time_machine.travel(late, tick=False):
        operator, supervisor = client_for("operator"), client_for("supervisor")
        shown = [client.get(url).content.decode() for client in (operator, supervisor)]
        assert all("had to start by" in page for page in shown)
        assert ["Start all the same" in page for page in shown] == [False, True]
        at_machine = f"/floor/terminal/?unit={floor.units[0].code}&job={step.pk}"
        shown = [client.get(at_machine).content.decode() for client in (operator, supervisor)]
        assert all('data-phase="blocked"' in page for page in shown)
        assert all("had to start by" in page for page in shown)
        assert ["Start all the same" in page for page in shown] == [False, True]
        start = f"/floor/operations/{step.pk}/start/"
        refused = [
            operator.post(start, sent, follow=True),
            supervisor.post(start, {"unit": sent["unit"]}, follow=True),
            supervisor.post(start, sent | {"overrule": "  "}, follow=True),
        ]
        said = [str(next(iter(page.context["messages"]))) for page in refused]
        assert "Only a supervisor can let work start" in said[0]
        assert "A supervisor can let it start all the same." in said[1]
        assert "Say why it may start" in said[2]
        assert floor.step(20).started_at is None
        supervisor.post(start, sent)
    assert floor.state(20) == OperationState.RUNNING
    (row,) = AuditEntry.objects.filter(action="mes.operation.overrule_wait")
    assert row.reason.startswith("still warm (Operation 20 of")


def test_another_reason_is_told_before_the_longest_wait_and_nobody_overrules_it(user_for):
    floor = Floor(10, {"max_wait_minutes": 60})
    floor.start(10)
    floor.report(10, 10)
    floor.finish(10)
    order = floor.orders("PART")[0]
    order.state = WorkOrderState.ON_HOLD
    order.save()
    with pytest.raises(CannotStart, match="is on hold"):
        execution.start(
            operation=floor.step(20),
            work_unit_id=floor.units[0].pk,
            overrule="still warm",
            by=user_for("supervisor"),
            now=NOW + 90 * MINUTE,
        )


def test_pieces_that_cool_start_later_and_are_ready_by_themselves():
    floor = Floor(10, {"wait_minutes": 90})
    floor.start(10)
    floor.report(10, 10)
    floor.finish(10)
    assert floor.state(20) == OperationState.WAITING
    with pytest.raises(CannotStart, match="the pieces wait 90 minutes after operation 10"):
        floor.start(20, now=NOW + 89 * MINUTE)
    (job,) = Job.objects.filter(name="mes.refresh_readiness", key__startswith="rest:")
    assert (job.run_at, job.state) == (NOW + 90 * MINUTE, JobState.QUEUED)
    assert run_one(job.pk, now=job.run_at)
    assert floor.state(20) == OperationState.READY
    floor.start(20, now=job.run_at)


def test_a_batch_cools_from_the_report_that_filled_it():
    floor = Floor(10, {"wait_minutes": 30, "transfer_quantity": 4})
    floor.start(10)
    floor.report(10, 4, now=NOW + 10 * MINUTE)
    floor.report(10, 2, now=NOW + 20 * MINUTE)
    assert policies.rests_until(floor.step(10)) == NOW + 40 * MINUTE
    readiness.refresh(site_id=floor.site.pk, now=NOW + 39 * MINUTE)
    assert floor.state(20) == OperationState.WAITING
    readiness.refresh(site_id=floor.site.pk, now=NOW + 40 * MINUTE)
    assert floor.state(20) == OperationState.READY


acts = st.lists(
    st.tuples(
        st.sampled_from(["start", "report", "finish", "short"]),
        st.sampled_from([10, 20, 30]),
        st.integers(0, 6),
        st.integers(0, 2),
    ),
    min_size=10,
    max_size=60,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    quantity=st.integers(1, 12),
    batches=st.tuples(*[st.sampled_from([None, 1, 3, 5])] * 2),
    acts=acts,
)
def test_whatever_is_done_pieces_are_conserved(quantity, batches, acts):
    with transaction.atomic():
        floor = Floor(quantity, *({"transfer_quantity": one} for one in batches), steps=3)
        floor.units += [floor.units[0]]
        number = floor.orders("PART")[0].number
        for act, sequence, good, scrap in acts:
            _act(floor, number, act, sequence, good, scrap)
            _conserved(floor, number)
        invariants.check(all_covered=False)
        transaction.set_rollback(True)


def _act(floor, number, act, sequence, good, scrap):
    operation = floor.orders("PART")[0].operations.model.objects.get(
        work_order__number=number, sequence=sequence
    )
    what = {"by": None, "now": NOW}
    try:
        if act == "start":
            unit = floor.units[sequence // 20].pk
            execution.start(operation=operation, work_unit_id=unit, **what)
        elif act == "report":
            execution.report(operation=operation, good=Decimal(good), scrap=Decimal(scrap), **what)
        else:
            execution.finish(
                operation=operation, short_close=act == "short", reason="short", **what
            )
    except (CannotStart, CannotReport, CannotFinish):
        pass


def _conserved(floor, number):
    """No operation accounts for more than came, nor ends before what feeds it."""
    model = floor.orders("PART")[0].operations.model
    rows = list(model.objects.filter(work_order__number=number).order_by("sequence"))
    came = rows[0].work_order.quantity
    for before, row in zip([None, *rows], rows, strict=False):
        assert row.good + row.scrap <= came, row
        if row.state == OperationState.DONE:
            assert row.good + row.scrap == came, row
            assert before is None or before.state == OperationState.DONE, row
        came = row.good
    order = rows[0].work_order
    assert order.good == rows[-1].good
    assert order.scrapped == sum(row.scrap for row in rows)
