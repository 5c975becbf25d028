"""Nonconforming goods: contained, disposed of in parts that sum, and closed by another person."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers

from common.models import Notification
from erp.enums import MoveKind
from erp.services import stock
from masterdata.enums import Tracking
from mes import quality_forms, selectors
from mes.api import nonconformances as nonconformance_api
from mes.enums import DispositionKind, NonconformanceSource, NonconformanceState
from mes.models import Disposition, Nonconformance
from mes.services import containment, dispositions, execution, nonconformances
from mes.services.containment import Found
from mes.services.dispositions import Part
from tests.mes.factories import NOW
from tests.mes.quality import Quality
from tests.shared import shared
from traceability import selectors as traceability

pytestmark = pytest.mark.django_db

K = DispositionKind
D = Decimal


@shared()
def quality() -> Quality:
    return Quality()


def decide(found, quality, *parts, by=None):
    return dispositions.decide(
        nonconformance=found,
        parts=[Part(kind, D(n), lot_id=quality.lot and quality.lot.pk) for kind, n in parts],
        by=by or quality.anna,
        now=NOW,
    )


def execute(row, by, result="Looked at again by Ben: good", now=NOW):
    return dispositions.execute(disposition=row, result=result, by=by, now=now)


def test_what_is_reported_is_held_and_quality_is_told(quality):
    found = quality.report()
    assert found.number.startswith("NC-1")
    assert quality.on_hand() == (10, 10)
    [hold] = traceability.open_holds()
    assert hold.reason == f"{found.number}: Pores in the casting"
    assert {row.user for row in Notification.objects.all()} == {quality.anna, quality.ben}
    # The same again: nothing twice.
    assert quality.report() == found
    assert traceability.open_holds().count() == 1
    nonconformances.link(nonconformance=found, reference="AS-5", by=None, now=NOW)
    assert quality.report(reference="AS-5", things=[]) == found
    with pytest.raises(nonconformances.CannotReport, match="what is wrong"):
        quality.report(problem="  ")


def test_goods_that_turn_out_suspect_later_are_held_and_decided_on_too(quality):
    found = quality.report(quantity=0, things=[])
    add = {"nonconformance": found, "by": quality.anna, "now": NOW}
    assert nonconformances.add_goods(**add, things=[quality.lot.pk]) == 1
    assert nonconformances.add_goods(**add, things=[quality.lot.pk]) == 0
    found.refresh_from_db()
    assert found.quantity == 10
    assert quality.on_hand() == (10, 10)
    # Another item's goods are held, and decided on under another one.
    screws = quality.plant.buy("SCREW", tracking=Tracking.LOT)
    stock.receive(
        item_id=screws.pk,
        site_id=quality.site.pk,
        quantity=D(7),
        kind=MoveKind.RECEIPT,
        reference="PO-2",
        lot_number="S-1",
        by=None,
        now=NOW,
    )
    lot = traceability.lot_of(item_id=screws.pk, number="S-1")
    assert nonconformances.add_goods(**add, things=[lot.pk]) == 1
    found.refresh_from_db()
    assert found.quantity == 10
    assert quality.on_hand(screws) == (7, 7)
    assert found in selectors.still_contained([quality.item.pk])
    Nonconformance.objects.update(state=NonconformanceState.VERIFICATION)
    assert not selectors.still_contained([quality.item.pk])
    with pytest.raises(nonconformances.CannotReport, match="is lifted: report a new one"):
        nonconformances.add_goods(**add, things=[lot.pk])


def test_a_count_is_verified_by_another_person_and_only_where_it_adds_up(quality):
    found = quality.report()
    who = {"by": quality.anna, "now": NOW}
    row = containment.suspect(nonconformance=found, place="Store", quantity=D(10), **who)
    with pytest.raises(containment.CannotContain, match="there already"):
        containment.suspect(nonconformance=found, place="Store ", quantity=D(1), **who)
    with pytest.raises(containment.CannotContain, match="not counted yet"):
        containment.verify(row=row, by=quality.ben, now=NOW)
    row = containment.count(row=row, found=Found(D(6), D(1), D(2)), **who)
    with pytest.raises(containment.CannotContain, match="9 of 10 suspect are accounted for"):
        containment.verify(row=row, by=quality.ben, now=NOW)
    row = containment.count(row=row, found=Found(D(6), D(1), D(2), D(1)), **who)
    with pytest.raises(containment.CannotContain, match="Another person"):
        containment.verify(row=row, by=quality.anna, now=NOW)
    containment.verify(row=row, by=quality.ben, now=NOW)
    found.refresh_from_db()
    assert found.state == NonconformanceState.CONTAINED
    again = containment.count_again(row=row, **who)
    assert again.verified_by is None
    with pytest.raises(containment.CannotContain, match="not verified"):
        containment.count_again(row=row, **who)


def test_parts_sum_to_the_quantity_or_are_not_decided(quality):
    found = quality.report()
    with pytest.raises(dispositions.CannotDispose, match="Contain the goods first"):
        decide(found, quality, (K.SCRAP, 10))
    quality.contain(found)
    for parts in (((K.SCRAP, 9),), ((K.SCRAP, 9), (K.REWORK, 2)), ((K.SCRAP, 11),)):
        with pytest.raises(dispositions.CannotDispose, match="The parts sum to"):
            decide(found, quality, *parts)
    with pytest.raises(dispositions.CannotDispose, match="above zero"):
        decide(found, quality, (K.SCRAP, 10), (K.REWORK, 0))
    nameless = [Part(K.SCRAP, D(10))]
    with pytest.raises(dispositions.CannotDispose, match="of which lot"):
        dispositions.decide(nonconformance=found, parts=nameless, by=quality.anna, now=NOW)
    decide(found, quality, (K.SCRAP, 10))
    # Decided anew: the first decision is gone.
    decide(found, quality, (K.SCRAP, 4), (K.REWORK, 6))
    assert found.dispositions.count() == 2


def test_scrap_return_and_rework_book_the_goods_and_the_rest_is_let_go(quality):
    found = quality.report()
    quality.contain(found)
    scrap, back, rework = decide(found, quality, (K.SCRAP, 3), (K.RETURN, 2), (K.REWORK, 5))
    execute(scrap, quality.anna)
    assert quality.on_hand() == (7, 7)
    execute(back, quality.anna)
    assert quality.on_hand() == (5, 5)
    with pytest.raises(dispositions.CannotDispose, match="who looked at the pieces again"):
        execute(rework, quality.anna, result=" ")
    execute(rework, quality.anna)
    assert quality.on_hand() == (5, 0)
    with pytest.raises(dispositions.CannotDispose, match="done already"):
        execute(rework, quality.anna)
    # All is done: closed by who had no part in it.
    with pytest.raises(nonconformances.CannotCloseNonconformance, match="Another person"):
        nonconformances.close(nonconformance=found, by=quality.anna, now=NOW)
    closed = nonconformances.close(nonconformance=found, by=quality.ben, now=NOW)
    assert (closed.state, closed.closed_by) == (NonconformanceState.CLOSED, quality.ben)
    assert {row.state for row in closed.containment.all()} == {"lifted"}
    with pytest.raises(containment.CannotContain, match="is closed"):
        quality.contain(found)


def test_closing_says_all_that_is_missing(quality):
    found = quality.report()
    with pytest.raises(nonconformances.CannotCloseNonconformance) as refusal:
        nonconformances.close(nonconformance=found, by=quality.ben, now=NOW)
    assert str(refusal.value) == "No containment is counted. 0 of 10 are disposed of."
    quality.contain(found)
    decide(found, quality, (K.SCRAP, 10))
    with pytest.raises(nonconformances.CannotCloseNonconformance, match="not carried out: 1"):
        nonconformances.close(nonconformance=found, by=quality.ben, now=NOW)


def test_use_as_is_needs_a_concession_that_another_person_gives(quality):
    found = quality.report()
    quality.contain(found)
    [row] = decide(found, quality, (K.USE_AS_IS, 10))
    with pytest.raises(dispositions.CannotDispose, match="needs a concession"):
        execute(row, quality.anna)
    asked = {"disposition": row, "reason": "The pores are inside", "by": quality.anna, "now": NOW}
    with pytest.raises(dispositions.CannotConcede, match="over already"):
        dispositions.concede(valid_until=(NOW - timedelta(days=2)).date(), **asked)
    until = (NOW + timedelta(days=3)).date()
    concession = dispositions.concede(valid_until=until, **asked)
    with pytest.raises(dispositions.CannotDispose, match="needs a concession"):
        execute(row, quality.anna)
    answer = {"is_approved": True, "reason": "", "now": NOW}
    with pytest.raises(dispositions.CannotConcede, match="Another person"):
        dispositions.decide_concession(concession=concession, by=quality.anna, **answer)
    dispositions.decide_concession(concession=concession, by=quality.ben, **answer)
    with pytest.raises(dispositions.CannotConcede, match="decided already"):
        dispositions.decide_concession(concession=concession, by=quality.ben, **answer)
    with pytest.raises(dispositions.CannotDispose, match="was valid until"):
        execute(row, quality.anna, now=NOW + timedelta(days=9))
    execute(row, quality.anna)
    assert quality.on_hand() == (10, 0)


def test_what_is_refused_may_be_asked_for_again(quality):
    found = quality.report()
    quality.contain(found)
    [row] = decide(found, quality, (K.REPAIR, 10))
    asked = {"disposition": row, "valid_until": None, "by": quality.anna, "now": NOW}
    first = dispositions.concede(reason="Weld them", **asked)
    dispositions.decide_concession(
        concession=first, is_approved=False, reason="Not that", by=quality.ben, now=NOW
    )
    again = dispositions.concede(reason="Weld and test them", **asked)
    assert (again.state, again.decided_by) == ("requested", None)
    [scrap] = decide(found, quality, (K.SCRAP, 10))
    with pytest.raises(dispositions.CannotConcede, match="Only what is used as is"):
        dispositions.concede(**{**asked, "disposition": scrap}, reason="x")


def test_regraded_goods_are_another_item_made_of_the_old_lot(quality):
    second = quality.plant.buy("CASTING-B", tracking=Tracking.LOT)
    found = quality.report()
    quality.contain(found)
    nameless = Part(K.REGRADE, D(10), lot_id=quality.lot.pk)
    with pytest.raises(dispositions.CannotDispose, match="which item it is"):
        dispositions.decide(nonconformance=found, parts=[nameless], by=quality.anna, now=NOW)
    part = Part(K.REGRADE, D(10), lot_id=quality.lot.pk, regraded_to_id=second.pk)
    [row] = dispositions.decide(nonconformance=found, parts=[part], by=quality.anna, now=NOW)
    execute(row, quality.anna)
    assert quality.on_hand() == (0, 0)
    assert quality.on_hand(second) == (10, 0)
    new = traceability.lot_of(item_id=second.pk, number="HEAT-7")
    assert quality.lot.pk in traceability.above([new.pk])


def test_units_are_disposed_of_by_their_serial_numbers():
    quality = Quality(quantity=4, tracking=Tracking.SERIAL)
    found = quality.report(quantity=4)
    quality.contain(found, suspect=4)
    assert quality.on_hand() == (4, 4)
    few = [Part(K.SCRAP, D(4), unit_ids=quality.units[:3])]
    with pytest.raises(dispositions.CannotDispose, match="a serial number for each piece"):
        dispositions.decide(nonconformance=found, parts=few, by=quality.anna, now=NOW)
    parts = [
        Part(K.SCRAP, D(1), unit_ids=quality.units[:1]),
        Part(K.REWORK, D(3), unit_ids=quality.units[1:]),
    ]
    scrap, rework = dispositions.decide(nonconformance=found, parts=parts, by=quality.anna, now=NOW)
    execute(scrap, quality.anna)
    execute(rework, quality.anna)
    assert quality.on_hand() == (3, 0)
    states = [unit.state for _pk, unit in sorted(traceability.units(quality.units).items())]
    assert states == ["scrapped", "available", "available", "available"]


def test_pieces_in_process_are_scrapped_and_set_aside_where_they_are(quality):
    plant = quality.plant
    gear = plant.make("GEAR")
    plant.plan(plant.need("GEAR", 10))
    operation = plant.orders("GEAR")[0].operations.get()
    execution.start(operation=operation, work_unit_id=plant.units[0].pk, by=quality.anna, now=NOW)
    found = quality.report(
        item_id=gear.pk,
        source=NonconformanceSource.FLOOR,
        reference=operation.work_order.number,
        things=[],
        work_order_ids=[operation.work_order_id],
    )
    quality.contain(found)
    parts = [Part(K.SCRAP, D(2), operation=operation), Part(K.REWORK, D(8), operation=operation)]
    rows = dispositions.decide(nonconformance=found, parts=parts, by=quality.anna, now=NOW)
    with pytest.raises(dispositions.CannotDispose, match="neither regraded nor sent back"):
        dispositions.decide(
            nonconformance=found,
            parts=[Part(K.RETURN, D(10), operation=operation)],
            by=quality.anna,
            now=NOW,
        )
    for row in rows:
        execute(row, quality.anna)
    operation.refresh_from_db()
    assert (operation.scrap, operation.rework) == (2, 8)


def test_what_is_not_there_cannot_be_scrapped(quality):
    found = quality.report(quantity=12)
    quality.contain(found, suspect=12)
    [row] = decide(found, quality, (K.SCRAP, 12))
    with pytest.raises(dispositions.CannotDispose, match="2 of it do not lie in the store"):
        execute(row, quality.anna)
    assert quality.on_hand() == (10, 10)
    assert Disposition.objects.get().state == "decided"


def test_what_is_closed_takes_and_holds_nothing_more(quality):
    """Nobody would lift a hold that a closed one lays."""
    found = quality.report(things=[])
    Nonconformance.objects.update(state=NonconformanceState.CLOSED, closed_at=NOW)
    with pytest.raises(nonconformances.CannotReport, match="closed"):
        nonconformances.add_things(found, [quality.lot.pk], is_held=True, by=quality.anna, now=NOW)
    assert not traceability.open_holds().exists()
    assert quality.report() != found
    assert traceability.open_holds().count() == 1


def test_one_that_is_being_closed_is_looked_up_under_its_lock(quality):
    quality.report(things=[])
    with CaptureQueriesContext(connection) as seen:
        quality.report(things=[])
    [first] = [q["sql"] for q in seen if '"references" @>' in q["sql"]]
    assert "FOR NO KEY UPDATE" in first


def test_many_numbers_are_looked_up_together(quality, django_assert_num_queries):
    for look in (quality_forms.things_of, by_api):
        with django_assert_num_queries(2):
            assert look(quality.item.pk, "heat-7\nHEAT-7") == [quality.lot.pk] * 2
        with pytest.raises(
            (ValidationError, serializers.ValidationError), match="Unknown: H-2, H-3"
        ):
            look(quality.item.pk, "HEAT-7\nH-2\nH-3")


def by_api(item_id, text):
    return nonconformance_api._things(item_id, text.splitlines())
