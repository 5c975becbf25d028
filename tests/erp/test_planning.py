"""A run of requirements planning: what it proposes, what a person makes of it, what comes of it."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from common.concurrency import StaleWrite
from common.enums import JobState
from common.jobs import runner
from common.models import AuditEntry, Job
from erp import selectors
from erp.enums import MrpRunState, ProposalAction, ProposalState, PurchaseOrderState
from erp.models import MrpRun, Proposal, PurchaseOrder, Supply, SupplyRule
from erp.services import mrp_runs, proposals, purchase_orders
from masterdata.models import BomLine, SupplierPrice
from mes.models import WorkOrder
from tests.erp.factories import PurchaseOrderFactory, PurchaseOrderLineFactory
from tests.factories import UserFactory
from tests.masterdata.factories import SupplierFactory
from tests.mes import invariants
from tests.mes.factories import Plant

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)


class Buying:
    """A plant that makes TABLE of one TOP and four LEG, and buys LEG from two suppliers."""

    def __init__(self, now):
        self.now = now
        self.plant = Plant()
        self.site = self.plant.site
        self.plant.make("TABLE", {"TOP": 1, "LEG": 4}, lead_time_days=2)
        self.leg, self.top = self.plant.items["LEG"], self.plant.items["TOP"]
        self.near, self.far = SupplierFactory(code="NEAR"), SupplierFactory(code="FAR")
        self.price(self.near, self.leg, "3.50", days=5)
        self.price(self.far, self.leg, "2.00", days=30, minimum=100)
        self.price(self.near, self.top, "40", days=10)

    def price(self, supplier, item, price, *, days, minimum=0):
        SupplierPrice.objects.create(
            supplier=supplier,
            item=item,
            price=Decimal(price),
            lead_time_days=days,
            min_order_quantity=minimum,
            valid_from=date(2026, 1, 1),
        )

    def need(self, code, quantity, *, days):
        return self.plant.need(code, quantity, due_at=self.now + timedelta(days=days))

    def work(self, name):
        """Run the waiting job of this name, and no other that the facts asked for."""
        job = Job.objects.get(name=name, state=JobState.QUEUED)
        assert runner.run_one(job.pk, now=self.now)

    def run(self):
        run = mrp_runs.request(site_id=self.site.pk, by=None, now=self.now)
        self.work("erp.run_mrp")
        run.refresh_from_db()
        assert run.state == MrpRunState.DONE, run.error
        return run

    def one(self, action, code):
        return Proposal.objects.get(action=action, item__code=code, state=ProposalState.OPEN)

    def accept(self, *rows, by=None):
        ids = [row.pk for row in rows]
        return proposals.accept(site_id=self.site.pk, proposal_ids=ids, by=by, now=self.now)


@pytest.fixture
def buying(now):
    return Buying(now)


def override(proposal, now, **kwargs):
    given = {"quantity": None, "due_date": None, "supplier_id": None, "reason": "rounding"}
    return proposals.override(
        proposal=proposal, version=proposal.version, by=None, now=now, **{**given, **kwargs}
    )


def test_a_run_proposes_over_the_levels_and_says_for_whom(buying):
    need = buying.need("TABLE", 5, days=20)
    buying.plant.stock("LEG", 6)
    run = buying.run()
    table = buying.one("make", "TABLE")
    assert (table.system_quantity, table.system_due_date) == (5, TODAY + timedelta(days=20))
    assert table.requirement == need
    leg, top = buying.one("buy", "LEG"), buying.one("buy", "TOP")
    assert (leg.system_quantity, leg.system_supplier, leg.price) == (
        14,
        buying.near,
        Decimal("3.5"),
    )
    assert leg.system_due_date == TODAY + timedelta(days=18)
    assert leg.system_release_date == TODAY + timedelta(days=13)
    assert leg.requirement == need
    assert [peg.parent for peg in leg.pegs.all()] == [table]
    assert (top.system_quantity, run.counts) == (5, {"make": 1, "buy": 2, "by_rule": 0})
    assert (run.done_items, run.finished_at) == (3, buying.now)


def test_two_requests_are_one_run_and_a_second_run_changes_nothing(buying):
    buying.need("TABLE", 5, days=20)
    first = mrp_runs.request(site_id=buying.site.pk, by=None, now=buying.now)
    assert mrp_runs.request(site_id=buying.site.pk, by=None, now=buying.now) == first
    buying.work("erp.run_mrp")
    before = facts()
    buying.run()
    assert facts() == before
    assert MrpRun.objects.count() == 2


def facts():
    return sorted(
        Proposal.objects.values_list("item__code", "action", "system_quantity", "system_due_date")
    )


def test_a_run_whose_job_was_called_off_does_not_stand_in_the_way(buying):
    first = mrp_runs.request(site_id=buying.site.pk, by=None, now=buying.now)
    Job.objects.filter(name="erp.run_mrp").update(state=JobState.CANCELLED)
    assert mrp_runs.has_died(first)
    second = mrp_runs.request(site_id=buying.site.pk, by=None, now=buying.now)
    first.refresh_from_db()
    assert (first.state, second.state) == (MrpRunState.FAILED, MrpRunState.QUEUED)


def test_a_run_whose_workers_were_killed_is_not_said_to_go_on_for_ever(buying):
    first = mrp_runs.request(site_id=buying.site.pk, by=None, now=buying.now)
    MrpRun.objects.update(state=MrpRunState.RUNNING)
    status = selectors.planning_status(site_id=buying.site.pk, now=buying.now)
    assert status.active == first
    Job.objects.filter(name="erp.run_mrp").update(state=JobState.DEAD)
    assert selectors.planning_status(site_id=buying.site.pk, now=buying.now).active is None
    second = mrp_runs.request(site_id=buying.site.pk, by=None, now=buying.now)
    assert selectors.planning_status(site_id=buying.site.pk, now=buying.now).active == second


def test_a_cycle_in_the_bills_fails_the_run_with_a_sentence(buying):
    # A made item that contains itself: nothing in the editor lets this through.
    line = BomLine.objects.get(component=buying.leg)
    line.component = buying.plant.items["TABLE"]
    line.save()
    run = mrp_runs.request(site_id=buying.site.pk, by=None, now=buying.now)
    buying.work("erp.run_mrp")
    run.refresh_from_db()
    assert run.state == MrpRunState.FAILED
    assert "contains itself" in run.error


def test_an_override_stays_and_shows_what_the_system_thinks_now(buying):
    buying.need("LEG", 10, days=20)
    other = buying.need("TOP", 1, days=30)
    buying.run()
    leg = override(
        buying.one("buy", "LEG"), buying.now, quantity=Decimal(120), supplier_id=buying.far.pk
    )
    assert (leg.quantity, leg.price, leg.override_reason) == (120, 2, "rounding")
    top = buying.one("buy", "TOP")
    buying.need("LEG", 7, days=21)
    buying.run()
    assert not Proposal.objects.filter(pk=top.pk).exists()  # nobody touched it: replaced
    leg.refresh_from_db()
    fresh = Proposal.objects.exclude(pk=leg.pk).get(item=buying.leg)
    assert (leg.system_quantity, leg.quantity, fresh.quantity) == (10, 120, 7)
    # Nothing is needed any more: the person's wish is kept, the system's is zero.
    type(other).objects.filter(item=buying.leg).update(state="cancelled")
    buying.run()
    leg.refresh_from_db()
    assert (leg.system_quantity, leg.override_quantity, leg.state) == (0, 120, "open")
    assert not Proposal.objects.exclude(pk=leg.pk).filter(item=buying.leg).exists()


def test_an_override_needs_a_reason_and_the_version_that_was_opened(buying):
    buying.need("LEG", 10, days=20)
    buying.run()
    leg = buying.one("buy", "LEG")
    with pytest.raises(proposals.CannotDecide, match="Say why"):
        override(leg, buying.now, quantity=Decimal(12), reason=" ")
    override(leg, buying.now, quantity=Decimal(12))
    with pytest.raises(StaleWrite):
        override(leg, buying.now, quantity=Decimal(13))
    leg.refresh_from_db()
    back = proposals.reset(proposal=leg, version=leg.version, by=None, now=buying.now)
    assert (back.is_overridden, back.override_reason, back.quantity) == (False, "", 10)


def test_accepted_purchases_become_one_draft_per_supplier_once(buying):
    buying.need("LEG", 10, days=20)
    buying.need("LEG", 200, days=60)
    buying.need("TOP", 1, days=30)
    buying.run()
    everything = list(Proposal.objects.all())
    done = buying.accept(*everything)
    assert [order.supplier.code for order in done.orders] == ["NEAR", "FAR"]
    near, far = done.orders
    assert sorted(near.lines.values_list("item__code", "quantity", "unit_price")) == [
        ("LEG", 10, Decimal("3.5")),
        ("TOP", 1, 40),
    ]
    assert (far.lines.get().quantity, far.state) == (200, PurchaseOrderState.DRAFT)
    assert {p.reference for p in Proposal.objects.all()} == {near.number, far.number}
    again = buying.accept(*everything)
    assert (again.orders, again.already) == ([], 3)
    assert PurchaseOrder.objects.count() == 2
    buying.run()
    assert not Proposal.objects.filter(state=ProposalState.OPEN).exists()
    invariants.check(all_covered=False)


def test_a_need_that_is_too_early_is_ordered_for_when_the_supplier_can(buying):
    buying.need("LEG", 10, days=2)
    buying.run()
    (order,) = buying.accept(buying.one("buy", "LEG")).orders
    line = order.lines.get()
    assert line.due_date == TODAY + timedelta(days=5)
    assert line.wished_date == TODAY + timedelta(days=2)


def test_what_nobody_sells_is_refused_with_a_sentence(buying):
    buying.plant.buy("GLUE")
    buying.need("GLUE", 3, days=9)
    buying.run()
    done = buying.accept(buying.one("buy", "GLUE"))
    assert [sentence for _p, sentence in done.refused] == ["No supplier: choose one."]
    assert buying.one("buy", "GLUE").state == ProposalState.OPEN


def test_accepted_work_is_made_with_its_components_and_only_once(buying):
    need = buying.need("TABLE", 5, days=20)
    buying.plant.stock("TABLE", 2)
    buying.run()
    table = buying.one("make", "TABLE")
    assert table.system_quantity == 3
    buying.accept(table)
    buying.accept(table)
    buying.work("mes.carry_out_proposals")
    order = WorkOrder.objects.get()
    table.refresh_from_db()
    assert (order.quantity, table.state, table.reference) == (3, ProposalState.DONE, order.number)
    assert order.pegs.get().requirement == need
    invariants.check()
    buying.run()
    assert {p.action for p in Proposal.objects.filter(state="open")} == {ProposalAction.BUY}


def test_safety_stock_is_made_for_nobody_yet(buying):
    table = buying.plant.items["TABLE"]
    table.safety_stock = 4
    table.save()
    buying.plant.stock("TABLE", 1)
    buying.run()
    buying.accept(buying.one("make", "TABLE"))
    buying.work("mes.carry_out_proposals")
    order = WorkOrder.objects.get()
    assert (order.quantity, order.pegs.count()) == (3, 0)
    assert order.materials.count() == 2
    invariants.check()


def test_what_cannot_be_made_is_open_again_and_says_why(buying):
    buying.plant.make("LAMP", {"BULB": 1}, steps=0)
    buying.need("LAMP", 1, days=20)
    buying.run()
    buying.accept(buying.one("make", "LAMP"))
    buying.work("mes.carry_out_proposals")
    assert "no routing" in buying.one("make", "LAMP").refusal
    assert not WorkOrder.objects.exists()


def test_a_work_order_that_nobody_needs_is_proposed_for_cancelling_never_cancelled(buying):
    need = buying.need("TABLE", 5, days=20)
    buying.plant.plan(need)
    order = WorkOrder.objects.get()
    buying.plant.unplan({need: 0})
    order.refresh_from_db()
    assert order.state == "cancelled"  # conversion undoes what it made; the surplus is another's
    stock = buying.need("TABLE", 5, days=20)
    buying.plant.plan(stock)
    order = WorkOrder.objects.exclude(state="cancelled").get()
    order.pegs.all().delete()
    type(stock).objects.filter(pk=stock.pk).update(state="cancelled")
    buying.run()
    message = buying.one("cancel", "TABLE")
    order.refresh_from_db()
    assert (message.reference, order.state) == (order.number, "released")
    buying.accept(message)
    buying.work("mes.carry_out_proposals")
    order.refresh_from_db()
    assert order.state == "cancelled"
    assert not Supply.objects.filter(source_id=order.pk).exists()


def test_work_for_a_later_day_is_deferred_and_work_for_less_is_shrunk(buying):
    need = buying.need("TABLE", 5, days=20)
    buying.plant.plan(need)
    order = WorkOrder.objects.get()
    need.due_at += timedelta(days=10)
    need.quantity = 3
    need.save()
    order.pegs.update(quantity=3)
    buying.run()
    later, less = buying.one("defer", "TABLE"), buying.one("reduce", "TABLE")
    assert (later.system_due_date, less.system_quantity) == (TODAY + timedelta(days=30), 3)
    buying.accept(later, less)
    buying.work("mes.carry_out_proposals")
    order.refresh_from_db()
    assert (order.quantity, order.due_at.date()) == (3, TODAY + timedelta(days=31))  # midnight
    invariants.check()


def test_a_sent_order_is_asked_for_another_day_and_never_made_smaller_in_silence(buying):
    buying.need("LEG", 4, days=9)
    line = PurchaseOrderLineFactory(
        order=PurchaseOrderFactory(site=buying.site, supplier=buying.near),
        item=buying.leg,
        quantity=10,
        due_date=TODAY + timedelta(days=20),
    )
    buying.run()
    earlier, less = buying.one("expedite", "LEG"), buying.one("reduce", "LEG")
    done = buying.accept(earlier, less)
    line.refresh_from_db()
    assert (line.wished_date, line.due_date) == (
        TODAY + timedelta(days=9),
        TODAY + timedelta(days=20),
    )
    assert line.quantity == 10
    assert "agree on it with the supplier" in done.refused[0][1]


def test_messages_on_drafts_change_them(buying):
    buying.need("LEG", 4, days=20)
    buying.run()
    (order,) = buying.accept(buying.one("buy", "LEG")).orders
    requirement = type(buying.need("TOP", 1, days=1)).objects.get(item=buying.leg)
    requirement.quantity, requirement.due_at = 3, requirement.due_at + timedelta(days=9)
    requirement.save()
    buying.run()
    buying.accept(buying.one("defer", "LEG"), buying.one("reduce", "LEG"))
    line = order.lines.get()
    assert (line.quantity, line.due_date) == (3, TODAY + timedelta(days=29))
    requirement.delete()
    buying.run()
    buying.accept(buying.one("cancel", "LEG"))
    order.refresh_from_db()
    assert order.state == PurchaseOrderState.CANCELLED


def test_the_rule_orders_small_things_that_are_due_and_leaves_the_rest(buying):
    SupplyRule.objects.create(site=buying.site, auto_order_limit=50, approval_limit=60)
    buying.need("LEG", 10, days=5)  # 35.00, due for ordering
    buying.need("LEG", 12, days=30)  # later
    buying.need("TOP", 2, days=5)  # 80.00
    run = buying.run()
    order = PurchaseOrder.objects.get()
    assert (order.state, order.ordered_by) == (PurchaseOrderState.SENT, None)
    assert order.lines.get().quantity == 10
    assert run.counts["by_rule"] == 1
    assert Proposal.objects.filter(state="open").count() == 2


def test_what_was_accepted_while_a_run_computed_is_not_proposed_again(buying, monkeypatch):
    buying.need("LEG", 10, days=20)
    buying.run()
    leg = buying.one("buy", "LEG")
    real = mrp_runs.mrp.run

    def meanwhile(situation, *, tick):
        buying.accept(leg)
        return real(situation, tick=tick)

    monkeypatch.setattr(mrp_runs.mrp, "run", meanwhile)
    buying.run()
    assert not Proposal.objects.filter(state="open").exists()


def test_who_ordered_above_the_limit_does_not_approve_it(buying):
    SupplyRule.objects.create(site=buying.site, approval_limit=30)
    buyer, other = UserFactory(), UserFactory()
    buying.need("LEG", 10, days=20)
    buying.run()
    (order,) = buying.accept(buying.one("buy", "LEG"), by=buyer).orders
    order = purchase_orders.submit(order=order, by=buyer, now=buying.now)
    assert order.state == PurchaseOrderState.TO_APPROVE
    with pytest.raises(purchase_orders.CannotApprove, match="another person"):
        purchase_orders.approve(order=order, by=buyer, now=buying.now)
    order = purchase_orders.send_back(order=order, reason="dear", by=other, now=buying.now)
    order = purchase_orders.submit(order=order, by=buyer, now=buying.now)
    order = purchase_orders.approve(order=order, by=other, now=buying.now)
    assert (order.state, order.approved_by) == (PurchaseOrderState.SENT, other)
    assert AuditEntry.objects.filter(action="erp.purchase_order.send_back", reason="dear").exists()
    assert isinstance(order.sent_at, datetime)
