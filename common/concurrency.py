"""Two at once: advisory locks in one stated order, and edit forms that went stale."""

import enum

from django.db import connection, models, transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from common import audit
from common.errors import Refused


class Lock(enum.IntEnum):
    """Advisory locks, taken in this order and before any row lock."""

    # Who reads events of others into a site's genealogy.
    IMPORT = 0
    # Who plans supply of a site: conversion, cancellation, receipts.
    SUPPLY = 1
    # Who publishes the plan of a site.
    SCHEDULE = 2
    # Who derives the states of a machine.
    MACHINE = 3
    # Who chains an event to a site's genealogy; taken by the database at commit, last of all.
    GENEALOGY = 4


class StaleWrite(Refused):
    """Somebody else saved the object after this form was opened."""


def lock(which: Lock, key: int) -> None:
    """Hold the lock until the transaction ends; wait while another one holds it.

    Raises TransactionManagementError outside a transaction, where it would hold nothing.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(f"{which.name} locks inside atomic() only.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [int(which), key])


def check_version(target: models.Model, *, opened: int) -> None:
    """Raise StaleWrite, saying who saved when, unless ``target`` still has the opened version.

    Call it on the locked row, and count ``target.version`` up on each edit.
    """
    current: int = target.version  # type: ignore[attr-defined]
    if current == opened:
        return
    last = audit.history(target).first()
    if last is None:
        raise StaleWrite(
            _("%(object)s was changed meanwhile. Look at it again before you save.")
            % {"object": target}
        )
    raise StaleWrite(
        _("%(object)s was changed by %(person)s on %(moment)s. Look at it again before you save.")
        % {
            "object": target,
            "person": last.actor_label,
            "moment": date_format(localtime(last.at), "DATETIME_FORMAT"),
        }
    )
