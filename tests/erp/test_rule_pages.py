"""Pages of the rules of automatic ordering, and the line that says how up to date planning is."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common import events
from common.enums import JobState, Role
from common.jobs import runner
from common.models import Job
from erp.events import PurchaseOrdersChanged
from erp.models import AutoOrderRule
from erp.services import mrp_runs
from tests.masterdata.factories import ItemFactory, SiteFactory, SupplierFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
RULES, ADD = "/stock/planning/rules/", "/stock/planning/rules/narrow/"
PLANNING = "/stock/planning/"


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def site(db):
    return SiteFactory()


def test_a_rule_is_added_by_codes_changed_and_removed(site, client_for):
    bolt, near = ItemFactory(code="BOLT"), SupplierFactory(code="NEAR")
    client = client_for(Role.PLANNER)
    given = {"item": "bolt", "supplier": "NEAR", "limit": "250", "reason": "C parts"}
    assert client.post(ADD, given).status_code == 302
    rule = AutoOrderRule.objects.get()
    assert (rule.site, rule.item, rule.supplier, rule.limit) == (site, bolt, near, 250)
    assert client.post(ADD, {**given, "limit": "0"}).status_code == 302
    assert AutoOrderRule.objects.get().limit == 0
    page = client.get(RULES).content.decode()
    assert "C parts" in page
    assert "never" in page
    removal = reverse("erp:auto-order-rule-remove", args=[rule.pk])
    assert client.post(removal).status_code == 302
    assert client.post(removal).status_code == 404
    assert not AutoOrderRule.objects.exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"item": "NUT"}, "No item has the code NUT."),
        ({"supplier": "FAR"}, "There is no supplier FAR."),
        ({"item": ""}, "Name an item, a supplier or both"),
        ({"reason": ""}, "This field is required."),
        ({"limit": "-1"}, "greater than or equal to 0"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(site, client_for, change, sentence):
    ItemFactory(code="BOLT")
    given = {"item": "BOLT", "supplier": "", "limit": "250", "reason": "C parts"}
    page = client_for(Role.PLANNER).post(ADD, {**given, **change})
    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert not AutoOrderRule.objects.exists()


def test_another_sites_rule_is_not_found(site, client_for):
    rule = AutoOrderRule.objects.create(
        site=SiteFactory(), item=ItemFactory(), limit=1, reason="x", decided_at=NOW
    )
    removal = reverse("erp:auto-order-rule-remove", args=[rule.pk])
    assert client_for(Role.PLANNER).post(removal).status_code == 404
    assert AutoOrderRule.objects.exists()


def status(client, **headers):
    return client.get(PLANNING, headers={"HX-Request": "true", "HX-Target": "status", **headers})


def test_the_status_tells_what_changed_when_it_plans_and_that_it_has(site, client_for):
    client = client_for(Role.PLANNER)
    first = mrp_runs.request(site_id=site.pk, by=None, now=NOW)
    runner.run_due(now=NOW)
    answer = status(client)
    assert "Up to date" in answer.content.decode()
    assert "<html" not in answer.content.decode()
    known = {"X-Live-Known": answer["X-Live-Version"]}
    assert status(client, **known).status_code == 204
    with transaction.atomic():
        fact = PurchaseOrdersChanged(site_id=site.pk)
        events.publish(fact, by=None, now=NOW + timedelta(seconds=1))
    runner.run_due(now=NOW + timedelta(seconds=10))
    text = status(client, **known).content.decode()
    assert "Changed since" in text
    assert "Purchase orders changed <strong>1</strong>" in text
    assert "Plans by itself when changes have gone quiet" in text
    runner.run_due(now=NOW + timedelta(seconds=200))
    assert not Job.objects.filter(name="erp.run_mrp", state=JobState.QUEUED).exists()
    # Whoever opened the page before sees that there is something newer.
    seen = client.get(
        f"{PLANNING}?seen={first.pk}", headers={"HX-Request": "true", "HX-Target": "status"}
    )
    assert "Show the new proposals" in seen.content.decode()
    for nonsense in ("x", "9" * 400, "-1"):
        assert client.get(f"{PLANNING}?seen={nonsense}").status_code == 200


def test_more_rules_are_not_more_queries(site, client_for):
    client = client_for(Role.PLANNER)
    client.get(RULES)
    counted = []
    for _round in range(2):
        AutoOrderRule.objects.create(
            site=site, item=ItemFactory(), limit=1, reason="x", decided_at=NOW
        )
        with CaptureQueriesContext(connection) as caught:
            assert client.get(RULES).status_code == 200
        counted.append(len(caught))
    assert counted[0] == counted[1]
