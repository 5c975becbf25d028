"""BOM levels and routings of one day as plain data."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from masterdata import selectors
from masterdata.enums import RunBasis, Supply
from tests.masterdata.factories import (
    BomFactory,
    BomLineFactory,
    CustomerFactory,
    ItemFactory,
    OperationAlternativeFactory,
    RoutingFactory,
    RoutingOperationFactory,
    SiteFactory,
    WorkCenterFactory,
    WorkUnitFactory,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 6, 8)


def _bought(**kwargs):
    return ItemFactory(supply=Supply.BUY, **kwargs)


def _chain(levels, width=1):
    """Tops of ``levels`` levels of made items, ``width`` beside one another."""
    tops = []
    for _column in range(width):
        below = _bought()
        for _level in range(levels):
            item = ItemFactory()
            BomFactory(item=item, components=[(below, 2)])
            RoutingFactory(item=item, steps=[(WorkCenterFactory(), 5)])
            below = item
        tops.append(below.pk)
    return tops


def _queries(tops):
    with CaptureQueriesContext(connection) as queries:
        selectors.structures(item_ids=tops, on=TODAY)
    return len(queries)


def test_all_levels_below_an_item_are_found():
    [top] = _chain(3)
    found = selectors.structures(item_ids=[top], on=TODAY)
    assert len(found) == 4
    [component] = found[top].components
    assert component.quantity_per == Decimal(2)
    assert found[top].bom_revision == found[top].routing_revision == "A"
    assert found[top].operations[0].minutes_for(Decimal(3)) == Decimal(15)


def test_queries_depend_on_levels_and_not_on_items():
    one, many = _chain(3), _chain(3, width=6)
    assert _queries(one) == _queries(many)
    assert _queries(_chain(4)) - _queries(one) == 3


def test_the_bom_and_routing_of_the_day_count():
    item, old, new = ItemFactory(), _bought(), _bought()
    BomFactory(item=item, revision="A", valid_to=TODAY, components=[(old, 1)])
    BomFactory(item=item, revision="B", valid_from=TODAY, components=[(new, 1)])
    RoutingFactory(item=item, revision="A", valid_to=TODAY)
    RoutingFactory(item=item, revision="B", valid_from=TODAY)
    before = selectors.structures(item_ids=[item.pk], on=date(2026, 6, 7))[item.pk]
    after = selectors.structures(item_ids=[item.pk], on=TODAY)[item.pk]
    assert [c.item_id for c in before.components] == [old.pk]
    assert [c.item_id for c in after.components] == [new.pk]
    assert (before.routing_revision, after.routing_revision) == ("A", "B")


def test_a_superseded_line_is_left_out():
    bom = BomFactory()
    BomLineFactory(bom=bom, valid_to=TODAY)
    kept = BomLineFactory(bom=bom, valid_from=TODAY)
    found = selectors.structures(item_ids=[bom.item_id], on=TODAY)
    assert [c.item_id for c in found[bom.item_id].components] == [kept.component_id]


def test_a_bought_item_is_not_taken_apart():
    item = _bought()
    BomFactory(item=item, components=[(_bought(), 1)])
    found = selectors.structures(item_ids=[item.pk], on=TODAY)
    assert set(found) == {item.pk}
    assert found[item.pk].components == ()


def test_a_cycle_is_refused_with_its_chain():
    one, other = ItemFactory(code="A"), ItemFactory(code="B")
    BomFactory(item=one, components=[(other, 1)])
    BomFactory(item=other, components=[(one, 1)])
    with pytest.raises(selectors.StructureCycle, match="A → B → A|B → A → B"):
        selectors.structures(item_ids=[one.pk], on=TODAY)


def test_low_level_codes_put_an_item_below_all_its_parents():
    screw, plate, top = _bought(), ItemFactory(), ItemFactory()
    BomFactory(item=plate, components=[(screw, 4)])
    BomFactory(item=top, components=[(screw, 1), (plate, 1)])
    levels = selectors.low_level_codes(selectors.structures(item_ids=[top.pk, screw.pk], on=TODAY))
    assert levels == {top.pk: 0, plate.pk: 1, screw.pk: 2}


def test_alternatives_inherit_minutes_and_leave_out_idle_units():
    center = WorkCenterFactory()
    operation = RoutingOperationFactory(
        work_center=center, setup_minutes=Decimal(10), run_minutes=Decimal(2)
    )
    same = OperationAlternativeFactory(operation=operation)
    quick = OperationAlternativeFactory(operation=operation, run_minutes=Decimal(1))
    OperationAlternativeFactory(
        operation=operation, work_unit=WorkUnitFactory(work_center=center, is_active=False)
    )
    item = operation.routing.item_id
    [step] = selectors.structures(item_ids=[item], on=TODAY)[item].operations
    assert step.restricted
    assert {a.work_unit_id: (a.setup_minutes, a.run_minutes) for a in step.alternatives} == {
        same.work_unit_id: (Decimal(10), Decimal(2)),
        quick.work_unit_id: (Decimal(10), Decimal(1)),
    }


def test_an_operation_without_alternatives_may_run_on_all_units_of_its_center():
    site = SiteFactory()
    center = WorkCenterFactory(site=site)
    units = [WorkUnitFactory(work_center=center).pk for _unit in range(2)]
    WorkUnitFactory(work_center=center, is_active=False)
    item = ItemFactory()
    RoutingFactory(item=item, steps=[(center, Decimal(3))])
    [step] = selectors.structures(item_ids=[item.pk], on=TODAY)[item.pk].operations
    by_center = selectors.units_by_center(selectors.active_units(site_id=site.pk))
    eligible = selectors.eligible_units(step, by_center[center.pk])
    assert [choice.work_unit_id for choice in eligible] == units
    assert {choice.run_minutes for choice in eligible} == {Decimal(3)}


def test_minutes_per_order_do_not_grow_with_the_quantity():
    operation = RoutingOperationFactory(run_basis=RunBasis.PER_ORDER, run_minutes=Decimal(240))
    item = operation.routing.item_id
    [step] = selectors.structures(item_ids=[item], on=TODAY)[item].operations
    assert step.minutes_for(Decimal(500)) == Decimal(240)


def test_the_label_speaks_the_readers_language():
    item = ItemFactory(name="Flange", name_zh="法兰")
    found = selectors.structures(item_ids=[item.pk], on=TODAY)[item.pk]
    assert found.label == "Flange"
    with translation.override("zh-hans"):
        assert found.label == "法兰"


def test_the_exact_code_comes_first_in_type_ahead():
    for code, name in (("XA-100", "Rod"), ("A-100", "Plate"), ("A-1", "Bolt"), ("Z", "a-1 kit")):
        ItemFactory(code=code, name=name)
    ItemFactory(code="A-1-OLD", is_active=False)
    assert [item.code for item in selectors.search_items("a-1", 10)] == [
        "A-1",
        "A-100",
        "Z",
        "XA-100",
    ]
    assert [item.code for item in selectors.search_items("a-1", 1)] == ["A-1"]


def test_type_ahead_takes_chinese_and_hostile_text():
    item = ItemFactory(name_zh="法兰盘")
    assert selectors.search_items("法兰", 5) == [item]
    assert selectors.search_items("%' OR 1=1 --\x00", 5) == []
    CustomerFactory(code="ACME")
    assert [c.code for c in selectors.search_customers("acm", 5)] == ["ACME"]
