"""Telling the life of things as EPCIS events: all that the ledger knows of them, to the raw lots.

A set of lots that was loaded is told as the inputs of a transformation, a unit in a unit as an
association, a document as an object event, what was measured as sensor reports. A link that was
wrong is told as it was captured and declared an error, with the events that put it right.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from masterdata import selectors as masterdata
from traceability import selectors
from traceability.enums import (
    FIRST_KIT_ID,
    FIRST_UNIT_ID,
    Certainty,
    DocumentKind,
    EventKind,
    LinkEndWhy,
    LinkRole,
    NodeKind,
    Verdict,
    kind_of,
)
from traceability.models import Custody, Event, Lot, Parameter, Reading, SerialUnit
from traceability.selectors import Step
from traceability.services.epcis.names import CONTEXT, VERSION, own

Told = dict[str, Any]

_SPACE = uuid.UUID("5f0a4c5e-6f8e-5a0e-9d7c-0e5c15000020")
_STEPS = {
    EventKind.RECEIPT: "receiving",
    EventKind.ISSUE: "picking",
    EventKind.BUILD: "commissioning",
    EventKind.PROCESS: "inspecting",
    EventKind.SPLIT: "repackaging",
    EventKind.MERGE: "repackaging",
    EventKind.REWORK: "repairing",
    EventKind.DISASSEMBLY: "disassembling",
    EventKind.REPLACEMENT: "replacing",
    EventKind.SHIPMENT: "shipping",
    EventKind.RETURN: "receiving",
    EventKind.SCRAP: "destroying",
    EventKind.CORRECTION: "other",
}


def document(things: Iterable[int], *, now: datetime) -> Told:
    """An EPCIS document of the things' lives and of all that they were made from.

    ``things``: ids of lots and units. Numbers are JSON numbers as EPCIS wants them.
    """
    life = _life(list(things))
    told = [told for event in life.in_order() for told in _told(life, event)]
    _declare_errors(told, life)
    return {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": VERSION,
        "creationDate": _time(now),
        "epcisBody": {"eventList": [one.body for one in told]},
    }


@dataclass(slots=True)
class _Life:
    """What the ledger has of the things, by event."""

    events: dict[int, Event]
    links: dict[int, list[Step]]
    ends: dict[int, list[Step]]
    kits: dict[int, list[Step]]
    readings: dict[int, list[Reading]]
    custodies: dict[int, list[Custody]]
    lots: dict[int, Lot]
    units: dict[int, SerialUnit]
    parameters: dict[int, Parameter]
    # Codes of machines and tools, by id.
    work_units: dict[int, str]
    tools: dict[int, str]

    def in_order(self) -> list[Event]:
        return sorted(self.events.values(), key=lambda event: (event.at, event.pk))

    def name(self, node: int) -> str:
        thing = self.units[node] if node >= FIRST_UNIT_ID else self.lots[node]
        return own(kind_of(node).value, thing.item.code, thing.number)

    def amount(self, lot: int, quantity: Decimal) -> Told:
        """So much of a lot, as a quantity element; pieces have no unit of measure there."""
        told: Told = {"epcClass": self.name(lot), "quantity": float(quantity)}
        if (uom := self.lots[lot].item.uom) != "EA":
            told["uom"] = uom
        return told


@dataclass(slots=True)
class _One:
    """An event as it is told, and what it stands for."""

    body: Told
    event_id: int
    corrected_by: set[int] = field(default_factory=set)


def _life(things: Sequence[int]) -> _Life:
    steps = {step for thing in things for step in selectors.steps_over(thing)}
    nodes = {*things, *(step.child for step in steps), *(step.parent for step in steps)}
    real = [node for node in nodes if kind_of(node) != NodeKind.KIT]
    readings = list(selectors.readings_of(real))
    custodies = list(selectors.custodies_of(real))
    wanted = {step.event_id for step in steps}
    wanted |= {row.event_id for row in readings} | {row.event_id for row in custodies}
    wanted |= {step.ended_by for step in steps if step.ended_by}
    used = {reading.parameter_id for reading in readings if reading.parameter_id}
    return _Life(
        events=selectors.events(wanted),
        links=_by(steps, lambda step: step.event_id),
        ends=_by((step for step in steps if step.ended_by), lambda step: step.ended_by),
        kits=_by((step for step in steps if _is_kit(step.child)), lambda step: step.child),
        readings=_by(readings, lambda reading: reading.event_id),
        custodies=_by(custodies, lambda custody: custody.event_id),
        lots=selectors.lots(node for node in real if node < FIRST_KIT_ID),
        units=selectors.units(node for node in real if node >= FIRST_UNIT_ID),
        parameters=Parameter.objects.in_bulk(used),
        work_units=_codes(masterdata.work_units_by_id(r.work_unit_id or 0 for r in readings)),
        tools=_codes(masterdata.tools_by_id(r.tool_id or 0 for r in readings)),
    )


def _codes(rows: Mapping[int, Any]) -> dict[int, str]:
    return {pk: row.code for pk, row in rows.items()}


def _by(rows: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def _is_kit(node: int) -> bool:
    return kind_of(node) == NodeKind.KIT


def _told(life: _Life, event: Event) -> list[_One]:
    """What one event of the ledger is in EPCIS, each with an id of its own, always the same."""
    found = [
        *_handed_over(life, event),
        *_made(life, event),
        *_taken_out(life, event),
        *_put_in(life, event),
        *_measured(life, event),
    ]
    for place, one in enumerate(found):
        name = uuid.uuid5(_SPACE, f"{event.site.code}/{event.pk}/{place}/{event.digest.hex()}")
        body = {**_head(event), "eventID": f"urn:uuid:{name}", **one.body}
        one.body = {key: value for key, value in body.items() if value is not None}
    return found


def _head(event: Event) -> Told:
    told: Told = {
        "eventTime": _time(event.at),
        "eventTimeZoneOffset": "+00:00",
        "bizStep": _STEPS[EventKind(event.kind)],
        "bizLocation": {"id": own("site", event.site.code)},
    }
    if event.reference:
        order = own("document", event.reference)
        told["bizTransactionList"] = [{"type": "prodorder", "bizTransaction": order}]
    machine = event.work_unit.code if event.work_unit else ""
    tool = event.tool.code if event.tool else ""
    return told | _station(event, machine, tool)


def _station(row: Event | Reading, machine: str, tool: str) -> Told:
    """Where it was done and by what; None for what is not known."""
    return {
        "readPoint": {"id": own("workunit", machine)} if machine else None,
        "millstream:operation": row.operation,
        "millstream:tool": tool or None,
        "millstream:program": row.program or None,
    }


def _handed_over(life: _Life, event: Event) -> list[_One]:
    found = []
    for paper, rows in _by(life.custodies[event.pk], lambda row: row.document).items():
        body: Told = {"type": "ObjectEvent", "action": "OBSERVE", **_things(life, rows)}
        papers = [{"type": "desadv", "bizTransaction": own("document", paper.number)}]
        if paper.order_number:
            order = own("document", paper.order_number)
            papers.append({"type": "po", "bizTransaction": order})
        body["bizTransactionList"] = papers
        if paper.supplier:
            side = "destination" if paper.kind == DocumentKind.SUPPLIER_RETURN else "source"
            body |= _partner(side, own("supplier", paper.supplier.code))
        if paper.customer:
            side = "destination" if paper.kind == DocumentKind.SHIPMENT else "source"
            body |= _partner(side, own("customer", paper.customer.code))
        found.append(_One(body, event.pk))
    return found


def _partner(side: str, name: str) -> Told:
    return {f"{side}List": [{"type": "owning_party", side: name}]}


def _things(life: _Life, rows: Sequence[Custody]) -> Told:
    lots = [row for row in rows if row.thing < FIRST_KIT_ID]
    told: Told = {"epcList": sorted(life.name(row.thing) for row in rows if row not in lots)}
    if lots:
        told["quantityList"] = [life.amount(row.thing, row.quantity) for row in lots]
    return told


def _made(life: _Life, event: Event) -> list[_One]:
    """Transformations: by the kit that went in, or from lot to lot."""
    rows = [
        step
        for step in life.links[event.pk]
        if not _is_kit(step.child) and (step.parent < FIRST_UNIT_ID or step.child < FIRST_KIT_ID)
    ]
    groups = _by(rows, lambda step: (_input(step), _wrong(step)))
    return [
        _One(_transformation(life, steps), event.pk, {wrong} if wrong else set())
        for (_key, wrong), steps in sorted(groups.items(), key=str)
    ]


def _input(step: Step) -> tuple[str, int]:
    """What a transformation is told by: its kit, the lot split, or the one put together."""
    return ("to", step.child) if step.role == LinkRole.MERGE else ("of", step.parent)


def _wrong(step: Step) -> int | None:
    return step.ended_by if step.why == LinkEndWhy.WRONG else None


def _transformation(life: _Life, steps: Sequence[Step]) -> Told:
    made = {step.child: step.quantity for step in steps}
    lots_in: list[Told] = []
    units_in: list[str] = []
    for step in {step.parent: step for step in steps}.values():
        total = sum((other.quantity for other in steps if other.parent == step.parent), Decimal(0))
        if _is_kit(step.parent):
            lots_in += [_line(life, line, total) for line in life.kits[step.parent]]
        elif step.parent < FIRST_KIT_ID:
            lots_in.append(_doubted(life.amount(step.parent, total), step))
        else:
            units_in.append(life.name(step.parent))
    if steps[0].role == LinkRole.MERGE:
        made = {steps[0].child: sum((step.quantity for step in steps), Decimal(0))}
    outputs = {
        "outputEPCList": sorted(life.name(node) for node in made if node >= FIRST_UNIT_ID),
        "outputQuantityList": [
            life.amount(node, quantity) for node, quantity in made.items() if node < FIRST_KIT_ID
        ],
    }
    inputs = {"inputQuantityList": lots_in, "inputEPCList": sorted(units_in)}
    told = {key: value for key, value in (inputs | outputs).items() if value}
    return {"type": "TransformationEvent", "millstream:role": steps[0].role.name.lower(), **told}


def _line(life: _Life, line: Step, pieces: Decimal) -> Told:
    return _doubted(life.amount(line.parent, line.quantity * pieces), line)


def _doubted(told: Told, step: Step) -> Told:
    doubt = {"millstream:certainty": "one_of"} if step.certainty == Certainty.ONE_OF else {}
    return {**told, **doubt}


def _put_in(life: _Life, event: Event) -> list[_One]:
    rows = [
        step
        for step in life.links[event.pk]
        if step.child >= FIRST_UNIT_ID and step.parent >= FIRST_UNIT_ID
    ]
    return [
        _One(_association("ADD", life, steps), event.pk, {wrong} if wrong else set())
        for (_host, wrong), steps in _by(rows, lambda s: (s.child, _wrong(s))).items()
    ]


def _taken_out(life: _Life, event: Event) -> list[_One]:
    rows = [step for step in life.ends[event.pk] if step.why == LinkEndWhy.REMOVED]
    return [
        _One(_association("DELETE", life, steps), event.pk)
        for steps in _by(rows, lambda step: step.child).values()
    ]


def _association(action: str, life: _Life, steps: Sequence[Step]) -> Told:
    told: Told = {
        "type": "AssociationEvent",
        "action": action,
        "parentID": life.name(steps[0].child),
        "childEPCs": sorted(life.name(s.parent) for s in steps if s.parent >= FIRST_UNIT_ID),
        "millstream:role": steps[0].role.name.lower(),
    }
    kits = [step for step in steps if step.parent < FIRST_UNIT_ID]
    lines = [_line(life, line, step.quantity) for step in kits for line in life.kits[step.parent]]
    if lines:
        told["childQuantityList"] = lines
    return told


def _measured(life: _Life, event: Event) -> list[_One]:
    """One event for each subject and station: that it passed there, and what was measured."""
    found = []
    rows = _by(
        life.readings[event.pk],
        lambda r: (r.subject, r.at, r.operation, r.work_unit_id, r.tool_id, r.program),
    )
    for (subject, at, *_rest), readings in rows.items():
        first, name = readings[0], life.name(subject)
        body: Told = {"type": "ObjectEvent", "action": "OBSERVE", "eventTime": _time(at)}
        machine = life.work_units.get(first.work_unit_id or 0, "")
        body |= _station(first, machine, life.tools.get(first.tool_id or 0, ""))
        if not all(row.parameter_id for row in readings):
            body["millstream:passed"] = True
        if subject >= FIRST_UNIT_ID:
            body["epcList"] = [name]
        else:
            body |= {"epcList": [], "quantityList": [{"epcClass": name}]}
        body["bizStep"] = "inspecting"
        reports = [_report(life, row) for row in readings if row.parameter_id]
        if reports:
            body["sensorElementList"] = [{"sensorReport": reports}]
        found.append(_One(body, event.pk))
    return found


def _report(life: _Life, row: Reading) -> Told:
    parameter = life.parameters[row.parameter_id or 0]
    told: Told = {"type": f"millstream:{parameter.code}", "millstream:unit": parameter.unit}
    for key, figure in (
        ("value", row.value),
        ("millstream:lower", row.lower),
        ("millstream:upper", row.upper),
    ):
        if figure is not None:
            told[key] = float(figure)
    if row.verdict != Verdict.NONE:
        told["millstream:verdict"] = Verdict(row.verdict).name.lower()
    return told


def _declare_errors(told: Sequence[_One], life: _Life) -> None:
    """What was recorded wrongly says so, and which events put it right."""
    by_event = _by(told, lambda one: one.event_id)
    for one in told:
        if one.corrected_by:
            corrections = [life.events[pk] for pk in sorted(one.corrected_by)]
            one.body["errorDeclaration"] = {
                "declarationTime": _time(corrections[-1].at),
                "reason": "incorrect_data",
                "correctiveEventIDs": [
                    other.body["eventID"] for c in corrections for other in by_event[c.pk]
                ],
            }


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
