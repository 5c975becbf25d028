"""Tickets: the product at once, the clock in business hours, and what follows from each step."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail

from common import audit, jobs
from common.models import Notification
from crm import selectors_products as products
from crm import selectors_tickets as selectors
from crm.enums import MessageKind, TicketChannel, TicketPriority, TicketState, WarrantyDecision
from crm.models import Ticket, TicketTarget
from crm.policies_tickets import CannotAttach
from crm.services import (
    ticket_clock,
    ticket_evidence,
    ticket_photos,
    ticket_reminders,
    tickets,
    warranties,
)
from crm.services.tickets import About, CannotEdit, CannotMove, CannotOpen, CannotWrite
from crm.services.warranties import CannotDecide
from crm.trace import life
from masterdata.services.business_time import BusinessTime
from tests.crm.complaints import NOW, PNG, SHIPPED_AT, AfterSales
from tests.shared import shared
from tests.traceability.factories import SerialUnitFactory
from traceability.enums import IdentityState
from traceability.models import Complaint, SerialUnit
from traceability.services import genealogy

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@shared()
def house() -> AfterSales:
    return AfterSales()


# The product.


def test_a_number_is_found_however_it_is_typed_or_scanned(house):
    unit = house.pumps[0].pk
    for typed in (
        "P-100", "p100", " p 1-00 ", "(01)09506000134352(21)P-100",
        "https://id.example/01/09506000134352/21/P-100?x=1",
    ):  # fmt: skip
        assert [one.thing for one in products.named(typed)] == [unit], typed
    found = products.named("P-100")[0]
    assert (found.customer_label, found.shipment, found.order) == ("Acme Corp", "SH-1", "SO-SH-1")
    assert (found.shipped_at, str(found.warranty_until)) == (SHIPPED_AT, "2028-09-24")
    assert found.is_covered(NOW.date()) is True
    assert found.is_covered(NOW.date() + 700 * DAY) is False
    assert products.named("---") == []


def test_an_unknown_number_suggests_those_that_differ_by_a_letter(house):
    for typed in ("P-10", "P-1000", "P-1O0", "P-010"):
        assert house.pumps[0].pk in [one.thing for one in products.suggested(typed)], typed
    assert products.suggested("Q-999-77") == []


def test_a_part_is_with_who_has_the_product_around_it(house):
    motor, rotor = SerialUnitFactory(number="M-1"), SerialUnitFactory(number="R-1")
    genealogy.build(fact=house.fact("build"), outputs=[genealogy.Built(motor.pk, parts=[rotor.pk])])
    genealogy.build(
        fact=house.fact("build"), outputs=[genealogy.Built(house.pumps[1].pk, parts=[motor.pk])]
    )
    for part in (motor, rotor):
        found = products.named(part.number)[0]
        assert found.customer_id == house.other.pk
        assert found.is_with(house.other.pk)
        assert not found.is_with(house.acme.pk)
        # The warranty is that of what was sold, and the trace page says the same.
        assert (found.is_delivered, str(found.warranty_until)) == (True, "2028-09-24")
        part.refresh_from_db()
        assert life.read(part).product == found


def test_a_trace_shows_the_tickets_about_it_and_those_on_its_lots(house, client_for):
    first, second = house.ticket("P-100"), house.ticket("P-200", customer=house.other)
    house.ticket("P-500")  # Of another lot.
    for thing, shown in (
        (house.pumps[0], [(first, True), (second, False)]),
        (house.pumps[1], [(second, True), (first, False)]),
        (house.pumps[2], [(second, False), (first, False)]),
        (house.bad, [(second, False), (first, False)]),
    ):
        answer = client_for("after-sales").get(f"/trace/{thing.pk}/")
        assert answer.context["tickets"] == shown, thing
        for ticket, _is_own in shown:
            assert f'href="/tickets/{ticket.number}/"' in answer.content.decode()


def test_a_product_that_went_on_to_another_customer_is_no_longer_the_first_ones(house):
    house.deliver(house.pumps[0], house.other, "SH-99", at=NOW)
    assert products.held_by(house.other.pk, "P-100") is not None
    assert products.held_by(house.acme.pk, "P-100") is None
    # To them it was sold anew.
    assert str(products.named("P-100")[0].warranty_until) == "2028-11-23"


def test_a_product_that_comes_back_from_a_repair_keeps_its_first_warranty(house):
    unit = house.pumps[0]
    SerialUnit.objects.filter(pk=unit.pk).update(state=IdentityState.ON_HOLD)
    here = products.product(unit.pk)
    house.deliver(unit, house.acme, "RMA-1", at=NOW)
    back = products.product(unit.pk)
    assert (here.is_delivered, back.is_delivered) == (False, True)
    for found in (here, back):
        assert (found.shipped_at, found.shipment, found.order) == (SHIPPED_AT, "SH-1", "SO-SH-1")
        assert str(found.warranty_until) == "2028-09-24"
        assert found.is_with(house.acme.pk)


# Opening and describing.


def test_a_ticket_names_its_product_and_the_ledger_hears_of_the_complaint(house):
    ticket = house.ticket()
    assert ticket.number.startswith("AS-2026-")
    assert (ticket.thing, ticket.item, ticket.serial) == (house.pumps[0].pk, house.pump, "P-100")
    said = Complaint.objects.get(reference=ticket.number)
    assert (said.thing, said.item_id, said.symptom) == (ticket.thing, house.pump.pk, "LOOSE")
    assert set(ticket.traits.values_list("kind", "ref")) == {
        ("lot", house.bad.pk), ("work_unit", house.machines[0].pk), ("symptom", house.loose.pk),
    }  # fmt: skip
    assert audit.history(ticket).filter(action="crm.ticket.open").exists()


def test_a_number_of_two_items_waits_for_somebody_to_choose(house):
    double = SerialUnitFactory(number="P100")
    ticket = house.ticket("P-100")
    assert ticket.thing is None
    assert ticket.serial == "P-100"
    about = About(house.acme.pk, serial="P-100", thing=double.pk)
    ticket = tickets.describe(ticket=ticket, about=about, version=1, by=house.agent, now=NOW)
    assert (ticket.thing, ticket.item_id) == (double.pk, double.item_id)
    assert Complaint.objects.filter(reference=ticket.number, thing=double.pk).exists()


def test_what_was_changed_meanwhile_is_not_overwritten(house):
    ticket = house.ticket()
    about = About(house.acme.pk, serial="P-300", priority=TicketPriority.URGENT)
    tickets.describe(ticket=ticket, about=about, version=1, by=house.agent, now=NOW)
    with pytest.raises(CannotEdit, match="meanwhile"):
        tickets.describe(ticket=ticket, about=about, version=1, by=house.agent, now=NOW)
    gone = About(thing=10**12)
    with pytest.raises(CannotOpen):
        tickets.describe(ticket=ticket, about=gone, version=2, by=house.agent, now=NOW)
    with pytest.raises(CannotOpen):
        tickets.create(title=" ", body="x", about=About(), by=None, now=NOW)


# The clock.


def test_due_moments_lie_in_business_hours(house):
    ticket = house.ticket(priority=TicketPriority.NORMAL)
    # 240 minutes from ten o'clock; 960 are that day to five and the next one to five.
    assert ticket.response_due_at == NOW + 4 * HOUR
    assert ticket.answer_due_at == NOW.replace(hour=17) + DAY
    late = house.ticket("P-300", now=NOW.replace(hour=20), priority=TicketPriority.URGENT)
    assert late.response_due_at == (NOW + DAY).replace(hour=8, minute=15)
    assert BusinessTime(house.site).between(NOW, NOW + 7 * DAY) == 5 * 9 * 60


def test_the_clock_stands_while_we_wait_and_nights_do_not_count(house):
    ticket = house.ticket()
    before = ticket.answer_due_at
    tickets.reply(ticket=ticket, body="Which label?", waits=True, by=house.agent, now=NOW + HOUR)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.stopped_at) == (TicketState.WAITING, NOW + HOUR)
    # The customer answers next morning at nine: six hours of that day and one of this stood.
    tickets.hear(ticket=ticket, body="This one.", now=NOW.replace(hour=9) + DAY)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.stopped_at, ticket.paused_minutes) == (TicketState.OPEN, None, 420)
    assert before == (NOW + DAY).replace(hour=17)
    assert ticket.answer_due_at == (NOW + 2 * DAY).replace(hour=15)


def test_times_by_priority_are_those_that_somebody_set(house):
    TicketTarget.objects.create(priority="normal", response_minutes=10, answer_minutes=20)
    ticket = house.ticket()
    assert ticket.answer_due_at == NOW + timedelta(minutes=20)
    assert ticket_clock.targets()[TicketPriority.LOW] == ticket_clock.USUAL[TicketPriority.LOW]


def test_an_overdue_ticket_is_told_of_once(house, user_for):
    manager = user_for("manager")
    ticket = house.ticket(priority=TicketPriority.URGENT)
    assert ticket_reminders.remind(now=NOW + timedelta(minutes=10)) == 0
    assert ticket_reminders.remind(now=NOW + HOUR) == 1
    assert ticket_reminders.remind(now=NOW + 2 * HOUR) == 0
    told = Notification.objects.filter(kind="crm.ticket_overdue")
    assert {row.user_id for row in told} == {manager.pk, house.agent.pk}
    assert selectors.overdue(selectors.tickets(), now=NOW + HOUR).get() == ticket


def test_the_stopwatch_knows_median_and_share_within_five_minutes(house):
    assert selectors.stopwatch(now=NOW).answered == 0
    for minutes in (2, 4, 90):
        ticket = house.ticket()
        at = NOW + timedelta(minutes=minutes)
        tickets.reply(ticket=ticket, body="It was so.", is_answer=True, by=house.agent, now=at)
    house.ticket()
    found = selectors.stopwatch(now=NOW + DAY)
    assert (found.answered, found.median_minutes) == (3, 4)
    assert found.within_five == pytest.approx(66.7, abs=0.1)


# The conversation.


def test_a_reply_goes_out_by_mail_in_the_customers_language_and_once(house):
    ticket = house.ticket()
    said = tickets.reply(ticket=ticket, body="We look.", by=house.agent, now=NOW)
    jobs.run_due(include_waiting=True)
    jobs.run_due(include_waiting=True)
    [letter] = mail.outbox
    assert letter.to == ["acme@example.com"]
    assert letter.subject == f"[{ticket.number}] Came loose"
    assert "We look." in letter.body
    said.refresh_from_db()
    assert said.mailed_at is not None
    ticket.refresh_from_db()
    assert (ticket.first_response_at, ticket.answered_at) == (NOW, None)


def test_a_note_is_neither_mailed_nor_a_response(house):
    ticket = house.ticket()
    tickets.note(ticket=ticket, body="Looks like the lot.", by=house.agent, now=NOW)
    jobs.run_due(include_waiting=True)
    ticket.refresh_from_db()
    assert mail.outbox == []
    assert ticket.first_response_at is None
    theirs = selectors.ticket_of(house.acme.pk, ticket.number)
    assert MessageKind.NOTE not in {said.kind for said in theirs.messages.all()}


def test_photos_are_what_their_first_bytes_say(house):
    photo = ticket_photos.photo("C:\\fakepath\\x.png", PNG)
    assert (photo.name, photo.content_type) == ("x.png", "image/png")
    for content in (b"<svg onload=alert(1)>", b"", b"GIF89a", b"%PDF-1.7"):
        with pytest.raises(CannotAttach, match="no photo"):
            ticket_photos.photo("x.png", content)
    with pytest.raises(CannotAttach, match="larger"):
        ticket_photos.photo("x.png", PNG + b"0" * ticket_photos.LARGEST_PHOTO)
    ticket = house.ticket(photos=[photo, photo])
    assert ticket.messages.get().photos.count() == 1


# States.


def test_a_ticket_is_resolved_once_it_is_answered_and_opens_again_when_the_customer_writes(house):
    ticket = house.ticket()
    with pytest.raises(CannotMove, match="Answer the customer first"):
        tickets.resolve(ticket=ticket, reason="", by=house.agent, now=NOW)
    tickets.reply(ticket=ticket, body="So it is.", is_answer=True, by=house.agent, now=NOW)
    tickets.resolve(ticket=ticket, reason="clear", by=house.agent, now=NOW)
    ticket = tickets.close(ticket=ticket, by=house.agent, now=NOW)
    assert (ticket.state, ticket.closed_at) == (TicketState.CLOSED, NOW)
    with pytest.raises(CannotWrite):
        tickets.reply(ticket=ticket, body="More.", by=house.agent, now=NOW)
    with pytest.raises(CannotMove):
        tickets.wait(ticket=ticket, by=house.agent, now=NOW)
    tickets.hear(ticket=ticket, body="Again!", now=NOW + DAY)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.closed_at) == (TicketState.OPEN, None)


def test_what_departs_from_the_warrantys_dates_says_why(house):
    ticket = house.ticket()
    decide = {"ticket": ticket, "by": house.agent, "now": NOW}
    with pytest.raises(CannotDecide, match="say why"):
        warranties.decide(decision=WarrantyDecision.NOT_COVERED, reason=" ", **decide)
    with pytest.raises(CannotDecide):
        warranties.decide(decision=WarrantyDecision.UNDECIDED, reason="x", **decide)
    warranties.decide(decision=WarrantyDecision.COVERED, reason="", **decide)
    late = decide | {"now": NOW + 800 * DAY}
    with pytest.raises(CannotDecide, match="say why"):
        warranties.decide(decision=WarrantyDecision.COVERED, reason="", **late)
    warranties.decide(decision=WarrantyDecision.GOODWILL, reason="key account", **late)
    ticket.refresh_from_db()
    assert (ticket.warranty, ticket.warranty_reason) == ("goodwill", "key account")


# Others like it, and what stays as it was.


def test_other_tickets_of_the_same_product_lot_and_machine_show_nearest_first(house):
    mine = house.ticket("P-100")
    same_lot = house.ticket("P-200", customer=house.other)
    again = house.ticket("P-100")
    house.ticket("P-500")
    assert [(row.pk, why) for row, why in selectors.related(mine)] == [
        (again.pk, "thing"), (same_lot.pk, "lot"),
    ]  # fmt: skip


def test_what_needs_an_answer_first_stands_first(house):
    """Answered and waiting ones were opened first, with the nearest due moments."""
    waiting, answered = (house.ticket(now=NOW - n * DAY) for n in (5, 4))
    tickets.reply(ticket=waiting, body="Which label?", waits=True, by=house.agent, now=NOW)
    tickets.reply(ticket=answered, body="It was so.", is_answer=True, by=house.agent, now=NOW)
    low, normal, older, urgent = (
        house.ticket(priority=priority, now=NOW - minutes * timedelta(minutes=1))
        for priority, minutes in (
            (TicketPriority.LOW, 3),
            (TicketPriority.NORMAL, 0),
            (TicketPriority.NORMAL, 2),
            (TicketPriority.URGENT, 0),
        )
    )
    expected = [urgent, older, normal, low, answered, waiting]
    assert list(selectors.live(selectors.tickets())) == expected
    # A first word stops the nearer clock: that of the answer runs out later.
    tickets.reply(ticket=older, body="We look.", by=house.agent, now=NOW)
    found = list(selectors.live(selectors.tickets()))
    assert found.index(older) > found.index(normal)
    # Without clocks the priority decides.
    Ticket.objects.update(response_due_at=None, answer_due_at=None)
    assert list(selectors.live(selectors.tickets())) == expected


def test_a_frozen_list_stays_as_it_was(house):
    ticket = house.ticket()
    made = ticket_evidence.freeze(ticket=ticket, thing=house.bad.pk, by=house.agent, now=NOW)
    assert [unit["number"] for unit in made.snapshot["units"]] == [
        "P-100", "P-200", "P-300", "P-400",
    ]  # fmt: skip
    assert made.snapshot["sums"] == {"shipped": 4}
    assert ticket_evidence.is_as_it_was(made)
    house.deliver(house.pumps[0], house.other, "SH-77")
    made.refresh_from_db()
    assert made.snapshot["units"][0]["customer"] == "ACME"
    made.snapshot["units"].pop()
    assert not ticket_evidence.is_as_it_was(made)
    with pytest.raises(ticket_evidence.CannotFreeze):
        ticket_evidence.freeze(ticket=ticket, thing=0, by=house.agent, now=NOW)


def test_what_one_customer_wrote_or_was_told_never_becomes_anothers(house):
    ticket = house.ticket()
    about = About(customer_id=house.other.pk, serial="P-200")

    def give_away():
        ticket.refresh_from_db()
        return tickets.describe(
            ticket=ticket, about=about, version=ticket.version, by=house.agent, now=NOW
        )

    # An agent noted it and mistook the customer.
    assert give_away().customer == house.other
    about = About(customer_id=house.acme.pk, serial="P-100")
    tickets.reply(ticket=ticket, body="We look.", by=house.agent, now=NOW)
    with pytest.raises(CannotEdit, match="open another one"):
        give_away()
    ticket = house.ticket("P-100", channel=TicketChannel.PORTAL)
    about = About(customer_id=house.other.pk)
    with pytest.raises(CannotEdit, match="open another one"):
        give_away()


def test_the_name_of_a_photo_is_one_line_that_can_be_stored():
    assert ticket_photos.photo("a\x00b\r\nX: y/../joint.png", PNG).name == "joint.png"
    assert ticket_photos.photo("jo\x00int\n.png", PNG).name == "joint.png"
