"""The page of a calendar: a week typed as lines, exceptions, and what they come to."""

from datetime import UTC, datetime, time

import pytest
import time_machine
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from common.enums import Role
from common.models import AuditEntry
from masterdata.models import Calendar, CalendarException, Shift
from masterdata.services import previews, weeks
from tests.masterdata import factories as f

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 8, 8, tzinfo=UTC)  # a Monday


def _url(*args):
    return reverse("masterdata:calendar-edit" if args else "masterdata:calendar-create", args=args)


def _data(days=(), exceptions=(), **changes):
    data = {"code": "DAY", "name": "Day", "time_zone": "UTC"}
    data |= {f"day_{number}": line for number, line in enumerate(days)}
    data |= {"ex-TOTAL_FORMS": len(exceptions), "ex-INITIAL_FORMS": 0}
    for number, row in enumerate(exceptions):
        data |= {f"ex-{number}-{name}": value for name, value in row.items()}
    return data | changes


HOLIDAY = {"starts_at": "2026-06-10T00:00", "ends_at": "2026-06-11T00:00", "reason": "Feast"}


class TestLines:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", ""),
            ("06:00–14:00", "06:00–14:00"),
            ("6:00-14:00", "06:00–14:00"),
            ("14:00-22:00,06:00-14:00", "06:00–14:00, 14:00–22:00"),
            ("06:00 – 14:00; 14:00 ~ 22:00", "06:00–14:00, 14:00–22:00"),
            ("06:00至14:00、14:00到22:00", "06:00–14:00, 14:00–22:00"),
            ("22:00-06:00", "22:00–06:00"),
            ("16:00-24:00", "16:00–24:00"),
            ("00:00-24:00", "00:00–24:00"),
        ],
    )
    def test_a_line_is_read_as_people_write_it(self, text, said):
        assert weeks.day_text(weeks.parse_day(0, text)) == said

    @pytest.mark.parametrize(
        "text",
        ["early", "6-14", "06:00", "25:00-26:00", "24:00-06:00", "06:60-07:00", "06:00-14:00-22:00",
         "０６:00-14:00", "-", "06:00-14:00 " * 13],
    )  # fmt: skip
    def test_a_line_that_is_none_is_refused(self, text):
        with pytest.raises(weeks.InvalidWeek):
            weeks.parse_day(0, text)

    @pytest.mark.parametrize(
        "days",
        [
            {0: "06:00-14:00, 13:00-22:00"},
            {0: "22:00-06:00", 1: "05:00-13:00"},
            {6: "22:00-06:00", 0: "05:00-13:00"},
            {0: "00:00-24:00, 08:00-09:00"},
        ],
    )
    def test_shifts_that_share_a_minute_are_refused(self, days):
        with pytest.raises(weeks.InvalidWeek, match="overlap"):
            weeks.check([s for day, text in days.items() for s in weeks.parse_day(day, text)])

    def test_shifts_that_touch_are_fine(self):
        shifts = weeks.parse_day(6, "22:00-06:00") + weeks.parse_day(0, "06:00-22:00")
        weeks.check(shifts)
        assert weeks.minutes_per_week(shifts) == 24 * 60

    @given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1439), st.integers(0, 1439))))
    def test_the_days_of_the_picture_add_up_to_the_week(self, rows):
        shifts = [
            Shift(weekday=day, starts_at=time(*divmod(a, 60)), ends_at=time(*divmod(b, 60)))
            for day, a, b in rows
        ]
        days = weeks.day_windows(shifts)
        total = sum(window.minutes for day in days for window in day)
        assert total == weeks.minutes_per_week(shifts) <= weeks.WEEK
        assert all(0 <= w.start < w.end <= weeks.DAY for day in days for w in day)

    @given(st.integers(0, 1439), st.integers(0, 1439))
    def test_what_is_shown_is_read_again(self, start, end):
        shift = Shift(weekday=2, starts_at=time(*divmod(start, 60)), ends_at=time(*divmod(end, 60)))
        [again] = weeks.parse_day(2, weeks.day_text([shift]))
        assert (again.starts_at, again.ends_at) == (shift.starts_at, shift.ends_at)


class TestPreview:
    def test_the_coming_weeks_count_holidays_and_overtime(self):
        shifts = [s for day in range(5) for s in weeks.parse_day(day, "08:00-16:00")]
        off = CalendarException(
            starts_at=datetime(2026, 6, 10, tzinfo=UTC), ends_at=datetime(2026, 6, 11, tzinfo=UTC)
        )
        more = CalendarException(
            starts_at=datetime(2026, 6, 20, 8, tzinfo=UTC),
            ends_at=datetime(2026, 6, 20, 12, tzinfo=UTC),
            is_working=True,
        )
        week = previews.preview(shifts, [off, more], "UTC", now=NOW)
        assert week.minutes == 40 * 60
        assert [(w.minutes // 60, w.difference // 60) for w in week.coming] == [
            (32, -8), (44, 4), (40, 0), (40, 0),
        ]  # fmt: skip

    def test_the_week_in_which_clocks_change_is_as_long_as_it_is(self):
        shifts = weeks.parse_day(5, "22:00-06:00")
        now = datetime(2026, 3, 25, tzinfo=UTC)
        [first, *_rest] = previews.preview(shifts, [], "Europe/Berlin", now=now).coming
        assert (first.minutes, first.difference) == (7 * 60, 0)


class TestPage:
    def test_a_calendar_is_made_with_its_week_and_holidays(self, client_for):
        days = ["06:00-14:00, 14:00-22:00"] * 5 + ["06:00-14:00"]
        client = client_for(Role.PLANNER)
        assert client.get(_url()).status_code == 200
        assert client.post(_url(), _data(days, [HOLIDAY])).status_code == 302
        calendar = Calendar.objects.get()
        assert calendar.shifts.count() == 11
        off = calendar.exceptions.get()
        assert (off.starts_at, off.is_working, off.reason) == (
            datetime(2026, 6, 10, tzinfo=UTC), False, "Feast",
        )  # fmt: skip

    def test_exceptions_are_on_the_clock_of_the_calendar(self, client_for):
        data = _data(exceptions=[HOLIDAY], time_zone="Asia/Shanghai")
        assert client_for(Role.PLANNER).post(_url(), data).status_code == 302
        assert CalendarException.objects.get().starts_at == datetime(2026, 6, 9, 16, tzinfo=UTC)
        with time_machine.travel(NOW, tick=False):
            page = client_for(Role.PLANNER).get(_url("DAY"))
        assert "2026-06-10T00:00" in page.content.decode()

    @time_machine.travel(NOW, tick=False)
    def test_an_exception_is_changed_and_another_removed_and_past_ones_stay(self, client_for):
        calendar = f.CalendarFactory(code="DAY", shifts=[])
        rows = [
            CalendarException.objects.create(
                calendar=calendar,
                starts_at=datetime(2026, month, 1, tzinfo=UTC),
                ends_at=datetime(2026, month, 2, tzinfo=UTC),
            )
            for month in (1, 7, 8)
        ]
        client = client_for(Role.PLANNER)
        page = client.get(_url("DAY"))
        assert page.context["past"] == 1
        kept = {"pk": rows[1].pk, "starts_at": "2026-07-01T00:00", "ends_at": "2026-07-05T00:00"}
        gone = {"pk": rows[2].pk, "starts_at": "2026-08-01T00:00", "ends_at": "2026-08-02T00:00"}
        data = _data(exceptions=[kept, gone | {"DELETE": "on"}], version=1)
        assert client.post(_url("DAY"), data).status_code == 302
        assert list(calendar.exceptions.order_by("pk").values_list("pk", flat=True)) == [
            rows[0].pk, rows[1].pk,
        ]  # fmt: skip
        assert calendar.exceptions.latest("pk").ends_at == datetime(2026, 7, 5, tzinfo=UTC)

    def test_the_exception_of_another_calendar_is_not_touched(self, client_for):
        other = CalendarException.objects.create(
            calendar=f.CalendarFactory(shifts=[]), starts_at=NOW, ends_at=NOW.replace(hour=9)
        )
        f.CalendarFactory(code="DAY", shifts=[])
        row = HOLIDAY | {"pk": other.pk}
        client = client_for(Role.PLANNER)
        client.post(_url("DAY"), _data(exceptions=[row], version=1))
        client.post(_url("DAY"), _data(exceptions=[row | {"DELETE": "on"}], version=2))
        other.refresh_from_db()
        assert other.starts_at == NOW

    def test_an_edit_tells_the_audit_what_changed(self, client_for):
        f.CalendarFactory(code="DAY", name="Day", shifts=[(0, time(6), time(14))])
        client = client_for(Role.PLANNER)
        client.post(_url("DAY"), _data(["06:00-15:00"], version=1))
        changes = AuditEntry.objects.get(action="masterdata.calendar.edit").changes
        assert list(changes) == ["week"]
        assert changes["week"][1][0] == "06:00–15:00"

    def test_a_calendar_that_went_stale_is_not_written(self, client_for):
        calendar = f.CalendarFactory(code="DAY", shifts=[(0, time(6), time(14))])
        client = client_for(Role.PLANNER)
        client.post(_url("DAY"), _data(["06:00-15:00"], version=1))
        assert client.post(_url("DAY"), _data(version=1)).status_code == 422
        assert calendar.shifts.count() == 1

    @pytest.mark.parametrize(
        ("days", "exceptions"),
        [
            (["early"], []),
            (["06:00-14:00, 13:00-22:00"], []),
            ([], [HOLIDAY | {"ends_at": "2026-06-09T00:00"}]),
            ([], [HOLIDAY | {"ends_at": "soon"}]),
            ([], [HOLIDAY | {"starts_at": "0001-01-01T00:00"}]),
            ([], [HOLIDAY | {"ends_at": "9999-12-31T23:59"}]),
            ([], [HOLIDAY, HOLIDAY]),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_is_written(self, client_for, days, exceptions):
        answer = client_for(Role.PLANNER).post(_url(), _data(days, exceptions))
        assert answer.status_code == 422
        assert b"field-error" in answer.content or b'role="alert"' in answer.content
        assert not Calendar.objects.exists()

    def test_a_preview_draws_what_is_typed_and_writes_nothing(self, client_for):
        client = client_for(Role.PLANNER)
        data = _data(["06:00-14:00", "nonsense"], [HOLIDAY, {"starts_at": "2"}], act="preview")
        answer = client.post(_url(), data, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        text = answer.content.decode()
        assert "<html" not in text
        assert text.count('hx-swap-oob="true"') == 7
        assert "8\N{NO-BREAK SPACE}h" in text
        assert "nonsense" in text
        assert not Calendar.objects.exists()

    def test_without_script_the_preview_is_a_page(self, client_for):
        answer = client_for(Role.PLANNER).post(_url(), _data(["06:00-14:00"], act="preview"))
        assert answer.status_code == 200
        assert answer.context["week"].minutes == 8 * 60
        assert not Calendar.objects.exists()

    def test_the_page_names_who_works_by_the_calendar(self, client_for):
        unit = f.WorkUnitFactory(calendar=f.CalendarFactory(code="DAY"))
        f.WorkUnitFactory()
        page = client_for(Role.OPERATOR).get(_url("DAY"))
        assert [code for _url, code, _name in page.context["users"]] == [unit.code]
        assert client_for(Role.OPERATOR).post(_url("DAY"), {}).status_code == 403
