"""A plant whose products are of known lots and machines, and with two customers."""

from datetime import datetime, timedelta
from decimal import Decimal

from common.models import User
from crm.enums import TicketPriority
from crm.models import Ticket, TicketSymptom
from crm.services import tickets
from crm.services.tickets import About
from masterdata.enums import Tracking
from masterdata.models import Customer, CustomerUser
from tests.factories import UserFactory
from tests.masterdata.factories import (
    CustomerFactory,
    ItemFactory,
    SiteFactory,
    WorkUnitFactory,
    office_hours,
)
from tests.traceability.factories import LotFactory, SerialUnitFactory
from traceability.enums import DocumentKind, EventKind, IdentityState, Verdict
from traceability.models import Document, Parameter, SerialUnit
from traceability.services import genealogy
from traceability.services.genealogy import Built, Fact, Loaded, NewReading
from traceability.services.ledger import Handover

# A Monday, ten o'clock at the plant.
NOW = datetime.fromisoformat("2026-11-23T10:00:00+00:00")
SHIPPED_AT = NOW - timedelta(days=60)
ONE = Decimal(1)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


class AfterSales:
    """Pumps P-1 to P-6: the first four with lot BAD, the others with GOOD; P-6 is still here.

    ACME got the odd ones, Other the even ones. Office hours, UTC.
    """

    def __init__(self) -> None:
        self.now = NOW
        self.site = SiteFactory(calendar=office_hours())
        self.acme = CustomerFactory(code="ACME", name="Acme Corp", email="acme@example.com")
        self.other = CustomerFactory(code="OTHER", name="Canary Company", language="zh-hans")
        self.agent: User = UserFactory(username="anna", roles=["after-sales"])
        self.operator: User = UserFactory(
            username="oscar", first_name="Oscar", last_name="Canary-Operator", roles=["operator"]
        )
        self.loose = TicketSymptom.objects.create(code="LOOSE", name="Loose", name_zh="松动")
        self.pump = ItemFactory(
            code="PUMP",
            name="Pump",
            name_zh="泵",
            tracking=Tracking.SERIAL,
            warranty_months=24,
            standard_cost=98765,
        )
        self.motor = ItemFactory(code="MOTOR", tracking=Tracking.SERIAL)
        self.machines = WorkUnitFactory.create_batch(2, work_center__site=self.site)
        self.torque = Parameter.objects.create(code="TORQUE", name="Torque", unit="N·m")
        self.bad, self.good = LotFactory(number="BAD"), LotFactory(number="GOOD")
        self.pumps = [SerialUnitFactory(item=self.pump, number=f"P-{n}00") for n in range(1, 7)]
        for n, unit in enumerate(self.pumps):
            self._make(unit, self.bad if n < 4 else self.good, self.machines[n // 4])
        for n, unit in enumerate(self.pumps[:5]):
            self.deliver(unit, self.other if n % 2 else self.acme, f"SH-{n + 1}")

    def fact(self, kind: EventKind, **more) -> Fact:
        at = more.pop("at", SHIPPED_AT - timedelta(days=1))
        return Fact(kind=kind, at=at, site_id=self.site.pk, **more)

    def _make(self, unit, lot, machine) -> None:
        reading = NewReading(
            subject=unit.pk,
            operator_id=self.operator.pk,
            parameter_id=self.torque.pk,
            value=Decimal("2.4"),
            lower=Decimal("2.0"),
            upper=Decimal("2.6"),
            verdict=Verdict.PASS,
        )
        genealogy.build(
            fact=self.fact(EventKind.BUILD, operation=10, work_unit_id=machine.pk),
            outputs=[Built(unit.pk)],
            loaded=[Loaded(lot.pk, ONE)],
            readings=[reading],
        )

    def deliver(self, unit, customer: Customer, number: str, *, at: datetime = SHIPPED_AT) -> None:
        document = Document.objects.create(
            kind=DocumentKind.SHIPMENT,
            number=number,
            order_number=f"SO-{number}",
            customer=customer,
            at=at,
        )
        genealogy.hand_over(
            fact=self.fact(EventKind.SHIPMENT, at=at),
            handovers=[Handover(unit.pk, document.pk)],
        )
        SerialUnit.objects.filter(pk=unit.pk).update(state=IdentityState.SHIPPED)

    def user_of(self, customer: Customer, username: str = "carol", **facts) -> User:
        user = UserFactory(username=username, roles=["customer"], **facts)
        CustomerUser.objects.create(user=user, customer=customer)
        return user

    def ticket(self, serial: str = "P-100", customer: Customer | None = None, **facts) -> Ticket:
        about = About(
            customer_id=(customer or self.acme).pk,
            serial=serial,
            symptom_id=facts.pop("symptom_id", self.loose.pk),
            priority=facts.pop("priority", TicketPriority.NORMAL),
        )
        return tickets.create(
            title=facts.pop("title", "Came loose"),
            body="It came loose.",
            about=about,
            by=self.agent,
            now=facts.pop("now", self.now),
            **facts,
        )
