"""Where the number of a document leads."""

from django.urls import NoReverseMatch, reverse

# By the beginning of the number.
_PAGES = {
    "SO-": "crm:order-detail",
    "WO-": "mes:work-order-detail",
    "PO-": "erp:purchase-detail",
    "AS-": "crm:ticket",
    "NC-": "mes:nonconformance",
}


def url_of(number: str) -> str:
    """The page of a document, empty for numbers of others; who may open it is asked there."""
    name = _PAGES.get(number[:3], "")
    try:
        return reverse(name, args=[number]) if name else ""
    except NoReverseMatch:
        return ""
