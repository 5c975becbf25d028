"""Where the number of a document leads."""

import re

from django.urls import NoReverseMatch, reverse

# By the beginning of the number. What was taken over from another system has numbers of its own,
# such as WO-H01, and no page here.
_PAGES = {
    "SO": "crm:order-detail",
    "WO": "mes:work-order-detail",
    "PO": "erp:purchase-detail",
    "AS": "crm:ticket",
    "RMA": "crm:rma",
    "NC": "mes:nonconformance",
}
_OURS = re.compile(r"([A-Z]+)-[0-9-]+\Z")


def url_of(number: str) -> str:
    """The page of a document, empty for numbers of others; who may open it is asked there."""
    found = _OURS.match(number)
    name = _PAGES.get(found[1], "") if found else ""
    try:
        return reverse(name, args=[number]) if name else ""
    except NoReverseMatch:
        return ""
