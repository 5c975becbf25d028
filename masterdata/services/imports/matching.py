"""Which rows are already there: codes to ids, parents, duplicates in the file."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from masterdata.models import Calendar
from masterdata.services import calendars
from masterdata.services.imports import rules
from masterdata.services.imports.columns import Column
from masterdata.services.imports.parsed import Parsed
from masterdata.services.imports.reading import BadRow, Table
from masterdata.services.imports.resources import Parent, Resource

_CHUNK = 5000


@dataclass(slots=True)
class Existing:
    """What the file's rows meet, by primary key."""

    rows: dict[int, models.Model] = field(default_factory=dict)
    parents: dict[int, models.Model] = field(default_factory=dict)


def without_bad(rows: list[Parsed], faults: list[BadRow], bad: list[BadRow]) -> list[Parsed]:
    """The rows without those that the faults name; the faults go to ``bad``."""
    bad.extend(faults)
    lines = {fault.line for fault in faults}
    return [parsed for parsed in rows if parsed.row.line not in lines] if lines else rows


def resolve(
    resource: Resource, table: Table, rows: list[Parsed], bad: list[BadRow]
) -> list[Parsed]:
    """Put ids in place of codes; rows that name something unknown go to ``bad``."""
    faults: list[BadRow] = []
    parents = resource.parent.columns if resource.parent else ()
    for columns, values_of in ((resource.columns, _own), (parents, _parents)):
        for column in columns:
            model = column.refers_to
            if model and column.name in table.columns:
                faults.extend(_resolve_column(column, model, table, rows, values_of))
    return without_bad(rows, faults, bad)


def match(
    resource: Resource, table: Table, rows: list[Parsed], bad: list[BadRow]
) -> tuple[list[Parsed], Existing]:
    """Find each row's parent and itself in the database and fill in what the file leaves out."""
    existing = Existing()
    if resource.model is not Calendar:
        _localize(resource, rows)
    if resource.parent:
        faults = list(_match_parents(resource.parent, table, rows, existing))
        rows = without_bad(rows, faults, bad)
    rows = without_bad(rows, list(_duplicates(resource, table, rows)), bad)
    _match_rows(resource, rows, existing)
    return _check_rows(resource, table, rows, existing, bad), existing


def _own(parsed: Parsed) -> dict[str, Any]:
    return parsed.values


def _parents(parsed: Parsed) -> dict[str, Any]:
    return parsed.parent


def _resolve_column(
    column: Column,
    model: type[models.Model],
    table: Table,
    rows: list[Parsed],
    values_of: Callable[[Parsed], dict[str, Any]],
) -> Iterable[BadRow]:
    name = column.attribute
    codes = {values_of(parsed)[name] for parsed in rows} - {None, ""}
    ids: dict[str, int] = {}
    for chunk in _chunks(codes):
        ids.update(model._default_manager.filter(code__in=chunk).values_list("code", "pk"))
    for parsed in rows:
        code = values_of(parsed)[name]
        if code in (None, ""):
            values_of(parsed)[name] = None
        elif code in ids:
            values_of(parsed)[name] = ids[code]
        else:
            yield table.bad(
                parsed.row,
                column.name,
                _("There is no %(kind)s with the code “%(code)s”.")
                % {"kind": model._meta.verbose_name, "code": code},
            )


def _localize(resource: Resource, rows: list[Parsed]) -> None:
    """A moment without an offset is local to the row's calendar."""
    names = [
        column.attribute
        for column in resource.columns
        if isinstance(column.field, models.DateTimeField)
    ]
    if not names:
        return
    used = {parsed.values["calendar_id"] for parsed in rows}
    zones = {
        calendar.pk: calendars.zone(calendar.time_zone)
        for calendar in Calendar.objects.filter(pk__in=used)
    }
    for parsed in rows:
        for name in names:
            moment: datetime = parsed.values[name]
            if moment.tzinfo is None:
                parsed.values[name] = moment.replace(tzinfo=zones[parsed.values["calendar_id"]])


def _match_parents(
    parent: Parent, table: Table, rows: list[Parsed], existing: Existing
) -> Iterable[BadRow]:
    """Set key and primary key of each row's parent; rows that contradict one another are bad."""
    attributes = {column.name: column.attribute for column in parent.columns}
    names = [attributes[name] for name in parent.key]
    defaults = {column.attribute: column.default for column in parent.columns}
    for parsed in rows:
        parsed.parent_key = tuple(parsed.parent.get(name, defaults[name]) for name in names)
    found = _find_parents(parent, {parsed.parent_key[0] for parsed in rows}, existing)
    first: dict[tuple[Any, ...], Parsed] = {}
    for parsed in rows:
        parsed.parent_pk = found.get(parsed.parent_key)
        there = existing.parents.get(parsed.parent_pk or 0)
        for name, default in defaults.items():
            parsed.parent.setdefault(name, getattr(there, name) if there else default)
        if parsed.parent_pk is None and not parent.is_written:
            yield table.bad(parsed.row, "sequence", _("The routing has no such operation."))
            continue
        leader = first.setdefault(parsed.parent_key, parsed)
        if leader.parent != parsed.parent:
            reason = _("The same revision has other days of validity in line %(line)s.")
            yield table.bad(parsed.row, "valid_from", reason % {"line": leader.row.line})
        elif "valid_from" in parsed.parent:
            for column, reason in rules.days_in_order(parsed.parent):
                yield table.bad(parsed.row, column, reason)


def _find_parents(
    parent: Parent, firsts: set[Any], existing: Existing
) -> dict[tuple[Any, ...], int]:
    """Primary keys by the whole key, of all parents whose first part is among ``firsts``."""
    lookups = list(parent.key.values())
    found: dict[tuple[Any, ...], int] = {}
    for chunk in _chunks(firsts):
        candidates = parent.model._default_manager.filter(**{f"{lookups[0]}__in": chunk})
        for pk, *key in candidates.values_list("pk", *lookups):
            found[tuple(key)] = pk
        if parent.is_written:
            existing.parents.update((row.pk, row) for row in candidates)
    return found


def _key(resource: Resource, parsed: Parsed) -> tuple[Any, ...]:
    return (*parsed.parent_key, *(parsed.values[name] for name in resource.key))


def _duplicates(resource: Resource, table: Table, rows: list[Parsed]) -> Iterable[BadRow]:
    first: dict[tuple[Any, ...], int] = {}
    column = {c.attribute: c.name for c in resource.columns}[resource.key[0]]
    for parsed in rows:
        line = first.setdefault(_key(resource, parsed), parsed.row.line)
        if line != parsed.row.line:
            reason = _("The same row is already in line %(line)s.") % {"line": line}
            yield table.bad(parsed.row, column, reason)


def _match_rows(resource: Resource, rows: list[Parsed], existing: Existing) -> None:
    parent = resource.parent
    wanted: set[Any]
    if parent:
        lookup = f"{parent.attribute}_id"
        wanted = {parsed.parent_pk for parsed in rows} - {None}
    else:
        lookup = resource.key[0]
        wanted = {parsed.values[lookup] for parsed in rows}
    found: dict[tuple[Any, ...], int] = {}
    for chunk in _chunks(wanted):
        for row in resource.model._default_manager.filter(**{f"{lookup}__in": chunk}):
            above = (getattr(row, lookup),) if parent else ()
            found[(*above, *(getattr(row, name) for name in resource.key))] = row.pk
            existing.rows[row.pk] = row
    for parsed in rows:
        above = (parsed.parent_pk,) if parent else ()
        parsed.pk = found.get((*above, *(parsed.values[name] for name in resource.key)))


def _check_rows(
    resource: Resource, table: Table, rows: list[Parsed], existing: Existing, bad: list[BadRow]
) -> list[Parsed]:
    """Fill in what the file leaves out, then ask the row's own rules."""
    defaults = {column.attribute: column.default for column in resource.columns}
    faults: list[BadRow] = []
    for parsed in rows:
        there = existing.rows[parsed.pk] if parsed.pk else None
        for name, default in defaults.items():
            if name not in parsed.values:
                parsed.values[name] = getattr(there, name) if there else default
        for rule in resource.row_rules:
            faults.extend(table.bad(parsed.row, *fault) for fault in rule(parsed.values))
    return without_bad(rows, faults, bad)


def _chunks(values: set[Any]) -> Iterable[list[Any]]:
    ordered = iter(sorted(values))
    while chunk := list(islice(ordered, _CHUNK)):
        yield chunk
