"""What makes a site's schedule stale, from the forms and from the import alike."""

from datetime import UTC, datetime, time

import pytest

from common import events
from common.concurrency import StaleWrite
from common.jobs import NotInTransaction
from common.models import Event, Job
from config.subscriptions import SUBSCRIPTIONS
from masterdata.models import Calendar, CostRate, Shift, WorkUnit
from masterdata.services import calendar_records, capacity, imports, records, weeks
from tests.masterdata import factories as f

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 8, 8, tzinfo=UTC)
TOPIC = "masterdata.capacity.changed"


def _told():
    return sorted(Event.objects.filter(topic=TOPIC).values_list("payload__site_id", flat=True))


def _import(resource, text):
    table = imports.read("f.csv", text.encode())
    return imports.run(imports.RESOURCES[resource], table, take_good=False, by=None, now=NOW)


def _save(calendar, monday="06:00–14:00", **kwargs):
    values = {"code": calendar.code, "name": "N", "name_zh": "", "time_zone": "UTC"}
    return calendar_records.save(
        calendar=calendar,
        values=values,
        shifts=weeks.parse_day(0, monday),
        exceptions=kwargs.pop("exceptions", []),
        version=calendar.version,
        by=None,
        now=NOW,
        **kwargs,
    )


def test_the_topic_asks_for_a_new_plan_of_the_site():
    assert events.find(TOPIC)
    site = f.SiteFactory()
    f.WorkUnitFactory(work_center=f.WorkCenterFactory(site=site))
    capacity_of = WorkUnit.objects.get()
    records.edit(capacity_of, values={"is_active": False}, version=1, by=None, now=NOW)
    job = Job.objects.get(name="aps.replan_site")
    assert job.arguments == {"site_id": site.pk}
    assert [reaction.job for reaction in SUBSCRIPTIONS[TOPIC]] == ["aps.replan_site"]


def test_many_changes_ask_for_one_plan():
    unit = f.WorkUnitFactory()
    for version, is_active in enumerate((False, True, False), start=1):
        records.edit(unit, values={"is_active": is_active}, version=version, by=None, now=NOW)
    assert Job.objects.filter(name="aps.replan_site").count() == 1


@pytest.mark.parametrize("used_by", ["site", "shipping", "center", "unit"])
def test_a_calendar_tells_the_sites_that_use_it_anywhere(used_by):
    calendar, other = f.CalendarFactory(), f.CalendarFactory()
    site = f.SiteFactory(calendar=other, shipping_calendar=other)
    f.SiteFactory()
    if used_by == "site":
        site.calendar = calendar
    elif used_by == "shipping":
        site.shipping_calendar = calendar
    elif used_by == "center":
        f.WorkCenterFactory(site=site, calendar=calendar)
    else:
        center = f.WorkCenterFactory(site=site, calendar=other)
        f.WorkUnitFactory(work_center=center, calendar=calendar)
    site.save()
    _save(calendar)
    assert _told() == [site.pk]


def test_a_calendar_that_only_changes_its_name_tells_nobody():
    calendar = f.CalendarFactory(shifts=[(0, time(6), time(14))])
    f.SiteFactory(calendar=calendar)
    _save(calendar)
    assert not _told()


def test_a_new_work_unit_and_a_new_work_center_are_told():
    center = f.WorkCenterFactory.build(site=f.SiteFactory(), calendar=f.CalendarFactory())
    records.create(center, by=None, now=NOW)
    unit = f.WorkUnitFactory.build(work_center=center)
    records.create(unit, by=None, now=NOW)
    assert _told() == [center.site_id] * 2


def test_a_unit_that_moves_tells_both_sites():
    unit, center = f.WorkUnitFactory(), f.WorkCenterFactory()
    before = unit.work_center.site_id
    records.edit(unit, values={"work_center": center}, version=1, by=None, now=NOW)
    assert _told() == sorted([before, center.site_id])


def test_a_unit_that_is_renamed_tells_nobody():
    unit = f.WorkUnitFactory()
    records.edit(unit, values={"name": "Other"}, version=1, by=None, now=NOW)
    assert not _told()


def test_an_item_or_a_customer_is_no_capacity():
    records.edit(f.ItemFactory(), values={"lead_time_days": 9}, version=1, by=None, now=NOW)
    records.edit(f.CustomerFactory(), values={"weight": 9}, version=1, by=None, now=NOW)
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_told_outside_a_transaction():
    with pytest.raises(NotInTransaction):
        capacity.changed(site_ids=[1], by=None, now=NOW)


class TestImport:
    def test_shifts_and_exceptions_tell_the_sites_of_their_calendar(self):
        calendar = f.CalendarFactory(code="CAL", shifts=[])
        site = f.SiteFactory(calendar=calendar)
        _import("shifts", "calendar,weekday,starts_at,ends_at\nCAL,0,06:00,14:00\n")
        assert _told() == [site.pk]
        _import(
            "calendar_exceptions",
            "calendar,starts_at,ends_at\nCAL,2026-12-24 00:00,2026-12-25 00:00\n",
        )
        assert _told() == [site.pk] * 2

    def test_a_work_unit_that_is_switched_off_tells_its_site_once(self):
        first = f.WorkUnitFactory(code="A")
        f.WorkUnitFactory(code="B", work_center=first.work_center)
        center = first.work_center
        head = "code,name,work_center,is_active\n"
        _import("work_units", head + f"A,A,{center.code},no\nB,B,{center.code},no\n")
        assert _told() == [center.site_id]
        assert Job.objects.filter(name="aps.replan_site").count() == 1

    def test_a_unit_that_moves_tells_both_sites(self):
        unit = f.WorkUnitFactory(code="A", name="A")
        before, center = unit.work_center.site_id, f.WorkCenterFactory(code="TO")
        _import("work_units", "code,name,work_center\nA,A,TO\n")
        assert _told() == sorted([before, center.site_id])

    def test_what_stays_as_it_was_tells_nobody(self):
        f.WorkUnitFactory(code="A", name="A", work_center=f.WorkCenterFactory(code="WC"))
        text = "code,name,work_center\nA,{},WC\n"
        _import("work_units", text.format("A"))
        _import("work_units", text.format("Renamed"))
        assert not _told()

    def test_items_tell_nobody(self):
        _import("items", "code,name,supply\nA,A,make\n")
        assert not _told()

    def test_an_open_form_of_what_the_import_changed_goes_stale(self):
        calendar = f.CalendarFactory(code="CAL", shifts=[])
        _import("shifts", "calendar,weekday,starts_at,ends_at\nCAL,0,06:00,14:00\n")
        with pytest.raises(StaleWrite):
            _save(calendar)
        assert Shift.objects.count() == 1
        center = f.WorkCenterFactory(code="WC")
        head = "work_center,kind,amount_per_hour,valid_from\n"
        _import("cost_rates", head + "WC,machine,60,2026-01-01\n")
        center.refresh_from_db()
        assert (center.version, CostRate.objects.count()) == (2, 1)
        step = f.RoutingOperationFactory(sequence=10)
        unit = f.WorkUnitFactory(work_center=step.work_center)
        head = "item,revision,sequence,work_unit\n"
        _import("operation_alternatives", head + f"{step.routing.item.code},A,10,{unit.code}\n")
        step.routing.refresh_from_db()
        assert step.routing.version == 2


def test_the_calendar_is_written_as_typed_with_audit_and_version():
    calendar = f.CalendarFactory(shifts=[])
    _save(calendar, monday="22:00–06:00")
    calendar = Calendar.objects.get()
    assert calendar.version == 2
    [shift] = calendar.shifts.all()
    assert (shift.starts_at, shift.ends_at) == (time(22), time(6))
