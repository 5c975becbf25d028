"""Reading EPCIS events of others into the ledger: all of a document, or none of it.

A supplier's genealogy of what he delivers becomes part of ours. An event is read once, however
often it is sent; what is declared an error there is not read. Items must be known by their code.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from django.db import DataError, IntegrityError, transaction
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
from traceability.services.epcis.fields import SMALLEST, Told
from traceability.services.epcis.names import PREFIX, CannotRead, Name, parse
from traceability.services.ledger import Fact, NewLink, NewReading, Rows

ONE = Decimal(1)
MOST_EVENTS = 100_000
# Nobody tells of what is to come; clocks differ.
_AHEAD = timedelta(days=1)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
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


@dataclass(frozen=True, slots=True)
class _Known:
    """Ids of what is named by its code."""

    items: Mapping[str, int]
    work_units: Mapping[str, int]
    tools: Mapping[str, int]


def read(document: Any, *, site_id: int, by: User | None) -> Read:
    """Write the document's events into the ledger of a site.

    Raise CannotRead, and write nothing, with the event's place, the field and the reason.
    """
    now = timezone.now()
    events = _events(document)
    named = [(_reference(told, place), told) for place, told in enumerate(events, 1)]
    known = _Known(masterdata.item_ids(), masterdata.work_unit_ids(), masterdata.tool_ids())
    done = Read()
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
            fact = Fact(EventKind.BUILD, now, site_id, by.pk if by else None, reference)
            is_written = _write(_One(told, fact, known), place)
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
                now=now,
                changes={"events": [None, done.written]},
            )
    return done


def _write(one: "_One", place: int) -> bool:
    """Write an event; whatever is wrong with it is told with its place and field."""
    try:
        return one.write()
    except (Refused, IntegrityError, DataError, TypeError, ValueError, ArithmeticError) as error:
        sentence = _("Event %(place)s: %(why)s") % {"place": place, "why": _why(error)}
        field = ".".join([f"epcisBody.eventList[{place - 1}]", *filter(None, [one.told.field])])
        raise CannotRead(sentence, field) from error


def _why(error: Exception) -> str:
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, IntegrityError):
        return _("It names the same thing twice, or contradicts what is known here.")
    return _("A field has a value of the wrong kind.")


def _events(document: Any) -> list[Mapping[str, Any]]:
    body = document.get("epcisBody") if isinstance(document, dict) else None
    events = body.get("eventList") if isinstance(body, dict) else None
    if not isinstance(events, list) or not all(isinstance(told, dict) for told in events):
        raise CannotRead(_("This is no EPCIS document with a list of events."))
    if len(events) > MOST_EVENTS:
        raise CannotRead(_("A document has %(most)s events at most.") % {"most": MOST_EVENTS})
    return events


def _reference(told: Mapping[str, Any], place: int) -> str:
    """By what an event is known again."""
    name = told.get("eventID")
    if not isinstance(name, str) or not name:
        sentence = _("Event %(place)s: %(why)s") % {
            "place": place,
            "why": _("“%(field)s” is missing.") % {"field": "eventID"},
        }
        raise CannotRead(sentence, f"epcisBody.eventList[{place - 1}].eventID")
    return "EPCIS " + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:40]


class _One:
    """An event that is being read."""

    def __init__(self, told: Mapping[str, Any], fact: Fact, known: _Known) -> None:
        self.told, self.known = Told(told), known
        self.latest, self.fact = fact.at + _AHEAD, fact
        self.role = _ROLES.get(str(told.get("millstream:role")), LinkRole.CONSUME)

    def write(self) -> bool:
        """Write it; whether it says something that the ledger keeps."""
        ways: dict[str, Callable[[], bool]] = {
            "TransformationEvent": self._transformation,
            "AssociationEvent": self._association,
            "ObjectEvent": self._object,
        }
        self.fact = replace(self.fact, at=self._at(), **self._station())
        way = ways.get(self.told.text("type"))
        return way is not None and "errorDeclaration" not in self.told.body and way()

    def _at(self) -> datetime:
        text = self.told.text("eventTime")
        try:
            at = parse_datetime(text)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            raise CannotRead(_("“%(time)s” is no time with its zone.") % {"time": text[:40]})
        if not _EARLIEST <= at <= self.latest:
            raise CannotRead(_("“%(time)s” is not in the past.") % {"time": text[:40]})
        return at

    def _station(self) -> dict[str, Any]:
        """Where it was done, by which tool and program; machines of others are not known here."""
        told = self.told
        machine = told.one("readPoint").text("id", "").removeprefix(f"{PREFIX}workunit:")
        return {
            "work_unit_id": self.known.work_units.get(unquote(machine)),
            "tool_id": self.known.tools.get(told.text("millstream:tool", "")),
            "program": told.text("millstream:program", ""),
            "operation": told.count("millstream:operation"),
        }

    def _transformation(self) -> bool:
        lots_in = self._amounts("inputQuantityList")
        units_in = list(self._nodes("inputEPCList").values())
        units_out = list(self._nodes("outputEPCList").values())
        lots_out = self._amounts("outputQuantityList")
        kind = _KINDS.get(self.role, EventKind.BUILD)
        if kind in (EventKind.SPLIT, EventKind.MERGE):
            self._from_lot_to_lot(kind, lots_in, lots_out)
            return True
        pieces = sum((quantity for _lot, quantity, _c in lots_out), Decimal(len(units_out)))
        if not pieces:
            raise CannotRead(_("Nothing comes out of it."))
        loaded = [
            genealogy.Loaded(lot, (quantity / pieces).quantize(SMALLEST), certainty)
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
            NewLink(out, source, taken if kind == EventKind.MERGE else made, self.role.value, doubt)
            for out, made, _c in outs
            for source, taken, doubt in ins
        ]
        ledger.write(replace(self.fact, kind=kind), Rows(links=links))

    def _association(self) -> bool:
        [host] = self._things([self.told.text("parentID")]).values()
        parts = list(self._nodes("childEPCs").values())
        if self.told.text("action", "") == "DELETE":
            genealogy.take_apart(fact=self.fact, unit=host, parts=parts)
        else:
            links = [NewLink(host, part, ONE, self.role.value) for part in parts]
            kind = _KINDS.get(self.role, EventKind.BUILD)
            ledger.write(replace(self.fact, kind=kind), Rows(links=links))
        return bool(parts)

    def _object(self) -> bool:
        """What was done and measured; where it was seen is for documents of our own to say."""
        reports = [
            report
            for element in self.told.rows("sensorElementList")
            for report in element.rows("sensorReport")
        ]
        is_passed = self.told.body.get("millstream:passed") is True
        if not reports and not is_passed:
            return False
        named = [row.text("epcClass") for row in self.told.rows("quantityList")]
        things = [*self._nodes("epcList").values(), *self._things(named).values()]
        readings = [NewReading(thing, at=self.fact.at) for thing in things if is_passed]
        readings += [self._reading(thing, report) for thing in things for report in reports]
        if readings:
            genealogy.process(fact=self.fact, readings=readings)
        return bool(readings)

    def _reading(self, thing: int, report: Told) -> NewReading:
        code = report.text("type").rpartition(":")[2].rpartition("/")[2][:60]
        if not code:
            raise CannotRead(_("It does not say what was measured."))
        parameter, _new = Parameter.objects.get_or_create(
            code=code,
            defaults={"name": code, "unit": report.text("millstream:unit", "")[:12]},
        )
        verdict = report.text("millstream:verdict", Verdict.NONE.name).upper()
        if verdict not in Verdict.__members__:
            raise CannotRead(_("“%(value)s” is no verdict.") % {"value": verdict[:40]})
        return NewReading(
            thing,
            parameter_id=parameter.pk,
            value=report.figure("value"),
            lower=report.figure("millstream:lower"),
            upper=report.figure("millstream:upper"),
            verdict=Verdict[verdict].value,
            at=self.fact.at,
        )

    def _amounts(self, field: str) -> "_Amounts":
        rows = self.told.rows(field)
        nodes = self._things([row.text("epcClass") for row in rows])
        found = []
        for row in rows:
            is_doubt = row.text("millstream:certainty", "") == "one_of"
            quantity = row.figure("quantity", is_needed=True)
            if quantity is None or quantity <= 0:
                raise CannotRead(_("A quantity is above zero."))
            certainty = Certainty.ONE_OF if is_doubt else Certainty.EXACT
            found.append((nodes[str(parse(row.text("epcClass")))], quantity, certainty))
        return found

    def _nodes(self, field: str) -> dict[str, int]:
        """The things that a field names."""
        return self._things(self.told.names(field))

    def _things(self, texts: Iterable[str]) -> dict[str, int]:
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
        if code not in self.known.items:
            raise CannotRead(_("There is no item %(code)s.") % {"code": code[:60]})
        return self.known.items[code]


_Amounts = list[tuple[int, Decimal, Certainty]]
