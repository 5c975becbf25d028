"""Lots and serial units: numbers for life, states by the table, holds that stack."""

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.transitions import IllegalTransition
from tests.masterdata.factories import ItemFactory, SupplierFactory
from tests.traceability.factories import MADE_AT, LotFactory, SerialUnitFactory
from traceability import selectors
from traceability.enums import FIRST_UNIT_ID, IdentityState
from traceability.models import Hold, Lot, SerialUnit
from traceability.services import identities
from traceability.services.identities import CannotHold, CannotRegister, NewLot, Origin

pytestmark = pytest.mark.django_db


def refused(name, act):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        act()


def test_each_constraint_holds():
    lot, unit = LotFactory(number="AB-1"), SerialUnitFactory(number="sn 7")
    refused("traceability_lot_once_per_item", lambda: LotFactory(item=lot.item, number="a b1"))
    refused(
        "traceability_serialunit_once_per_item",
        lambda: SerialUnitFactory(item=unit.item, number="SN/7"),
    )
    refused("traceability_lot_has_a_number", lambda: LotFactory(number="--"))
    refused("traceability_serialunit_has_a_number", lambda: SerialUnitFactory(number="…"))
    refused("traceability_lot_id_tells_the_kind", lambda: LotFactory(id=2**40))
    refused("traceability_serialunit_id_tells_the_kind", lambda: SerialUnitFactory(id=5))
    holds = Hold.objects
    refused(
        "traceability_hold_lies_on_one_thing",
        lambda: holds.create(lot=lot, unit=unit, reason="x", placed_at=MADE_AT),
    )
    refused(
        "traceability_hold_release_has_a_reason",
        lambda: holds.create(lot=lot, reason="x", placed_at=MADE_AT, released_at=MADE_AT),
    )
    # The same number of another item is another thing.
    assert LotFactory(number="AB-1").item_id != lot.item_id


def test_the_id_tells_a_lot_from_a_unit():
    assert LotFactory().pk < 2**40
    assert SerialUnitFactory().pk >= FIRST_UNIT_ID


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20))
def test_a_number_is_compared_as_the_database_compares_it(text):
    if not selectors.normalised(text):
        return
    lot = LotFactory(number=text)
    lot.refresh_from_db()
    assert lot.number_norm == selectors.normalised(text)


def test_a_serial_number_is_never_given_twice():
    item = ItemFactory()
    ids = identities.register_units(item_id=item.pk, numbers=["A-2", "A-1"], now=MADE_AT)
    numbers = SerialUnit.objects.in_bulk(ids)
    assert [numbers[pk].number for pk in ids] == ["A-2", "A-1"]
    with pytest.raises(CannotRegister, match=r"a 1 was given before"):
        identities.register_units(item_id=item.pk, numbers=["A-3", "a 1"], now=MADE_AT)
    with pytest.raises(CannotRegister, match="there twice"):
        identities.register_units(item_id=item.pk, numbers=["B-1", "b1"], now=MADE_AT)
    with pytest.raises(CannotRegister, match="is no number"):
        identities.register_units(item_id=item.pk, numbers=["-"], now=MADE_AT)


def test_more_of_a_lot_may_come_but_not_from_elsewhere():
    item, supplier = ItemFactory(), SupplierFactory()
    origin = Origin(supplier_id=supplier.pk, supplier_lot="H-77")
    first = identities.register_lot(
        item_id=item.pk, new=NewLot("RM-1", origin), now=MADE_AT, keeps_until=MADE_AT.date()
    )
    again = identities.register_lot(item_id=item.pk, new=NewLot("rm 1", origin), now=MADE_AT)
    assert (again.pk, again.expires_on) == (first.pk, MADE_AT.date())
    other = Origin(supplier_id=supplier.pk, supplier_lot="H-78")
    with pytest.raises(CannotRegister, match="another supplier lot"):
        identities.register_lot(item_id=item.pk, new=NewLot("RM-1", other), now=MADE_AT)
    assert identities.register_lot(item_id=item.pk, new=NewLot(), now=MADE_AT).number[:4] == "LOT-"


def test_holds_stack_and_all_have_to_be_lifted():
    lot = LotFactory(state=IdentityState.AVAILABLE)
    holds = [
        identities.hold(lot_ids=[lot.pk], reason=reason, by=None, now=MADE_AT)[0]
        for reason in ("crack", "certificate")
    ]
    done = {"lying": {lot.pk}, "reason": "tested", "by": None, "now": MADE_AT}
    assert identities.release(hold_ids=[holds[0]], **done) == ([], [])
    assert Lot.objects.get().state == IdentityState.ON_HOLD
    with pytest.raises(CannotHold, match="lifted already"):
        identities.release(hold_ids=[holds[0]], **done)
    with pytest.raises(CannotHold, match="Say why"):
        identities.release(hold_ids=[holds[1]], **done | {"reason": " "})
    assert identities.release(hold_ids=[holds[1]], **done) == ([lot.pk], [])
    assert Lot.objects.get().state == IdentityState.AVAILABLE
    assert [row.reason for row in selectors.holds_of(lot_id=lot.pk)] == ["certificate", "crack"]


def test_what_has_left_is_not_held_and_what_is_held_does_not_leave():
    gone = SerialUnitFactory(state=IdentityState.SHIPPED)
    with pytest.raises(CannotHold, match="not here any more"):
        identities.hold(unit_ids=[gone.pk], reason="crack", by=None, now=MADE_AT)
    held = SerialUnitFactory(state=IdentityState.ON_HOLD)
    with pytest.raises(IllegalTransition):
        identities.move(state=IdentityState.CONSUMED, unit_ids=[held.pk])
