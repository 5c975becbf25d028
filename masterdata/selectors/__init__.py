"""Reads of the master data, for all rooms above."""

from masterdata.selectors.codes import (
    customer_ids,
    item_ids,
    site_by_code,
    supplier_ids,
    work_centers,
)
from masterdata.selectors.lookup import (
    customer_by_code,
    customer_id_of,
    default_site,
    default_zone,
    item_by_code,
    items,
    items_by_id,
    site,
    supplier_by_code,
    work_unit_by_code,
)
from masterdata.selectors.plant import UnitInfo, active_units, units_by_center
from masterdata.selectors.search import search_customers, search_items
from masterdata.selectors.structure import (
    AlternativeStructure,
    ComponentStructure,
    ItemStructure,
    OperationStructure,
    StructureCycle,
    eligible_units,
    low_level_codes,
    structure_changes,
    structures,
)

__all__ = [
    "AlternativeStructure",
    "ComponentStructure",
    "ItemStructure",
    "OperationStructure",
    "StructureCycle",
    "UnitInfo",
    "active_units",
    "customer_by_code",
    "customer_id_of",
    "customer_ids",
    "default_site",
    "default_zone",
    "eligible_units",
    "item_by_code",
    "item_ids",
    "items",
    "items_by_id",
    "low_level_codes",
    "search_customers",
    "search_items",
    "site",
    "site_by_code",
    "structure_changes",
    "structures",
    "supplier_by_code",
    "supplier_ids",
    "units_by_center",
    "work_centers",
    "work_unit_by_code",
]
