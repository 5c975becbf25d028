"""Returns: each step moves goods in store and genealogy, or is refused with a sentence."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from crm import selectors_products as products
from crm.enums import RmaDisposition, RmaFinding, RmaState, WarrantyDecision
from crm.models import Rma
from crm.services import rmas, tickets, warranties
from crm.services.rmas import CannotReturn, Evaluation
from erp.enums import MoveKind
from erp.models import StockQuant
from erp.services import stock
from tests.crm.complaints import NOW, AfterSales
from tests.shared import shared
from tests.traceability.factories import SerialUnitFactory
from traceability import selectors as ledger
from traceability.enums import DocumentKind, IdentityState
from traceability.models import SerialUnit
from traceability.services import genealogy
from traceability.services.genealogy import Built

pytestmark = pytest.mark.django_db


@shared()
def house() -> AfterSales:
    return AfterSales()


def act(house) -> dict:
    return {"by": house.agent, "now": NOW}


def stocked(house, number: str, item=None) -> int:
    """A unit in the store."""
    stock.receive(
        item_id=(item or house.pump).pk,
        site_id=house.site.pk,
        quantity=Decimal(1),
        kind=MoveKind.RECEIPT,
        reference="PO-1",
        serials=[number],
        **act(house),
    )
    return products.named(number)[0].thing


def authorised(house, ticket=None) -> Rma:
    ticket = ticket or house.ticket()
    rma = rmas.request(ticket=ticket, reason="loose", **act(house))
    warranties.decide(ticket=ticket, decision=WarrantyDecision.COVERED, reason="", **act(house))
    return rmas.authorise(rma=rma, **act(house))


def evaluated(house, disposition: RmaDisposition) -> Rma:
    rma = rmas.receive(rma=authorised(house), **act(house))
    found = Evaluation(RmaFinding.CONFIRMED, "Joint worn.", disposition)
    return rmas.evaluate(rma=rma, evaluation=found, **act(house))


def state(thing: int) -> str:
    return SerialUnit.objects.get(pk=thing).state


def papers(thing: int) -> list[tuple[str, str]]:
    return [(row.document.kind, row.document.number) for row in ledger.custodies_of([thing])]


def test_only_a_unit_that_the_customer_has_comes_back_and_once(house):
    with pytest.raises(CannotReturn, match="serial number"):
        rmas.request(ticket=house.ticket(""), reason="x", **act(house))
    with pytest.raises(CannotReturn, match="not with this customer"):
        rmas.request(ticket=house.ticket("P-200"), reason="x", **act(house))
    ticket = house.ticket()
    with pytest.raises(CannotReturn, match="why"):
        rmas.request(ticket=ticket, reason=" ", **act(house))
    rma = rmas.request(ticket=ticket, reason="loose", **act(house))
    with pytest.raises(CannotReturn, match="under way"):
        rmas.request(ticket=house.ticket(), reason="x", **act(house))
    with pytest.raises(CannotReturn, match="warranty first"):
        rmas.authorise(rma=rma, **act(house))
    tickets.reply(ticket=ticket, body="So.", is_answer=True, **act(house))
    with pytest.raises(tickets.CannotMove, match="return"):
        tickets.resolve(ticket=ticket, reason="", **act(house))
    rmas.cancel(rma=rma, reason="keeps it", **act(house))
    assert rmas.request(ticket=ticket, reason="after all", **act(house)).state == "requested"


def test_what_comes_back_lies_in_quarantine_and_the_ledger_knows(house):
    rma = authorised(house)
    with pytest.raises(CannotReturn, match="Authorised"):
        rmas.close(rma=rma, note="x", **act(house))
    rma = rmas.receive(rma=rma, **act(house))
    assert rma.state == RmaState.RECEIVED
    assert papers(rma.thing)[-1] == (DocumentKind.RETURN, rma.number)
    assert StockQuant.objects.get(unit=rma.thing).bin.kind == "quarantine"
    nothing = Evaluation(RmaFinding.NO_FAULT, " ", RmaDisposition.REJECT)
    with pytest.raises(CannotReturn, match="found"):
        rmas.evaluate(rma=rma, evaluation=nothing, **act(house))


def test_a_replacement_goes_to_the_customer_in_the_place_of_the_old_one(house):
    rma = evaluated(house, RmaDisposition.REPLACE)
    new = stocked(house, "P-700")
    for number, why in (("P-100", "no other unit"), ("P-300", "not free"), ("ZZ", "no unit")):
        with pytest.raises(CannotReturn, match=why):
            rmas.close(rma=rma, note="new one", replacement=number, **act(house))
    rma = rmas.close(rma=rma, note="new one", replacement="P-700", **act(house))
    assert (rma.state, rma.replacement) == (RmaState.CLOSED, new)
    assert papers(new)[-1] == (DocumentKind.SHIPMENT, rma.number)
    assert state(new) == IdentityState.SHIPPED
    assert products.held_by(house.acme.pk, "P-700") is not None
    assert not StockQuant.objects.filter(unit=new, quantity__gt=0).exists()


def test_a_repair_takes_a_part_out_and_puts_one_in_and_sends_the_unit_back(house):
    motor = SerialUnitFactory(item=house.motor, number="M-1", state="consumed").pk
    genealogy.build(fact=house.fact("build"), outputs=[Built(house.pumps[0].pk, parts=[motor])])
    rma = evaluated(house, RmaDisposition.REPAIR)
    with pytest.raises(CannotReturn, match="repair order first"):
        rmas.close(rma=rma, note="x", **act(house))
    rma = rmas.start_repair(rma=rma, task="New motor.", **act(house))
    assert rma.repair_number.startswith("RO-")
    new = stocked(house, "M-2", house.motor)
    rmas.replace_part(rma=rma, removed="M-1", installed="M-2", **act(house))
    steps = ledger.steps_over(rma.thing)
    assert ledger.reached(rma.thing, [s for s in steps if s.holds]) >= {new}
    assert motor in ledger.reached(rma.thing, [s for s in steps if s.is_as_built])
    assert motor not in ledger.reached(rma.thing, [s for s in steps if s.holds])
    rma = rmas.close(rma=rma, note="Motor changed.", **act(house))
    assert state(rma.thing) == IdentityState.SHIPPED
    assert papers(rma.thing)[-1] == (DocumentKind.SHIPMENT, rma.number)
    assert not StockQuant.objects.filter(unit=rma.thing, quantity__gt=0).exists()


def test_a_refund_keeps_the_unit(house):
    kept = rmas.close(rma=evaluated(house, RmaDisposition.REFUND), note="paid", **act(house))
    assert StockQuant.objects.filter(unit=kept.thing, quantity__gt=0).exists()


def test_the_pages_lead_through_the_steps(house, client):
    client.force_login(house.agent, backend="django.contrib.auth.backends.ModelBackend")
    ticket = house.ticket()
    warranties.decide(ticket=ticket, decision=WarrantyDecision.COVERED, reason="", **act(house))
    url = reverse("crm:rma-request", args=[ticket.number])
    assert client.post(url, {"reason": "loose"}).status_code == 302
    rma = Rma.objects.get()
    page = reverse("crm:rma", args=[rma.number])
    for name, step, data in (
        ("rma-decide", "authorise", {}),
        ("rma-handle", "receive", {}),
        ("rma-handle", "evaluate", {"finding": "misuse", "disposition": "reject", "note": "bent"}),
        ("rma-decide", "close", {"note": "explained"}),
    ):
        assert rma.number in client.get(page).content.decode()
        client.post(reverse(f"crm:{name}", args=[rma.number, step]), data)
    rma.refresh_from_db()
    assert rma.state == RmaState.CLOSED
    assert state(rma.thing) == IdentityState.SHIPPED
    shown = client.get(page).content.decode()
    for fact in ("bent", "explained", "Misuse"):
        assert fact in shown
    assert rma.number in client.get(reverse("crm:rma-list"), {"state": "over"}).content.decode()
    assert rma.number in client.get(reverse("crm:ticket", args=[ticket.number])).content.decode()
    nonsense = reverse("crm:rma-handle", args=[rma.number, "nonsense"])
    assert client.post(nonsense).status_code == 404
