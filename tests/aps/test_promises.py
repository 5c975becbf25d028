"""The promise check against small factories that one can count by hand."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from aps.enums import PromiseStatus
from aps.services import live
from aps.services.promises import AlternativeKind, ReasonKind
from masterdata.enums import LotPolicy, Supply
from mes.enums import OperationState
from tests.aps.factories import DAY, HOUR, MONDAY, Factory
from tests.erp.factories import PurchaseOrderFactory, PurchaseOrderLineFactory, RequirementFactory
from tests.masterdata.factories import (
    CustomerFactory,
    ItemFactory,
)

pytestmark = pytest.mark.django_db

TODAY = MONDAY.date()
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (TODAY + timedelta(days=n) for n in range(1, 5))
MINUTE = timedelta(minutes=1)


def kinds(answer):
    return [reason.kind for reason in answer.reasons]


def reason(answer, kind):
    (found,) = [reason for reason in answer.reasons if reason.kind == kind]
    return found


def way(answer, kind):
    (found,) = [way for way in answer.alternatives if way.kind == kind]
    return found


def test_work_on_an_empty_plant_begins_at_once():
    plant = Factory()
    part = plant.part(minutes=60)
    (answer,) = plant.check((part, 8, FRIDAY))
    assert answer.status == PromiseStatus.FEASIBLE
    assert answer.feasible
    assert answer.ready_at == MONDAY + 8 * HOUR
    assert answer.earliest_date == TODAY
    # It has to be ready on Friday before 17:00, so to begin eight hours earlier.
    assert answer.latest_start == MONDAY + 4 * DAY + 59 * MINUTE
    assert answer.slack_minutes == (4 * DAY + 59 * MINUTE) / MINUTE
    assert answer.alternatives == ()
    assert reason(answer, ReasonKind.MINIMUM).text == (
        "Minimum lead time: the work itself takes 8 hours."
    )


def test_work_of_several_days_pauses_at_night():
    plant = Factory()
    part = plant.part(minutes=60)
    (answer,) = plant.check((part, 12, FRIDAY))
    # Nine hours on Monday, three on Tuesday.
    assert answer.ready_at == MONDAY + DAY + 3 * HOUR


def test_a_full_machine_is_named_with_the_moment_it_is_free():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.order(part, 13)
    plant.replan()
    (answer,) = plant.check((part, 8, TUESDAY))
    # Monday nine hours and Tuesday four are taken; five are left on Tuesday, three on Wednesday.
    assert answer.status == PromiseStatus.INFEASIBLE
    assert answer.ready_at == MONDAY + 2 * DAY + 3 * HOUR
    assert answer.earliest_date == WEDNESDAY
    assert answer.latest_start is None
    full = reason(answer, ReasonKind.CAPACITY)
    assert full.text == "Work center LATHE is full until Tue 24 Nov 12:00."
    assert full.until == MONDAY + DAY + 4 * HOUR
    assert full.code == "LATHE"
    assert answer.schedule_version == 1
    assert answer.chain[0].starts_at == MONDAY
    assert answer.chain[-1].ends_at == answer.ready_at


def test_a_split_keeps_the_day_with_the_largest_part():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.order(part, 13)
    plant.replan()
    (answer,) = plant.check((part, 8, TUESDAY))
    split = way(answer, AlternativeKind.SPLIT)
    # Five hours are left on Tuesday, but ready at 17:00 sharp misses Tuesday's last minute.
    assert (split.quantity, split.rest_quantity) == (4, 4)
    assert (split.date, split.rest_date) == (TUESDAY, WEDNESDAY)
    assert split.text == "Split: 4 by Tue 24 Nov 2026, the other 4 by Wed 25 Nov 2026."
    assert way(answer, AlternativeKind.ACCEPT_DATE).date == WEDNESDAY
    assert way(answer, AlternativeKind.RUSH)
    kept, rest = plant.check((part, 4, TUESDAY), (part, 4, WEDNESDAY))
    assert kept.feasible
    assert rest.feasible
    assert not plant.check((part, 5, TUESDAY))[0].feasible


def test_what_lies_in_stock_is_offered_as_a_part():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.stock("PART", 37)
    (answer,) = plant.check((part, 200, TODAY))
    split = way(answer, AlternativeKind.SPLIT)
    # 37 from stock and the eight pieces that Monday's shift makes in time.
    assert split.quantity in (44, 45)


def test_no_split_where_nothing_keeps_the_day():
    plant = Factory()
    part = plant.part(minutes=60, components={"RAW": 1})
    plant.items["RAW"].lead_time_days = 10
    plant.items["RAW"].save()
    (answer,) = plant.check((part, 8, TUESDAY))
    assert [way.kind for way in answer.alternatives] == [
        AlternativeKind.ACCEPT_DATE,
        AlternativeKind.RUSH,
    ]


def test_a_short_item_is_named_with_what_is_there():
    plant = Factory()
    part = plant.part(minutes=1, components={"RAW": 5})
    plant.items["RAW"].lead_time_days = 3
    plant.items["RAW"].save()
    plant.stock("RAW", 120)
    (answer,) = plant.check((part, 100, WEDNESDAY))
    assert answer.status == PromiseStatus.INFEASIBLE
    # The material comes on Thursday at 08:00, the work takes 100 minutes.
    assert answer.ready_at == MONDAY + 3 * DAY + 100 * MINUTE
    short = reason(answer, ReasonKind.MATERIAL)
    assert short.code == "RAW"
    assert short.text == (
        "Item RAW is short until Thu 26 Nov 08:00; 120 of 500 on stock, "
        "the rest has a lead time of 3 days."
    )


def test_material_on_order_that_nobody_waits_for_counts():
    plant = Factory()
    part = plant.part(minutes=1, components={"RAW": 1})
    raw = plant.items["RAW"]
    raw.lead_time_days = 30
    raw.save()
    order = PurchaseOrderFactory(site=plant.site, number="PO-7")
    PurchaseOrderLineFactory(order=order, item=raw, quantity=100, due_date=TUESDAY)
    (answer,) = plant.check((part, 100, FRIDAY))
    assert answer.feasible
    # Counted on for the end of its day; the next shift begins on Wednesday.
    assert answer.ready_at == MONDAY + 2 * DAY + 100 * MINUTE
    assert "PO-7" in reason(answer, ReasonKind.MATERIAL).text
    RequirementFactory(item=raw, site=plant.site, quantity=1)
    (answer,) = plant.check((part, 100, FRIDAY))
    assert not answer.feasible


def test_goods_on_stock_are_there_now():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.stock("PART", 10)
    (answer,) = plant.check((part, 10, TODAY))
    assert answer.status == PromiseStatus.FEASIBLE
    assert answer.earliest_date == TODAY
    assert answer.latest_start is None
    assert reason(answer, ReasonKind.STOCK).text == "All of it is on stock."
    assert answer.chain == ()


def test_free_output_of_open_work_is_used_from_its_planned_end():
    plant = Factory()
    part = plant.part(minutes=60, lot_policy=LotPolicy.FIXED, lot_size=Decimal(10))
    plant.order(part, 4)
    (answer,) = plant.check((part, 6, FRIDAY))
    # Without a plan nobody knows when the six left over are ready: made anew, and said so.
    assert answer.ready_at == MONDAY + DAY + 1 * HOUR
    assert ReasonKind.UNPLANNED in kinds(answer)
    plant.replan()
    (answer,) = plant.check((part, 6, FRIDAY))
    assert answer.ready_at == MONDAY + DAY + 1 * HOUR
    assert answer.latest_start is None  # no work of its own
    (answer,) = plant.check((part, 7, FRIDAY))
    # One piece more is a lot of ten of its own, behind the first.
    assert answer.ready_at == MONDAY + 2 * DAY + 2 * HOUR


def test_all_levels_are_exploded_with_scrap_and_stock_netted():
    plant = Factory(units=2)
    plant.steps(plant.make("LEG", steps=0), 1)
    table = plant.steps(plant.make("TABLE", {"LEG": 4}, steps=0), 10)
    plant.stock("LEG", 10)
    (answer,) = plant.check((table, 10, FRIDAY))
    # 30 legs take 30 minutes, then ten tables 100.
    assert answer.ready_at == MONDAY + 130 * MINUTE
    assert {link.item_code for link in answer.chain} == {"LEG", "TABLE"}


def test_minutes_per_order_count_once_and_setup_with_them():
    plant = Factory()
    part = plant.steps(
        plant.make("PART", steps=0), 30, setup=Decimal("15.5"), run_basis="per_order"
    )
    (answer,) = plant.check((part, 1000, FRIDAY))
    assert answer.ready_at == MONDAY + 46 * MINUTE


def test_outside_work_takes_calendar_days():
    plant = Factory()
    part = plant.make("PART", steps=0)
    from tests.masterdata.factories import SupplierFactory

    plant.steps(part, 0, subcontractor=SupplierFactory(), subcontract_days=6)
    (answer,) = plant.check((part, 5, FRIDAY))
    assert answer.ready_at == MONDAY + 6 * DAY
    # Ready on Sunday, it leaves on Monday.
    assert answer.earliest_date == TODAY + timedelta(days=7)


def test_lines_of_one_order_compete_for_machines_in_order():
    plant = Factory()
    part = plant.part(minutes=60)
    first, second = plant.check((part, 8, FRIDAY), (part, 8, FRIDAY))
    assert first.ready_at == MONDAY + 8 * HOUR
    assert second.ready_at == MONDAY + DAY + 7 * HOUR
    first, second = plant.check((part, 8, FRIDAY), (part, 8, TODAY))
    assert first.feasible
    assert not second.feasible


def test_lines_of_one_order_compete_for_stock():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.stock("PART", 10)
    first, second = plant.check((part, 10, FRIDAY), (part, 2, FRIDAY))
    assert kinds(first)[0] == ReasonKind.STOCK
    assert second.ready_at == MONDAY + 2 * HOUR


def test_a_day_that_has_passed_cannot_be_kept():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.stock("PART", 1)
    (answer,) = plant.check((part, 1, TODAY - timedelta(days=1)))
    assert answer.status == PromiseStatus.INFEASIBLE
    assert answer.earliest_date == TODAY
    assert reason(answer, ReasonKind.PAST).text == "The requested date has passed."


def test_transit_to_the_customer_counts():
    plant = Factory()
    part = plant.part(minutes=60)
    far = CustomerFactory(transit_days=3)
    (answer,) = plant.check((part, 8, WEDNESDAY), customer=far)
    assert answer.earliest_date == THURSDAY
    assert not answer.feasible
    (answer,) = plant.check((part, 8, TODAY), customer=far)
    assert "leaves from now on" in reason(answer, ReasonKind.PAST).text


def test_little_slack_is_at_risk():
    plant = Factory()
    part = plant.part(minutes=60)
    (answer,) = plant.check((part, 8, TODAY))
    assert answer.status == PromiseStatus.AT_RISK
    assert answer.feasible
    assert answer.slack_minutes == 59


def test_a_bought_item_that_is_sold_has_its_lead_time():
    plant = Factory()
    screw = plant.buy("SCREW", lead_time_days=2)
    plant.stock("SCREW", 5)
    enough, more = plant.check((screw, 5, TODAY), (screw, 1, FRIDAY))
    assert enough.earliest_date == TODAY
    assert more.ready_at == MONDAY + 2 * DAY
    assert more.latest_start is None


def test_open_work_outside_the_schedule_is_told():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.order(part, 1)
    plant.replan()
    plant.order(part, 30)
    (answer,) = plant.check((part, 1, FRIDAY))
    assert answer.ready_at == MONDAY + 2 * HOUR
    assert reason(answer, ReasonKind.UNPLANNED).text == (
        "1 open operation is not in the schedule yet and is not counted."
    )


def test_overdue_work_pushes_what_follows_it():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.order(part, 4)
    plant.replan()
    # An hour before the end of work that has not even started: it all lies ahead.
    (answer,) = plant.check((part, 1, FRIDAY), now=MONDAY + 3 * HOUR)
    assert answer.ready_at == MONDAY + 8 * HOUR


def test_the_kept_schedule_follows_versions_and_finished_work():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.order(part, 4)
    plant.replan()
    assert plant.check((part, 1, FRIDAY))[0].ready_at == MONDAY + 5 * HOUR
    with CaptureQueriesContext(connection) as again:
        plant.check((part, 1, FRIDAY))
    assert not [q for q in again if 'FROM "masterdata_workunit"' in q["sql"]]
    plant.order(part, 2)
    assert plant.check((part, 1, FRIDAY))[0].ready_at == MONDAY + 5 * HOUR
    plant.replan()
    assert plant.check((part, 1, FRIDAY))[0].ready_at == MONDAY + 7 * HOUR
    plant.operations().filter(work_order__quantity=4).update(state=OperationState.DONE)
    done_first = plant.check((part, 4, FRIDAY))[0].ready_at
    assert done_first in (MONDAY + 4 * HOUR, MONDAY + 6 * HOUR)


def test_a_check_writes_nothing():
    plant = Factory()
    part = plant.part(minutes=60, components={"RAW": 1})
    plant.order(part, 13)
    plant.replan()
    before = {model: model.objects.count() for model in apps.get_models()}
    with CaptureQueriesContext(connection) as found:
        plant.check((part, 8, TUESDAY), (part, 5, FRIDAY))
    assert {model: model.objects.count() for model in apps.get_models()} == before
    assert all(query["sql"].startswith("SELECT") for query in found)
    assert not [query for query in found if "FOR UPDATE" in query["sql"]]


def test_the_number_of_queries_does_not_depend_on_the_lines():
    plant = Factory()
    parts = [plant.part(f"PART-{n}", components={f"RAW-{n}": 1}) for n in range(6)]
    plant.check((parts[0], 1, FRIDAY))
    with CaptureQueriesContext(connection) as one:
        plant.check((parts[0], 1, FRIDAY))
    with CaptureQueriesContext(connection) as six:
        plant.check(*[(part, 1, FRIDAY) for part in parts])
    assert len(six) == len(one), [query["sql"] for query in six]


def test_a_day_far_ahead_is_no_trouble():
    plant = Factory()
    (answer,) = plant.check((plant.part(), 1, date(2037, 1, 1)))
    assert answer.status == PromiseStatus.FEASIBLE


def test_reasons_speak_the_users_language():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.order(part, 13)
    plant.replan()
    with translation.override("zh-hans"):
        (answer,) = plant.check((part, 8, TUESDAY))
    assert reason(answer, ReasonKind.CAPACITY).code == "LATHE"


def test_a_supply_that_is_bought_never_asks_for_a_routing():
    plant = Factory()
    item = ItemFactory(code="RESOLD", supply=Supply.BUY)
    (answer,) = plant.check((item, 1, FRIDAY))
    assert answer.feasible
    assert answer.refusal == ""


def test_what_comes_after_the_binding_constraint_is_told_up_to_the_door():
    plant = Factory()
    other = plant.part("OTHER", minutes=60)
    plant.order(other, 8)
    plant.replan()
    part = plant.steps(plant.make("PART", steps=0), 60, 60)
    far = CustomerFactory(transit_days=2)
    (answer,) = plant.check((part, 4, WEDNESDAY), customer=far)
    assert answer.reasons[0].text.startswith("Work center LATHE is full until Mon 23 Nov 16:00")
    # An hour until the evening, seven on the next day.
    assert answer.then == (
        "After that the work takes 23 hours by the clock: ready on Tue 24 Nov 15:00, at the "
        "customer on Thu 26 Nov 2026."
    )
    assert answer.ready_at == MONDAY + DAY + 7 * HOUR
    (kept,) = plant.check((part, 4, FRIDAY))
    assert kept.then == ""
    # It goes on from that sentence, whatever else is said.
    plant.order(other, 1)
    live.forget()
    (answer,) = plant.check((part, 4, WEDNESDAY), customer=far)
    assert [reason.kind for reason in answer.reasons] == ["capacity", "unplanned"]
    full, unplanned = (reason.text for reason in answer.reasons)
    assert answer.sentences == [full, answer.then, unplanned]
