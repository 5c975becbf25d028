"""Mail becomes tickets: whose it is, what it is about, once, and nobody speaks for another."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from django.core.management import CommandError, call_command

from crm.enums import TicketChannel, TicketState
from crm.models import Ticket
from crm.services import ticket_inbox, ticket_mail, tickets
from crm.services.tickets import About, CannotEdit, CannotOpen
from tests.crm.complaints import NOW, PNG, AfterSales
from tests.shared import shared

pytestmark = pytest.mark.django_db


@shared()
def house() -> AfterSales:
    return AfterSales()


def letter(
    text="Pump P-100 came loose.", sender="Bob <acme@example.com>", own_id="<1@x>", **more
) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, "service@plant.example"
    mail["Subject"] = more.pop("subject", "Loose")
    mail["Message-ID"] = own_id
    mail.set_content(text)
    for name, value in more.items():
        mail[name.replace("_", "-")] = value
    return mail


def take(mail: EmailMessage) -> Ticket:
    return ticket_inbox.take(raw=mail.as_bytes(), now=NOW)


def test_a_mail_opens_a_ticket_with_customer_product_and_photos(house):
    mail = letter("Hello,\n\nour pump P-100 came loose.\n\n> old words P-300")
    mail.add_attachment(PNG, maintype="image", subtype="png", filename="joint.png")
    mail.add_attachment(b"<svg/>", maintype="image", subtype="svg+xml", filename="x.svg")
    ticket = take(mail)
    assert (ticket.customer, ticket.thing) == (house.acme, house.pumps[0].pk)
    assert (ticket.channel, ticket.contact_email) == (TicketChannel.EMAIL, "acme@example.com")
    said = ticket.messages.get()
    assert "old words" not in said.body
    assert [photo.name for photo in said.photos.all()] == ["joint.png"]


def test_the_same_mail_twice_is_one_ticket(house):
    first, second = take(letter()), take(letter())
    assert first == second
    assert first.messages.count() == 1


def test_what_a_customer_mailed_is_given_to_no_other_customer(house):
    ticket = take(letter())
    about = About(customer_id=house.other.pk, serial="P-200")
    # They would read it in their portal.
    with pytest.raises(CannotEdit, match="open another one"):
        tickets.describe(
            ticket=ticket, about=about, version=ticket.version, by=house.agent, now=NOW
        )
    # Who wrote from an address that is nobody's may have been taken for the wrong one.
    strangers = take(letter(sender="Bob <bob@example.org>", own_id="<2@x>"))
    for wanted in (house.acme, house.other):
        strangers = tickets.describe(
            ticket=strangers,
            about=About(customer_id=wanted.pk),
            version=strangers.version,
            by=house.agent,
            now=NOW,
        )
    assert strangers.customer == house.other


def test_a_number_of_anothers_product_is_not_linked(house):
    ticket = take(letter("Pump P-200 came loose."))
    assert (ticket.customer, ticket.thing, ticket.serial) == (house.acme, None, "")
    several = take(letter("P-100 and P-300 came loose.", own_id="<2@x>"))
    assert several.thing is None


def test_an_answer_goes_on_with_the_ticket_its_subject_names(house):
    ticket = house.ticket()
    tickets.reply(ticket=ticket, body="Which?", waits=True, by=house.agent, now=NOW)
    answer = letter("This one.", subject=f"RE: [{ticket.number}] Came loose")
    assert take(answer) == ticket
    ticket.refresh_from_db()
    assert ticket.state == TicketState.OPEN
    assert ticket.messages.order_by("pk").last().body == "This one."


def test_a_stranger_who_names_a_ticket_opens_one_of_their_own(house):
    ticket = house.ticket()
    stranger = letter(sender="eve@evil.example", subject=f"[{ticket.number}]", own_id="<9@x>")
    made = take(stranger)
    assert made != ticket
    assert (made.customer, made.thing) == (None, None)
    assert ticket.messages.count() == 1
    # Given to a customer by mistake, its report still goes to that customer alone.
    made.customer = house.acme
    assert ticket_mail.recipients(made, is_report=True) == ["acme@example.com"]
    assert ticket_mail.recipients(made) == ["eve@evil.example"]


@pytest.mark.parametrize(
    "mail",
    [
        letter(Auto_Submitted="auto-replied"),
        letter(sender="nobody"),
    ],
    ids=["automatic", "no sender"],
)
def test_what_no_person_wrote_is_refused(house, mail):
    with pytest.raises(CannotOpen):
        take(mail)
    assert Ticket.objects.count() == 0


def test_a_page_that_nobody_can_read_is_a_ticket_with_what_stood_before(house):
    mail = letter()
    mail.set_content("<p>The pump is loose.</p><![* x", subtype="html")
    assert take(mail).messages.get().body == "The pump is loose."


@pytest.mark.parametrize(
    "raw",
    [
        b"From: acme@example.com\r\nContent-Type: text/plain; charset=nonsense\r\n\r\nx\xff",
        b"From: acme@example.com\r\nSubject: =?utf-8?q?=00=41?=\r\n\r\nbody\x00",
        b"From: acme@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
        b"From: acme@example.com\nContent-Type: text/html\n\n<style>p{}</style><p>Loose</p>",
    ],
)
def test_a_broken_mail_is_a_ticket_all_the_same(house, raw):
    ticket = ticket_inbox.take(raw=raw, now=NOW)
    assert ticket.customer == house.acme
    assert "p{}" not in ticket.messages.get().body


def test_the_command_takes_a_folder_and_sorts_it(house, tmp_path, capsys):
    (tmp_path / "1.eml").write_bytes(letter().as_bytes())
    (tmp_path / "2.eml").write_bytes(letter(Auto_Submitted="auto-generated").as_bytes())
    call_command("import_mail", folder=tmp_path)
    assert [path.name for path in (tmp_path / "cur").iterdir()] == ["1.eml"]
    assert [path.name for path in (tmp_path / "refused").iterdir()] == ["2.eml"]
    assert Ticket.objects.get().number in capsys.readouterr().out


def nested(levels: int) -> bytes:
    head = b"From: acme@example.com\r\n"
    for level in range(levels):
        head += b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
    return head + b"Content-Type: text/plain\r\n\r\nx\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"From: acme@example.com\r\nReturn-Path: <>\r\n\r\nnot delivered",
        b"From: acme@example.com\r\nPrecedence: auto_reply\r\n\r\nI am away",
        b"From: acme@example.com\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n",
        b'From: "a, boss@example.com"@x y\r\n\r\nwho?',
        nested(100),
        nested(3000),
    ],
    ids=["bounce", "away", "report", "two addresses", "deep", "very deep"],
)
def test_bounces_and_mails_made_to_do_harm_open_nothing(house, raw):
    with pytest.raises(CannotOpen):
        ticket_inbox.take(raw=raw, now=NOW)


def test_what_no_database_stores_is_left_out_of_a_mail(house):
    raw = (
        b"From: =?utf-8?q?B=00ob?= <acme@example.com>\r\nMessage-ID: <1\x00@x>\r\n"
        b"Subject: caf\xe9\r\n\r\nLoose"
    )
    ticket = ticket_inbox.take(raw=raw, now=NOW)
    assert ticket.contact_name == "Bob"


def test_long_ids_that_begin_alike_are_two_mails(house):
    first, second = (take(letter(own_id=f"<{'a' * 300}{n}@x>")) for n in range(2))
    assert first != second


def test_a_mail_that_cannot_be_read_keeps_no_other_waiting(house, tmp_path, monkeypatch):
    (tmp_path / "1.eml").write_bytes(b"poison")
    (tmp_path / "2.eml").write_bytes(letter().as_bytes())
    real = ticket_inbox.take

    def broken(*, raw, now):
        if raw == b"poison":
            raise ValueError("a defect")
        return real(raw=raw, now=now)

    monkeypatch.setattr(ticket_inbox, "take", broken)
    with pytest.raises(CommandError, match="1 could not be read"):
        call_command("import_mail", folder=tmp_path)
    assert (tmp_path / "1.eml").exists()
    assert [path.name for path in (tmp_path / "cur").iterdir()] == ["2.eml"]
