"""OEE with known answers: the ratios of ISO 22400-2, and each planned minute counted once."""

import re
from datetime import timedelta
from decimal import Decimal

from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.enums import Role
from common.intervals import Interval
from mes.enums import MachineStatus
from mes.models import Downtime, DowntimeReason, MachineState, OperationReport
from mes.oee import Facts, Oee, Work, believed, measure, total
from mes.services import breakdowns, effectiveness, execution, reasons
from tests.aps.factories import MONDAY, Factory
from tests.masterdata.factories import SiteFactory, WorkCenterFactory, WorkUnitFactory
from tests.shared import shared

HOUR = timedelta(hours=1)


def spans(*pairs):
    return tuple(Interval(start, end) for start, end in pairs)


def test_the_textbook_shift():
    # 480 min planned, 47 stopped, 373 produced in; 271 pieces at 1 min, 19 of them scrap ... and
    # the rest of the time was setup.
    found = measure(
        Facts(
            planned=spans((0, 480)),
            stopped=spans((100, 147)),
            setup=spans((0, 60)),
            produced=spans((60, 480)),
            ideal_minutes=Decimal(271),
            good=Decimal(252),
            scrap=Decimal(19),
        )
    )
    assert (found.planned, found.stopped, found.setup, found.idle, found.producing) == (
        480,
        47,
        60,
        0,
        373,
    )
    assert round(found.availability, 4) == Decimal("0.7771")
    assert round(found.effectiveness, 4) == Decimal("0.7265")
    assert round(found.quality, 4) == Decimal("0.9299")
    assert round(found.oee, 4) == Decimal("0.5250")
    # The product is what the good pieces should have taken, of what was planned.
    assert round(found.oee, 6) == round(found.valuable / found.planned, 6)


def test_each_planned_minute_is_counted_once_and_nothing_outside_the_plan():
    found = measure(
        Facts(
            planned=spans((0, 100), (200, 300)),
            stopped=spans((50, 250), (60, 70)),
            setup=spans((40, 60)),
            produced=spans((0, 400)),
        )
    )
    assert (found.planned, found.stopped, found.setup, found.producing) == (200, 100, 10, 90)
    assert found.stopped + found.setup + found.idle + found.producing == found.planned


def test_where_nothing_can_be_said_nothing_is_said():
    assert measure(Facts()).oee is None
    idle = measure(Facts(planned=spans((0, 60))))
    assert (idle.oee, idle.availability, idle.effectiveness, idle.quality) == (0, 0, None, None)


def test_faster_than_planned_is_more_than_all_and_no_loss():
    found = measure(
        Facts(
            planned=spans((0, 60)),
            produced=spans((0, 60)),
            ideal_minutes=Decimal(90),
            good=Decimal(9),
        )
    )
    assert found.effectiveness == Decimal("1.5")
    assert found.speed_loss == 0


def test_units_together_weigh_by_their_minutes():
    one = Oee(planned=60, producing=60, ideal=Decimal(60), good=Decimal(1), valuable=Decimal(60))
    other = Oee(planned=180, idle=180)
    both = total([one, other])
    assert both.availability == Decimal("0.25")
    assert both.oee == Decimal("0.25")


# From what the floor has written.


@shared()
def plant():
    reasons.seed()
    plant = Factory(units=2)
    plant.part()
    plant.plan(plant.need("PART", 100))
    return plant


def day(plant, now=MONDAY + 9 * HOUR):
    rows = effectiveness.oee(
        site_id=plant.site.pk, starts_at=MONDAY - 8 * HOUR, ends_at=MONDAY + 16 * HOUR, now=now
    )
    return {row.unit.code: row.figures for row in rows}


def work(plant, *, hours, good, scrap=0):
    operation = plant.orders("PART")[0].operations.get()
    operation = execution.start(
        operation=operation, work_unit_id=plant.units[0].pk, by=None, now=MONDAY
    )
    OperationReport.objects.create(
        operation=operation, good=good, scrap=scrap, at=MONDAY + hours * HOUR
    )
    return execution.interrupt(operation=operation, by=None, now=MONDAY + hours * HOUR)


def test_a_day_is_made_of_calendar_breakdown_operations_and_reports(plant):
    incident = breakdowns.report(
        work_unit_id=plant.units[0].pk,
        estimated_ends_at=MONDAY + 3 * HOUR,
        reason=DowntimeReason.objects.get(code="SPINDLE"),
        by=None,
        now=MONDAY,
    )
    breakdowns.recover(incident=incident, by=None, now=MONDAY + HOUR)
    work(plant, hours=3, good=90, scrap=10)
    figures = day(plant)
    lathe, other = figures["LATHE-1"], figures["LATHE-2"]
    # The closed calendar of the breakdown is still planned busy time.
    assert (lathe.planned, lathe.stopped, lathe.producing, lathe.idle) == (540, 60, 120, 360)
    assert (lathe.ideal, lathe.good, lathe.scrap) == (100, 90, 10)
    assert lathe.quality == Decimal("0.9")
    assert (other.planned, other.producing, other.oee) == (540, 0, 0)


def test_a_planned_stop_lowers_the_planned_time_and_no_availability(plant):
    incident = breakdowns.report(
        work_unit_id=plant.units[0].pk,
        estimated_ends_at=None,
        reason=DowntimeReason.objects.get(code="MAINTENANCE"),
        by=None,
        now=MONDAY,
    )
    breakdowns.recover(incident=incident, by=None, now=MONDAY + HOUR)
    assert (day(plant)["LATHE-1"].planned, day(plant)["LATHE-1"].stopped) == (480, 0)


def test_a_machine_that_says_its_states_is_believed(plant):
    work(plant, hours=3, good=10)
    for status, begin, end in (
        (MachineStatus.SETUP, 0, 1),
        (MachineStatus.RUNNING, 1, 2),
        (MachineStatus.DOWN, 2, None),
    ):
        MachineState.objects.create(
            work_unit=plant.units[0],
            status=status,
            starts_at=MONDAY + begin * HOUR,
            ends_at=MONDAY + end * HOUR if end else None,
        )
    lathe = day(plant, now=MONDAY + 4 * HOUR)["LATHE-1"]
    assert (lathe.planned, lathe.setup, lathe.producing, lathe.stopped) == (240, 60, 60, 120)


def test_a_unit_that_says_nothing_is_known_by_what_was_booked_on_it(plant):
    unit = plant.units[1].pk
    operation = plant.orders("PART")[0].operations.get()
    at = {"by": None}
    started = execution.start(
        operation=operation, work_unit_id=unit, in_setup=True, now=MONDAY, **at
    )
    execution.run(operation=started, now=MONDAY + HOUR / 2, **at)
    execution.interrupt(operation=started, now=MONDAY + HOUR, **at)
    # Nobody works in the pause; what goes on now is open.
    execution.resume(operation=started, now=MONDAY + 3 * HOUR, **at)
    figures = day(plant, now=MONDAY + 4 * HOUR)["LATHE-2"]
    assert (figures.planned, figures.setup, figures.producing, figures.idle) == (240, 30, 90, 120)


def test_a_machine_that_is_silent_for_a_time_is_known_by_bookings_for_that_time(plant):
    work(plant, hours=4, good=10)
    for status, begin, end in (
        (MachineStatus.RUNNING, 0, 1),
        (MachineStatus.UNKNOWN, 1, 2),  # Its connection is gone.
        (MachineStatus.IDLE, 2, 3),  # Booked, and it says otherwise.
    ):
        MachineState.objects.create(
            work_unit=plant.units[0],
            status=status,
            starts_at=MONDAY + begin * HOUR,
            ends_at=MONDAY + end * HOUR,
        )
    lathe = day(plant, now=MONDAY + 5 * HOUR)["LATHE-1"]
    # Said, booked, not; and after the machine's last word booked again.
    assert (lathe.planned, lathe.producing, lathe.idle) == (300, 180, 120)


END = 40
minutes = st.integers(0, END)
some_spans = st.lists(
    st.builds(lambda a, b: Interval(min(a, b), max(a, b)), minutes, minutes), max_size=4
).map(tuple)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    said=st.tuples(some_spans, some_spans),
    otherwise=some_spans,
    booked=st.tuples(some_spans, some_spans),
    planned=some_spans,
    stopped=some_spans,
)
def test_minute_by_minute_it_is_the_same(said, otherwise, booked, planned, stopped):
    """Against a count of the minutes one after the other."""
    work = believed(
        Work(setup=said[0], produced=said[1]), otherwise, Work(setup=booked[0], produced=booked[1])
    )
    found = measure(
        Facts(planned=planned, stopped=stopped, setup=work.setup, produced=work.produced)
    )

    def within(minute, *lists):
        return any(minute in span for spans in lists for span in spans)

    counts = dict.fromkeys(("planned", "stopped", "setup", "producing", "idle"), 0)
    for minute in range(END):
        if not within(minute, planned):
            continue
        counts["planned"] += 1
        is_heard = within(minute, *said, otherwise)
        setup, run = said if is_heard else booked
        if within(minute, stopped):
            counts["stopped"] += 1
        elif within(minute, setup):
            counts["setup"] += 1
        elif within(minute, run):
            counts["producing"] += 1
        else:
            counts["idle"] += 1
    assert counts == {name: getattr(found, name) for name in counts}


def test_reasons_are_listed_by_their_minutes_with_the_share_so_far(plant):
    for unit, code, hours in ((0, "SPINDLE", 3), (1, "SENSOR", 1)):
        incident = breakdowns.report(
            work_unit_id=plant.units[unit].pk,
            estimated_ends_at=None,
            reason=DowntimeReason.objects.get(code=code),
            by=None,
            now=MONDAY,
        )
        breakdowns.recover(incident=incident, by=None, now=MONDAY + hours * HOUR)
    found = effectiveness.causes(
        site_id=plant.site.pk, starts_at=MONDAY, ends_at=MONDAY + 9 * HOUR, now=MONDAY + 9 * HOUR
    )
    assert [(row.reason.code, row.minutes, row.percent, row.running_percent) for row in found] == [
        ("SPINDLE", 180, 75, 75),
        ("SENSOR", 60, 25, 100),
    ]


def test_the_page_shows_a_shift_a_unit_and_the_reasons_in_a_constant_number_of_queries(
    plant, client_for, django_assert_max_num_queries
):
    work(plant, hours=3, good=90, scrap=10)
    Downtime.objects.all().delete()
    url = reverse("machines:oee") + f"?day={MONDAY:%Y-%m-%d}&shift=08:00–17:00&unit=LATHE-1"
    import time_machine

    with time_machine.travel(MONDAY + 9 * HOUR, tick=False):
        with django_assert_max_num_queries(36):
            page = client_for(Role.MANAGER).get(url).content.decode()
        assert "Where the time went" in page
        assert "90.0\N{NO-BREAK SPACE}%" in page
        assert re.findall(r'aria-current="page" >([^<]+)</a>', page) == ["08:00–17:00"]
        empty = client_for(Role.SUPERVISOR).get(reverse("machines:oee") + "?day=2026-11-22")
        assert "Nothing was planned to run" in empty.content.decode()
        # Another site's machines are a page of their own.
        calendar = plant.units[0].work_center.calendar
        center = WorkCenterFactory(site=SiteFactory(code="FAR"), calendar=calendar)
        WorkUnitFactory(code="FAR-1", work_center=center)
        far = client_for(Role.MANAGER).get(reverse("machines:oee") + "?site=FAR")
        assert "FAR-1" in far.content.decode()
        assert "LATHE-1" not in far.content.decode()
        assert client_for(Role.MANAGER).get(reverse("machines:oee") + "?site=x").status_code == 404
        for hostile in ("?day=9999-99-99", "?day=0001-01-01", "?shift=%00x", "?unit=%F0%9F"):
            answer = client_for(Role.MANAGER).get(reverse("machines:oee") + hostile)
            assert answer.status_code == 200
    assert client_for(Role.OPERATOR).get(reverse("machines:oee")).status_code == 403
