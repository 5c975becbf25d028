"""A bad lot in the middle of its 8D: contained, understood, its actions under way."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from common.enums import Role
from common.models import User
from crm.models import Ticket
from masterdata import selectors as masterdata
from masterdata.selectors import operations
from masterdata.services.checks import Check
from mes.enums import (
    ActionKind,
    Chain,
    ChangeKind,
    Discipline,
    DispositionKind,
    NonconformanceSource,
)
from mes.services import (
    containment,
    dispositions,
    eight_d,
    improvements,
    nonconformances,
    quality_actions,
    supplier_requests,
)
from mes.services.eight_d import Because
from traceability import selectors as traceability

if TYPE_CHECKING:
    from mes.models import EightD, Nonconformance, QualityAction

LOT = "RM-2605-09"
TICKET = "AS-2026-0512"
_PRODUCT, _CHECKED, _SUPPLIER = "DRIVE-S1", "SHAFT-S1", "SUP-STEEL"
# What of the lot is still in the store.
_LEFT = Decimal(40)
_TEXTS = {
    "emergency": "The lot is on hold since the complaint; customers were told the same day.",
    "statement": "The screw joint comes loose: the thread in the shaft end gives way under load.",
    "is_is_not": {
        "what": {"is": "Threads in shaft ends give way", "is_not": "Screws tightened too little"},
        "where": {"is": "Drives of lot RM-2605-09", "is_not": "Drives of lot RM-2604-22"},
        "when": {"is": "After days of operation", "is_not": "At the final inspection"},
        "how_much": {"is": "Single drives of five customers", "is_not": "Every drive"},
    },
    "occurrence_cause": "The bars of this heat are softer than ordered",
    "occurrence_category": "material",
    "escape_cause": "Bars are checked for dimensions, not for hardness",
    "escape_category": "measurement",
    "escape_point": "Incoming inspection of bars",
    "customer_problem": "The screw joint of a drive may come loose: the steel of one lot is too "
    "soft for the thread in the shaft.",
    "customer_containment": "What is left of the lot is held, and so is what was made of it and "
    "has not left us.",
    "customer_cause": "The supplier annealed one heat for too long.",
}
_WHYS = {
    Chain.OCCURRENCE: (
        Because("The joint loses its tension", "Torque 2.4 N·m at ASM-01, passed"),
        Because("The thread in the shaft end gives way", "Section of a drive sent back"),
        Because("The bar is too soft", "Lot RM-2605-09, heat H-88121"),
    ),
    Chain.ESCAPE: (
        Because("The torque is looked at when it is tightened, not later", "DRIVE-S1 / 10"),
        Because("Bars are checked for dimensions only", "Incoming inspection plan"),
    ),
}

_RATING = improvements.Rating(
    "Thread in the shaft end gives way",
    severity=8,
    occurrence=5,
    detection=7,
    effect="The screw joint comes loose",
    cause="The bar is too soft",
    control="Hardness of each lot of bars",
    operation=10,
)


def tell(*, users: Mapping[str, User], site_id: int, now: datetime) -> None:
    """The nonconformance of the bad lot, as far as its people have come by now."""
    quality, other = users[Role.QUALITY], users[Role.SUPERVISOR]
    at = now - timedelta(days=7, hours=20)
    product = masterdata.item_by_code(_PRODUCT)
    lot = traceability.lots_named(LOT).first()
    first = Ticket.objects.exclude(number=TICKET).order_by("opened_at").first()
    if product is None or lot is None or first is None:
        return
    found = nonconformances.open_from(
        source=NonconformanceSource.TICKET,
        reference=first.number,
        item_id=product.pk,
        site_id=site_id,
        problem="Screw joint comes loose",
        symptom="LOOSE",
        quantity=_LEFT,
        things=[lot.pk],
        by=users[Role.AFTER_SALES],
        now=at,
    )
    for place, counts in (
        ("Store", containment.Found(found=_LEFT)),
        ("Customers", containment.Found(shipped=Decimal(60))),
    ):
        row = containment.suspect(
            nonconformance=found,
            place=place,
            quantity=counts.found + counts.shipped,
            by=quality,
            now=at,
        )
        containment.count(row=row, found=counts, by=quality, now=at)
        containment.verify(row=row, by=other, now=at + timedelta(hours=1))
    _decide(found, quality, at)
    _analyse(found, quality, [other, users[Role.PURCHASING]], at)
    _act(found, users, now)
    # The newest complaint is of the same.
    nonconformances.link(
        nonconformance=found, reference=TICKET, by=users[Role.AFTER_SALES], now=now
    )


def _decide(found: "Nonconformance", quality: User, at: datetime) -> None:
    lot = traceability.lots_named(LOT).get()
    parts = [
        dispositions.Part(DispositionKind.SCRAP, Decimal(10), "Too soft", lot_id=lot.pk),
        dispositions.Part(DispositionKind.RETURN, _LEFT - 10, "Sent back", lot_id=lot.pk),
    ]
    made = dispositions.decide(
        nonconformance=found, parts=parts, by=quality, now=at + timedelta(days=1)
    )
    dispositions.execute(
        disposition=made[0], result="", by=quality, now=at + timedelta(days=1, hours=2)
    )


def _analyse(found: "Nonconformance", quality: User, team: list[User], at: datetime) -> None:
    made: EightD = eight_d.begin(nonconformance=found, leader=quality, by=quality, now=at)
    eight_d.set_team(eight_d=made, leader=quality, members=team, by=quality, now=at)
    later = at + timedelta(days=3)
    eight_d.write(eight_d=made, values=_TEXTS, by=quality, now=later)
    for chain, whys in _WHYS.items():
        eight_d.explain(eight_d=made, chain=chain, whys=whys, by=quality, now=later)
    for step in (Discipline.D0, Discipline.D1, Discipline.D2, Discipline.D3, Discipline.D4):
        eight_d.complete(eight_d=made, discipline=step, by=quality, now=later)
    eight_d.share(eight_d=made, is_shared=True, by=quality, now=later)


def _act(found: "Nonconformance", users: Mapping[str, User], now: datetime) -> None:
    quality, at = users[Role.QUALITY], now - timedelta(days=4)

    def planned(
        kind: ActionKind, title: str, owner: Role, change: ChangeKind, days: int
    ) -> "QualityAction":
        new = quality_actions.Plan(
            kind, title, users[owner], (now + timedelta(days=days)).date(), change
        )
        return quality_actions.plan(nonconformance=found, new=new, by=quality, now=at)

    fix, prevent = ActionKind.CORRECTIVE, ActionKind.PREVENTIVE
    check = planned(fix, "Measure the hardness of the bar", Role.QUALITY, ChangeKind.CHECK, 5)
    title = "The supplier keeps the time of annealing"
    ask = planned(fix, title, Role.PURCHASING, ChangeKind.SUPPLIER, 10)
    title = "Look at the other shafts with a thread"
    planned(prevent, title, Role.SUPERVISOR, ChangeKind.NOTHING, 1)
    rate = planned(prevent, "Rate the thread in the FMEA", Role.QUALITY, ChangeKind.FMEA, 10)
    _check(check, quality, now.date(), at)
    improvements.rate(action=rate, rating=_RATING, by=quality, now=at)
    supplier_requests.ask(
        action=ask,
        supplier=masterdata.supplier_by_code(_SUPPLIER),
        text="Why is heat H-88121 too soft, and what keeps it from happening again?",
        answer_due_on=(now + timedelta(days=2)).date(),
        by=quality,
        now=at,
    )


def _check(action: "QualityAction", quality: User, today: date, at: datetime) -> None:
    shaft = masterdata.item_by_code(_CHECKED)
    assert shaft is not None  # noqa: S101 - the demo's own table
    step = operations.operations_on(item_id=shaft.pk, on=today).get(sequence=10)
    hardness = Check(
        position=0,
        name="The bar is as hard as ordered",
        name_zh="棒料硬度符合要求",
        is_required=False,
        reason=f"{action.nonconformance.number}: joints of drives came loose at customers",
    )
    improvements.add_check(action=action, operation=step, check=hardness, by=quality, now=at)
