"""Requirements and how far they are covered by stock."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypedDict

from django.db.models import DecimalField, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import get_language

from erp.enums import RequirementKind, RequirementState
from erp.models import Requirement, Reservation
from masterdata.enums import Supply

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A requirement with what is issued and reserved for it."""

    requirement_id: int
    item_id: int
    site_id: int
    quantity: Decimal
    issued: Decimal
    reserved: Decimal
    due_at: datetime
    weight: int
    reference: str
    time_zone: str
    state: str

    @property
    def is_open(self) -> bool:
        return self.state == RequirementState.OPEN

    @property
    def missing(self) -> Decimal:
        """What stock does not cover yet; pegged work orders are not counted here."""
        return max(ZERO, self.quantity - self.issued - self.reserved)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A quantity of a bought item that a requirement still waits for."""

    requirement_id: int
    item_id: int
    quantity: Decimal
    due_at: datetime
    reference: str


def requirements(ids: Iterable[int]) -> QuerySet[Requirement]:
    """Requirements by id, with their items."""
    return Requirement.objects.filter(pk__in=list(ids)).select_related("item").order_by("pk")


def coverage(ids: Collection[int]) -> list[Coverage]:
    """How far each requirement is covered by stock, in the order of their ids; one query."""
    if not ids:
        return []
    rows = _with_reserved(Requirement.objects.filter(pk__in=list(ids))).order_by("pk")
    return [
        Coverage(*row)
        for row in rows.values_list(
            "pk",
            "item_id",
            "site_id",
            "quantity",
            "issued",
            "reserved",
            "due_at",
            "weight",
            "reference",
            "site__time_zone",
            "state",
        )
    ]


def customer_codes(ids: Collection[int]) -> dict[int, str]:
    """Whose order line each requirement is, by its id; nobody's are left out. One query."""
    rows = Requirement.objects.filter(pk__in=list(ids), customer__isnull=False)
    return dict(rows.values_list("pk", "customer__code"))


def reserved_quantities(ids: Collection[int]) -> dict[int, Decimal]:
    """Stock that is kept for each requirement, by id; 0 where there is none."""
    found = dict.fromkeys(ids, ZERO)
    found.update(
        Reservation.objects.filter(requirement__in=list(found))
        .values("requirement")
        .annotate(total=Sum("quantity"))
        .values_list("requirement", "total")
    )
    return found


def reserved_for(requirement: str) -> Coalesce:
    """For an annotation: the stock that is kept for the requirement that a field names, or 0."""
    kept = (
        Reservation.objects.filter(requirement=OuterRef(requirement))
        .order_by()
        .values("requirement")
        .annotate(total=Sum("quantity"))
        .values("total")
    )
    return Coalesce(Subquery(kept), ZERO, output_field=DecimalField())


def taken_quantities(ids: Collection[int]) -> dict[int, Decimal]:
    """What each requirement has had of stock, by id: issued, or kept for it; two queries."""
    found = reserved_quantities(ids)
    for pk, issued in Requirement.objects.filter(pk__in=list(ids)).values_list("pk", "issued"):
        found[pk] += issued
    return found


def waiting(
    *, site_id: int, item_ids: Collection[int] | None = None, supply: Supply = Supply.BUY
) -> list[Waiting]:
    """Open needs that stock does not cover, the first due first; one query.

    Of bought items, or of made ones, whose pegged work orders are not counted here.
    """
    rows = waiting_rows(site_id=site_id, item_ids=item_ids, supply=supply)
    return [
        Waiting(*row) for row in rows.values_list("pk", "item_id", "missing", "due_at", "reference")
    ]


def waiting_rows(
    *, site_id: int, item_ids: Collection[int] | None = None, supply: Supply = Supply.BUY
) -> "QuerySet[WithAnnotations[Requirement, _Missing]]":
    """The same to be paged: requirements with what is ``missing`` of them."""
    rows = Requirement.objects.filter(
        site_id=site_id, state=RequirementState.OPEN, item__supply=supply
    )
    if item_ids is not None:
        rows = rows.filter(item__in=list(item_ids))
    return (
        _with_reserved(rows)
        .annotate(missing=F("quantity") - F("issued") - F("reserved"))
        .filter(missing__gt=0)
        .order_by("due_at", "pk")
    )


def places(ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Item id and site id of each requirement."""
    rows = Requirement.objects.filter(pk__in=list(ids))
    return {pk: (item, site) for pk, item, site in rows.values_list("pk", "item_id", "site_id")}


def sites_of(ids: Iterable[int]) -> list[int]:
    """The sites of the requirements, in the order in which they are locked."""
    rows = Requirement.objects.filter(pk__in=list(ids)).order_by("site_id")
    return list(rows.values_list("site_id", flat=True).distinct())


class _Reserved(TypedDict):
    reserved: Decimal


class _Missing(_Reserved):
    missing: Decimal


def _with_reserved(
    rows: QuerySet[Requirement],
) -> "QuerySet[WithAnnotations[Requirement, _Reserved]]":
    held = (
        Reservation.objects.filter(requirement=OuterRef("pk"))
        .order_by()
        .values("requirement")
        .annotate(total=Sum("quantity"))
        .values("total")
    )
    return rows.annotate(reserved=Coalesce(Subquery(held), ZERO, output_field=DecimalField()))


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A sales requirement: which order line, whose, and when it has to be ready."""

    requirement_id: int
    reference: str
    due_at: datetime
    customer_code: str | None
    customer_name: str | None
    customer_name_zh: str | None

    @property
    def order_number(self) -> str:
        return self.reference.partition("/")[0]

    @property
    def customer(self) -> str:
        """The customer's name in the active language."""
        if (get_language() or "").startswith("zh") and self.customer_name_zh:
            return self.customer_name_zh
        return self.customer_name or self.customer_code or ""


def order_lines(ids: Collection[int]) -> dict[int, OrderLine]:
    """The sales requirements among the ids, by id; one query."""
    rows = Requirement.objects.filter(pk__in=list(ids), kind=RequirementKind.SALES)
    return {
        values[0]: OrderLine(*values)
        for values in rows.values_list(
            "pk", "reference", "due_at", "customer__code", "customer__name", "customer__name_zh"
        )
    }
