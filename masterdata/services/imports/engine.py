"""Check a table against a resource, and write it: by code, in few statements, all or the good."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from common import audit
from common.errors import Refused
from common.models import User
from masterdata.services.imports import aftermath, matching, parsing
from masterdata.services.imports.parsed import Parsed
from masterdata.services.imports.reading import BadRow, Table
from masterdata.services.imports.resources import Resource

_BATCH = 2000


class CannotImport(Refused):
    """Rows are bad and nobody said to take the good ones; ``bad`` lists them."""

    def __init__(self, sentence: str, bad: list[BadRow]) -> None:
        super().__init__(sentence)
        self.bad = bad


@dataclass(slots=True)
class Change:
    """A row that is there and will differ: the fields, old and new."""

    target: models.Model
    fields: dict[str, list[Any]]


@dataclass(slots=True)
class Plan:
    """What an import would do; nothing is written yet."""

    resource: Resource
    table: Table
    bad: list[BadRow] = field(default_factory=list)
    new_parents: dict[tuple[Any, ...], models.Model] = field(default_factory=dict)
    changed_parents: list[Change] = field(default_factory=list)
    new: list[tuple[models.Model, Parsed]] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    unchanged: int = 0

    @property
    def outcome(self) -> "Outcome":
        """The numbers of rows by what happens to them."""
        bad_rows = len({(bad.file, bad.line) for bad in self.bad})
        return Outcome(len(self.new), len(self.changed), self.unchanged, bad_rows)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows created, changed, left as they were, and refused."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    bad: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """Cells that have become values; good for one check."""

    rows: list[Parsed]
    bad: list[BadRow]


def prepare(resource: Resource, table: Table) -> Prepared:
    """Do what needs no database. Raises CannotRead for the table's columns."""
    bad: list[BadRow] = []
    return Prepared(parsing.parse(resource, table, bad), bad)


def check(resource: Resource, table: Table, prepared: Prepared | None = None) -> Plan:
    """What importing the table would do and each bad row. Raises CannotRead for its columns."""
    prepared = prepared or prepare(resource, table)
    plan = Plan(resource, table, bad=list(prepared.bad))
    rows = prepared.rows
    rows = matching.resolve(resource, table, rows, plan.bad)
    rows, existing = matching.match(resource, table, rows, plan.bad)
    for rule in resource.table_rules:
        rows = matching.without_bad(rows, list(rule(table, rows)), plan.bad)
    plan.bad.sort(key=lambda bad: bad.line)
    _plan_parents(plan, rows, existing)
    _plan_rows(plan, rows, existing)
    return plan


def run(
    resource: Resource,
    table: Table,
    *,
    take_good: bool,
    by: User | None,
    now: datetime,
    prepared: Prepared | None = None,
) -> Plan:
    """Check again and write in one transaction.

    Raises CannotImport, having written nothing, where rows are bad and ``take_good`` is False.
    """
    try:
        with transaction.atomic():
            plan = check(resource, table, prepared)
            if plan.bad and not take_good:
                raise CannotImport(
                    _("%(file)s: %(count)s rows are bad; nothing was imported.")
                    % {"file": table.file, "count": plan.outcome.bad},
                    plan.bad,
                )
            _write(plan, by, now)
            return plan
    except IntegrityError:
        raise CannotImport(
            _("Somebody else changed the same rows meanwhile; check the file again."), []
        ) from None


def _plan_parents(plan: Plan, rows: list[Parsed], existing: matching.Existing) -> None:
    parent = plan.resource.parent
    if parent is None or not parent.is_written:
        return
    seen: set[tuple[Any, ...]] = set()
    for parsed in rows:
        if parsed.parent_key in seen:
            continue
        seen.add(parsed.parent_key)
        if parsed.parent_pk is None:
            plan.new_parents[parsed.parent_key] = parent.model(**parsed.parent)
        elif fields := _difference(existing.parents[parsed.parent_pk], parsed.parent):
            plan.changed_parents.append(Change(existing.parents[parsed.parent_pk], fields))


def _plan_rows(plan: Plan, rows: list[Parsed], existing: matching.Existing) -> None:
    for parsed in rows:
        if parsed.pk is None:
            plan.new.append((plan.resource.model(**parsed.values), parsed))
            continue
        target = existing.rows[parsed.pk]
        fields = _difference(target, parsed.values)
        if fields:
            plan.changed.append(Change(target, fields))
        else:
            plan.unchanged += 1


def _difference(target: models.Model, values: dict[str, Any]) -> dict[str, list[Any]]:
    before = {name: getattr(target, name) for name in values}
    return audit.difference(before, values)


def _write(plan: Plan, by: User | None, now: datetime) -> None:
    parent = plan.resource.parent
    before = aftermath.sites_before(plan)
    _create(list(plan.new_parents.values()), plan, by, now)
    _change(plan.changed_parents, plan, by, now)
    if parent is not None:
        for row, parsed in plan.new:
            made = plan.new_parents.get(parsed.parent_key)
            setattr(row, f"{parent.attribute}_id", made.pk if made else parsed.parent_pk)
    _create([row for row, _parsed in plan.new], plan, by, now)
    _change(plan.changed, plan, by, now)
    aftermath.settle(plan, sites=before, by=by, now=now)


def _create(rows: list[models.Model], plan: Plan, by: User | None, now: datetime) -> None:
    if not rows:
        return
    type(rows[0])._default_manager.bulk_create(rows, batch_size=_BATCH)
    audit.record_many(
        action="masterdata.import", targets=rows, by=by, now=now, reason=plan.table.file
    )


def _change(changes: list[Change], plan: Plan, by: User | None, now: datetime) -> None:
    if not changes:
        return
    names: set[str] = set()
    for change in changes:
        for name, (_old, new) in change.fields.items():
            setattr(change.target, name, new)
            names.add(name)
        if hasattr(change.target, "version"):
            change.target.version += 1
            names.add("version")
    # bulk_update wants field names, not the columns behind them.
    model = type(changes[0].target)
    fields = sorted(
        {f.name for f in model._meta.concrete_fields if f.attname in names or f.name in names}
    )
    model._default_manager.bulk_update(
        [change.target for change in changes], fields, batch_size=_BATCH
    )
    for change in changes:
        audit.record(
            action="masterdata.import",
            target=change.target,
            by=by,
            now=now,
            reason=plan.table.file,
            changes=change.fields,
        )
