"""The ledger as EPCIS 2.0 events (GS1, JSON-LD): told to others, and read from them."""

from traceability.services.epcis.names import CannotRead
from traceability.services.epcis.reading import Read, read
from traceability.services.epcis.telling import document

__all__ = ["CannotRead", "Read", "document", "read"]
