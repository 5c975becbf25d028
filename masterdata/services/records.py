"""Saving one item, customer or work unit from a form."""

from datetime import datetime
from typing import Any, TypeVar

from django.db import models, transaction

from common import audit
from common.concurrency import check_version
from common.models import User
from masterdata.models import Customer, Item, WorkUnit

R = TypeVar("R", Item, Customer, WorkUnit)


def create(record: R, *, by: User | None, now: datetime) -> R:
    """Write a new record."""
    with transaction.atomic():
        record.save(force_insert=True)
        audit.record(action=f"masterdata.{_noun(record)}.create", target=record, by=by, now=now)
    return record


def edit(record: R, *, values: dict[str, Any], version: int, by: User | None, now: datetime) -> R:
    """Change the fields; raise StaleWrite where somebody saved it after it was opened."""
    with transaction.atomic():
        model = type(record)
        locked = model._default_manager.select_for_update(no_key=True).get(pk=record.pk)
        check_version(locked, opened=version)
        before = {name: getattr(locked, name) for name in values}
        changes = audit.difference(_plain(before), _plain(values))
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
    return locked


def _noun(record: models.Model) -> str:
    return str(record._meta.model_name)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values as an audit row can hold them."""
    return {
        name: str(value) if isinstance(value, models.Model) else value
        for name, value in values.items()
    }
