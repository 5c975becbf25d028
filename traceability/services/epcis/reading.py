"""Reading EPCIS events of others into the ledger: all of a document, or none of it.

A supplier's genealogy of what he delivers becomes part of ours. An event is read once, however
often it is sent; what is declared an error there is not read. Items must be known by their code.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from common import audit
from common.concurrency import Lock, lock
from common.errors import Refused
from common.models import User
from masterdata import selectors as masterdata
from traceability import selectors
from traceability.enums import Certainty, EventKind, LinkRole, NodeKind, Verdict
from traceability.models import Event, Parameter
from traceability.services import genealogy, identities, ledger
from traceability.services.epcis.names import CannotRead, Name, parse
from traceability.services.ledger import Fact, NewLink, NewReading, Rows

Told = Mapping[str, Any]

ONE = Decimal(1)
MOST_EVENTS = 100_000
_ROLES = {role.name.lower(): role for role in LinkRole}
_KINDS = {
    LinkRole.SPLIT: EventKind.SPLIT,
    LinkRole.MERGE: EventKind.MERGE,
    LinkRole.REWORK: EventKind.REWORK,
    LinkRole.INSTALL: EventKind.REPLACEMENT,
}


@dataclass(frozen=True, slots=True)
class Read:
    """How many events were written, were here before, and are of no concern to the ledger."""

    written: int = 0
    known: int = 0
    passed_over: int = 0


def read(document: Any, *, site_id: int, by: User | None) -> Read:
    """Write the document's events into the ledger of a site.

    Raise CannotRead, and write nothing, with the event's place and the reason.
    """
    events = _events(document)
    named = [(_reference(told, place), told) for place, told in enumerate(events, 1)]
    done, items = Read(), masterdata.item_ids()
    with transaction.atomic():
        # The same document twice at once: the second one finds what the first one wrote.
        lock(Lock.IMPORT, site_id)
        seen = set(
            Event.objects.filter(reference__in=[key for key, _told in named]).values_list(
                "reference", flat=True
            )
        )
        for place, (reference, told) in enumerate(named, 1):
            if reference in seen:
                done = replace(done, known=done.known + 1)
                continue
            seen.add(reference)
            try:
                fact = Fact(EventKind.BUILD, _at(told), site_id, by.pk if by else None, reference)
                one = _One(told, fact, items)
                is_written = one.write()
            except (Refused, KeyError, TypeError, ValueError, InvalidOperation) as error:
                raise CannotRead(
                    _("Event %(place)s: %(why)s") % {"place": place, "why": _why(error)}
                ) from error
            done = replace(
                done,
                written=done.written + is_written,
                passed_over=done.passed_over + (not is_written),
            )
        if done.written:
            audit.record(
                action="traceability.epcis.read",
                target=masterdata.site(site_id),
                by=by,
                now=timezone.now(),
                changes={"events": [None, done.written]},
            )
    return done


def _why(error: Exception) -> str:
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, KeyError):
        return _("“%(field)s” is missing.") % {"field": error.args[0]}
    return _("A field has a value of the wrong kind.")


def _events(document: Any) -> list[Told]:
    body = document.get("epcisBody") if isinstance(document, dict) else None
    events = body.get("eventList") if isinstance(body, dict) else None
    if not isinstance(events, list) or not all(isinstance(told, dict) for told in events):
        raise CannotRead(_("This is no EPCIS document with a list of events."))
    if len(events) > MOST_EVENTS:
        raise CannotRead(_("A document has %(most)s events at most.") % {"most": MOST_EVENTS})
    return events


def _reference(told: Told, place: int) -> str:
    """By what an event is known again."""
    name = told.get("eventID")
    if not isinstance(name, str) or not name:
        raise CannotRead(
            _("Event %(place)s: %(why)s")
            % {"place": place, "why": _("“%(field)s” is missing.") % {"field": "eventID"}}
        )
    return "EPCIS " + hashlib.sha256(name.encode()).hexdigest()[:40]


def _at(told: Told) -> datetime:
    text = told["eventTime"]
    at = parse_datetime(text) if isinstance(text, str) else None
    if at is None or at.tzinfo is None:
        raise CannotRead(_("“%(time)s” is no time with its zone.") % {"time": str(text)[:40]})
    return at


class _One:
    """An event that is being read."""

    def __init__(self, told: Told, fact: Fact, items: Mapping[str, int]) -> None:
        self.told, self.fact, self.items = told, fact, items
        self.role = _ROLES.get(str(told.get("millstream:role")), LinkRole.CONSUME)

    def write(self) -> bool:
        """Write it; whether it says something that the ledger keeps."""
        ways: dict[str, Callable[[], bool]] = {
            "TransformationEvent": self._transformation,
            "AssociationEvent": self._association,
            "ObjectEvent": self._object,
        }
        way = ways.get(str(self.told["type"]))
        return way is not None and "errorDeclaration" not in self.told and way()

    def _transformation(self) -> bool:
        lots_in = self._amounts("inputQuantityList")
        units_in = list(self._nodes(self.told.get("inputEPCList", [])).values())
        units_out = list(self._nodes(self.told.get("outputEPCList", [])).values())
        lots_out = self._amounts("outputQuantityList")
        kind = _KINDS.get(self.role, EventKind.BUILD)
        if kind in (EventKind.SPLIT, EventKind.MERGE):
            self._from_lot_to_lot(kind, lots_in, lots_out)
            return True
        pieces = sum((quantity for _lot, quantity, _c in lots_out), Decimal(len(units_out)))
        if not pieces:
            raise CannotRead(_("Nothing comes out of it."))
        loaded = [
            genealogy.Loaded(lot, (quantity / pieces).quantize(Decimal("0.000001")), certainty)
            for lot, quantity, certainty in lots_in
        ]
        outputs = [genealogy.Built(pk) for pk in units_out]
        outputs += [genealogy.Built(lot, quantity) for lot, quantity, _c in lots_out]
        if units_in:
            if len(outputs) != 1:
                raise CannotRead(_("It does not say which unit went into which."))
            outputs = [replace(outputs[0], parts=units_in)]
        genealogy.build(fact=replace(self.fact, kind=kind), outputs=outputs, loaded=loaded)
        return True

    def _from_lot_to_lot(self, kind: EventKind, ins: "_Amounts", outs: "_Amounts") -> None:
        links = [
            NewLink(out, source, taken if kind == EventKind.MERGE else made, self.role.value)
            for out, made, _c in outs
            for source, taken, _d in ins
        ]
        ledger.write(replace(self.fact, kind=kind), Rows(links=links))

    def _association(self) -> bool:
        [host] = self._nodes([self.told["parentID"]]).values()
        parts = list(self._nodes(self.told.get("childEPCs", [])).values())
        if self.told["action"] == "DELETE":
            genealogy.take_apart(fact=self.fact, unit=host, parts=parts)
        else:
            links = [NewLink(host, part, ONE, self.role.value) for part in parts]
            kind = _KINDS.get(self.role, EventKind.BUILD)
            ledger.write(replace(self.fact, kind=kind), Rows(links=links))
        return bool(parts)

    def _object(self) -> bool:
        """What was measured; where it was seen is for documents of our own to say."""
        named = [
            *self.told.get("epcList", []),
            *(amount["epcClass"] for amount in self.told.get("quantityList", [])),
        ]
        things = self._nodes(named).values()
        reports = [
            report
            for element in self.told.get("sensorElementList", [])
            for report in element["sensorReport"]
        ]
        readings = [self._reading(thing, report) for thing in things for report in reports]
        if readings:
            genealogy.process(fact=self.fact, readings=readings)
        return bool(readings)

    def _reading(self, thing: int, report: Told) -> NewReading:
        code = str(report["type"]).rpartition(":")[2].rpartition("/")[2][:60]
        parameter, _new = Parameter.objects.get_or_create(
            code=code,
            defaults={"name": code, "unit": str(report.get("millstream:unit", ""))[:12]},
        )
        verdict = str(report.get("millstream:verdict", "none")).upper()
        return NewReading(
            thing,
            parameter_id=parameter.pk,
            value=_figure(report.get("value")),
            lower=_figure(report.get("millstream:lower")),
            upper=_figure(report.get("millstream:upper")),
            verdict=Verdict[verdict].value,
            at=self.fact.at,
        )

    def _amounts(self, field: str) -> "_Amounts":
        rows = self.told.get(field, [])
        nodes = self._nodes([row["epcClass"] for row in rows])
        found = []
        for row in rows:
            certainty = (
                Certainty.ONE_OF if row.get("millstream:certainty") == "one_of" else Certainty.EXACT
            )
            quantity = _figure(row["quantity"])
            if quantity is None or quantity <= 0:
                raise CannotRead(_("A quantity is above zero."))
            found.append((nodes[str(parse(row["epcClass"]))], quantity, certainty))
        return found

    def _nodes(self, texts: Iterable[object]) -> dict[str, int]:
        """The things of these names, in their order; those that are not here yet are registered."""
        names = [parse(text) for text in texts]
        found: dict[str, int] = {}
        for code in sorted({name.item for name in names}):
            item_id = self._item(code)
            mine = [name for name in names if name.item == code]
            found |= self._units(item_id, [n for n in mine if n.kind == NodeKind.UNIT])
            for name in (n for n in mine if n.kind == NodeKind.LOT):
                lot = identities.register_lot(
                    item_id=item_id, new=identities.NewLot(name.number), now=self.fact.at
                )
                found[str(name)] = lot.pk
        return {str(name): found[str(name)] for name in names}

    def _units(self, item_id: int, names: Sequence[Name]) -> dict[str, int]:
        there = selectors.units_of(item_id=item_id, numbers=[name.number for name in names])
        known = {selectors.normalised(number): unit.pk for number, unit in there.items()}
        new = [name for name in names if selectors.normalised(name.number) not in known]
        if new:
            made = identities.register_units(
                item_id=item_id, numbers=[name.number for name in new], now=self.fact.at
            )
            known |= dict(
                zip((selectors.normalised(name.number) for name in new), made, strict=True)
            )
        return {str(name): known[selectors.normalised(name.number)] for name in names}

    def _item(self, code: str) -> int:
        if code not in self.items:
            raise CannotRead(_("There is no item %(code)s.") % {"code": code[:60]})
        return self.items[code]


_Amounts = list[tuple[int, Decimal, Certainty]]


def _figure(value: object) -> Decimal | None:
    if value is None:
        return None
    figure = Decimal(str(value))
    if isinstance(value, bool) or not figure.is_finite() or abs(figure) >= 10**11:
        raise CannotRead(_("“%(value)s” is no number.") % {"value": str(value)[:40]})
    return figure.quantize(Decimal("0.000001"))
