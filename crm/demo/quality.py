"""A bad lot in the middle of its 8D: contained, understood, its actions under way."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from common.enums import Role
from common.models import User
from erp.enums import MoveKind
from erp.services import stock
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
from traceability.services.identities import Origin

if TYPE_CHECKING:
    from mes.models import EightD, Nonconformance, QualityAction
    from traceability.models import Lot

LOT = "RM-2605-09"
TICKET = "AS-2026-0512"
_MATERIAL, _PRODUCT, _SUPPLIER = "FORGING-DN50", "FLANGE-DN50", "SUP-FORGE"
# What of the lot is still in the store.
_LEFT = Decimal(40)
_TEXTS = {
    "emergency": "The lot is on hold since the complaint; customers were told the same day.",
    "statement": "Flanges leak at the sealing face: pores of up to 2 mm under the skin.",
    "is_is_not": {
        "what": {"is": "Pores under the sealing face", "is_not": "Cracks, wrong dimensions"},
        "where": {"is": "Flanges from lot RM-2605-09", "is_not": "Flanges from other lots"},
        "when": {"is": "Forged in May", "is_not": "Before and after"},
        "how_much": {"is": "1 in 25 after grinding", "is_not": "Every piece"},
    },
    "occurrence_cause": "The billets of this heat were forged too cold",
    "occurrence_category": "method",
    "escape_cause": "No test for pores before the flanges are turned",
    "escape_category": "measurement",
    "escape_point": "Incoming inspection of forgings",
    "customer_problem": "Flanges may leak at the sealing face. Forgings of one lot have pores.",
    "customer_containment": "All forgings and flanges of the lot are held and sorted.",
    "customer_cause": "The supplier forged one heat below its temperature.",
}
_WHYS = {
    Chain.OCCURRENCE: (
        Because("The sealing face has pores", "Section of SN 123456"),
        Because("The forging was not welded together inside", "Lot RM-2605-09"),
        Because("It was forged too cold", "Furnace log of the supplier"),
    ),
    Chain.ESCAPE: (
        Because("The final inspection looks at the surface alone", "FLANGE-DN50 / 40"),
        Because("Forgings are checked for dimensions only", "Incoming inspection plan"),
    ),
}


def tell(*, users: Mapping[str, User], site_id: int, now: datetime) -> None:
    """The nonconformance of the bad lot, as far as its people have come by now."""
    quality, other = users[Role.QUALITY], users[Role.SUPERVISOR]
    at = now - timedelta(days=8)
    product = masterdata.item_by_code(_PRODUCT)
    if product is None:
        return
    found = nonconformances.open_from(
        source=NonconformanceSource.TICKET,
        reference=TICKET,
        item_id=product.pk,
        site_id=site_id,
        problem="Leaks at the sealing face",
        symptom="LEAK",
        quantity=_LEFT,
        things=[_lot(site_id, at).pk],
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


def _lot(site_id: int, at: datetime) -> "Lot":
    """The lot; a small one where the story has brought none."""
    known = traceability.lots_named(LOT).first()
    if known is not None:
        return known
    item = masterdata.item_by_code(_MATERIAL)
    assert item is not None  # noqa: S101 - the demo's own table
    supplier = masterdata.supplier_by_code(_SUPPLIER)
    stock.receive(
        item_id=item.pk,
        site_id=site_id,
        quantity=_LEFT,
        kind=MoveKind.RECEIPT,
        reference="PO-2605",
        lot_number=LOT,
        origin=Origin(supplier_id=supplier.pk, supplier_lot="WX-0509"),
        by=None,
        now=at,
    )
    made = traceability.lot_of(item_id=item.pk, number=LOT)
    assert made is not None  # noqa: S101 - it was just received
    return made


def _decide(found: "Nonconformance", quality: User, at: datetime) -> None:
    lot = traceability.lots_named(LOT).get()
    parts = [
        dispositions.Part(DispositionKind.SCRAP, Decimal(10), "Pores seen", lot_id=lot.pk),
        dispositions.Part(DispositionKind.RETURN, _LEFT - 10, "Wuxi takes it back", lot_id=lot.pk),
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

    check = planned(
        ActionKind.CORRECTIVE, "Test the face for pores", Role.QUALITY, ChangeKind.CHECK, 5
    )
    ask = planned(
        ActionKind.CORRECTIVE,
        "The supplier forges within its temperature",
        Role.PURCHASING,
        ChangeKind.SUPPLIER,
        10,
    )
    planned(
        ActionKind.PREVENTIVE,
        "Look at the forgings of the other flanges",
        Role.SUPERVISOR,
        ChangeKind.NOTHING,
        1,
    )
    today = now.date()
    step = operations.operations_on(item_id=found.item_id, on=today).get(sequence=40)
    pores = Check(
        position=0,
        name="No pores at the sealing face",
        name_zh="密封面无气孔",
        is_required=False,
        reason=f"{found.number}: flanges leaked at customers",
    )
    improvements.add_check(action=check, operation=step, check=pores, by=quality, now=at)
    supplier_requests.ask(
        action=ask,
        supplier=masterdata.supplier_by_code(_SUPPLIER),
        text="Why was heat WX-0509 forged too cold, and what keeps it from happening again?",
        answer_due_on=(now + timedelta(days=2)).date(),
        by=quality,
        now=at,
    )
