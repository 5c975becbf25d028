"""The papers by which goods come and go: one row each, made when it is first named."""

from dataclasses import dataclass
from datetime import datetime

from traceability.enums import DocumentKind
from traceability.models import Document

_LONGEST, _LONGEST_CERTIFICATE = 60, 120


@dataclass(frozen=True, slots=True)
class Paper:
    """A document as its writer knows it; ids of masterdata's partners."""

    kind: DocumentKind
    number: str
    # The order it fulfils: ours, or the customer's.
    order_number: str = ""
    customer_id: int | None = None
    supplier_id: int | None = None
    certificate: str = ""


def put(paper: Paper, *, at: datetime) -> int:
    """The id of the document, made where it is new; a further certificate is added to it."""
    key = {
        "kind": paper.kind,
        "number": paper.number[:_LONGEST],
        "order_number": paper.order_number[:_LONGEST],
    }
    rest = {
        "customer_id": paper.customer_id,
        "supplier_id": paper.supplier_id,
        "certificate": paper.certificate[:_LONGEST_CERTIFICATE],
        "at": at,
    }
    found, is_new = Document.objects.get_or_create(**key, defaults=rest)
    known = found.certificate.split("; ")
    if not is_new and paper.certificate and paper.certificate not in known:
        both = "; ".join([*(text for text in known if text), paper.certificate])
        found.certificate = both[:_LONGEST_CERTIFICATE]
        found.save(update_fields=["certificate"])
    return found.pk
