"""How things are named in EPCIS: by item and number; what is read may use GS1 keys as well.

``urn:millstream:unit:AXLE:SN-1`` and ``urn:millstream:lot:STEEL:L-7``; a GS1 Digital Link
(``https://id.gs1.org/01/<GTIN>/21/<serial>`` or ``/10/<lot>``) names the item by its code.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from django.utils.translation import gettext as _

from common.errors import Refused
from traceability.enums import NodeKind

PREFIX = "urn:millstream:"
CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"millstream": PREFIX}]
VERSION = "2.0"

_OURS = re.compile(rf"{PREFIX}(?P<kind>unit|lot):(?P<item>[^:]+):(?P<number>[^:]+)\Z")
_LINK = re.compile(r"https?://[^/]+/(?:.*/)?01/(?P<item>\d+)/(?P<key>21|10)/(?P<number>[^/?#]+)")


class CannotRead(Refused):
    """What was sent is no EPCIS document of things that are known here.

    ``field``: which one is wrong, as "epcisBody.eventList[3].eventTime", counted from 0.
    """

    def __init__(self, sentence: str, field: str = "epcisBody") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Name:
    """A lot or unit, by its item's code and its number."""

    kind: NodeKind
    item: str
    number: str

    def __str__(self) -> str:
        return own(self.kind.value, self.item, self.number)


def own(sort: str, *parts: str) -> str:
    """A name of our own for anything: a unit, a lot, a site, a document."""
    return PREFIX + ":".join([sort, *(quote(part, safe="") for part in parts)])


def parse(text: object) -> Name:
    """The lot or unit of that name; raise CannotRead for a name of another kind."""
    if isinstance(text, str):
        if found := _OURS.match(text):
            kind = NodeKind(found["kind"])
            return Name(kind, unquote(found["item"]), unquote(found["number"]))
        if found := _LINK.match(text):
            kind = NodeKind.UNIT if found["key"] == "21" else NodeKind.LOT
            return Name(kind, found["item"], unquote(found["number"]))
    raise CannotRead(_("“%(name)s” names no lot or unit.") % {"name": str(text)[:100]})
