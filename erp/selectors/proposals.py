"""Proposals: what the floor has to carry out, and the lists that people work through."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Coalesce

from erp.enums import ProposalAction, ProposalState, SupplyKind
from erp.models import MrpRun, Proposal, ProposalPeg
from masterdata.selectors import Terms, supplier_labels

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ToDo:
    """An accepted proposal that the floor carries out."""

    proposal_id: int
    action: ProposalAction
    item_id: int
    quantity: Decimal
    # What a person added to the system's quantity; negative: took off.
    difference: Decimal
    due_date: date
    # The work order that a message is about.
    work_order_id: int | None
    # Requirements that wait for it, with their shares.
    demands: tuple[tuple[int, Decimal], ...] = ()
    # For safety stock, and for proposed orders above that nobody accepted.
    for_stock: Decimal = ZERO


def to_carry_out(*, site_id: int) -> list[ToDo]:
    """What was accepted and is for the floor, parents before their components; two queries.

    What a proposed order needs for its components is left out where that order was accepted as
    well: making it makes them.
    """
    rows = list(Proposal.objects.filter(site=site_id, state=ProposalState.ACCEPTED).order_by("pk"))
    pegs: dict[int, list[ProposalPeg]] = {}
    for peg in ProposalPeg.objects.filter(proposal__in=rows).select_related("parent"):
        pegs.setdefault(peg.proposal_id, []).append(peg)
    return [_to_do(row, pegs.get(row.pk, [])) for row in rows]


def _to_do(row: Proposal, pegs: list[ProposalPeg]) -> ToDo:
    demands = tuple((p.requirement_id, p.quantity) for p in pegs if p.requirement_id is not None)
    stock = sum(
        (
            peg.quantity
            for peg in pegs
            if peg.requirement_id is None
            and (peg.parent is None or peg.parent.state == ProposalState.OPEN)
        ),
        ZERO,
    )
    is_message = row.supply_kind == SupplyKind.WORK_ORDER
    return ToDo(
        proposal_id=row.pk,
        action=ProposalAction(row.action),
        item_id=row.item_id,
        quantity=row.quantity,
        difference=row.quantity - row.system_quantity,
        due_date=row.due_date,
        work_order_id=row.supply_source_id if is_message else None,
        demands=demands,
        for_stock=stock,
    )


def proposals(
    *,
    site_id: int | None = None,
    group: str = "",
    text: str = "",
    supplier_id: int | None = None,
) -> QuerySet[Proposal]:
    """Open proposals of a site or of all, the first to be released first, with ``value``.

    ``group``: buy, make, changes, overridden, or all where empty.
    """
    found = Proposal.objects.filter(state=ProposalState.OPEN).filter(in_group(group))
    if site_id is not None:
        found = found.filter(site=site_id)
    if text.strip():
        found = found.filter(
            Q(item__code__icontains=text)
            | Q(item__name__icontains=text)
            | Q(item__name_zh__icontains=text)
            | Q(reference__icontains=text)
            | Q(requirement__reference__icontains=text)
        )
    if supplier_id is not None:
        found = found.filter(
            Q(override_supplier=supplier_id)
            | Q(override_supplier__isnull=True, system_supplier=supplier_id)
        )
    value = ExpressionWrapper(
        Coalesce(F("override_quantity"), F("system_quantity")) * F("price"),
        output_field=DecimalField(max_digits=20, decimal_places=4),
    )
    return (
        found.annotate(value=value)
        .select_related(
            "site", "item", "system_supplier", "override_supplier", "overridden_by", "requirement"
        )
        .order_by("system_release_date", "item__code", "pk")
    )


def proposal_counts(*, site_id: int) -> dict[str, int]:
    """How many open proposals each group has; one query."""
    found = Proposal.objects.filter(site=site_id, state=ProposalState.OPEN)
    groups = ("", "buy", "make", "changes", "overridden", "refused")
    return found.aggregate(
        **{group or "all": Count("pk", filter=in_group(group)) for group in groups}
    )


def in_group(group: str) -> Q:
    """The condition of a group of the workbench; one that is unknown is all."""
    overridden = (
        Q(override_quantity__isnull=False)
        | Q(override_due_date__isnull=False)
        | Q(override_supplier__isnull=False)
    )
    return {
        "buy": Q(action=ProposalAction.BUY),
        "make": Q(action=ProposalAction.MAKE),
        "changes": ~Q(action__in=ProposalAction.orders()),
        "overridden": overridden,
        "refused": ~Q(refusal=""),
    }.get(group, Q(pk__isnull=False))


def mrp_runs(*, site_id: int | None = None) -> QuerySet[MrpRun]:
    """The runs of a site or of all, the newest first."""
    found = MrpRun.objects.select_related("requested_by", "site").order_by("-pk")
    return found if site_id is None else found.filter(site=site_id)


@dataclass(frozen=True, slots=True)
class SupplierOffer:
    """A supplier that could deliver a proposal, and when at the earliest."""

    supplier_id: int
    label: str
    price: Decimal
    currency: str
    lead_time_days: int
    minimum: Decimal
    is_in_time: bool
    is_chosen: bool


def offers_of(proposal: Proposal, terms: list[Terms], *, today: date) -> list[SupplierOffer]:
    """The suppliers of a proposal's item by price, with their names; one query."""
    labels = supplier_labels(one.supplier_id for one in terms)
    return [
        SupplierOffer(
            supplier_id=one.supplier_id,
            label=labels.get(one.supplier_id, ""),
            price=one.price,
            currency=one.currency,
            lead_time_days=one.lead_time_days,
            minimum=one.minimum,
            is_in_time=today + timedelta(days=one.lead_time_days) <= proposal.due_date,
            is_chosen=one.supplier_id == proposal.supplier_id_chosen,
        )
        for one in sorted(terms, key=lambda one: (one.price, one.lead_time_days))
    ]


def proposal_pegs(proposal: Proposal) -> QuerySet[ProposalPeg]:
    """For whom a proposal is, by when they need it, with requirements and proposals above."""
    return (
        ProposalPeg.objects.filter(proposal=proposal)
        .select_related("requirement__customer", "parent__item")
        .order_by("requirement__due_at", "pk")
    )
