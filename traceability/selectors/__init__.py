"""Reads of the ledger: by number, up and down the genealogy, by cause."""

from traceability.selectors.graph import (
    above,
    below,
    hosts_of,
    inside_themselves,
    known,
    links_above,
    live_links,
    with_children,
)
from traceability.selectors.identities import (
    holds,
    holds_of,
    lot_of,
    lots,
    lots_named,
    lots_of,
    normalised,
    open_holds,
    unit_of,
    units,
    units_named,
    units_of,
)
from traceability.selectors.impact import Group, groups_of_lots, units_of_lots

__all__ = [
    "Group",
    "above",
    "below",
    "groups_of_lots",
    "holds",
    "holds_of",
    "hosts_of",
    "inside_themselves",
    "known",
    "links_above",
    "live_links",
    "lot_of",
    "lots",
    "lots_named",
    "lots_of",
    "normalised",
    "open_holds",
    "unit_of",
    "units",
    "units_named",
    "units_of",
    "units_of_lots",
    "with_children",
]
