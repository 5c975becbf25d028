"""What a cause reached over lots, kits, units, and lots in which units were built."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.masterdata.factories import SiteFactory
from tests.traceability.factories import MADE_AT, LotFactory, SerialUnitFactory
from tests.traceability.test_lives import Life
from traceability import selectors
from traceability.enums import Certainty, EventKind, IdentityState, LinkEndWhy, LinkRole
from traceability.models import SerialUnit
from traceability.selectors import Start
from traceability.services import genealogy
from traceability.services.genealogy import Built, Fact, Loaded

pytestmark = pytest.mark.django_db

ONE = Decimal(1)


@pytest.fixture
def fact() -> Fact:
    return Fact(kind=EventKind.BUILD, at=MADE_AT, site_id=SiteFactory().pk, reference="WO-1")


def loaded(*lots, certainty=Certainty.EXACT) -> list[Loaded]:
    return [Loaded(lot.pk, ONE, certainty) for lot in lots]


def test_a_unit_built_into_a_lot_reaches_what_is_made_from_that_lot(fact) -> None:
    """The walk of kits stops at units; what they went into begins anew, as sure as they are."""
    resin, other = LotFactory(), LotFactory()
    cell, doubtful, end = SerialUnitFactory.create_batch(3)
    pack = LotFactory()
    genealogy.build(fact=fact, outputs=[Built(cell.pk)], loaded=loaded(resin))
    genealogy.build(
        fact=fact,
        outputs=[Built(doubtful.pk)],
        loaded=loaded(resin, other, certainty=Certainty.ONE_OF),
    )
    genealogy.build(fact=fact, outputs=[Built(pack.pk, Decimal(5), parts=[cell.pk, doubtful.pk])])
    genealogy.build(fact=fact, outputs=[Built(end.pk)], loaded=loaded(pack))
    assert selectors.units_of_lots([resin.pk]) == {cell.pk: True, doubtful.pk: False, end.pk: True}
    assert selectors.units_of_lots([other.pk]) == {doubtful.pk: False, end.pk: False}
    assert sum(g.units for g in selectors.groups_of_lots([resin.pk])) == 3
    # A suspected unit goes the same way.
    start = selectors.whole(Start.of([cell.pk]))
    assert selectors.units_reached(start) == {cell.pk: True, end.pk: True}
    assert selectors.units_by_plain_walk([resin.pk]) == selectors.units_of_lots([resin.pk])


def test_the_rows_are_those_that_were_counted_the_sure_ones_first() -> None:
    life = Life()
    start = Start.of([life.steel.pk])
    everywhere = list(IdentityState)
    rows = list(selectors.rows_reached(start, states=everywhere))
    assert [row.pk for row in rows] == [pump.pk for pump in life.pumps[:3]]
    assert [row.is_confirmed for row in rows] == [True, True, False]
    assert [
        row.pk for row in selectors.rows_reached(start, states=everywhere, limit=1, offset=1)
    ] == [life.pumps[1].pk]
    assert list(selectors.rows_reached(start, states=[IdentityState.SCRAPPED])) == []
    SerialUnit.objects.filter(pk=life.pumps[0].pk).update(state=IdentityState.SCRAPPED)
    [row] = selectors.rows_reached(start, states=[IdentityState.SCRAPPED])
    assert (row.number, row.document_id) == (life.pumps[0].number, life.documents[0].pk)


def test_lots_are_reached_with_their_certainty() -> None:
    life = Life()
    rest = LotFactory()
    genealogy.split(fact=life.fact(), source=life.shafts[0].pk, parts={rest.pk: ONE})
    doubtful = LotFactory()
    life.build([Built(doubtful.pk, ONE)], [life.steel, life.sound], certainty=Certainty.ONE_OF)
    assert selectors.lots_reached(Start.of([life.steel.pk])) == {
        life.steel.pk: True,
        life.shafts[0].pk: True,
        rest.pk: True,
        doubtful.pk: False,
    }


def test_a_plain_walk_finds_the_same_and_heeds_what_was_taken_out() -> None:
    life = Life()
    for lot in (life.steel, life.sound, *life.shafts):
        assert selectors.units_by_plain_walk([lot.pk]) == selectors.units_of_lots([lot.pk])
    genealogy.take_apart(fact=life.fact(), unit=life.pumps[0].pk, parts=[life.motors[0].pk])
    coil = LotFactory()
    life.build([Built(life.motors[0].pk)], [coil])
    assert selectors.units_by_plain_walk([coil.pk]) == {life.motors[0].pk: True}


def test_kits_give_way_to_the_lots_in_them() -> None:
    life = Life()
    pump, motor = life.pumps[2], life.motors[2]
    parts = selectors.parts_of(selectors.steps_over(pump.pk))
    own = [part for part in parts if part.child == pump.pk]
    assert {(part.parent, part.is_exact) for part in own} == {
        (motor.pk, True),
        (life.shafts[0].pk, False),
        (life.shafts[1].pk, False),
    }
    # Two levels: the shafts' steel too, and no kit anywhere.
    near = selectors.within(pump.pk, parts, levels=2)
    assert {part.parent for part in near} == {
        motor.pk,
        *(lot.pk for lot in (*life.shafts, life.steel, life.sound)),
    }
    assert len(selectors.within(pump.pk, parts, levels=1)) == 3
    # A kit's line is per piece: five pieces took five.
    lot = LotFactory()
    life.build([Built(lot.pk, Decimal(5))], [life.steel])
    [part] = selectors.parts_of(selectors.steps_over(lot.pk))
    assert part.quantity == 5


def test_what_was_put_in_and_taken_out_is_told_with_its_part() -> None:
    life = Life()
    pump, old, new = life.pumps[0], life.motors[0], SerialUnitFactory()
    fact = replace(life.fact(EventKind.REPLACEMENT), reference="AS-1")
    event = genealogy.replace_part(fact=fact, unit=pump.pk, removed=old.pk, installed=new.pk)
    parts = {
        part.parent: part
        for part in selectors.parts_of(selectors.steps_over(pump.pk))
        if part.child == pump.pk
    }
    assert (parts[old.pk].ended_by, parts[old.pk].why) == (event, LinkEndWhy.REMOVED)
    assert (parts[old.pk].is_as_built, parts[old.pk].holds) == (True, False)
    assert parts[new.pk].role == LinkRole.INSTALL
    assert (parts[new.pk].is_as_built, parts[new.pk].holds) == (False, True)
    into = selectors.hosts_over_time(old.pk)
    assert [(step.child, step.ended_by) for step in into] == [(pump.pk, event)]


def test_users_of_a_thing_are_found_over_kits_and_capped() -> None:
    life = Life()
    found = selectors.users_of([life.shafts[0].pk], most=10)
    assert [(user, is_exact) for _node, user, is_exact, _event in found] == [
        (life.pumps[0].pk, True),
        (life.pumps[1].pk, True),
        (life.pumps[2].pk, False),
    ]
    assert len(selectors.users_of([life.shafts[0].pk], most=2)) == 2
    [motor] = selectors.users_of([life.motors[0].pk], most=5)
    assert motor[:3] == (life.motors[0].pk, life.pumps[0].pk, True)
    # Out of it: no user any more.
    genealogy.take_apart(fact=life.fact(), unit=life.pumps[0].pk, parts=[life.motors[0].pk])
    assert selectors.users_of([life.motors[0].pk], most=5) == []
