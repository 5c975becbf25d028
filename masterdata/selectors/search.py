"""Type-ahead: the best matches for a few typed characters."""

from typing import TypeVar

from django.db.models import Case, IntegerField, Model, Q, QuerySet, Value, When

from masterdata.enums import Supply
from masterdata.models import Customer, Item, Supplier

M = TypeVar("M", bound=Model)


def search_items(
    text: str, limit: int = 20, *, sold_only: bool = False, bought_only: bool = False
) -> list[Item]:
    """Active items whose code or name (either language) holds the text; exact codes first."""
    items = Item.objects.filter(is_active=True)
    if sold_only:
        items = items.filter(is_sold=True)
    if bought_only:
        items = items.filter(supply=Supply.BUY)
    return list(_ranked(items, text)[:limit])


def search_customers(text: str, limit: int = 20) -> list[Customer]:
    """Active customers whose code or name holds the text; exact codes first."""
    return list(_ranked(Customer.objects.filter(is_active=True), text)[:limit])


def search_suppliers(text: str, limit: int = 20) -> list[Supplier]:
    """Active suppliers whose code or name holds the text; exact codes first."""
    return list(_ranked(Supplier.objects.filter(is_active=True), text)[:limit])


def _ranked(rows: QuerySet[M], text: str) -> QuerySet[M]:
    """Exact code, then beginning of the code, then of the name, then anywhere; by code."""
    # PostgreSQL has no NUL in text and would refuse the query.
    text = text.replace("\x00", "").strip()
    if not text:
        return rows.order_by("code")
    rank = Case(
        When(code__iexact=text, then=Value(0)),
        When(code__istartswith=text, then=Value(1)),
        When(Q(name__istartswith=text) | Q(name_zh__startswith=text), then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    found = Q(code__icontains=text) | Q(name__icontains=text) | Q(name_zh__icontains=text)
    return rows.filter(found).order_by(rank, "code")
