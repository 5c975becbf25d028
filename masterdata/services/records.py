"""Saving one record of the master data from a form."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from psycopg.errors import UniqueViolation

from common import audit
from common.concurrency import check_version
from common.errors import Refused
from common.models import User
from masterdata import policies
from masterdata.models import (
    Customer,
    ExchangeRate,
    Item,
    Site,
    Skill,
    Supplier,
    SupplierPrice,
    Tool,
    WorkCenter,
    WorkUnit,
)
from masterdata.services import capacity, planning


class AlreadyThere(Refused):
    """Somebody else saved a record of the same code or day a moment ago."""


@contextmanager
def unique() -> Iterator[None]:
    """Say in a sentence what the database refuses because two people saved at once."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        raise AlreadyThere(
            _("Somebody else saved the same code or day a moment ago; look at it first.")
        ) from None


R = TypeVar(
    "R",
    Item,
    Customer,
    ExchangeRate,
    Site,
    Skill,
    Supplier,
    SupplierPrice,
    Tool,
    WorkCenter,
    WorkUnit,
)


def create(record: R, *, by: User | None, now: datetime) -> R:
    """Write a new record; tell the schedules of its site, or planning, where they reckon with it.

    Raises AlreadyThere where another one took its code a moment ago, and CannotPayIn for a price
    of a currency without an exchange rate.
    """
    with unique():
        if isinstance(record, SupplierPrice):
            _check_price(record.currency, record.valid_from, now)
        record.save(force_insert=True)
        audit.record(action=f"masterdata.{_noun(record)}.create", target=record, by=by, now=now)
        capacity.changed(site_ids=capacity.sites_of([record]), by=by, now=now)
        if planning.is_read(type(record)):
            planning.changed(by=by, now=now)
    return record


def edit(
    record: R,
    *,
    values: dict[str, Any],
    version: int,
    by: User | None,
    now: datetime,
    planned_site_id: int | None = None,
) -> R:
    """Change the fields; tell the schedules of the sites whose capacity it was and will be.

    All but ``planned_site_id``: its plan with the change in it is being published. Planning of
    requirements is told where it reads what changed.
    Raises StaleWrite where somebody saved it after it was opened, CannotMove and
    CannotDeactivate where others build on what would go, AlreadyThere for a code just taken.
    """
    with unique():
        model = type(record)
        locked = model._default_manager.select_for_update(no_key=True).get(pk=record.pk)
        check_version(locked, opened=version)
        before = {name: getattr(locked, name) for name in values}
        changes = audit.difference(_plain(before), _plain(values))
        _check(locked, {name: values[name] for name in changes}, now)
        sites = capacity.sites_of([locked])
        for name, value in values.items():
            setattr(locked, name, value)
        locked.version += 1
        locked.save()
        audit.record(
            action=f"masterdata.{_noun(locked)}.edit",
            target=locked,
            by=by,
            now=now,
            changes=changes,
        )
        if capacity.counts(changes):
            told = sites | capacity.sites_of([locked])
            capacity.changed(site_ids=told - {planned_site_id or 0}, by=by, now=now)
        if planning.counts(model, changes):
            planning.changed(by=by, now=now)
    return locked


def remove_price(price: SupplierPrice, *, version: int, by: User | None, now: datetime) -> None:
    """Delete a price that nobody should order at; raise StaleWrite where it was changed."""
    _remove(price, ("price", "valid_from"), version, by, now)


def remove_exchange_rate(
    rate: ExchangeRate, *, version: int, by: User | None, now: datetime
) -> None:
    """Delete a rate; what was reckoned with it stays. Raise StaleWrite where it was changed."""
    _remove(rate, ("source", "target", "rate", "valid_from"), version, by, now)


def _remove(
    record: SupplierPrice | ExchangeRate,
    told: Sequence[str],
    version: int,
    by: User | None,
    now: datetime,
) -> None:
    with transaction.atomic():
        locked = type(record)._default_manager.select_for_update().get(pk=record.pk)
        check_version(locked, opened=version)
        audit.record(
            action=f"masterdata.{_noun(locked)}.delete",
            target=locked,
            by=by,
            now=now,
            changes={name: [getattr(locked, name), None] for name in told},
        )
        locked.delete()
        planning.changed(by=by, now=now)


def _check(record: models.Model, changes: Mapping[str, Any], now: datetime) -> None:
    if isinstance(record, WorkCenter) and "site" in changes:
        policies.check_can_move_center(record)
    if isinstance(record, Supplier) and changes.get("is_active") is False:
        policies.check_can_deactivate_supplier(record, now.date())
    if isinstance(record, SupplierPrice) and {"currency", "valid_from"} & changes.keys():
        currency = changes.get("currency", record.currency)
        _check_price(currency, changes.get("valid_from", record.valid_from), now)


def _check_price(currency: str, valid_from: date, now: datetime) -> None:
    policies.check_can_pay_in(currency, on=max(valid_from, now.date()))


def _noun(record: models.Model) -> str:
    return str(record._meta.model_name)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values as an audit row can hold them."""
    return {
        name: str(value) if isinstance(value, models.Model) else value
        for name, value in values.items()
    }
