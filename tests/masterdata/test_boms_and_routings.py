"""What may be saved as a BOM or routing; each refusal is its own exception with a sentence."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.models import AuditEntry
from masterdata.enums import Supply
from masterdata.models import Bom, Routing
from masterdata.services import boms, graph, routings, validity
from tests.masterdata.factories import (
    BomFactory,
    ItemFactory,
    RoutingFactory,
    SupplierFactory,
    WorkCenterFactory,
    WorkUnitFactory,
)

NOW = datetime(2026, 6, 8, 8, tzinfo=UTC)
JAN, JUNE = date(2026, 1, 1), date(2026, 6, 1)
ONE = Decimal(1)


def _save_bom(item, lines, revision="A", start=JAN, end=None):
    return boms.save(
        item=item,
        revision=revision,
        valid_from=start,
        valid_to=end,
        lines=lines,
        by=None,
        now=NOW,
    )


def _save_routing(item, operations, revision="A", start=JAN, end=None):
    return routings.save(
        item=item,
        revision=revision,
        valid_from=start,
        valid_to=end,
        operations=operations,
        by=None,
        now=NOW,
    )


def _part(code):
    return ItemFactory(code=code, supply=Supply.BUY)


@pytest.mark.django_db
class TestBoms:
    def test_saving_again_replaces_the_lines_and_tells_the_audit(self):
        item, _screw, _nut = ItemFactory(), _part("SCREW"), _part("NUT")
        _save_bom(item, [boms.Line(10, "SCREW", ONE)])
        bom = _save_bom(item, [boms.Line(10, "NUT", Decimal(4))])
        assert [line.component.code for line in bom.lines.all()] == ["NUT"]
        last = AuditEntry.objects.filter(action="masterdata.bom.save").latest("id")
        assert last.changes == {"lines": [["10 SCREW × 1"], ["10 NUT × 4"]]}

    def test_a_cycle_is_refused_with_its_chain(self):
        top, middle = ItemFactory(code="A"), ItemFactory(code="B")
        BomFactory(item=middle, components=[(top, 1)])
        with pytest.raises(boms.BomCycle, match="A → B → A"):
            _save_bom(top, [boms.Line(10, "B", ONE)])
        assert not Bom.objects.filter(item=top).exists()

    def test_an_item_cannot_contain_itself_directly(self):
        item = ItemFactory(code="A")
        with pytest.raises(boms.BomCycle, match="A → A"):
            _save_bom(item, [boms.Line(10, "A", ONE)])

    def test_a_cycle_can_be_repaired_by_the_line_that_made_it(self):
        top, middle, _part_c = ItemFactory(code="A"), ItemFactory(code="B"), _part("C")
        BomFactory(item=middle, components=[(top, 1)])
        BomFactory(item=top, components=[(middle, 1)])
        assert _save_bom(top, [boms.Line(10, "C", ONE)]).lines.count() == 1

    def test_an_unknown_component_is_named(self):
        with pytest.raises(boms.UnknownItem, match="NOBODY"):
            _save_bom(ItemFactory(), [boms.Line(10, "NOBODY", ONE)])

    def test_two_revisions_on_one_day_are_refused(self):
        item, _screw = ItemFactory(code="PLATE"), _part("SCREW")
        _save_bom(item, [boms.Line(10, "SCREW", ONE)])
        with pytest.raises(boms.OverlappingBoms, match="B and A of PLATE"):
            _save_bom(item, [boms.Line(10, "SCREW", ONE)], "B", JUNE)
        _save_bom(item, [boms.Line(10, "SCREW", ONE)], "A", JAN, JUNE)
        _save_bom(item, [boms.Line(10, "SCREW", ONE)], "B", JUNE)
        assert item.boms.count() == 2

    def test_the_same_component_twice_on_one_day_is_refused(self):
        _part("SCREW")
        lines = [boms.Line(10, "SCREW", ONE), boms.Line(20, "SCREW", ONE, valid_from=JUNE)]
        with pytest.raises(boms.OverlappingLines, match="SCREW is in positions 10 and 20"):
            _save_bom(ItemFactory(), lines)
        first = boms.Line(10, "SCREW", ONE, valid_to=JUNE)
        assert _save_bom(ItemFactory(), [first, lines[1]]).lines.count() == 2

    @pytest.mark.parametrize(
        ("line", "error"),
        [
            (boms.Line(10, "SCREW", Decimal(0)), boms.InvalidQuantity),
            (boms.Line(10, "SCREW", ONE, scrap_rate=ONE), boms.InvalidQuantity),
            (boms.Line(10, "SCREW", ONE, valid_from=JUNE, valid_to=JAN), boms.EndsBeforeStart),
        ],
    )
    def test_a_line_out_of_range_is_refused(self, line, error):
        _part("SCREW")
        with pytest.raises(error):
            _save_bom(ItemFactory(), [line])
        assert not Bom.objects.exists()

    def test_a_position_twice_is_refused(self):
        _part("SCREW")
        _part("NUT")
        with pytest.raises(boms.InvalidQuantity, match="Position 10 is there twice"):
            _save_bom(ItemFactory(), [boms.Line(10, "SCREW", ONE), boms.Line(10, "NUT", ONE)])

    def test_a_revision_that_ends_before_it_begins_is_refused(self):
        with pytest.raises(boms.EndsBeforeStart):
            _save_bom(ItemFactory(), [], start=JUNE, end=JUNE)


@pytest.mark.django_db
class TestRoutings:
    def test_steps_and_their_units_are_written(self):
        center = WorkCenterFactory(code="WC")
        WorkUnitFactory(code="WC-1", work_center=center)
        step = routings.Operation(
            10, "Mill", "WC", alternatives=(routings.Alternative("WC-1", run_minutes=ONE),)
        )
        routing = _save_routing(ItemFactory(), [step])
        assert routings.operations_of(routing) == {10: step}

    def test_a_step_without_work_center_is_refused(self):
        with pytest.raises(routings.MissingWorkCenter, match="Operation 10 has no work center"):
            _save_routing(ItemFactory(), [routings.Operation(10, "Mill", "")])

    def test_an_unknown_work_center_is_named(self):
        with pytest.raises(routings.MissingWorkCenter, match="NOWHERE"):
            _save_routing(ItemFactory(), [routings.Operation(10, "Mill", "NOWHERE")])

    def test_an_unknown_work_unit_is_named(self):
        WorkCenterFactory(code="WC")
        step = routings.Operation(10, "Mill", "WC", alternatives=(routings.Alternative("GHOST"),))
        with pytest.raises(routings.UnknownWorkUnit, match="GHOST"):
            _save_routing(ItemFactory(), [step])
        assert not Routing.objects.exists()

    def test_an_unknown_subcontractor_is_named(self):
        WorkCenterFactory(code="WC")
        step = routings.Operation(10, "Plate", "WC", subcontractor="GHOST", subcontract_days=3)
        with pytest.raises(routings.UnknownSubcontractor, match="GHOST"):
            _save_routing(ItemFactory(), [step])

    def test_two_revisions_on_one_day_are_refused(self):
        item = ItemFactory(code="PLATE")
        RoutingFactory(item=item)
        WorkCenterFactory(code="WC")
        with pytest.raises(routings.OverlappingRoutings, match="B and A of PLATE"):
            _save_routing(item, [routings.Operation(10, "Mill", "WC")], "B")

    @pytest.mark.parametrize(
        "steps",
        [
            [routings.Operation(10, "Mill", "WC"), routings.Operation(10, "Turn", "WC")],
            [routings.Operation(10, "Mill", "WC", run_minutes=Decimal(-1))],
            [routings.Operation(10, "Plate", "WC", subcontract_days=3)],
        ],
    )
    def test_steps_that_contradict_themselves_are_refused(self, steps):
        WorkCenterFactory(code="WC")
        with pytest.raises(routings.InvalidOperation, match="Operation 10"):
            _save_routing(ItemFactory(), steps)

    def test_a_unit_twice_is_refused(self):
        center = WorkCenterFactory(code="WC")
        WorkUnitFactory(code="WC-1", work_center=center)
        twice = (routings.Alternative("WC-1"), routings.Alternative("WC-1"))
        with pytest.raises(routings.InvalidOperation, match="twice"):
            _save_routing(ItemFactory(), [routings.Operation(10, "Mill", "WC", alternatives=twice)])

    def test_a_subcontracted_step_is_kept(self):
        WorkCenterFactory(code="WC")
        SupplierFactory(code="SUB")
        step = routings.Operation(10, "Plate", "WC", subcontractor="SUB", subcontract_days=3)
        assert routings.operations_of(_save_routing(ItemFactory(), [step])) == {10: step}


_EDGES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=14).map(
    lambda pairs: {one: {b for a, b in pairs if a == one} for one, _other in pairs}
)


def _reaches(edges, start, target):
    seen, waiting = set(), list(edges.get(start, ()))
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting.extend(edges.get(node, ()))
    return target in seen


@given(_EDGES)
def test_two_items_are_together_exactly_where_each_contains_the_other(edges):
    together = graph.components(edges)
    for one in together:
        for other in together:
            both_ways = _reaches(edges, one, other) and _reaches(edges, other, one)
            assert (together[one] == together[other]) == (one == other or both_ways)


@given(_EDGES, st.integers(0, 7), st.integers(0, 7))
def test_a_chain_leads_from_start_to_target(edges, start, target):
    way = graph.chain(edges, start, target)
    assert (way is not None) == (start == target or _reaches(edges, start, target))
    if way:
        assert (way[0], way[-1]) == (start, target)
        assert all(after in edges[before] for before, after in zip(way, way[1:], strict=False))


_DAYS = st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 9))


@given(st.lists(st.tuples(_DAYS, _DAYS), max_size=5))
def test_an_overlap_is_found_where_some_day_has_two(spans):
    spans = [(a, b) for a, b in spans if (a or date.min) < (b or date.max)]
    days = [date(2025, 12, 31), *(date(2026, 1, day) for day in range(1, 11))]
    is_shared = any(
        sum((a or date.min) <= day < (b or date.max) for a, b in spans) > 1 for day in days
    )
    numbered = [(span, number) for number, span in enumerate(spans)]
    assert (validity.first_overlap(numbered) is not None) == is_shared
