"""Every named rule of the database on tickets, returns and reports, violated once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.models import (
    ReportShare,
    Rma,
    Ticket,
    TicketCluster,
    TicketMessage,
    TicketPhoto,
    TicketTarget,
    TicketTrait,
    TraceReport,
)
from tests.crm.complaints import AfterSales

NOW = timezone.now()


def change(house: AfterSales, **values: object) -> None:
    Ticket.objects.filter(pk=house.ticket().pk).update(**values)


def message(house: AfterSales, **values: object) -> TicketMessage:
    facts = {"ticket": house.ticket(), "kind": "in", "body": "x", "at": NOW}
    return TicketMessage.objects.create(**facts | values)


def photo(said: TicketMessage, size: int = 1) -> None:
    TicketPhoto.objects.create(message=said, name="x", size=size, digest="d", content=b"x")


def photo_twice(house: AfterSales) -> None:
    said = message(house)
    photo(said)
    photo(said)


def rma(house: AfterSales, number: str = "RMA-1", **values: object) -> Rma:
    facts = {"ticket": house.ticket(), "thing": house.pumps[0].pk, "requested_at": NOW}
    return Rma.objects.create(number=number, **facts | values)


def repaired(house: AfterSales, number: str, thing: int) -> Rma:
    done = {"finding": "confirmed", "disposition": "repair", "repair_number": "RO-1"}
    return rma(house, number, thing=thing, state="in_repair", **done)


def share(house: AfterSales) -> None:
    report = TraceReport.objects.create(
        number="RP-1",
        ticket=house.ticket(),
        customer=house.acme,
        thing=1,
        content={},
        pdf=b"",
        issued_at=NOW,
    )
    ReportShare.objects.create(report=report, digest="d", created_at=NOW, expires_at=NOW)


def cluster(house: AfterSales, **values: object) -> TicketCluster:
    facts = {"item": house.pump, "kind": "lot", "ref": 1, "tickets": 3}
    moments = dict.fromkeys(("first_at", "last_at", "found_at"), NOW)
    return TicketCluster.objects.create(**facts, **moments, **values)


def trait(house: AfterSales) -> None:
    found = house.ticket()
    TicketTrait.objects.create(ticket=found, kind="lot", ref=house.bad.pk)


VIOLATIONS: dict[str, Callable[[AfterSales], object]] = {
    "crm_ticket_clock_stands_while_not_open": lambda h: change(h, stopped_at=NOW),
    "crm_ticket_closed_has_its_moment": lambda h: change(h, closed_at=NOW),
    "crm_ticket_thing_has_an_item": lambda h: change(h, item=None),
    "crm_ticket_answer_is_a_response": lambda h: change(h, answered_at=NOW + timedelta(days=9)),
    "crm_ticket_warranty_has_its_moment": lambda h: change(h, warranty="covered"),
    "crm_tickettarget_answer_after_response": lambda h: TicketTarget.objects.create(
        priority="low", response_minutes=2, answer_minutes=1
    ),
    "crm_ticketmessage_arrives_once": lambda h: [message(h, message_id="<1>") for _ in range(2)],
    "crm_ticketmessage_notes_stay_here": lambda h: message(h, kind="note", mail_to="a@b.c"),
    "crm_ticketphoto_once_per_message": photo_twice,
    "crm_ticketphoto_has_a_size": lambda h: photo(message(h), size=0),
    "crm_tickettrait_once": trait,
    "crm_ticketcluster_one_open": lambda h: [cluster(h) for _ in range(2)],
    "crm_ticketcluster_settled_has_a_reason": lambda h: cluster(h, settled_at=NOW),
    "crm_rma_one_open_per_unit": lambda h: [rma(h, number) for number in ("1", "2")],
    "crm_rma_repair_number_once": lambda h: [repaired(h, str(n), h.pumps[n].pk) for n in range(2)],
    "crm_rma_evaluated_says_what": lambda h: rma(h, state="evaluated"),
    "crm_rma_repair_has_an_order": lambda h: rma(
        h, state="in_repair", finding="confirmed", disposition="repair"
    ),
    "crm_rma_replacement_replaces": lambda h: rma(h, replacement=1),
    "crm_reportshare_expires_later": share,
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", VIOLATIONS)
def test_the_database_refuses(name: str) -> None:
    house = AfterSales()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        VIOLATIONS[name](house)
