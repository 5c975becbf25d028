"""What customers of the demo factory complain of, with the lists that after-sales works with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.enums import Role
from common.models import User
from crm import selectors_products as products
from crm.enums import TicketChannel, TicketPriority
from crm.models import Ticket, TicketMacro, TicketSymptom
from crm.selectors_products import Product
from crm.services import ticket_mail, tickets
from crm.services.tickets import About
from traceability import selectors as ledger

# The complaint that the product is told with.
NUMBER, SERIAL = "AS-2026-0512", "123456"
BAD_LOT = "RM-2605-09"
SYMPTOMS = (
    ("LOOSE", "Screw joint loose", "螺纹连接松动"),
    ("LEAK", "Leaks", "泄漏"),
    ("NOISE", "Runs loudly", "噪音大"),
    ("CRACK", "Cracked", "开裂"),
    ("DEAD", "Does not start", "无法启动"),
    ("FINISH", "Surface damaged", "表面损伤"),
)
MACROS = (
    (
        "RECEIVED",
        "Received, we look into it",
        "已收到，正在调查",
        "Good day,\n\nthank you for your message. We are looking into it and answer you today.",
        "您好：\n\n感谢您的来信。我们正在调查，今天内会给您答复。",
    ),
    (
        "PHOTO",
        "Please send photos",
        "请发送照片",
        "Good day,\n\ncould you send us photos of the damage and of the label?",
        "您好：\n\n能否请您发送损坏部位和标签的照片？",
    ),
    (
        "RETURN",
        "Please send it back",
        "请寄回产品",
        "Good day,\n\nplease send the product back to us; the return number is in this ticket.",
        "您好：\n\n请将产品寄回给我们，退货编号见本工单。",
    ),
)


@dataclass(frozen=True, slots=True)
class Told:
    """A complaint about a unit with the bad lot; hours before today, minutes to the answer."""

    hours: int
    title: str
    body: str
    symptom: str
    minutes: int | None


CLUSTER = (
    Told(190, "Joint came loose", "After two weeks the joint is loose.", "LOOSE", 4),
    Told(118, "Loose again", "The screws turn by hand.", "LOOSE", 11),
    Told(71, "Joint loose after a day", "It came loose after one day of work.", "LOOSE", 3),
    Told(26, "接头松动", "运行一周后接头松动，请尽快处理。", "LOOSE", 5),
)


def seed() -> None:
    """Symptoms and texts; what is there is kept."""
    for code, name, name_zh in SYMPTOMS:
        TicketSymptom.objects.get_or_create(code=code, defaults={"name": name, "name_zh": name_zh})
    for code, name, name_zh, text, text_zh in MACROS:
        TicketMacro.objects.get_or_create(
            code=code,
            defaults={"name": name, "name_zh": name_zh, "text": text, "text_zh": text_zh},
        )


def tell(*, users: Mapping[str, User], now: datetime) -> None:
    """The complaint about the product of the story, and those about others with its bad lot."""
    seed()
    agent = users[Role.AFTER_SALES]
    for told, product in zip(CLUSTER, _others(), strict=False):
        _complain(told, product, agent, now)
    known = [one for one in products.named(SERIAL) if one.customer_id]
    if known and not Ticket.objects.filter(number=NUMBER).exists():
        tickets.create(
            number=NUMBER,
            title="Joint came loose in operation",
            body="Serial number 123456 came loose this morning. What was it made of, and how was "
            "it tightened? Are other products of ours concerned?",
            about=_about(known[0], "LOOSE", TicketPriority.HIGH),
            channel=TicketChannel.PORTAL,
            by=None,
            now=now - timedelta(minutes=2),
        )


def _complain(told: Told, product: Product, agent: User, now: datetime) -> None:
    at = now - timedelta(hours=told.hours)
    made = tickets.create(
        title=told.title,
        body=told.body,
        about=_about(product, told.symptom, TicketPriority.NORMAL),
        channel=TicketChannel.AGENT,
        by=agent,
        now=at,
    )
    tickets.assign(ticket=made, to=agent, by=agent, now=at)
    if told.minutes is not None:
        macro = TicketMacro.objects.get(code="RECEIVED")
        is_chinese = ticket_mail.language_of(made).startswith("zh")
        tickets.reply(
            ticket=made,
            body=macro.text_zh if is_chinese else macro.text,
            is_answer=True,
            by=agent,
            now=at + timedelta(minutes=told.minutes),
        )


def _about(product: Product, symptom: str, priority: TicketPriority) -> About:
    return About(
        customer_id=product.customer_id,
        thing=product.thing,
        symptom_id=TicketSymptom.objects.get(code=symptom).pk,
        priority=priority,
    )


def _others() -> list[Product]:
    """Delivered units with the bad lot in them, the first of each customer before the others."""
    lots = list(ledger.lots_named(BAD_LOT).values_list("pk", flat=True))
    reached = sorted(ledger.units_of_lots(lots)) if lots else []
    delivered = [
        one
        for one in products.products(reached).values()
        if one.customer_id and one.number != SERIAL
    ]
    by_customer: dict[int | None, list[Product]] = {}
    for one in sorted(delivered, key=lambda one: one.thing):
        by_customer.setdefault(one.customer_id, []).append(one)
    # Every second one was assembled at the other station: the station is not the cause.
    first = [found[place % 2] for place, found in enumerate(by_customer.values())]
    rest = [one for one in delivered if one not in first]
    return [*first, *rest]
