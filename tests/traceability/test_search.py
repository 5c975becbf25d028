"""The one box: by number, supplier's lot, document; nothing just so: what is written almost so."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.masterdata.factories import ItemFactory, SupplierFactory
from tests.traceability.factories import LotFactory, SerialUnitFactory
from tests.traceability.test_lives import Life
from traceability import selectors
from traceability.models import Lot
from traceability.models.identities import compared

pytestmark = pytest.mark.django_db


def test_a_number_is_found_however_it_is_typed_units_before_lots() -> None:
    lot = LotFactory(number="RM-2605-09")
    units = [SerialUnitFactory(number="rm 2605/09"), SerialUnitFactory(number="RM260510")]
    assert selectors.things_named(["Rm2605-09"]) == [units[0], lot]
    assert selectors.things_named(["", "--"]) == []


def test_the_suppliers_number_of_a_lot_is_found_by_its_index() -> None:
    lot = LotFactory(supplier=SupplierFactory(), supplier_lot="C-45 / 77")
    unit = SerialUnitFactory(supplier_lot="c4577")
    LotFactory(supplier_lot="")
    assert selectors.things_of_supplier_lots(["c45-77"]) == [lot, unit]
    assert selectors.things_of_supplier_lots(["-"]) == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        rows = Lot.objects.exclude(supplier_lot="").annotate(norm=compared("supplier_lot"))
        assert "lot_suppliers_number" in rows.filter(norm__in=["C4577"]).explain()


def test_a_document_or_an_order_leads_to_what_came_and_went_by_it() -> None:
    life = Life()
    document = life.documents[0]
    document.order_number = "SO-100001"
    document.save()
    units = [life.pumps[2], life.pumps[0]]
    assert selectors.things_of_document("SO-100001") == units
    assert selectors.things_of_document(document.number) == units
    assert selectors.things_of_document("SO-1") == []


@pytest.mark.parametrize("typed", ["12345", "1234567", "132456", "123556", "12-34-57"])
def test_one_mistake_still_finds_the_number(typed: str) -> None:
    unit = SerialUnitFactory(number="123456")
    SerialUnitFactory(number="998877", item=ItemFactory())
    assert unit in selectors.near(typed)
    assert all(thing.number != "998877" for thing in selectors.near(typed))


def test_what_is_far_off_is_not_suggested() -> None:
    SerialUnitFactory(number="123456")
    assert selectors.near("ZZ-9") == []
    assert selectors.near("—") == []
