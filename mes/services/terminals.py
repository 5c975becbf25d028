"""Devices on the floor: registered once by a supervisor, told by their cookie, revoked."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.errors import Refused
from common.models import User
from masterdata import selectors as masterdata
from mes.models import Terminal

COOKIE = "terminal"
# In the session of who signed in there: which device it was.
SESSION_KEY = "terminal"
_LONGEST = 100
# The row is not written on every request.
_SEEN_EVERY = timedelta(minutes=5)


class CannotRegister(Refused):
    """The device cannot become a terminal."""


def register(
    *, name: str, site_id: int, work_unit_id: int | None, by: User, now: datetime
) -> tuple[Terminal, str]:
    """Make the device a terminal; return it and the secret for its cookie, shown nowhere else.

    Raise CannotRegister without a name, or where the work unit does not work at the site: nobody
    could work at such a terminal.
    """
    if not name.strip():
        raise CannotRegister(_("Give the terminal a name, such as where it stands."))
    here = {unit.id for unit in masterdata.active_units(site_id=site_id)}
    if work_unit_id is not None and work_unit_id not in here:
        site = masterdata.site(site_id)
        raise CannotRegister(
            _("This work unit is not one that works at %(site)s.") % {"site": site.code}
        )
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        terminal = Terminal.objects.create(
            name=name.strip()[:60],
            site_id=site_id,
            work_unit_id=work_unit_id,
            digest=_digest(token),
            registered_at=now,
            registered_by=by,
        )
        audit.record(action="mes.terminal.register", target=terminal, by=by, now=now)
    return terminal, token


def find(token: str, *, now: datetime) -> Terminal | None:
    """The active terminal of a cookie, None for any other device."""
    if not token or len(token) > _LONGEST:
        return None
    terminal = (
        Terminal.objects.select_related("site", "work_unit")
        .filter(digest=_digest(token), is_active=True)
        .first()
    )
    if terminal and (terminal.last_seen_at is None or now - terminal.last_seen_at > _SEEN_EVERY):
        Terminal.objects.filter(pk=terminal.pk).update(last_seen_at=now)
    return terminal


def move(*, terminal: Terminal, work_unit_id: int, by: User | None, now: datetime) -> None:
    """The device stands at this work unit from now on."""
    with transaction.atomic():
        Terminal.objects.filter(pk=terminal.pk).update(work_unit=work_unit_id)
        audit.record(action="mes.terminal.move", target=terminal, by=by, now=now)


def revoke(*, terminal: Terminal, by: User, now: datetime) -> None:
    """Nobody signs in on the device any more; who is signed in there is out."""
    with transaction.atomic():
        Terminal.objects.filter(pk=terminal.pk).update(is_active=False)
        _end_sessions(terminal, now)
        audit.record(action="mes.terminal.revoke", target=terminal, by=by, now=now)


def _end_sessions(terminal: Terminal, now: datetime) -> None:
    """Sessions are opaque; there are as many as people signed in today, and this is rare."""
    for row in Session.objects.filter(expire_date__gt=now).iterator():
        if row.get_decoded().get(SESSION_KEY) == terminal.pk:
            row.delete()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
