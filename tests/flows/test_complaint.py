"""A serial number on a complaint, over HTTP with a real server, worker, dispatcher and Redis.

The number opens the history of the product; what shares its cause is listed and held; the customer
has the answer as a paper; the cause becomes a check that the next work order carries. What one page
knows is not typed into the next one: forms are sent as the server filled them in.
"""

import html
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.utils import timezone

from common.models import User
from crm.models import Containment, SalesOrder, Ticket, TicketMessage, TicketSymptom, TraceReport
from masterdata.models import RoutingOperation
from mes.models import Nonconformance, QualityAction, WorkOrder
from tests.demo import DemoFactory
from tests.faults.live import wait_until
from tests.flows.chain import Api, Chain, settle
from tests.flows.test_breakdown import Browser
from tests.mes import invariants
from traceability.models import Lot, SerialUnit

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.worker,
    pytest.mark.slow,
]

DRIVE, SERIAL, BAD_LOT = "DRIVE-S1", "123456", "RM-2605-09"
# Ready for another customer, with the bad lot in them.
STOPPABLE, READY_ORDER = 8, "HA-8990"
NEW_CHECK = "Thread locker on every screw"


class Forms(HTMLParser):
    """The forms of a page by where they are sent, each with what its fields hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._form: dict[str, str] = {}
        self._name = self._text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self._form = self.found.setdefault(given.get("action", ""), {})
        elif tag == "input" and name and given.get("type") not in ("checkbox", "radio", "file"):
            self._form[name] = given.get("value", "")
        elif tag in ("textarea", "select"):
            self._name, self._text = name, ""
        elif tag == "option" and self._name and ("selected" in given or self._is_first()):
            self._form[self._name] = given.get("value", "")

    def _is_first(self) -> bool:
        return self._name not in self._form

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._name:
            self._form[self._name] = self._text.strip()
        if tag in ("textarea", "select"):
            self._name = ""


@pytest.fixture
def demo(chain: Chain, demo_factory: DemoFactory, settings: Any) -> Chain:
    """The demo factory in the chain's database, its own jobs done."""
    settings.SOLVE_SECONDS = 1
    demo_factory.load(settle)
    return chain


def test_a_serial_number_on_a_complaint_ends_as_a_check_of_the_next_work_order(
    demo: Chain,
) -> None:
    agent, quality = Browser(demo.base, "after-sales"), Browser(demo.base, "quality")
    supervisor = Browser(demo.base, "supervisor")

    ticket = _complaint(agent)
    lot = _traced(agent, ticket)
    _everything_stoppable_is_held(agent, demo.api("warehouse"), lot)
    _the_customer_has_the_answer(agent, ticket)
    found = _reported(agent, ticket, lot)
    settle()

    page = Problem(quality, supervisor, found)
    page.contained()
    page.understood()
    known = list(WorkOrder.objects.values_list("pk", flat=True))
    page.acted()
    _the_next_work_order_asks_for_it(demo, known, found)
    page.disposed()
    page.closed_behind_its_gates()
    _lifted(quality, lot)

    settle()
    invariants.check()


# -- after-sales ------------------------------------------------------------------------------


def _complaint(agent: Browser) -> Ticket:
    """By telephone: the product shows as the number is typed, however the customer reads it."""
    shown = agent.get("/tickets/lookup/?serial=12%2034-56")
    for fact in ("Servo drive S1", DRIVE, SERIAL, "shipped"):
        assert fact in shown, fact
    form = Forms(agent.get("/tickets/new/")).found[""]
    agent.post(
        "/tickets/new/",
        **form
        | {
            "serial": SERIAL,
            "title": "Joint came loose",
            "body": "The joint came loose this morning.",
            "symptom": str(TicketSymptom.objects.get(code="LOOSE").pk),
            "contact_email": "buyer@a.example",
        },
    )
    ticket = Ticket.objects.latest("pk")
    assert ticket.customer is not None
    assert (ticket.customer.code, ticket.serial) == ("CUST-A", SERIAL)
    return ticket


def _traced(agent: Browser, ticket: Ticket) -> Lot:
    """From the ticket to the product's history, and from its steel to whom that reached."""
    page = agent.get(f"/tickets/{ticket.number}/")
    assert f'href="/trace/{ticket.thing}/"' in page
    history = agent.get(f"/trace/{ticket.thing}/")
    for fact in (BAD_LOT, "ASM-01", "2.4", "Final inspection", ticket.number):
        assert fact in history, fact
    lot = Lot.objects.get(number=BAD_LOT)
    assert f'href="/trace/{lot.pk}/"' in history
    assert f'href="/trace/{lot.pk}/impact/"' in agent.get(f"/trace/{lot.pk}/")
    return lot


def _drives(state: str) -> int:
    return SerialUnit.objects.filter(item__code=DRIVE, state=state).count()


def _everything_stoppable_is_held(agent: Browser, warehouse: Api, lot: Lot) -> None:
    reached = agent.get(f"/trace/{lot.pk}/impact/")
    assert "2,420" in reached
    assert _drives("available") == STOPPABLE
    page = agent.post(f"/trace/{lot.pk}/impact/hold/", reason="Joints come loose")
    assert "Nobody picks, issues, finishes or ships them." in page
    assert (_drives("available"), _drives("on_hold")) == (0, STOPPABLE)
    # They were ready for somebody.
    order = SalesOrder.objects.get(customer_reference=READY_ORDER)
    refused = warehouse.post("shipments/", {"order": order.number})
    assert refused.status == 409, refused.body


def _the_customer_has_the_answer(agent: Browser, ticket: Ticket) -> None:
    """One click: what stands in the dialog is sent."""
    path = f"/tickets/{ticket.number}/report/"
    agent.post(path, **Forms(agent.get(f"/tickets/{ticket.number}/")).found[path])
    report = TraceReport.objects.get(ticket=ticket)
    assert bytes(report.pdf).startswith(b"%PDF")
    assert report.number in agent.get(f"/reports/verify/{report.verify_code}/")
    ticket.refresh_from_db()
    assert ticket.answered_at is not None
    message = TicketMessage.objects.filter(report=report, mail_to="buyer@a.example")
    wait_until(lambda: message.get().mailed_at is not None, 60)


def _reported(agent: Browser, ticket: Ticket, lot: Lot) -> Nonconformance:
    """From the ticket, and what the steel reached goes into the same; nothing is typed twice."""
    page = agent.get(f"/tickets/{ticket.number}/")
    [link] = re.findall(r'href="(/quality/nonconformances/new/[^"]*)"', page)
    new = html.unescape(link)
    form = Forms(agent.get(new)).found[""]
    assert (form["source"], form["reference"]) == ("ticket", ticket.number)
    assert (form["item"], form["things"]) == (DRIVE, SERIAL)
    agent.post(new, **form)
    found = Nonconformance.objects.latest("pk")
    assert (found.source, found.references, found.symptom) == ("ticket", [ticket.number], "LOOSE")
    assert [row.unit_id for row in found.things.all()] == [ticket.thing]
    assert found.quantity == 0
    assert f"/quality/nonconformances/{found.number}/" in agent.get(f"/tickets/{ticket.number}/")

    path = f"/trace/{lot.pk}/impact/nonconformance/"
    form = Forms(agent.get(f"/trace/{lot.pk}/impact/")).found[path]
    assert form["problem"] == "Joints come loose"
    agent.post(path, **form | {"known_as": found.number})
    found.refresh_from_db()
    assert found.quantity == STOPPABLE
    assert found.things.filter(hold__isnull=False, unit__item__code=DRIVE).count() == STOPPABLE
    return found


def _lifted(quality: Browser, lot: Lot) -> None:
    """The nonconformance let go of its holds; those laid first are lifted where they were."""
    assert _drives("on_hold") == STOPPABLE
    row = Containment.objects.get()
    path = f"/trace/containments/{row.pk}/release/"
    form = Forms(quality.get(f"/trace/{lot.pk}/impact/")).found[path]
    quality.post(path, **form | {"reason": "All joints tightened again"})
    assert (_drives("available"), _drives("on_hold")) == (STOPPABLE, 0)


# -- quality ----------------------------------------------------------------------------------


class Problem:
    """The nonconformance as quality works on it, and another person looks again."""

    def __init__(self, quality: Browser, other: Browser, found: Nonconformance) -> None:
        self.quality, self.other, self.found = quality, other, found
        self.path = f"/quality/nonconformances/{found.number}/"
        self.me = User.objects.get(username="quality")
        self.due = f"{timezone.localdate() + timedelta(days=5)}"

    def do(self, act: str, **data: Any) -> str:
        return self.quality.post(f"{self.path}do/{act}/", **data)

    def verify(self, act: str, **data: Any) -> str:
        return self.other.post(f"{self.path}verify/{act}/", **data)

    def contained(self) -> None:
        self.do("contain", place="Store", quantity=STOPPABLE)
        self.counted()
        self.found.refresh_from_db()
        assert self.found.state == "contained"

    def counted(self) -> None:
        [row] = self.found.containment.all()
        counts = {"found": STOPPABLE, "cleared": 0, "shipped": 0, "missing": 0}
        self.do("count", row=row.pk, **counts)
        self.verify("count", row=row.pk)

    def understood(self) -> None:
        """D0 to D4."""
        member = User.objects.get(username="supervisor").pk
        self.do("begin", leader=self.me.pk)
        self.do("team", leader=self.me.pk, members=member)
        self.do("emergency", emergency="All drives that could be stopped are held.")
        self.do("problem", statement="Joints come loose", what_is="M6 joints", what_is_not="M8")
        for chain in ("occurrence", "escape"):
            why = {"because_1": "No thread locker", "cause": "Not asked for", "category": "method"}
            self.do("why", chain=chain, **why, escape_point="Assembly")
        for step in range(5):
            self.do("complete", action=step)
        assert self._done() == [0, 1, 2, 3, 4]

    def acted(self) -> None:
        """A corrective action writes a check into the routing that is valid today."""
        new = {"kind": "corrective", "title": "Ask for thread locker", "change": "check"}
        self.do("plan", **new, owner=self.me.pk, due_on=self.due)
        self.do("complete", action=5)
        action = QualityAction.objects.get(nonconformance=self.found)
        early = self.quality.post(f"{self.path}finish/", row=action.pk, result="Done")
        assert "The change is not made yet" in early
        step = RoutingOperation.objects.get(routing__item__code=DRIVE, sequence=10)
        check = {"position": 0, "name": NEW_CHECK, "kind": "pass", "frequency": "per_order"}
        self.do("change", row=action.pk, operation=step.pk, **check)
        self.quality.post(f"{self.path}finish/", row=action.pk, result="In the routing")
        self.verify("action", row=action.pk, action="verify")
        action.refresh_from_db()
        assert (action.state, action.changed) == ("verified", f"{DRIVE} A / 10: {NEW_CHECK}")

    def disposed(self) -> None:
        """The drives in the store are tightened again, and another person looks."""
        numbers = self.found.things.filter(unit__item__code=DRIVE, hold__isnull=False)
        serials = ", ".join(numbers.values_list("unit__number", flat=True))
        part = {"kind_0": "rework", "quantity_0": STOPPABLE, "what_0": serials}
        self.do("dispose", **part, reason_0="Thread locker put on")
        [row] = self.found.dispositions.all()
        self.do("execute", row=row.pk, result="Looked at again by the supervisor: good")
        row.refresh_from_db()
        assert row.state == "executed"

    def closed_behind_its_gates(self) -> None:
        """D6 while a count is open, and D8 before an effect is shown, are refused."""
        since = {"metric": "complaints", "before_days": 90, "within_days": 30}
        self.do("effect", fixed_at=f"{timezone.localtime():%Y-%m-%dT%H:%M}", **since)
        [place] = self.found.containment.all()
        self.do("recount", row=place.pk)
        assert "The containment count is open: Store." in self.do("complete", action=6)
        assert 6 not in self._done()
        self.counted()
        self.do("complete", action=6)
        assert self._done() == [0, 1, 2, 3, 4, 5, 6]
        self.found.refresh_from_db()
        assert self.found.state == "verification"
        assert not self.found.things.filter(hold__released_at__isnull=True, hold__isnull=False)
        assert "The effect is not shown by the figures yet." in self.verify("close-8d", action=8)

    def _done(self) -> list[int]:
        steps = self.found.eight_d.steps.filter(done_at__isnull=False)
        return sorted(steps.values_list("discipline", flat=True))


def _the_next_work_order_asks_for_it(demo: Chain, known: list[int], found: Nonconformance) -> None:
    """Who assembles the next drives reads what to do, and why."""
    number = next_work_order(demo, known).number
    detail = demo.api("operator").get(f"work-orders/{number}/")
    [first, _last] = detail["operations"]
    asked = {check["name"]: check["reason"] for check in first["checks"]}
    assert asked[NEW_CHECK] == f"{found.number}: {found.problem}"
    page = Browser(demo.base, "planner").get(f"/floor/work-orders/{number}/")
    assert f"{found.number}: {found.problem}" in page


def next_work_order(demo: Chain, known: list[int]) -> WorkOrder:
    """The order that is made because somebody orders drives, and none can be shipped."""
    sales = demo.api("sales")
    line = {"item": DRIVE, "quantity": 3, "unit_price": "480"}
    wanted = timezone.localdate() + timedelta(days=30)
    body = {"customer": "CUST-A", "lines": [{**line, "requested_date": f"{wanted}"}]}
    number = sales.ok("sales-orders/", body)["number"]
    sales.ok(f"sales-orders/{number}/submit/")
    sales.ok(f"sales-orders/{number}/approve/")
    orders = WorkOrder.objects.filter(item__code=DRIVE).exclude(pk__in=known)
    wait_until(orders.exists, 60)
    return orders[0]
