"""The demo factory's tables: what makes its plan worth looking at."""

import pytest
from django.utils import timezone

from crm.demo import loading
from masterdata import selectors
from masterdata.models import Crew, RoutingOperation, Tool, WorkCenter

pytestmark = pytest.mark.django_db


@pytest.fixture
def tables():
    loading.tables(now=timezone.now())


def test_every_step_of_a_center_with_changeovers_has_a_setup_family(tables):
    rules = selectors.changeovers(site_id=selectors.default_site().pk)
    centers = WorkCenter.objects.in_bulk(rules)
    assert {center.code for center in centers.values()} == {"TURN", "GRIND", "PAINT"}
    steps = RoutingOperation.objects.filter(work_center__in=centers)
    assert not steps.filter(setup_family="").exists()
    for pk, found in rules.items():
        families = set(steps.filter(work_center=pk).values_list("setup_family", flat=True))
        # Each pair of families of the center takes some time.
        matrix = found.matrix(families)
        assert all(len(matrix[family]) == len(families) - 1 for family in families)


def test_fewer_people_cut_gears_late_and_all_that_machines_work_is_served(tables):
    people = dict(Crew.objects.values_list("calendar__code", "people"))
    assert people["LATE"] < people["EARLY"]
    steps = RoutingOperation.objects.filter(skill__code="GEARS")
    assert set(steps.values_list("routing__item__code", flat=True)) == {"GEAR-Z20", "GEAR-Z60"}
    assert max(steps.values_list("people", flat=True)) <= min(people.values())


def test_the_machines_share_one_fixture_for_two_items(tables):
    fixture = Tool.objects.get()
    steps = RoutingOperation.objects.filter(tool=fixture)
    assert fixture.quantity == 1
    assert steps.count() == 2
    assert all(step.work_center.units.count() > 1 for step in steps)
