"""The chain as a nested list and as a table: each line says what, how much, from whom, how sure."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from crm.trace.life import Life
from traceability import selectors as ledger
from traceability.enums import FIRST_UNIT_ID, LinkEndWhy, LinkRole

if TYPE_CHECKING:
    from traceability.models import Document, Event, Lot, SerialUnit

# Lines of one page; the rest is counted.
MOST = 300


@dataclass
class Line:
    """One part of the chain under what it is in."""

    level: int
    thing: "Lot | SerialUnit"
    quantity: Decimal
    is_exact: bool
    role: LinkRole
    why: LinkEndWhy | None
    event: "Event | None"
    ended: "Event | None"
    receipt: "Document | None"
    # It stands with its parts further up.
    is_repeated: bool = False
    children: list["Line"] = field(default_factory=list)

    @property
    def is_unit(self) -> bool:
        return self.thing.pk >= FIRST_UNIT_ID

    @property
    def was_installed(self) -> bool:
        return self.role == LinkRole.INSTALL

    @property
    def was_removed(self) -> bool:
        return self.why == LinkEndWhy.REMOVED

    @property
    def was_reworked(self) -> bool:
        return self.role == LinkRole.REWORK


@dataclass(frozen=True, slots=True)
class Chain:
    """The lines at the top, all lines in reading order, and how many are left out."""

    top: list[Line]
    lines: list[Line]
    left_out: int


def chain(life: Life, parts: list[ledger.Part]) -> Chain:
    """The chain over a thing by these parts, each thing's own parts told once."""
    over: dict[int, list[ledger.Part]] = {}
    for part in parts:
        over.setdefault(part.child, []).append(part)
    lines: list[Line] = []
    told: set[int] = set()
    left_out = 0

    def tell(node: int, level: int) -> list[Line]:
        nonlocal left_out
        found: list[Line] = []
        for part in sorted(over.get(node, ()), key=lambda p: (-(p.parent >> 41), p.parent)):
            thing = life.things.get(part.parent)
            if thing is None:
                continue
            if len(lines) >= MOST:
                left_out += 1
                continue
            line = _line(life, part, level)
            lines.append(line)
            found.append(line)
            if part.parent in told:
                line.is_repeated = part.parent in over
                continue
            told.add(part.parent)
            line.children = tell(part.parent, level + 1)
        return found

    return Chain(tell(life.thing.pk, 1), lines, left_out)


def _line(life: Life, part: ledger.Part, level: int) -> Line:
    return Line(
        level=level,
        thing=life.things[part.parent],
        quantity=part.quantity,
        is_exact=part.is_exact,
        role=part.role,
        why=part.why,
        event=life.events.get(part.event_id),
        ended=life.events.get(part.ended_by or 0),
        receipt=life.receipt_of(part.parent),
    )
