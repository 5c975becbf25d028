"""A product's life with known answers: as built and as it is, from a cause to who has it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.factories import UserFactory
from tests.masterdata.factories import CustomerFactory, ItemFactory, SiteFactory, WorkUnitFactory
from tests.traceability.factories import MADE_AT, LotFactory, SerialUnitFactory
from traceability import selectors
from traceability.enums import Certainty, DocumentKind, EventKind, IdentityState, Verdict
from traceability.models import Document, Parameter, SerialUnit
from traceability.selectors import Cause
from traceability.services import genealogy
from traceability.services.genealogy import Built, Fact, Loaded, NewReading
from traceability.services.ledger import Handover, NewLink, OldLink

pytestmark = pytest.mark.django_db

ONE = Decimal(1)


class Life:
    """Steel lots into a shaft lot; pumps with a shaft and a numbered motor; shipped to two."""

    def __init__(self) -> None:
        self.site = SiteFactory()
        self.machine, self.other = WorkUnitFactory.create_batch(2)
        self.person = UserFactory()
        self.torque = Parameter.objects.create(code="TORQUE", name="Torque", unit="N·m")
        self.steel, self.sound = LotFactory.create_batch(2)
        self.shafts = [LotFactory(), LotFactory()]
        for shaft, steel in zip(self.shafts, (self.steel, self.sound), strict=True):
            self.build([Built(shaft.pk, Decimal(10))], [steel])
        pump = ItemFactory()
        self.motors = SerialUnitFactory.create_batch(4)
        self.pumps = SerialUnitFactory.create_batch(4, item=pump)
        for n, (unit, motor) in enumerate(zip(self.pumps, self.motors, strict=True)):
            self.assemble(n, unit, motor)
        self.documents = [
            Document.objects.create(
                kind=DocumentKind.SHIPMENT, number=f"SH-{n}", customer=CustomerFactory(), at=MADE_AT
            )
            for n in range(2)
        ]
        for n in range(3):
            genealogy.hand_over(
                fact=self.fact(EventKind.SHIPMENT),
                handovers=[Handover(self.pumps[n].pk, self.documents[n % 2].pk)],
            )
            SerialUnit.objects.filter(pk=self.pumps[n].pk).update(state=IdentityState.SHIPPED)

    def fact(self, kind=EventKind.BUILD, **more) -> Fact:
        return Fact(kind=kind, at=MADE_AT, site_id=self.site.pk, **more)

    def build(self, outputs, lots, certainty=Certainty.EXACT, **more) -> int:
        loaded = [Loaded(lot.pk, ONE, certainty) for lot in lots]
        return genealogy.build(fact=self.fact(**more), outputs=outputs, loaded=loaded)

    def assemble(self, n: int, unit, motor) -> None:
        """The first two have the first shaft lot; the third either; the last the second."""
        lots = [self.shafts[:1], self.shafts[:1], self.shafts, self.shafts[1:]][n]
        certainty = Certainty.ONE_OF if n == 2 else Certainty.EXACT
        genealogy.build(
            fact=self.fact(
                work_unit_id=(self.machine if n < 2 else self.other).pk,
                program="TIGHTEN-7" if n == 0 else "TIGHTEN-6",
            ),
            outputs=[Built(unit.pk, parts=[motor.pk])],
            loaded=[Loaded(lot.pk, ONE, certainty) for lot in lots],
            readings=[
                NewReading(
                    unit.pk,
                    operator_id=self.person.pk,
                    parameter_id=self.torque.pk,
                    value=Decimal("2.9") if n == 1 else Decimal("2.4"),
                    lower=Decimal("2.2"),
                    upper=Decimal("2.6"),
                    verdict=(Verdict.FAIL if n == 1 else Verdict.PASS).value,
                    at=MADE_AT + timedelta(hours=n),
                )
            ],
        )


@pytest.fixture
def life() -> Life:
    return Life()


def test_an_impact_tells_sure_from_possible_and_who_has_it(life):
    reached = selectors.units_of_lots([life.steel.pk])
    assert reached == {
        life.pumps[0].pk: True,
        life.pumps[1].pk: True,
        life.pumps[2].pk: False,
    }
    groups = selectors.groups_of_lots([life.steel.pk])
    assert {(g.document_id, g.is_confirmed, g.units) for g in groups} == {
        (life.documents[0].pk, True, 1),
        (life.documents[1].pk, True, 1),
        (life.documents[0].pk, False, 1),
    }
    # The sound steel is in the last for sure, and perhaps in the third.
    assert selectors.units_of_lots([life.sound.pk]) == {
        life.pumps[2].pk: False,
        life.pumps[3].pk: True,
    }
    # Sure through one of two lots is sure.
    both = selectors.units_of_lots([life.steel.pk, life.shafts[0].pk])
    assert both[life.pumps[0].pk] is True


def test_as_built_and_as_it_is_are_apart(life):
    pump, old, new = life.pumps[0], life.motors[0], SerialUnitFactory()
    coil = LotFactory()
    life.build([Built(new.pk)], [coil])
    genealogy.replace_part(
        fact=life.fact(EventKind.REPLACEMENT, reference="AS-1"),
        unit=pump.pk,
        removed=old.pk,
        installed=new.pk,
    )
    steps = selectors.steps_over(pump.pk)
    built = selectors.reached(pump.pk, [step for step in steps if step.is_as_built])
    now = selectors.reached(pump.pk, [step for step in steps if step.holds])
    assert (old.pk in built, new.pk in built, coil.pk in built) == (True, False, False)
    assert (old.pk in now, new.pk in now, coil.pk in now) == (False, True, True)
    assert {life.steel.pk, life.shafts[0].pk} <= built & now
    # A coil lot reaches the pump that has the part now.
    assert set(selectors.units_of_lots([coil.pk])) == {new.pk, pump.pk}
    assert SerialUnit.objects.get(pk=old.pk).host_id is None


def test_a_wrong_entry_was_never_so_and_stays_readable(life):
    pump = life.pumps[3]
    [wrong] = [key for key in selectors.links_above(pump.pk) if key[1] != life.motors[3].pk]
    [right] = [key for key in selectors.links_above(life.pumps[0].pk) if key[1] < 2**41]
    genealogy.correct(
        fact=life.fact(EventKind.CORRECTION, corrects_id=wrong[2], note="Scanned the wrong box"),
        wrong=[OldLink(*wrong)],
        right=[NewLink(pump.pk, right[1], ONE)],
    )
    steps = selectors.steps_over(pump.pk)
    built = selectors.reached(pump.pk, [step for step in steps if step.is_as_built])
    assert life.steel.pk in built
    assert life.sound.pk not in built
    assert [step.ended_by for step in steps if step.parent == wrong[1]] != [None]
    assert pump.pk in selectors.units_of_lots([life.steel.pk])
    assert pump.pk not in selectors.units_of_lots([life.sound.pk])


def test_from_a_machine_a_person_a_program_or_a_limit_to_the_units(life):
    window = {"since": MADE_AT, "until": MADE_AT + timedelta(days=1)}
    first, second = life.pumps[0].pk, life.pumps[1].pk
    for cause, units in (
        (Cause(**window, work_unit_id=life.machine.pk), {first, second}),
        (Cause(**window, program="TIGHTEN-7"), {first}),
        (Cause(**window, parameter_id=life.torque.pk), {second}),
        (Cause(**window, operator_id=life.person.pk), {pump.pk for pump in life.pumps}),
        (Cause(MADE_AT, MADE_AT + timedelta(hours=1), work_unit_id=life.machine.pk), {first}),
        (Cause(MADE_AT, MADE_AT + timedelta(hours=1), work_unit_id=life.other.pk), set()),
    ):
        assert selectors.touched_by(cause) == units
    groups = selectors.groups_of_things({first, second})
    assert sum(group.units for group in groups) == 2
    # A motor's machine reaches the pump around it.
    assert sum(g.units for g in selectors.groups_of_things({life.motors[0].pk})) == 2
    with pytest.raises(ValueError, match="names a machine"):
        selectors.touched_by(Cause(**window))


def test_what_failed_units_share_comes_first(life):
    failed, good = [pump.pk for pump in life.pumps[:2]], [pump.pk for pump in life.pumps[2:]]
    assert selectors.neighbours(failed, item_id=life.pumps[0].item_id) == good
    shared = selectors.shared_by(failed, good)
    assert (shared[0].kind, shared[0].value) == ("work_unit", str(life.machine.pk))
    assert (shared[0].failed, shared[0].good) == (2, 0)
    rows = {(row.kind, row.value): (row.failed, row.good) for row in shared}
    assert rows["lot", str(life.steel.pk)] == (2, 1)
    assert rows["lot", str(life.shafts[0].pk)] == (2, 1)
    assert rows["out_of_limits", str(life.torque.pk)] == (1, 0)
    assert rows["operator", str(life.person.pk)] == (2, 2)
    assert selectors.neighbours([], item_id=1) == []


def test_a_life_costs_a_constant_number_of_queries(life, django_assert_num_queries):
    with django_assert_num_queries(1):
        steps = selectors.steps_over(life.pumps[0].pk)
    with django_assert_num_queries(1):
        readings = list(selectors.readings_of([life.pumps[0].pk]))
    with django_assert_num_queries(1):
        custodies = list(selectors.custodies_of([life.pumps[0].pk]))
    with django_assert_num_queries(1):
        selectors.events({step.event_id for step in steps})
    assert [reading.value for reading in readings] == [Decimal("2.4")]
    assert [custody.document.number for custody in custodies] == ["SH-0"]


def test_what_is_in_a_unit_is_in_the_lot_that_took_it_and_in_what_was_made_of_that():
    life = Life()
    crate = LotFactory()
    life.build([Built(crate.pk, parts=[life.pumps[0].pk])], [])
    truck = SerialUnitFactory()
    life.build([Built(truck.pk)], [crate])
    assert truck.pk in selectors.units_of_lots([life.steel.pk])
    assert truck.pk not in selectors.units_of_lots([life.sound.pk])
    # It has no host: it is somewhere in the crate.
    assert SerialUnit.objects.get(pk=life.pumps[0].pk).host is None
