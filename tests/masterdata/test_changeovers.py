"""Changeover times of a work center: which rule counts, the page, the file, who is told."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.concurrency import StaleWrite
from common.enums import Role
from common.models import AuditEntry, Event
from masterdata import selectors
from masterdata.models import Changeover
from masterdata.selectors import Changeovers
from masterdata.services import changeovers, imports
from tests.masterdata import factories as f

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 8, 8, tzinfo=UTC)
TOPIC = "masterdata.capacity.changed"


class TestWhichRuleCounts:
    RULES = Changeovers(
        {("", ""): 10, ("RED", ""): 20, ("", "BLUE"): 30, ("RED", "BLUE"): 40, ("RED", "RED"): 5}
    )

    @pytest.mark.parametrize(
        ("before", "after", "minutes"),
        [
            ("RED", "BLUE", 40),
            ("GREEN", "BLUE", 30),
            ("RED", "GREEN", 20),
            ("GREEN", "RED", 10),
            ("RED", "RED", 5),
            ("GREEN", "GREEN", 0),
            ("", "BLUE", 0),
            ("RED", "", 0),
        ],
    )
    def test_the_most_exact_one_and_none_without_a_family(self, before, after, minutes):
        assert self.RULES.minutes(before, after) == minutes

    def test_into_a_family_counts_before_out_of_one(self):
        rules = Changeovers({("RED", ""): 20, ("", "BLUE"): 30})
        assert rules.minutes("RED", "BLUE") == 30

    def test_an_exact_zero_takes_the_default_away(self):
        rules = Changeovers({("", ""): 10, ("RED", "BLUE"): 0})
        assert rules.minutes("RED", "BLUE") == 0
        assert rules.matrix(["RED", "BLUE"]) == {"BLUE": {"RED": 10}}


def test_the_rules_of_a_site_are_one_query_however_many():
    center = f.WorkCenterFactory()
    f.ChangeoverFactory(work_center=center)
    f.ChangeoverFactory(work_center=center, from_family="RED", minutes=45)
    f.ChangeoverFactory()
    with CaptureQueriesContext(connection) as queries:
        found = selectors.changeovers(site_id=center.site_id)
    assert len(queries) == 1
    assert {pk: rules.minutes("RED", "BLUE") for pk, rules in found.items()} == {center.pk: 45}


def _save(center, minutes, version=1):
    return changeovers.save(center=center, minutes=minutes, version=version, by=None, now=NOW)


def _stored(center):
    return {(row.from_family, row.to_family): row.minutes for row in center.changeovers.all()}


class TestSaving:
    def test_it_writes_exactly_these_and_tells_the_schedule_once(self):
        center = f.WorkCenterFactory()
        _save(center, {("", ""): 15, ("RED", "BLUE"): 40})
        _save(center, {("", ""): 20, ("BLUE", "RED"): 60}, version=2)
        assert _stored(center) == {("", ""): 20, ("BLUE", "RED"): 60}
        told = Event.objects.filter(topic=TOPIC).values_list("payload__site_id", flat=True)
        assert list(told) == [center.site_id] * 2
        entry = AuditEntry.objects.filter(action="masterdata.changeovers.save").latest("pk")
        assert entry.changes == {
            "changeovers": [["* → *: 15", "RED → BLUE: 40"], ["* → *: 20", "BLUE → RED: 60"]]
        }

    def test_what_stays_as_it_was_makes_no_schedule_stale(self):
        center = f.WorkCenterFactory()
        _save(center, {("", ""): 15})
        _save(center, {("", ""): 15}, version=2)
        assert Event.objects.filter(topic=TOPIC).count() == 1

    @pytest.mark.parametrize("minutes", [-1, 7 * 24 * 60 + 1])
    def test_no_time_below_nothing_or_above_a_week(self, minutes):
        center = f.WorkCenterFactory()
        with pytest.raises(changeovers.InvalidChangeover):
            _save(center, {("", ""): minutes})
        assert not Changeover.objects.exists()

    def test_a_center_that_somebody_saved_meanwhile_is_left_alone(self):
        center = f.WorkCenterFactory()
        _save(center, {("", ""): 15})
        with pytest.raises(StaleWrite):
            _save(center, {}, version=1)
        assert _stored(center) == {("", ""): 15}


def _url(center):
    return reverse("masterdata:work-center-changeovers", args=[center.code])


class TestThePage:
    def test_it_has_a_field_for_each_pair_of_families_and_says_what_counts_by_default(
        self, client_for
    ):
        center = f.WorkCenterFactory()
        f.RoutingOperationFactory(work_center=center, setup_family="RED")
        f.RoutingOperationFactory(setup_family="ELSEWHERE")
        f.ChangeoverFactory(work_center=center, to_family="BLUE", minutes=25)
        form = client_for(Role.PLANNER).get(_url(center)).context["form"]
        assert form.families == ["BLUE", "RED"]
        assert [line.label for line in form.lines] == ["any other", "BLUE", "RED"]
        # From RED to BLUE nothing is stored; what counts is the rule into BLUE.
        assert form["m_2_1"].value() is None
        assert form.fields["m_2_1"].widget.attrs["placeholder"] == 25
        assert form["m_0_1"].value() == 25

    def test_a_planner_fills_it_in(self, client_for):
        center = f.WorkCenterFactory()
        data = {"version": 1, "family": ["RED", "BLUE"], "m_0_0": "10", "m_1_2": "45", "m_2_1": "0"}
        answer = client_for(Role.PLANNER).post(_url(center), data)
        assert answer.status_code == 302
        assert _stored(center) == {("", ""): 10, ("RED", "BLUE"): 45, ("BLUE", "RED"): 0}
        page = client_for(Role.PLANNER).get(answer.url).content.decode()
        assert "Changeover times" in page
        assert "any other" in page

    def test_a_new_family_gets_a_row_and_a_column_and_nothing_is_saved_yet(self, client_for):
        center = f.WorkCenterFactory()
        data = {"version": 1, "family": "RED", "m_0_1": "45", "act": "add", "new_family": " BLUE "}
        page = client_for(Role.PLANNER).post(_url(center), data)
        assert page.status_code == 200
        form = page.context["form"]
        assert form.families == ["RED", "BLUE"]
        assert (form["m_0_1"].value(), form["version"].value()) == (45, 1)
        assert not Changeover.objects.exists()

    def test_a_stale_page_is_not_written_and_says_who(self, client_for):
        center, client = f.WorkCenterFactory(), client_for(Role.PLANNER)
        client.post(_url(center), {"version": 1, "m_0_0": "10"})
        answer = client.post(_url(center), {"version": 1, "m_0_0": "99"})
        assert answer.status_code == 422
        assert "planner" in answer.content.decode()
        assert _stored(center) == {("", ""): 10}

    @pytest.mark.parametrize("typed", ["-1", "2.5", "many", "99999"])
    def test_what_is_no_time_is_said_at_its_field(self, client_for, typed):
        center = f.WorkCenterFactory()
        answer = client_for(Role.PLANNER).post(_url(center), {"version": 1, "m_0_0": typed})
        assert answer.status_code == 422
        assert "m_0_0" in answer.context["form"].errors
        assert not Changeover.objects.exists()

    def test_who_may_not_edit_looks_and_writes_nothing(self, client_for):
        center, client = f.WorkCenterFactory(), client_for(Role.OPERATOR)
        page = client.get(_url(center))
        assert page.status_code == 200
        assert not page.context["can_save"]
        assert client.post(_url(center), {"version": 1, "m_0_0": "1"}).status_code == 403
        assert not Changeover.objects.exists()

    def test_far_too_many_families_are_refused_before_a_field_is_made_for_each_pair(
        self, client_for
    ):
        center = f.WorkCenterFactory()
        families = [f"F{number}" for number in range(900)]
        answer = client_for(Role.PLANNER).post(_url(center), {"version": 1, "family": families})
        assert answer.status_code == 422
        assert answer.context["is_too_long"]
        assert len(answer.context["form"].fields) < 1000

    def test_more_families_than_a_page_sends_go_to_the_import(self, client_for):
        center = f.WorkCenterFactory()
        for number in range(29):
            f.ChangeoverFactory(work_center=center, to_family=f"F{number:02}")
        page = client_for(Role.PLANNER).get(_url(center))
        assert page.context["is_too_long"]
        families = [f"F{number:02}" for number in range(29)]
        answer = client_for(Role.PLANNER).post(_url(center), {"version": 1, "family": families})
        assert answer.status_code == 422
        assert Changeover.objects.count() == 29

    def test_it_takes_the_same_queries_for_many_families(self, client_for):
        center, client = f.WorkCenterFactory(), client_for(Role.PLANNER)
        counts = []
        for number in range(2):
            f.ChangeoverFactory(work_center=center, to_family=f"A{number}")
            client.get(_url(center))
            with CaptureQueriesContext(connection) as queries:
                client.get(_url(center))
            counts.append(len(queries))
        assert counts[0] == counts[1]


def _table(text):
    return imports.read("changeovers.csv", text.encode())


HEAD = "work_center,from_family,to_family,minutes\n"


class TestTheFile:
    def test_rows_are_known_by_their_pair_and_twice_is_once(self):
        center = f.WorkCenterFactory(code="PAINT")
        kind = imports.RESOURCES["changeovers"]
        table = _table(f"{HEAD}PAINT,,,10\nPAINT,RED,,20\nPAINT,RED,BLUE,40\n")
        imports.run(kind, table, take_good=False, by=None, now=NOW)
        assert _stored(center) == {("", ""): 10, ("RED", ""): 20, ("RED", "BLUE"): 40}
        center.refresh_from_db()
        assert center.version == 2
        assert Event.objects.filter(topic=TOPIC).count() == 1
        again = imports.check(kind, imports.read("x.csv", imports.export_csv(kind)))
        assert (again.outcome.created, again.outcome.changed, again.outcome.unchanged) == (0, 0, 3)

    @pytest.mark.parametrize(
        ("row", "column"),
        [
            ("NOWHERE,,,10", "work_center"),
            ("PAINT,,,", "minutes"),
            ("PAINT,,,-3", "minutes"),
            ("PAINT,,,2.5", "minutes"),
            ("PAINT,,,20000", "minutes"),
            (f"PAINT,{'x' * 41},,5", "from_family"),
            ("PAINT,RED,BLUE,5\nPAINT,RED,BLUE,6", "work_center"),
        ],
    )
    def test_a_bad_row_is_named_with_its_place(self, row, column):
        f.WorkCenterFactory(code="PAINT")
        plan = imports.check(imports.RESOURCES["changeovers"], _table(f"{HEAD}{row}\n"))
        assert [bad.column for bad in plan.bad] == [column]
