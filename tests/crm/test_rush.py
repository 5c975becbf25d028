"""A rush: asked by sales, simulated, decided by planning, and then in force everywhere."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aps.enums import RunKind, RunState
from aps.models import ScheduleRun
from aps.services import scenarios
from common.enums import Role
from common.jobs import run_due
from common.models import AuditEntry, Event, Notification
from crm.enums import PromiseCause, RushState
from crm.models import RushRequest
from crm.services import orders, rush
from crm.services.rush import CannotDecide, CannotRequest, CannotWithdraw
from tests.crm.factories import FRIDAY, MONDAY, Shop
from tests.factories import UserFactory
from tests.shared import shared

pytestmark = pytest.mark.django_db

TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (24, 25, 26))
DAY_OF_WORK = 9 * 60


@pytest.fixture(autouse=True)
def quick(settings):
    settings.SOLVE_SECONDS = 0.03


@shared(SOLVE_SECONDS=0.03)
def shop():
    """One lathe; ACME's two days of work before one day of BETA's, planned and promised."""
    shop = Shop()
    shop.planner = UserFactory(username="pia", roles=["planner"])
    shop.buyer = UserFactory(username="bo", roles=["purchasing"])
    shop.long = shop.approved(("PART", 2 * DAY_OF_WORK), wanted=WEDNESDAY)
    work(shop)
    shop.short = shop.approved(("PART", DAY_OF_WORK), wanted=FRIDAY)
    work(shop)
    return shop


def work(shop):
    """Let all jobs run that the ledger holds."""
    run_due(now=shop.now, include_waiting=True)


def ask(shop, order=None, wanted=TUESDAY, **kwargs):
    return rush.request(
        line=shop.line(order or shop.short),
        wanted_date=wanted,
        reason="The line stands still",
        by=shop.sales,
        now=shop.now,
        **kwargs,
    )


def asked(shop, **kwargs):
    """A request, simulated."""
    found = ask(shop, **kwargs)
    work(shop)
    return fresh(found)


def fresh(found):
    return RushRequest.objects.select_related("line__order", "run").get(pk=found.pk)


def approve(shop, found):
    return rush.approve(rush=found, by=shop.planner, now=shop.now)


def told(kind):
    return set(Notification.objects.filter(kind=kind).values_list("user__username", flat=True))


def test_the_simulation_says_what_the_rush_costs(shop):
    found = asked(shop)
    assert found.state == RushState.PENDING
    assert found.run.kind == RunKind.RUSH
    says = found.assessment
    assert says["kept"]
    assert says["day"] <= TUESDAY.isoformat()
    (moved,) = says["orders"]
    assert moved["line"] == f"{shop.long.number}/10"
    assert moved["days"] > 0
    assert moved["breaks_promise"]
    assert says["promise_breaks"] == [f"{shop.long.number}/10"]
    assert says["before"]["late_orders"] == 0
    assert says["after"]["late_orders"] == 1
    assert says["material"] == []
    assert told("crm.rush_to_decide") == {"pia"}
    assert told("crm.rush_assessed") == {"sara"}
    # The live plan is as it was.
    assert ScheduleRun.objects.get(state=RunState.PUBLISHED).kind == RunKind.LIVE


def test_approval_applies_that_very_plan_and_everybody_knows(shop):
    found = asked(shop)
    plan = {row.operation_id: row.starts_at for row in found.run.operations.all()}
    found = approve(shop, found)
    assert found.state == RushState.APPLIED
    assert (found.decided_by, found.applied_at) == (shop.planner, MONDAY)
    live = ScheduleRun.objects.get(state=RunState.PUBLISHED)
    assert live == found.run
    assert {row.operation_id: row.starts_at for row in live.operations.all()} == plan
    line = shop.line(shop.short)
    assert line.promised_date == TUESDAY
    revision = line.promises.latest("pk")
    assert (revision.cause, revision.by, revision.new_date) == (
        PromiseCause.RUSH,
        shop.planner,
        TUESDAY,
    )
    assert line.requirement.weight == found.weight
    assert [order.priority for order in shop.work(shop.short)] == [found.weight]
    assert [order.priority for order in shop.work(shop.long)] == [1]
    assert told("crm.rush_applied") == {"bo"}
    assert told("crm.rush_approved") == {"sara"}
    assert AuditEntry.objects.filter(action="crm.rush.approve", target_id=found.pk).exists()
    assert Event.objects.get(topic="crm.rush.applied").payload["order_id"] == shop.short.pk
    work(shop)
    line.refresh_from_db()
    assert line.projected_date == TUESDAY


def test_the_plan_of_a_rush_is_published_by_its_approval_only(shop):
    found = asked(shop)
    with pytest.raises(scenarios.CannotPublish, match="approving its rush request"):
        scenarios.publish(run=found.run, by=shop.planner, now=shop.now)


def test_a_plan_that_was_thrown_away_is_simulated_anew(shop):
    found = asked(shop)
    scenarios.reject(run=found.run, by=shop.planner, now=shop.now)
    with pytest.raises(CannotDecide, match="thrown away"):
        approve(shop, found)
    work(shop)
    assert approve(shop, fresh(found)).state == RushState.APPLIED


def test_later_plans_keep_the_rush(shop):
    approve(shop, asked(shop))
    shop.replan()
    work(shop)
    assert shop.line(shop.short).projected_date == TUESDAY
    assert shop.line(shop.long).is_late


def test_a_plan_that_moved_since_is_refused_and_simulated_anew_by_itself(shop):
    found = asked(shop)
    shop.approved(("PART", 30), wanted=FRIDAY)
    shop.convert()
    shop.replan()
    with pytest.raises(CannotDecide, match="simulated anew"):
        approve(shop, found)
    again = fresh(found)
    assert again.state == RushState.DRAFT
    assert shop.line(shop.short).promised_date == FRIDAY
    work(shop)
    again = fresh(found)
    assert again.state == RushState.PENDING
    assert again.run != found.run
    assert ScheduleRun.objects.get(pk=found.run_id).state == RunState.REJECTED
    assert approve(shop, again).state == RushState.APPLIED


def test_a_day_that_cannot_be_kept_says_what_overtime_would_do(shop):
    found = asked(shop, wanted=MONDAY.date())
    says = found.assessment
    assert not says["kept"]
    assert says["day"] == TUESDAY.isoformat()
    assert says["binding_unit"] == "LATHE-1"
    found = approve(shop, found)
    # What the plan can do is promised, not the wish.
    assert shop.line(shop.short).promised_date == TUESDAY


def test_overtime_that_keeps_the_day_comes_as_changes_for_a_scenario():
    shop = Shop()
    order = shop.approved(("PART", 2 * DAY_OF_WORK + 60), wanted=FRIDAY)
    work(shop)
    found = asked(shop, order=order, wanted=TUESDAY)
    assert not found.assessment["kept"]
    (help_,) = found.assessment["help"]
    assert help_["kept"]
    assert help_["work_unit"] == "LATHE-1"
    assert {change["kind"] for change in help_["changes"]} == {"overtime"}


def test_missing_material_is_told_with_its_day():
    shop = Shop()
    shop.assembly("KIT", {"RAW": 1})
    shop.items["RAW"].lead_time_days = 9
    shop.items["RAW"].save()
    order = shop.approved(("KIT", 5), wanted=date(2026, 12, 18))
    work(shop)
    found = asked(shop, order=order, wanted=WEDNESDAY)
    (shortage,) = found.assessment["material"]
    assert (shortage["item"], shortage["quantity"]) == ("RAW", "5")
    assert shortage["expected_at"] > "2026-12-01"
    assert not found.assessment["kept"]


def test_a_line_of_a_submitted_order_is_simulated_as_new_demand_and_keeps_its_priority(shop):
    order = shop.submitted(("PART", DAY_OF_WORK), wanted=TUESDAY, rush=[10])
    found = RushRequest.objects.get(line__order=order)
    assert found.wanted_date == TUESDAY
    work(shop)
    found = fresh(found)
    assert found.state == RushState.PENDING
    assert found.assessment["is_before_conversion"]
    assert found.assessment["kept"]
    found = approve(shop, found)
    assert found.state == RushState.APPROVED
    orders.approve(order=order, by=shop.sales, now=shop.now)
    assert shop.line(order).promised_date == TUESDAY
    work(shop)
    found = fresh(found)
    assert found.state == RushState.APPLIED
    line = shop.line(order)
    assert line.requirement.weight == found.weight
    assert [one.priority for one in shop.work(order)] == [found.weight]
    assert line.projected_date == TUESDAY


def test_a_rush_undecided_at_conversion_is_simulated_again_with_the_work_orders(shop):
    order = shop.submitted(("PART", DAY_OF_WORK), wanted=TUESDAY, rush=[10])
    work(shop)
    found = RushRequest.objects.get(line__order=order)
    assert found.assessment["is_before_conversion"]
    orders.approve(order=order, by=shop.sales, now=shop.now)
    work(shop)
    found = fresh(found)
    assert found.state == RushState.PENDING
    assert not found.assessment["is_before_conversion"]
    assert approve(shop, found).state == RushState.APPLIED


def test_a_wish_without_decision_waits_until_sales_submits_it(shop):
    found = asked(shop, wants_decision=False)
    assert found.state == RushState.ASSESSED
    assert told("crm.rush_to_decide") == set()
    with pytest.raises(CannotDecide):
        approve(shop, found)
    found = rush.submit(rush=found, by=shop.sales, now=shop.now)
    assert found.state == RushState.PENDING
    with pytest.raises(CannotDecide):
        rush.submit(rush=found, by=shop.sales, now=shop.now)


def test_a_rejection_wants_a_reason_and_tells_it(shop):
    found = asked(shop)
    with pytest.raises(CannotDecide, match="Say why"):
        rush.reject(rush=found, reason=" ", by=shop.planner, now=shop.now)
    found = rush.reject(rush=found, reason="ACME comes first", by=shop.planner, now=shop.now)
    assert found.state == RushState.REJECTED
    assert told("crm.rush_rejected") == {"sara"}
    assert ScheduleRun.objects.get(pk=found.run_id).state == RunState.REJECTED
    with pytest.raises(CannotDecide):
        approve(shop, found)
    with pytest.raises(CannotWithdraw):
        rush.cancel(rush=found, by=shop.sales, now=shop.now)


def test_what_cannot_be_rushed_is_refused(shop):
    with pytest.raises(CannotRequest, match="needs no rush"):
        ask(shop, wanted=date(2026, 12, 24))
    with pytest.raises(CannotRequest, match="from today on"):
        ask(shop, wanted=date(2026, 11, 20))
    with pytest.raises(CannotRequest, match="Say why"):
        rush.request(
            line=shop.line(shop.short),
            wanted_date=TUESDAY,
            reason="",
            by=shop.sales,
            now=shop.now,
        )
    ask(shop)
    with pytest.raises(CannotRequest, match="under way"):
        ask(shop)
    orders.cancel(order=shop.short, reason="gone", by=shop.sales, now=shop.now)
    with pytest.raises(CannotRequest, match="nothing to rush"):
        ask(shop)


def test_an_order_that_is_cancelled_takes_its_rush_along(shop):
    found = asked(shop)
    orders.cancel(order=shop.short, reason="gone", by=shop.sales, now=shop.now)
    assert fresh(found).state == RushState.CANCELLED


def test_what_cannot_be_simulated_says_why(shop):
    item = shop.make("NOTHING", steps=0)
    order = shop.enter(("NOTHING", 1))
    found = asked(shop, order=order)
    assert found.state == RushState.ASSESSED
    assert item.code in found.assessment["error"]
    with pytest.raises(CannotDecide):
        approve(shop, found)


def test_one_rush_of_a_line_is_open(shop):
    from django.db import IntegrityError, transaction

    found = ask(shop)
    with (
        pytest.raises(IntegrityError, match="crm_rushrequest_one_open_per_line"),
        transaction.atomic(),
    ):
        RushRequest.objects.create(
            number="RR-X",
            line=found.line,
            wanted_date=TUESDAY,
            requested_at=MONDAY,
            weight=1,
        )


def test_planners_and_supervisors_decide_sales_asks():
    from common import permissions

    assert permissions.PERMISSIONS["crm.decide_rush"] >= {Role.PLANNER, Role.SUPERVISOR}
    assert Role.SALES in permissions.PERMISSIONS["crm.request_rush"]
    assert Role.SALES not in permissions.PERMISSIONS["crm.decide_rush"]


def given_up(shop, found, how):
    """The request rejected by planning, or withdrawn by sales."""
    if how == "rejected":
        rush.reject(rush=found, reason="No room", by=shop.planner, now=shop.now)
    else:
        rush.cancel(rush=found, by=shop.sales, now=shop.now)


@pytest.mark.parametrize("how", ["rejected", "withdrawn"])
def test_a_line_whose_rush_is_given_up_is_promised_what_the_plan_gives(shop, how):
    order = shop.submitted(("PART", DAY_OF_WORK), wanted=TUESDAY, rush=[10])
    work(shop)
    given_up(shop, RushRequest.objects.get(line__order=order), how)
    orders.approve(order=order, by=shop.sales, now=shop.now)
    work(shop)
    line = shop.line(order)
    assert line.promised_date == line.projected_date
    assert line.promised_date is not None
    assert line.promises.get().cause == PromiseCause.FIRST


def test_a_line_with_an_estimate_is_promised_that_when_its_rush_is_rejected(shop):
    order = shop.submitted(("PART", DAY_OF_WORK), wanted=MONDAY.date(), rush=[10])
    work(shop)
    orders.approve(order=order, by=shop.sales, now=shop.now)
    work(shop)
    assert shop.line(order).promised_date is None, "planning still may make room"
    given_up(shop, RushRequest.objects.get(line__order=order), "rejected")
    line = shop.line(order)
    assert line.promised_date == line.projected_date
    assert line.promised_date is not None


def test_a_day_that_the_plan_keeps_by_itself_is_promised_before_the_rush_is_decided(
    shop, client_for
):
    order = shop.submitted(("PART", DAY_OF_WORK), wanted=THURSDAY, rush=[10])
    work(shop)
    found = RushRequest.objects.get(line__order=order)
    orders.approve(order=order, by=shop.sales, now=shop.now)
    orders.cancel(order=shop.long, reason="Not needed", by=shop.sales, now=shop.now)
    work(shop)
    line = shop.line(order)
    assert line.projected_date < THURSDAY
    # What was asked for, not what the plan happens to give.
    assert line.promised_date == THURSDAY
    (revision,) = line.promises.all()
    assert (revision.cause, revision.old_date) == (PromiseCause.FIRST, None)
    assert told("crm.rush_kept") == {shop.sales.username}
    page = client_for("sales").get(f"/orders/{order.number}/")
    assert "promised the day of the rush" in str([row.what for row in page.context["history"]])
    # The request is still planning's to decide, and says what it is about now.
    found = fresh(found)
    assert found.state == RushState.PENDING
    shown = client_for("planner").get(f"/orders/rush/{found.number}/").content.decode()
    assert "The plan keeps the day by itself" in shown
    given_up(shop, found, "rejected")
    work(shop)
    line = shop.line(order)
    assert (line.promised_date, line.promises.count()) == (THURSDAY, 1)
    assert AuditEntry.objects.filter(action="crm.rush.keep").count() == 2


def test_what_an_approved_rush_offered_is_not_offered_once_it_is_withdrawn(shop):
    order = shop.submitted(("PART", DAY_OF_WORK), wanted=TUESDAY, rush=[10])
    work(shop)
    found = approve(shop, RushRequest.objects.get(line__order=order))
    assert shop.line(order).offered_date == TUESDAY
    given_up(shop, found, "withdrawn")
    orders.approve(order=order, by=shop.sales, now=shop.now)
    assert shop.line(order).promised_date is None
    work(shop)
    assert shop.line(order).promised_date == shop.line(order).projected_date


def test_a_line_that_is_cancelled_takes_its_rush_along(shop):
    order = shop.approved(("PART", DAY_OF_WORK), ("PART", 30), wanted=FRIDAY)
    work(shop)
    found = asked(shop, order=order)
    orders.change_quantity(
        line=shop.line(order), quantity=Decimal(0), reason="", by=shop.sales, now=shop.now
    )
    assert fresh(found).state == RushState.CANCELLED
    assert ScheduleRun.objects.get(pk=found.run_id).state == RunState.REJECTED


def test_another_quantity_is_simulated_anew(shop):
    found = asked(shop)
    old = found.run
    orders.change_quantity(
        line=shop.line(shop.short),
        quantity=Decimal(2 * DAY_OF_WORK),
        reason="",
        by=shop.sales,
        now=shop.now,
    )
    assert fresh(found).state == RushState.DRAFT
    with pytest.raises(CannotDecide):
        approve(shop, fresh(found))
    work(shop)
    found = fresh(found)
    assert found.state == RushState.PENDING
    assert found.run != old
    assert found.assessment["day"] > TUESDAY.isoformat()


def test_a_draft_that_is_edited_withdraws_its_rush_and_keeps_its_history(shop):
    order = shop.enter(("PART", DAY_OF_WORK), wanted=TUESDAY)
    found = asked(shop, order=order)
    line = shop.line(order)
    orders.replace_lines(
        order=order,
        lines=[orders.NewLine(line.item_id, Decimal(5), WEDNESDAY)],
        version=order.version,
        by=shop.sales,
        now=shop.now,
    )
    assert fresh(found).state == RushState.CANCELLED
    assert ScheduleRun.objects.get(pk=found.run_id).state == RunState.REJECTED
    again = shop.line(order)
    assert (again.pk, again.quantity, again.requested_date) == (line.pk, 5, WEDNESDAY)


def test_a_rush_that_is_approved_on_a_draft_is_what_submitting_offers(shop):
    order = shop.enter(("PART", DAY_OF_WORK), wanted=TUESDAY)
    approve(shop, asked(shop, order=order))
    orders.submit(order=order, by=shop.sales, now=shop.now)
    assert shop.line(order).offered_date == TUESDAY
    orders.approve(order=order, by=shop.sales, now=shop.now)
    assert shop.line(order).promised_date == TUESDAY


@pytest.mark.parametrize("wants_decision", [True, False])
def test_a_draft_with_a_rush_under_way_is_submitted_with_that_one(shop, wants_decision):
    order = shop.enter(("PART", DAY_OF_WORK), wanted=TUESDAY)
    found = asked(shop, order=order, wants_decision=wants_decision)
    orders.submit(order=order, by=shop.sales, now=shop.now, rush_positions=frozenset({10}))
    assert shop.line(order).is_rush_asked
    assert RushRequest.objects.get(line__order=order) == found
    assert fresh(found).state == RushState.PENDING


def test_nobody_approves_the_order_while_its_rush_is_decided(shop):
    """Else the order could be approved without the day, and the day be offered to nobody."""
    order = shop.submitted(("PART", DAY_OF_WORK), wanted=TUESDAY, rush=[10])
    work(shop)
    found = RushRequest.objects.get(line__order=order)
    with CaptureQueriesContext(connection) as asked_for:
        approve(shop, found)
    held = [q["sql"] for q in asked_for if "FOR NO KEY UPDATE" in q["sql"]]
    tables = [name for sql in held for name in (re.search(r'FROM "(\w+)"', sql)[1],)]
    assert tables.index("crm_salesorder") < tables.index("crm_rushrequest")
