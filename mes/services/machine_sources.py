"""Whose name machine events come under: nobody sends under the source of somebody else."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.errors import Refused
from common.models import User
from mes.models import MachineSource

# Sources of our own: the listener of MQTT, and machines that are not there.
OURS = ("mqtt/", "simulator")


class CannotSend(Refused):
    """The source is not of the account that sends."""


def claim(*, name: str, by: User, now: datetime) -> None:
    """The source is of the account that sends under it first; raise CannotSend for another's.

    Call it in the transaction of the events.
    """
    if name.startswith(OURS):
        raise CannotSend(
            _("The source %(name)s is the system's own; send under another name.") % {"name": name}
        )
    owner = _owner(name)
    if owner is None:
        source = MachineSource(name=name, account=by, since=now)
        # Another one's first batch may be under way: whoever commits first has it.
        MachineSource.objects.bulk_create([source], ignore_conflicts=True)
        owner = _owner(name)
        if owner == by.pk:
            kept = MachineSource.objects.get(name=name)
            audit.record(action="mes.machine_source.claim", target=kept, by=by, now=now)
    if owner != by.pk:
        raise CannotSend(
            _("The source %(name)s belongs to another account; a supervisor can free it.")
            % {"name": name}
        )


def free(*, source: MachineSource, by: User, now: datetime) -> None:
    """Let the name belong to whoever sends under it next; its events stay."""
    with transaction.atomic():
        audit.record(action="mes.machine_source.free", target=source, by=by, now=now)
        source.delete()


def _owner(name: str) -> int | None:
    return MachineSource.objects.filter(name=name).values_list("account_id", flat=True).first()
