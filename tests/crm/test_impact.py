"""Three lists whose sums are the distinct units; hold all that can be stopped; drills."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import openpyxl  # type: ignore[import-untyped]
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.models import AuditEntry
from crm.enums_trace import WHEREABOUTS, Whereabouts
from crm.models import Containment, DrillResult
from crm.services import containments, drills
from crm.services.containments import CannotContain
from crm.services.drills import CannotDrill
from crm.trace import causes, files, impact
from erp.models import StockMove
from erp.services.holds import CannotHold
from tests.factories import UserFactory
from tests.masterdata.factories import CustomerFactory, SiteFactory
from tests.parallel import at_once, errors
from tests.shared import shared
from tests.traceability.factories import MADE_AT, LotFactory
from tests.traceability.test_genealogy import Factory, steps
from tests.traceability.test_lives import Life
from traceability import selectors as ledger
from traceability.enums import DocumentKind, EventKind, IdentityState
from traceability.models import Document, Hold, Lot, SerialUnit
from traceability.selectors import Cause, Start
from traceability.services import genealogy
from traceability.services.genealogy import Fact
from traceability.services.ledger import Handover

pytestmark = pytest.mark.django_db

NOW = MADE_AT + timedelta(days=20)


@shared()
def life() -> Life:
    return Life()


def test_every_state_is_in_one_list() -> None:
    assert set(WHEREABOUTS) == set(IdentityState)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps, states=st.lists(st.sampled_from(list(IdentityState)), min_size=1, max_size=7))
def test_the_lists_sum_to_the_distinct_units_whatever_happened(steps, states) -> None:
    with transaction.atomic():
        fact = Fact(kind=EventKind.BUILD, at=MADE_AT, site_id=SiteFactory().pk, reference="WO-1")
        factory = Factory(fact)
        for what, picks, doubt in steps:
            factory.play(what, picks, doubt)
        papers = [
            Document.objects.create(
                kind=DocumentKind.SHIPMENT, number=f"P-{n}", customer=customer, at=MADE_AT
            )
            for n, customer in enumerate((CustomerFactory(), None))
        ]
        for n, pk in enumerate(factory.units):
            paper = papers[n % 2] if n % 3 else None
            state = states[n % len(states)]
            SerialUnit.objects.filter(pk=pk).update(state=state, document=paper)
        for thing in [*factory.lots, *factory.units]:
            _check_sums(Start.of([thing]), factory)
        _check_sums(Start.of([*factory.lots, *factory.units[:2]]), factory)
        transaction.set_rollback(True)


def _check_sums(start: Start, factory: Factory) -> None:
    reached = ledger.units_reached(start)
    book = set().union(*(factory.book.below(pk, sure=False) for pk in start.lots), start.units)
    for unit in start.units:
        book |= factory.book.below(unit, sure=False)
    assert set(reached) == book & set(factory.units)
    found = impact.summary(start)
    assert found.total.total == len(reached)
    assert found.total.confirmed == sum(reached.values())
    listed: list[int] = []
    for where in Whereabouts:
        assert found.row_sum(where) == found.by_list[where]
        rows = impact.unit_rows(start, where)
        assert len(rows) == found.by_list[where].total
        listed += [row.unit.pk for row in rows]
    assert len(listed) == len(set(listed)) == found.total.total
    assert sum((found.by_list[where] for where in Whereabouts), impact.Count()) == found.total


def test_the_lists_say_who_has_them_and_lots_what_lies_here(life) -> None:
    genealogy.hand_over(
        fact=life.fact(EventKind.SHIPMENT),
        handovers=[Handover(life.shafts[0].pk, life.documents[0].pk, Decimal(4))],
    )
    found = impact.summary(Start.of([life.steel.pk]))
    assert (found.total, found.customers) == (impact.Count(2, 1), 2)
    rows = found.rows[Whereabouts.SHIPPED]
    assert [(row.customer, row.count) for row in rows] == [
        (life.documents[0].customer, impact.Count(1, 1)),
        (life.documents[1].customer, impact.Count(1, 0)),
    ]
    lots = {row.lot.pk: row for row in impact.lot_rows(Start.of([life.steel.pk]))}
    assert set(lots) == {life.steel.pk, life.shafts[0].pk}
    assert lots[life.steel.pk].is_suspect
    shaft = lots[life.shafts[0].pk]
    assert (shaft.shipped, shaft.customers) == (4, (life.documents[0].customer.label,))
    assert (shaft.is_suspect, shaft.is_confirmed, shaft.is_stoppable) == (False, True, True)


def test_everything_stoppable_is_held_once_and_lifted_together(life) -> None:
    quality = UserFactory(roles=["quality"])
    start = Start.of([life.sound.pk])
    other = Hold.objects.count()
    with pytest.raises(CannotHold, match="Say why"):
        containments.contain(start=start, title="Lot", reason=" ", by=quality, now=NOW)
    assert Containment.objects.count() == 0
    row = containments.contain(start=start, title="Lot", reason="cracks", by=quality, now=NOW)
    # The third pump has left, the last one not; both lots lie here.
    assert Hold.objects.count() - other == len(row.hold_ids) == 3
    assert row.counts == {"shipped": [0, 1], "stoppable": [1, 0], "gone": [0, 0]}
    assert SerialUnit.objects.get(pk=life.pumps[3].pk).state == IdentityState.ON_HOLD
    assert SerialUnit.objects.get(pk=life.pumps[2].pk).state == IdentityState.SHIPPED
    assert set(Lot.objects.filter(state=IdentityState.ON_HOLD)) == {life.sound, life.shafts[1]}
    with pytest.raises(CannotContain, match="on hold already"):
        containments.contain(start=start, title="Lot", reason="again", by=quality, now=NOW)
    assert containments.open_of(start) == [row]
    # Somebody else's hold stays.
    again = containments.contain(
        start=Start.of([life.shafts[1].pk]), title="Shaft", reason="rust", by=quality, now=NOW
    )
    with pytest.raises(CannotHold, match="Say why"):
        containments.release(containment=row, reason="", by=quality, now=NOW)
    containments.release(containment=row, reason="inspected", by=quality, now=NOW)
    assert Lot.objects.get(pk=life.sound.pk).state != IdentityState.ON_HOLD
    assert SerialUnit.objects.get(pk=life.pumps[3].pk).state == IdentityState.ON_HOLD
    with pytest.raises(CannotContain, match="lifted already"):
        containments.release(containment=row, reason="twice", by=quality, now=NOW)
    containments.release(containment=again, reason="inspected", by=quality, now=NOW)
    assert SerialUnit.objects.get(pk=life.pumps[3].pk).state == IdentityState.IN_PROCESS
    actions = AuditEntry.objects.filter(target_type="crm.containment").values_list("action")
    assert {action for (action,) in actions} == {
        "crm.containment.place",
        "crm.containment.release",
    }


def test_where_all_has_left_there_is_nothing_to_hold(life) -> None:
    SerialUnit.objects.update(state=IdentityState.SHIPPED)
    Lot.objects.update(state=IdentityState.CONSUMED)
    with pytest.raises(CannotContain, match="all of it has left"):
        containments.contain(
            start=Start.of([life.steel.pk]), title="Lot", reason="cracks", by=None, now=NOW
        )


def test_a_lift_passes_over_holds_that_somebody_lifted_before(life) -> None:
    from erp.services import holds

    row = containments.contain(
        start=Start.of([life.sound.pk]), title="Lot", reason="cracks", by=None, now=NOW
    )
    holds.release(hold_ids=row.hold_ids[:1], reason="by hand", by=None, now=NOW)
    containments.release(containment=row, reason="inspected", by=None, now=NOW)
    assert not Hold.objects.filter(released_at__isnull=True).exists()


def test_a_machine_in_a_window_reaches_what_went_over_it_and_around_it(life) -> None:
    cause = Cause(MADE_AT, MADE_AT + timedelta(days=1), work_unit_id=life.machine.pk)
    suspect = causes.of_cause(cause, query={}, may_see_operators=False)
    assert life.machine.code in suspect.title
    assert suspect.touched == 2
    assert set(ledger.units_reached(suspect.start)) == {life.pumps[0].pk, life.pumps[1].pk}
    person = Cause(MADE_AT, MADE_AT + timedelta(days=1), operator_id=life.person.pk)
    hidden = causes.of_cause(person, query={}, may_see_operators=False)
    shown = causes.of_cause(person, query={}, may_see_operators=True)
    assert str(life.person) not in hidden.title
    assert str(life.person) in shown.title


def test_files_have_a_line_per_unit_and_lot_and_disarm_formulas(life) -> None:
    SerialUnit.objects.filter(pk=life.pumps[0].pk).update(number="=1+1")
    start = Start.of([life.steel.pk])
    lines = list(csv.reader(io.StringIO(files.as_csv(start).decode("utf-8-sig"))))
    assert lines[0] == files.head()
    assert [line[2] for line in lines[1:]] == [
        "'=1+1",
        life.pumps[1].number,
        life.pumps[2].number,
        life.steel.number,
        life.shafts[0].number,
    ]
    assert [line[5] for line in lines[1:4]] == ["confirmed", "confirmed", "possible"]
    assert lines[1][6] == life.documents[0].customer.label
    book = openpyxl.load_workbook(io.BytesIO(files.as_xlsx(start)))
    assert [
        [cell or "" for cell in row] for row in book.active.iter_rows(values_only=True)
    ] == lines


# Drills.


def test_a_drill_lists_compares_signs_and_touches_nothing(life) -> None:
    person = UserFactory(roles=["quality"])
    before = (StockMove.objects.count(), Hold.objects.count(), ledger_state())
    drill = drills.start(lot_id=life.steel.pk, by=person, now=NOW)
    done = drills.finish(
        drill=drill, remark="monthly", by=person, now=NOW + timedelta(minutes=3, seconds=5)
    )
    assert (done.clock, done.share, done.is_complete) == ("3:05", "100 %", True)
    assert (done.lists["listed"], done.lists["walked"], done.lists["customers"]) == (3, 3, 2)
    assert done.lists["counts"] == {"shipped": [2, 1], "stoppable": [0, 0], "gone": [0, 0]}
    assert (StockMove.objects.count(), Hold.objects.count(), ledger_state()) == before
    stored = DrillResult.objects.select_related("drill").get()
    assert drills.is_as_signed(stored)
    with pytest.raises(CannotDrill, match="finished"):
        drills.finish(drill=drill, remark="", by=UserFactory(), now=NOW + timedelta(hours=1))
    assert DrillResult.objects.get().remark == "monthly"
    with pytest.raises(CannotDrill, match="no such lot"):
        drills.start(lot_id=999_999, by=person, now=NOW)


def ledger_state() -> list[tuple[int, str]]:
    return sorted(SerialUnit.objects.values_list("pk", "state"))


def test_a_drill_finds_what_the_list_misses(life, monkeypatch) -> None:
    """The control: a list that lacks a unit, has one too much or is too sure is no complete one."""
    real = ledger.units_reached(Start.of([life.steel.pk]))
    wrong = dict.fromkeys(list(real)[1:], True) | {life.pumps[3].pk: True}
    monkeypatch.setattr(ledger, "units_reached", lambda start: wrong)
    drill = drills.start(lot_id=life.steel.pk, by=UserFactory(), now=NOW)
    done = drills.finish(drill=drill, remark="", by=UserFactory(), now=NOW)
    assert (done.lists["missing"], done.lists["extra"]) == (1, 1)
    assert done.share == "66.66 %"
    assert not done.is_complete


def test_a_result_that_was_altered_does_not_fit_its_signature(life) -> None:
    drill = drills.start(lot_id=LotFactory().pk, by=UserFactory(), now=NOW)
    done = drills.finish(drill=drill, remark="", by=UserFactory(), now=NOW)
    assert drills.is_as_signed(done)
    done.lists = {**done.lists, "missing": 7}
    assert not drills.is_as_signed(done)
    done.signature = "nonsense"
    assert not drills.is_as_signed(done)


def test_a_start_keeps_which_lots_are_surely_bad() -> None:
    start = Start({3: True, 2: False}, frozenset({9, 8}))
    cause = containments.cause_of(start)
    assert cause == {"lots": {"2": False, "3": True}, "units": [8, 9]}
    assert replace(start, units=frozenset()) != start


def test_a_number_with_control_characters_breaks_no_workbook(life) -> None:
    SerialUnit.objects.filter(pk=life.pumps[3].pk).update(number="=\x01P-4")
    rows = openpyxl.load_workbook(
        io.BytesIO(files.as_xlsx(Start.of([life.sound.pk])))
    ).active.iter_rows(values_only=True)
    assert "'=P-4" in {row[2] for row in rows}


@pytest.mark.django_db(transaction=True)
def test_two_who_hold_the_same_at_once_hold_it_once() -> None:
    start = Start.of([Life().sound.pk])

    def contain() -> Containment:
        return containments.contain(start=start, title="Lot", reason="cracks", by=None, now=NOW)

    came = at_once(contain, contain)
    [refused] = errors(came)
    assert isinstance(refused, CannotContain)
    assert Containment.objects.count() == 1
