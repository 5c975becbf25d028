"""Skills with their crews, tools, and routings that need them: pages, files, who is told."""

from datetime import UTC, date, datetime, time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.concurrency import StaleWrite
from common.enums import Role
from common.models import AuditEntry, Event
from masterdata.models import Crew, RoutingOperation, Skill, Tool
from masterdata.services import calendar_records, calendars, crews, imports, routings, weeks
from tests.masterdata import factories as f

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 8, 8, tzinfo=UTC)
TOPIC = "masterdata.capacity.changed"


def _told():
    return sorted(Event.objects.filter(topic=TOPIC).values_list("payload__site_id", flat=True))


def _url(name, *args):
    return reverse(f"masterdata:{name}", args=args)


class TestSkills:
    def test_a_planner_makes_one_and_gives_it_crews(self, client_for):
        client, site = client_for(Role.PLANNER), f.SiteFactory()
        answer = client.post(_url("skill-create"), {"code": "WELDER", "name": "Welder"})
        assert answer.status_code == 302
        night = f.CalendarFactory(code="NIGHT")
        rows = _rows((site.pk, site.calendar.pk, 3), (site.pk, night.pk, 1))
        assert client.post(_url("skill-crews", "WELDER"), rows).status_code == 302
        assert set(Crew.objects.values_list("calendar__code", "people")) == {
            (site.calendar.code, 3),
            ("NIGHT", 1),
        }
        assert _told() == [site.pk]
        entry = AuditEntry.objects.get(action="masterdata.crews.save")
        assert entry.changes["crews"][1] == [f"{site.code} {site.calendar.code}: 3"] + [
            f"{site.code} NIGHT: 1"
        ]
        page = client.get(_url("skill-edit", "WELDER"))
        assert "NIGHT" in page.content.decode()
        (row,) = client.get(_url("skill-list")).context["table"].rows
        assert (row.record.crew_count, row.record.people_count) == (2, 4)

    @pytest.mark.parametrize("people", ["0", "-1", "", "many"])
    def test_a_crew_of_nobody_is_refused(self, client_for, people):
        skill, site = f.SkillFactory(), f.SiteFactory()
        rows = _rows((site.pk, site.calendar.pk, people))
        answer = client_for(Role.PLANNER).post(_url("skill-crews", skill.code), rows)
        assert answer.status_code == 422
        assert not Crew.objects.exists()

    def test_a_crew_that_is_there_twice_is_refused_with_a_sentence(self, client_for):
        skill, site = f.SkillFactory(), f.SiteFactory()
        line = (site.pk, site.calendar.pk, 1)
        answer = client_for(Role.PLANNER).post(_url("skill-crews", skill.code), _rows(line, line))
        assert answer.status_code == 422
        assert "is there twice" in answer.content.decode()

    def test_crews_that_went_stale_are_not_written(self, client_for):
        crew, client = f.CrewFactory(), client_for(Role.PLANNER)
        Skill.objects.update(version=2)
        line = (crew.site.pk, crew.calendar.pk, 5)
        answer = client.post(_url("skill-crews", crew.skill.code), _rows(line, version=1))
        assert answer.status_code == 422
        crew.refresh_from_db()
        assert crew.people == 1
        with pytest.raises(StaleWrite):
            crews.save(skill=crew.skill, crews=[], version=1, by=None, now=NOW)

    def test_a_site_that_loses_its_crew_is_told_too(self):
        crew = f.CrewFactory()
        line = crews.CrewLine(f.SiteFactory(), crew.calendar, 1)
        crews.save(skill=crew.skill, crews=[line], version=1, by=None, now=NOW)
        assert _told() == sorted([crew.site.pk, line.site.pk])

    def test_a_calendar_tells_the_site_whose_crew_works_by_it(self):
        crew = f.CrewFactory(calendar=f.CalendarFactory())
        calendar_records.save(
            calendar=crew.calendar,
            values={"code": "N", "name": "N", "name_zh": "", "time_zone": "UTC"},
            shifts=weeks.parse_day(0, "06:00–14:00"),
            exceptions=[],
            version=1,
            by=None,
            now=NOW,
        )
        assert _told() == [crew.site.pk]

    def test_who_may_not_edit_looks_and_writes_nothing(self, client_for):
        crew, client = f.CrewFactory(), client_for(Role.OPERATOR)
        for name in ("skill-edit", "skill-crews"):
            page = client.get(_url(name, crew.skill.code))
            assert page.status_code == 200
            assert not page.context["can_save"]
            assert client.post(_url(name, crew.skill.code), {}).status_code == 403

    def test_its_page_takes_the_same_queries_for_many_crews(self, client_for):
        crew, client = f.CrewFactory(), client_for(Role.PLANNER)
        url = _url("skill-edit", crew.skill.code)
        client.get(url)
        with CaptureQueriesContext(connection) as one:
            client.get(url)
        for _crew in range(4):
            f.CrewFactory(skill=crew.skill)
        with CaptureQueriesContext(connection) as many:
            client.get(url)
        assert len(one) == len(many)


def _rows(*rows, version=1):
    data = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": 0, "version": version}
    for number, row in enumerate(rows):
        names = ("site", "calendar", "people")
        data |= {f"form-{number}-{n}": v for n, v in zip(names, row, strict=True)}
    return data


def test_people_of_crews_come_with_the_shifts_of_their_calendars():
    site = f.SiteFactory(calendar=f.office_hours())
    night = f.CalendarFactory(shifts=[(0, time(22), time(6))])
    skill = f.SkillFactory(crews=[(site, site.calendar, 3), (site, night, 1)])
    f.CrewFactory(skill=skill)
    start = datetime(2026, 6, 8, tzinfo=UTC)
    found = calendars.crew_times(
        site_id=site.pk, starts_at=start, ends_at=datetime(2026, 6, 9, tzinfo=UTC)
    )
    base = calendars.to_minutes(start)
    spans = [
        ([(w.start - base, w.end - base) for w in times], people)
        for times, people in found[skill.pk]
    ]
    assert spans == [([(8 * 60, 17 * 60)], 3), ([(22 * 60, 24 * 60)], 1)]


class TestTools:
    def _data(self, site, **changes):
        return {"code": "F-1", "name": "Fixture", "site": site.pk, "quantity": 2, **changes}

    def test_a_planner_makes_and_changes_one(self, client_for):
        client, site = client_for(Role.PLANNER), f.SiteFactory()
        data = self._data(site, is_active="on")
        assert client.post(_url("tool-create"), data).status_code == 302
        changed = self._data(site, quantity=1, version=1, is_active="on")
        assert client.post(_url("tool-edit", "F-1"), changed).status_code == 302
        assert Tool.objects.get().quantity == 1
        assert _told() == [site.pk, site.pk]
        stale = client.post(_url("tool-edit", "F-1"), self._data(site, quantity=9, version=1))
        assert stale.status_code == 422
        assert Tool.objects.get().quantity == 1

    def test_another_name_makes_no_schedule_stale(self, client_for):
        tool = f.ToolFactory(code="F-1", quantity=2)
        data = self._data(tool.site, name="Clamp", version=1, is_active="on")
        client_for(Role.PLANNER).post(_url("tool-edit", "F-1"), data)
        assert Tool.objects.get().name == "Clamp"
        assert _told() == []

    @pytest.mark.parametrize("quantity", ["0", "-2", "half"])
    def test_less_than_one_is_refused_at_its_field(self, client_for, quantity):
        data = self._data(f.SiteFactory(), quantity=quantity)
        answer = client_for(Role.PLANNER).post(_url("tool-create"), data)
        assert answer.status_code == 422
        assert "quantity" in answer.context["form"].errors

    def test_lists_filter_by_code_and_site_and_take_the_same_queries_for_many(self, client_for):
        client, tool = client_for(Role.PLANNER), f.ToolFactory(code="CLAMP")
        client.get(_url("tool-list"))
        with CaptureQueriesContext(connection) as one:
            client.get(_url("tool-list"))
        for _tool in range(5):
            f.ToolFactory()
        with CaptureQueriesContext(connection) as many:
            page = client.get(_url("tool-list"))
        assert len(one) == len(many)
        assert len(page.context["table"].rows) == 6
        for asked in ({"q": "clam"}, {"site": tool.site.pk}):
            page = client.get(_url("tool-list"), asked)
            assert [row.record for row in page.context["table"].rows] == [tool]


class TestRoutings:
    def _save(self, item, **needs):
        center = f.WorkCenterFactory(code="WELD")
        step = routings.Operation(sequence=10, name="Weld", work_center=center.code, **needs)
        return routings.save(
            item=item,
            revision="A",
            valid_from=date(2026, 1, 1),
            valid_to=None,
            operations=[step],
            by=None,
            now=NOW,
        )

    def test_a_step_names_its_people_and_its_tool(self):
        f.SkillFactory(code="WELDER")
        f.ToolFactory(code="F-1")
        routing = self._save(f.ItemFactory(), skill="WELDER", people=2, tool="F-1")
        step = routing.operations.get()
        assert (step.skill.code, step.people, step.tool.code) == ("WELDER", 2, "F-1")
        entry = AuditEntry.objects.get(action="masterdata.routing.save")
        assert entry.changes["operations"][1] == ["10 WELD Weld: 0 + 0 · 2 × WELDER · F-1"]

    @pytest.mark.parametrize(
        ("needs", "sentence"),
        [
            ({"skill": "NOBODY"}, "there is no skill NOBODY"),
            ({"tool": "NOTHING"}, "there is no tool NOTHING"),
        ],
    )
    def test_what_does_not_exist_is_refused(self, needs, sentence):
        with pytest.raises(routings.UnknownNeed, match=sentence):
            self._save(f.ItemFactory(), **needs)

    def test_nobody_is_refused(self):
        f.SkillFactory(code="WELDER")
        with pytest.raises(routings.InvalidOperation, match="asks for nobody"):
            self._save(f.ItemFactory(), skill="WELDER", people=0)

    def test_the_page_shows_and_writes_family_skill_and_tool(self, client_for):
        f.SkillFactory(code="WELDER")
        f.ToolFactory(code="F-1")
        step = f.RoutingOperationFactory(sequence=10, setup_family="red")
        item, client = step.routing.item, client_for(Role.PLANNER)
        url = _url("routing-edit", item.code) + "?revision=A"
        row = client.get(url).context["rows"].initial[0]
        assert (row["setup_family"], row["skill"], row["people"], row["tool"]) == ("red", "", 1, "")
        data = {f"form-0-{name}": value for name, value in row.items()}
        data |= {"form-0-skill": "WELDER", "form-0-people": "2", "form-0-tool": "F-1"}
        data |= {"form-0-setup_family": "blue", "form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 0}
        data |= {"revision": "A", "valid_from": "2020-01-01", "version": 1}
        assert client.post(url, data).status_code == 302
        saved = RoutingOperation.objects.get()
        assert (saved.setup_family, saved.people) == ("blue", 2)
        assert (saved.skill.code, saved.tool.code) == ("WELDER", "F-1")


def _import(kind, text, take_good=False):
    table = imports.read(f"{kind}.csv", text.encode())
    return imports.run(imports.RESOURCES[kind], table, take_good=take_good, by=None, now=NOW)


def _check(kind, text):
    return imports.check(imports.RESOURCES[kind], imports.read(f"{kind}.csv", text.encode()))


class TestFiles:
    def test_all_three_and_the_routing_come_in_and_go_out_unchanged(self):
        site = f.SiteFactory(code="S", calendar=f.CalendarFactory(code="DAY"))
        item = f.ItemFactory(code="ARM")
        f.WorkCenterFactory(code="WELD", site=site)
        files = {
            "skills": "code,name,name_zh\nWELDER,Welder,焊工\n",
            "crews": "skill,site,calendar,people\nWELDER,S,DAY,2\n",
            "tools": "code,name,site,quantity\nF-1,Fixture,S,3\n",
            "routing_operations": (
                "item,valid_from,sequence,name,work_center,skill,people,tool\n"
                "ARM,2026-01-01,10,Weld,WELD,WELDER,2,F-1\n"
            ),
        }
        for kind, text in files.items():
            assert _import(kind, text).outcome.created == 1
        step = RoutingOperation.objects.get(routing__item=item)
        assert (step.skill.code, step.people, step.tool.code) == ("WELDER", 2, "F-1")
        assert Skill.objects.get().version == 2  # its crew came after it
        assert _told() == [site.pk, site.pk]
        for kind in files:
            out = imports.export_csv(imports.RESOURCES[kind]).decode("utf-8-sig")
            again = _check(kind, out).outcome
            assert (again.created, again.changed, again.unchanged) == (0, 0, 1), kind

    @pytest.mark.parametrize(
        ("kind", "text", "column"),
        [
            ("crews", "skill,site,calendar,people\nNOBODY,S,DAY,1\n", "skill"),
            ("crews", "skill,site,calendar,people\nWELDER,S,DAY,0\n", "people"),
            ("crews", "skill,site,calendar,people\nWELDER,S,DAY,-1\n", "people"),
            ("crews", "skill,site,calendar,people\nWELDER,S,DAY,1\nWELDER,S,DAY,2\n", "skill"),
            ("tools", "code,name,site,quantity\nF-1,Fixture,S,0\n", "quantity"),
            ("tools", "code,name,site\nF-1,Fixture,NOWHERE\n", "site"),
            (
                "routing_operations",
                "item,valid_from,sequence,name,work_center,skill\n"
                "ARM,2026-01-01,10,Weld,WELD,NOBODY\n",
                "skill",
            ),
            (
                "routing_operations",
                "item,valid_from,sequence,name,work_center,people\nARM,2026-01-01,10,Weld,WELD,0\n",
                "people",
            ),
        ],
    )
    def test_a_bad_row_is_named_with_its_place(self, kind, text, column):
        site = f.SiteFactory(code="S", calendar=f.CalendarFactory(code="DAY"))
        f.ItemFactory(code="ARM")
        f.WorkCenterFactory(code="WELD", site=site)
        f.SkillFactory(code="WELDER")
        assert [bad.column for bad in _check(kind, text).bad] == [column]
