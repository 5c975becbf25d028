"""The facts of a product's life, each one plain call in the transaction that makes it true."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from traceability import policies, selectors
from traceability.enums import FIRST_KIT_ID, Certainty, EventKind, LinkEndWhy, LinkRole
from traceability.policies import CannotLink
from traceability.services import digests, ledger
from traceability.services.ledger import (
    Fact,
    Handover,
    NewLink,
    NewReading,
    OldLink,
    Rows,
    Station,
)

__all__ = [
    "Built",
    "CannotLink",
    "Fact",
    "Handover",
    "Loaded",
    "NewLink",
    "NewReading",
    "OldLink",
    "Station",
    "build",
    "correct",
    "hand_over",
    "merge",
    "process",
    "replace_part",
    "split",
    "take_apart",
    "tell",
]

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A lot at the station: what each piece takes of it, and whether it was surely this one."""

    lot_id: int
    quantity: Decimal
    certainty: Certainty = Certainty.EXACT


@dataclass(frozen=True, slots=True)
class Built:
    """What came out: a unit with the units that went into it, or so many pieces of a lot."""

    node: int
    quantity: Decimal = ONE
    parts: Sequence[int] = ()


def build(
    *,
    fact: Fact,
    outputs: Sequence[Built],
    loaded: Sequence[Loaded] = (),
    readings: Sequence[NewReading] = (),
) -> int:
    """Units or lots were made, each from what was loaded and from its parts; the event's id.

    The same set of lots is one kit, however often it is loaded.
    """
    code = (LinkRole.REWORK if fact.kind == EventKind.REWORK else LinkRole.CONSUME).value
    with transaction.atomic():
        links: list[NewLink] = []
        if loaded:
            kit, new = _kit(loaded, at=fact.at)
            links += new
            links += [NewLink(out.node, kit, out.quantity, code) for out in outputs]
        links += [NewLink(out.node, part, ONE, code) for out in outputs for part in out.parts]
        for out in outputs:
            if out.parts and out.node < FIRST_KIT_ID:
                # Impacts walk lots and kits: what is in a unit is in the lot that took the unit.
                inside = selectors.kits_of(out.parts) - {link.parent for link in links}
                links += [NewLink(out.node, each, ONE, code) for each in sorted(inside)]
        return ledger.put(fact, Rows(links=links, readings=readings))


def tell(*, fact: Fact) -> int:
    """A fact about pieces that have no number: scrapped before they got one, set aside."""
    return ledger.write(fact, Rows())


_KIT = "SELECT id FROM traceability_kit WHERE hash = %s"


def _kit(loaded: Iterable[Loaded], *, at: datetime) -> tuple[int, list[NewLink]]:
    """The kit of these lots, and its own links where it is new."""
    lines: dict[tuple[int, int], Decimal] = {}
    for line in loaded:
        key = (line.lot_id, line.certainty.value)
        lines[key] = lines.get(key, Decimal(0)) + line.quantity
    told = ";".join(
        f"{lot},{certainty},{digests.plain(quantity)}"
        for (lot, certainty), quantity in sorted(lines.items())
    )
    found = hashlib.sha256(told.encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(_KIT, [found])
        if row := cursor.fetchone():
            return int(row[0]), []
        cursor.execute(
            "INSERT INTO traceability_kit (hash, made_at) VALUES (%s, %s) "
            "ON CONFLICT (hash) DO NOTHING RETURNING id",
            [found, at],
        )
        if row := cursor.fetchone():
            kit: int = row[0]
            return kit, [
                NewLink(kit, lot, quantity, LinkRole.CONSUME.value, certainty)
                for (lot, certainty), quantity in lines.items()
            ]
        # Somebody else loaded the same at the same moment.
        cursor.execute(_KIT, [found])
        (kit,) = cursor.fetchone() or (0,)
    return kit, []


def process(*, fact: Fact, readings: Sequence[NewReading]) -> int:
    """Lots or units passed a station, or were measured there."""
    return ledger.write(replace(fact, kind=EventKind.PROCESS), Rows(readings=readings))


def hand_over(*, fact: Fact, handovers: Sequence[Handover]) -> int:
    """Lots or units were received, shipped or returned by a document.

    Inside the block of the booking that moves them, which undoes all of it where this raises.
    """
    return ledger.put(fact, Rows(handovers=handovers))


def split(
    *,
    fact: Fact,
    source: int,
    parts: Mapping[int, Decimal],
    handovers: Sequence[Handover] = (),
) -> int:
    """Lots were split off a lot: by id, how much of it each is; ``handovers`` where it lies."""
    links = [NewLink(pk, source, share, LinkRole.SPLIT.value) for pk, share in parts.items()]
    rows = Rows(links=links, handovers=handovers)
    return ledger.write(replace(fact, kind=EventKind.SPLIT), rows)


def merge(
    *,
    fact: Fact,
    target: int,
    sources: Mapping[int, Decimal],
    certainty: Certainty = Certainty.EXACT,
    handovers: Sequence[Handover] = (),
) -> int:
    """Lots were put together into one: by id, how much of each.

    ``ONE_OF``: what is taken of it later has one of them in it, and nobody knows which.
    """
    links = [
        NewLink(target, pk, share, LinkRole.MERGE.value, certainty.value)
        for pk, share in sources.items()
    ]
    rows = Rows(links=links, handovers=handovers)
    return ledger.write(replace(fact, kind=EventKind.MERGE), rows)


def take_apart(*, fact: Fact, unit: int, parts: Iterable[int]) -> int:
    """Parts (units or kits) were taken out of a unit. Raise CannotLink for what is not in it."""
    ends = _links_of(unit, parts)
    return ledger.write(replace(fact, kind=EventKind.DISASSEMBLY), Rows(ends=ends))


def replace_part(*, fact: Fact, unit: int, removed: int, installed: int | None = None) -> int:
    """A part of a unit was replaced in service: the old one is out, the new one in."""
    links = [NewLink(unit, installed, ONE, LinkRole.INSTALL.value)] if installed else []
    ends = _links_of(unit, [removed])
    return ledger.write(replace(fact, kind=EventKind.REPLACEMENT), Rows(links=links, ends=ends))


def correct(
    *,
    fact: Fact,
    wrong: Sequence[OldLink] = (),
    right: Sequence[NewLink] = (),
    readings: Sequence[NewReading] = (),
) -> int:
    """What an event recorded was wrong: the old rows stay, and new ones say what was right."""
    return ledger.write(
        replace(fact, kind=EventKind.CORRECTION),
        Rows(links=right, ends=wrong, ends_why=LinkEndWhy.WRONG, readings=readings),
    )


def _links_of(unit: int, parts: Iterable[int]) -> list[OldLink]:
    wanted = set(parts)
    found = [OldLink(*key) for key in selectors.links_above(unit) if key[1] in wanted]
    if missing := wanted - {link.parent for link in found}:
        raise policies.not_in_there(missing)
    return found
