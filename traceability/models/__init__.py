"""What carries a number, and the ledger of what became of it."""

from traceability.models.complaints import Complaint
from traceability.models.identities import Hold, Identity, Lot, SerialUnit
from traceability.models.ledger import (
    Custody,
    Document,
    Event,
    Kit,
    Link,
    LinkEnd,
    Parameter,
    Reading,
    Seal,
    UnitKit,
)

__all__ = [
    "Complaint",
    "Custody",
    "Document",
    "Event",
    "Hold",
    "Identity",
    "Kit",
    "Link",
    "LinkEnd",
    "Lot",
    "Parameter",
    "Reading",
    "Seal",
    "SerialUnit",
    "UnitKit",
]
