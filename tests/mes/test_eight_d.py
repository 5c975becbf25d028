"""An 8D passes its gates one by one, and what its actions change is changed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from common.models import Notification
from masterdata.models import OperationCheck, RoutingOperation, UnitException
from masterdata.services.checks import Check, InvalidCheck
from mes import selectors
from mes.enums import (
    ActionKind,
    Chain,
    ChangeKind,
    Discipline,
    DispositionKind,
    Effect,
    Metric,
    NonconformanceState,
)
from mes.models import CheckResult, QualityAction
from mes.services import (
    containment,
    dispositions,
    effects,
    eight_d,
    improvements,
    quality_actions,
    quality_reminders,
    supplier_requests,
)
from mes.services.dispositions import Part
from mes.services.eight_d import Because
from tests.factories import UserFactory
from tests.masterdata.factories import CustomerFactory, SupplierFactory
from tests.mes.factories import NOW, NonconformanceFactory
from tests.mes.quality import Quality
from tests.shared import shared
from tests.traceability.factories import SerialUnitFactory
from traceability.enums import DocumentKind, EventKind
from traceability.models import Document
from traceability.services import complaints, genealogy
from traceability.services.genealogy import Fact
from traceability.services.ledger import Handover

pytestmark = pytest.mark.django_db

D = Discipline
DAY = timedelta(days=1)


@shared()
def quality() -> Quality:
    return Quality()


@pytest.fixture
def found(quality):
    made = quality.report(symptom="LEAK")
    quality.contain(made)
    return made


def complete(made, step, by):
    return eight_d.complete(eight_d=made, discipline=step, by=by, now=NOW)


def built(quality, how_many, complained, *, days_ago):
    """Units of the item, made and delivered so long ago; of so many customers complained."""
    at = NOW - days_ago * DAY
    units = SerialUnitFactory.create_batch(how_many, item=quality.item, made_at=at)
    document = Document.objects.create(
        kind=DocumentKind.SHIPMENT, number=f"SH-{days_ago}", customer=CustomerFactory(), at=at
    )
    genealogy.hand_over(
        fact=Fact(kind=EventKind.SHIPMENT, at=at, site_id=quality.site.pk),
        handovers=[Handover(unit.pk, document.pk) for unit in units],
    )
    for unit in units[:complained]:
        complaints.note(
            reference=f"AS-{unit.pk}",
            item_id=quality.item.pk,
            thing=unit.pk,
            symptom="LEAK",
            at=at + 5 * DAY,
        )


def test_each_step_says_what_it_lacks(quality, found):
    made = eight_d.begin(nonconformance=found, leader=quality.anna, by=quality.anna, now=NOW)
    with pytest.raises(eight_d.CannotComplete, match="has its 8D already"):
        eight_d.begin(nonconformance=found, leader=quality.anna, by=quality.anna, now=NOW)
    assert [step.due_on for step in made.steps.all()] == sorted(
        NOW.date() + timedelta(days=days) for days in eight_d.DAYS.values()
    )
    for step, sentence in (
        (D.D0, "what was done at once"),
        (D.D1, "no member"),
        (D.D2, "what it is not"),
        (D.D4, "D1 is not done.*Why it happened.*Why nobody noticed.*escape point"),
        (D.D5, "D4 is not done.*No corrective action"),
        (D.D6, "D5 is not done.*0 of 10 are disposed of.*since when"),
        (D.D7, "D6 is not done.*fail alike.*No preventive action"),
        (D.D8, "D7 is not done.*effect is not shown.*closing words"),
    ):
        with pytest.raises(eight_d.CannotComplete, match=sentence):
            complete(made, step, quality.anna)
    complete(made, D.D3, quality.anna)
    with pytest.raises(eight_d.CannotComplete, match="This step is done"):
        complete(made, D.D3, quality.anna)
    eight_d.reopen(eight_d=made, discipline=D.D3, by=quality.anna, now=NOW)
    with pytest.raises(eight_d.CannotComplete, match="is not done"):
        eight_d.reopen(eight_d=made, discipline=D.D3, by=quality.anna, now=NOW)


def test_the_whole_way_from_the_analysis_to_the_closure(quality, found):
    made = quality.analysed(found)
    found.refresh_from_db()
    assert found.state == NonconformanceState.UNDER_ANALYSIS
    with pytest.raises(eight_d.CannotComplete, match="Open D4 again first"):
        eight_d.reopen(eight_d=made, discipline=D.D2, by=quality.anna, now=NOW)
    corrective = quality.plan(found)
    complete(made, D.D5, quality.anna)
    found.refresh_from_db()
    assert found.state == NonconformanceState.ACTION
    [scrap] = dispositions.decide(
        nonconformance=found,
        parts=[Part(DispositionKind.SCRAP, Decimal(10), lot_id=quality.lot.pk)],
        by=quality.anna,
        now=NOW,
    )
    dispositions.execute(disposition=scrap, result="", by=quality.anna, now=NOW)
    eight_d.write(eight_d=made, values={"fixed_at": NOW - 60 * DAY}, by=quality.anna, now=NOW)
    with pytest.raises(eight_d.CannotComplete, match="Not verified: Dry the moulds"):
        complete(made, D.D6, quality.anna)
    quality.carry_out(corrective)
    # A place turns up: D6 waits until it is counted and verified.
    row = containment.suspect(
        nonconformance=found, place="Line 2", quantity=Decimal(0), by=quality.anna, now=NOW
    )
    with pytest.raises(eight_d.CannotComplete, match="containment count is open: Line 2"):
        complete(made, D.D6, quality.anna)
    row = containment.count(row=row, found=containment.Found(), by=quality.anna, now=NOW)
    containment.verify(row=row, by=quality.ben, now=NOW)
    complete(made, D.D6, quality.anna)
    found.refresh_from_db()
    assert found.state == NonconformanceState.VERIFICATION
    assert {row.state for row in found.containment.all()} == {"lifted"}
    texts = {"prevention": "The same moulds elsewhere", "closing": "Thanks to all"}
    eight_d.write(eight_d=made, values=texts, by=quality.anna, now=NOW)
    preventive = quality.plan(found, ActionKind.PREVENTIVE)
    with pytest.raises(eight_d.CannotComplete, match="Not verified"):
        complete(made, D.D7, quality.anna)
    quality.carry_out(preventive)
    complete(made, D.D7, quality.anna)
    built(quality, 40, 8, days_ago=100)
    built(quality, 8, 0, days_ago=50)
    assert effects.look(eight_d=made, by=quality.anna, now=NOW).effect == Effect.TOO_FEW
    with pytest.raises(eight_d.CannotComplete, match="effect is not shown"):
        complete(made, D.D8, quality.ben)
    built(quality, 40, 0, days_ago=45)
    assert effects.look(eight_d=made, by=quality.anna, now=NOW).effect == Effect.SHOWN
    with pytest.raises(eight_d.CannotComplete, match="Another person"):
        complete(made, D.D8, quality.anna)
    complete(made, D.D8, quality.ben)
    found.refresh_from_db()
    assert (found.state, found.closed_by) == (NonconformanceState.CLOSED, quality.ben)
    with pytest.raises(eight_d.CannotComplete, match="is closed"):
        eight_d.write(eight_d=made, values={"closing": "x"}, by=quality.anna, now=NOW)


def test_figures_count_what_was_made_before_and_after_alike(quality, found):
    made = quality.analysed(found)
    with pytest.raises(effects.CannotComplete, match="since when"):
        effects.figures(made, now=NOW)
    values = {"fixed_at": NOW - 60 * DAY, "before_days": 60, "within_days": 20}
    made = eight_d.write(eight_d=made, values=values, by=quality.anna, now=NOW)
    built(quality, 30, 6, days_ago=100)
    built(quality, 5, 5, days_ago=130)  # Before what is compared with.
    built(quality, 12, 0, days_ago=30)
    built(quality, 9, 0, days_ago=10)  # Not with the customer for long enough.
    counts = effects.figures(made, now=NOW)
    assert (counts.before_bad, counts.before_total) == (6, 30)
    assert (counts.after_bad, counts.after_total, counts.after_young) == (0, 12, 9)
    assert counts.effect == Effect.TOO_FEW
    assert counts.needed is not None
    assert counts.needed > 12
    assert counts.after_most == pytest.approx(0.2209, abs=1e-3)


def test_checks_on_the_floor_show_an_effect_too(quality, found):
    plant = quality.plant
    plant.make("GEAR")
    step = RoutingOperation.objects.get()
    OperationCheck.objects.create(operation=step, position=10, name="No burrs")
    plant.plan(plant.need("GEAR", 10))
    order = plant.orders("GEAR")[0]
    check = order.operations.get().checks.get()
    for days, bad, count in ((20, 6, 20), (5, 0, 30)):
        CheckResult.objects.bulk_create(
            CheckResult(check_row=check, is_good=n >= bad, at=NOW - days * DAY)
            for n in range(count)
        )
    assert selectors.check_faults(item_id=order.item_id, since=NOW - 10 * DAY, until=NOW) == (30, 0)
    found.item = order.item
    found.save()
    made = quality.analysed(found)
    values = {"metric": Metric.CHECK_FAULTS, "fixed_at": NOW - 10 * DAY}
    made = eight_d.write(eight_d=made, values=values, by=quality.anna, now=NOW)
    result = effects.look(eight_d=made, by=quality.anna, now=NOW)
    assert (result.before_bad, result.before_total, result.after_total) == (6, 20, 30)
    assert result.effect == Effect.SHOWN


def test_a_new_check_and_an_instruction_are_in_the_next_work_order_with_their_reason(
    quality, client_for
):
    plant = quality.plant
    gear = plant.make("GEAR")
    plant.plan(plant.need("GEAR", 10))
    found = quality.report(item_id=gear.pk, things=[], quantity=0, problem="Bore too wide")
    quality.contain(found, suspect=0)
    step = RoutingOperation.objects.get()
    bore = Check(position=0, name="Bore", kind="measure", unit="mm", upper=Decimal("10.1"))
    who = {"by": quality.anna, "now": NOW}
    first = quality.plan(found, change=ChangeKind.CHECK)
    with pytest.raises(quality_actions.CannotAct, match="change is not made yet"):
        quality_actions.finish(action=first, result="x", **who)
    with pytest.raises(InvalidCheck, match="needs a lower or an upper limit"):
        improvements.add_check(
            action=first, operation=step, check=Check(0, "Bore", kind="measure"), **who
        )
    where = improvements.add_check(action=first, operation=step, check=bore, **who)
    assert where == "GEAR A / 10: Bore"
    with pytest.raises(improvements.CannotAct, match="changed something already"):
        improvements.add_check(action=first, operation=step, check=bore, **who)
    second = quality.plan(found, change=ChangeKind.CHECK)
    tighter = Check(10, "Bore", kind="measure", unit="mm", upper=Decimal("10.05"))
    improvements.add_check(action=second, operation=step, check=tighter, **who)
    third = quality.plan(found, change=ChangeKind.INSTRUCTION)
    improvements.instruct(action=third, operation=step, text="Cool the bore first", **who)
    plant.plan(plant.need("GEAR", 5))
    old, new = plant.orders("GEAR")
    assert not old.operations.get().checks.exists()
    frozen = list(new.operations.get().checks.order_by("position"))
    assert [(row.name, row.upper, row.is_required) for row in frozen] == [
        ("Bore", Decimal("10.05"), True),
        ("Cool the bore first", None, True),
    ]
    reason = f"{found.number}: Bore too wide"
    assert {row.reason for row in frozen} == {reason}
    # Who makes it reads why at the terminal; at the order from before there is nothing to say.
    terminal = f"/floor/terminal/?unit={plant.units[0].code}&job="
    operator = client_for("operator")
    shown, before = (
        operator.get(f"{terminal}{order.operations.get().pk}").content.decode()
        for order in (new, old)
    )
    assert shown.count(reason) == 2
    assert "Cool the bore first" in shown
    assert reason not in before


def test_a_machine_is_kept_free_for_its_maintenance(quality, found):
    action = quality.plan(found, change=ChangeKind.MAINTENANCE)
    unit = quality.plant.units[0]
    order = improvements.maintain(
        action=action,
        work_unit_id=unit.pk,
        starts_at=NOW + DAY,
        ends_at=NOW + DAY + timedelta(hours=4),
        by=quality.anna,
        now=NOW,
    )
    assert order.task == f"{found.number}: {found.problem}"
    closed = UnitException.objects.get()
    assert (closed.work_unit, closed.is_working) == (unit, False)
    assert closed.reason == f"{order.number}: {action.title}"


def test_a_supplier_is_asked_answers_and_is_asked_again(quality, found):
    UserFactory(username="petra", roles=["purchasing"])
    action = quality.plan(found, change=ChangeKind.SUPPLIER)
    who = {"by": quality.anna, "now": NOW}
    asked = supplier_requests.ask(
        action=action,
        supplier=SupplierFactory(code="FOUNDRY"),
        text="Why are there pores?",
        answer_due_on=(NOW + 10 * DAY).date(),
        **who,
    )
    assert Notification.objects.filter(user__username="petra").count() == 1
    with pytest.raises(supplier_requests.CannotAct, match="no answer"):
        supplier_requests.accept(request=asked, is_enough=True, **who)
    with pytest.raises(supplier_requests.CannotAct, match="what the supplier answered"):
        supplier_requests.answer(request=asked, text=" ", **who)
    supplier_requests.answer(request=asked, text="Wet moulds", **who)
    supplier_requests.accept(request=asked, is_enough=False, **who)
    # A day after it was due, once a day.
    late = NOW + 12 * DAY
    assert quality_reminders.remind(now=late) == 2  # The action as well.
    assert quality_reminders.remind(now=late) == 0
    assert Notification.objects.filter(user__username="petra").count() == 2
    supplier_requests.answer(request=asked, text="Wet moulds; dried now", **who)
    assert supplier_requests.accept(request=asked, is_enough=True, **who).state == "accepted"
    action.refresh_from_db()
    assert action.changed == f"{asked.number} FOUNDRY"


def test_a_line_of_the_fmea_follows_the_complaints(quality, found):
    action = quality.plan(found, change=ChangeKind.FMEA)
    who = {"by": quality.anna, "now": NOW}
    rating = improvements.Rating("Pores", severity=8, occurrence=2, detection=6)
    with pytest.raises(improvements.CannotAct, match="from 1 to 10"):
        improvements.rate(action=action, rating=improvements.Rating("Pores", 8, 2, 11), **who)
    row = improvements.rate(action=action, rating=rating, **who)
    assert row.risk == 96
    with pytest.raises(quality_actions.CannotAct, match="Nothing was delivered"):
        effects.rate_by_data(row=row, **who)
    built(quality, 50, 2, days_ago=120)
    rated = effects.rate_by_data(row=row, **who)
    assert (rated.occurrence, rated.occurrence_bad, rated.occurrence_total) == (8, 2, 50)
    # Two of customers and one of ours: too few to say how hidden it is.
    assert (rated.detection, rated.found_outside, rated.found_inside) == (6, 2, 1)
    for source in ("floor", "inspection", "floor", "incoming", "floor", "ticket"):
        NonconformanceFactory(
            item=quality.item, site=quality.site, source=source, symptom="LEAK", opened_at=NOW
        )
    rated = effects.rate_by_data(row=row, **who)
    # A quarter escaped.
    assert (rated.detection, rated.found_outside, rated.found_inside) == (4, 2, 6)
    assert [line.pk for line in selectors.fmea_rows(text="pore")] == [row.pk]


def test_who_did_it_does_not_verify_it_and_what_did_not_help_is_planned_again(quality, found):
    action = quality.plan(found)
    other = UserFactory(username="carl", roles=["operator"])
    with pytest.raises(quality_actions.CannotAct, match="Only its owner"):
        quality_actions.finish(action=action, result="Done", by=other, now=NOW)
    with pytest.raises(quality_actions.CannotAct, match="Say what was done"):
        quality_actions.finish(action=action, result=" ", by=quality.anna, now=NOW)
    with pytest.raises(quality_actions.CannotAct, match="not done yet"):
        quality_actions.verify(action=action, has_helped=True, reason="", by=quality.ben, now=NOW)
    action = quality_actions.finish(action=action, result="Done", by=quality.anna, now=NOW)
    with pytest.raises(quality_actions.CannotAct, match="Another person"):
        quality_actions.verify(action=action, has_helped=True, reason="", by=quality.anna, now=NOW)
    again = quality_actions.verify(
        action=action, has_helped=False, reason="Still wet", by=quality.ben, now=NOW
    )
    assert (again.state, again.done_by) == ("planned", None)
    with pytest.raises(quality_actions.CannotAct, match="over already"):
        quality_actions.postpone(
            action=again, due_on=(NOW - DAY).date(), reason="x", by=quality.anna, now=NOW
        )
    later = (NOW + 30 * DAY).date()
    quality_actions.postpone(
        action=again, due_on=later, reason="The oven comes then", by=quality.anna, now=NOW
    )
    assert QualityAction.objects.get().due_on == later


def test_reminders_reach_the_owner_and_quality_once_a_day(quality, found):
    quality.analysed(found)
    quality.plan(found)
    Notification.objects.all().delete()
    assert quality_reminders.remind(now=NOW) == 0
    late = NOW + 20 * DAY
    assert quality_reminders.remind(now=late) == 2  # The action, and D5.
    assert quality_reminders.remind(now=late + timedelta(hours=1)) == 0
    assert quality_reminders.remind(now=late + DAY) == 2
    said = {row.user.username for row in Notification.objects.all()}
    assert said == {"anna", "ben"}


def test_the_owner_is_reminded_once_before_the_day_and_again_when_it_is_over(quality, found):
    quality.plan(found)  # For the fifth day.
    Notification.objects.all().delete()
    soon = NOW + 2 * DAY
    assert quality_reminders.remind(now=soon - DAY) == 0
    assert quality_reminders.remind(now=soon) == 1
    for later in (soon + timedelta(hours=1), soon + DAY, soon + 3 * DAY):
        assert quality_reminders.remind(now=later) == 0
    (said,) = Notification.objects.all()
    assert (said.user, said.kind) == (quality.anna, "mes.action_due_soon")
    assert quality_reminders.remind(now=soon + 4 * DAY) == 1
    assert Notification.objects.filter(kind="mes.quality_overdue").count() == 2  # Quality as well.


def test_a_new_day_is_reminded_of_anew_and_a_near_one_was_just_told(quality, found):
    plan = quality_actions.Plan(ActionKind.CORRECTIVE, "Dry", quality.anna, (NOW + DAY).date())
    near = quality_actions.plan(nonconformance=found, new=plan, by=quality.ben, now=NOW)
    assert quality_reminders.remind(now=NOW) == 0
    quality_actions.postpone(
        action=near, due_on=(NOW + 9 * DAY).date(), reason="Oven", by=quality.anna, now=NOW
    )
    assert quality_reminders.remind(now=NOW + DAY) == 0
    assert quality_reminders.remind(now=NOW + 7 * DAY) == 1


def test_the_customer_reads_what_was_written_for_them_and_nothing_else(quality, found):
    made = quality.analysed(found)
    assert selectors.customer_part("PO-1") is None
    with pytest.raises(eight_d.CannotComplete, match="what the customer may read"):
        eight_d.share(eight_d=made, is_shared=True, by=quality.anna, now=NOW)
    texts = {"customer_problem": "Pores", "customer_containment": "All stock is sorted"}
    eight_d.write(eight_d=made, values=texts, by=quality.anna, now=NOW)
    assert selectors.customer_part("PO-1") is None
    eight_d.share(eight_d=made, is_shared=True, by=quality.anna, now=NOW)
    part = selectors.customer_part("PO-1")
    assert part is not None
    assert (part.problem, part.containment, part.cause) == ("Pores", "All stock is sorted", "")
    assert [step.done_at is not None for step in part.steps] == [True] * 5 + [False] * 4
    inside = ("anna", "Wet mould", "Gas in the melt", "Incoming inspection", "Stopped the line")
    assert not any(word in str(part) for word in inside)
    assert selectors.customer_part("AS-9") is None
    eight_d.share(eight_d=made, is_shared=False, by=quality.anna, now=NOW)
    assert selectors.customer_part("PO-1") is None


def test_only_fields_that_are_written_can_be_written(quality, found):
    made = eight_d.begin(nonconformance=found, leader=quality.anna, by=quality.anna, now=NOW)
    with pytest.raises(KeyError):
        eight_d.write(eight_d=made, values={"shared_at": NOW}, by=quality.anna, now=NOW)
    whys = [Because("a"), Because(" "), Because("b", "Lot HEAT-7")]
    eight_d.explain(eight_d=made, chain=Chain.ESCAPE, whys=whys, by=quality.anna, now=NOW)
    rows = [(why.position, why.because, why.evidence) for why in made.whys.all()]
    assert rows == [(1, "a", ""), (2, "b", "Lot HEAT-7")]
