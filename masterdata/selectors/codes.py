"""Codes to ids, for those who take in many rows at once."""

from masterdata.models import Customer, Item, Site, Supplier, Tool, WorkCenter, WorkUnit


def item_ids() -> dict[str, int]:
    """Every item's id by its code."""
    return dict(Item.objects.values_list("code", "pk"))


def work_unit_ids() -> dict[str, int]:
    """Every machine's or place's id by its code; those out of use too, history names them."""
    return dict(WorkUnit.objects.values_list("code", "pk"))


def tool_ids() -> dict[str, int]:
    """Every tool's id by its code."""
    return dict(Tool.objects.values_list("code", "pk"))


def customer_ids() -> dict[str, int]:
    """Every customer's id by its code."""
    return dict(Customer.objects.values_list("code", "pk"))


def supplier_ids() -> dict[str, int]:
    """Every supplier's id by its code."""
    return dict(Supplier.objects.values_list("code", "pk"))


def site_by_code(code: str) -> Site:
    """The site of a code; raise Site.DoesNotExist."""
    return Site.objects.get(code=code)


def work_centers(*, site_id: int) -> list[WorkCenter]:
    """The work centers of a site by code."""
    return list(WorkCenter.objects.filter(site_id=site_id).order_by("code"))
